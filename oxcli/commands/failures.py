"""``ox failures``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, REVISION, Choice, Number, argument, json_option, option, verb_group
from oxcli.reading import as_of_option, prediction_option, reading, trust_option
from oxcli.render import frame, report
from oxcli.render.text import plural, short_id
from oxcore.errors import ExistsError, NotFoundError, UsageError

if TYPE_CHECKING:
    from oxcore.api import Repo

_MOST = 4096  # bytes of an input that are printed
_ORDERS = ("worst", "farthest", "uncertainty", "newest", "oldest", "slowest")


class Options(TypedDict):
    """The options of ``ox failures``."""

    slice_name: str
    slices_of: str | None
    where: str
    sort: str
    head: int
    as_of: str | None
    prediction: str
    trust: str
    as_json: bool


@verb_group(
    "ox failures deployed wild",
    "ox failures deployed wild --slice night --sort uncertainty",
    "ox failures deployed wild --where \"model = 'resnet@3f2c' and latency_ms > 500\" -n 50",
    "ox failures deployed wild --json",
    "ox failures show deployed wild 0199d5f0-...",
    "ox failures tag deployed wild 0199d5f0-... --tag night",
    default=True,
)
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@option("--slice", "slice_name", default="", metavar="NAME", help="The records of a slice.")
@option("--slices", "slices_of", kind=REVISION, help="Slices of this version, not BRANCH's own.")
@option("--where", default="", metavar="SQL", help="The records for which this is true.")
@option("--sort", kind=Choice(*_ORDERS), default="worst", help="The order; worst first.")
@option("-n", "--head", "head", kind=Number(0), default=20, help="So many; 20.")
@as_of_option
@prediction_option
@trust_option
@json_option
def command(session: Session, branch: str, folder: str, **options: Unpack[Options]) -> None:
    """List records that failed: calls that raised, wrong answers, answers that were voted down.

    With --slice or --where other records are chosen. The columns are those of ox report --by.
    Verbs below show one, and say something of it, each in one commit on BRANCH; a branch that is
    called as one of them is refs/heads/NAME.
    """
    with session.open() as repo:
        version, how = reading(
            repo, branch, options["as_of"], options["prediction"], options["trust"]
        )
        found = repo.failures(
            version,
            folder,
            slice_name=options["slice_name"],
            where=options["where"],
            sort=options["sort"],
            limit=options["head"],
            slices_of=options["slices_of"],
            **how,
        )
        if options["as_json"]:
            session.emit_list(one._asdict() for one in found)
        elif found:
            session.lines(report.examples(found, session.paint, frame.width()))
        else:
            session.say("no record fits")
    if not options["as_json"] and len(found) == options["head"]:
        session.say(f"the first {plural(len(found), 'record')}; more: -n")


class Asked(TypedDict):
    """The options of ``ox failures show``."""

    output: str | None
    force: bool
    as_of: str | None
    prediction: str
    trust: str
    as_json: bool


@command.command(
    "show",
    "ox failures show deployed wild 0199d5f0-...",
    "ox failures show deployed wild 0199d5f0-... -o input.png",
)
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@argument("record", metavar="RECORD", required=True)
@option("-o", "--output", kind=PATH, help="Write the input to a file.")
@option("-f", "--force", flag=True, help="Replace the file that -o names.")
@as_of_option
@prediction_option
@trust_option
@json_option
def show(session: Session, branch: str, folder: str, record: str, **options: Unpack[Asked]) -> None:
    """Show a record: all its fields, its label and tags as of now, notes, and its input.

    An input that is text is printed; others are written with -o, or by ox cat.
    """
    from oxcli.render import record as rendered

    with session.open() as repo:
        version, how = reading(
            repo, branch, options["as_of"], options["prediction"], options["trust"]
        )
        found = repo.record(version, folder, record, **how)
        if options["output"] is not None:
            if found.input_path is None:
                raise NotFoundError(f"no input of the record {record} was kept")
            _write(options["output"], repo.cat(found.input_path, version), force=options["force"])
            session.say(f"wrote {options['output']}")
        elif options["as_json"]:
            session.emit(found)
        else:
            start = b"" if found.input_path is None else _start(repo, found.input_path, version)
            session.lines(rendered.lines(found, version, start, session.paint))


class Saying(TypedDict):
    """Who says something of a record."""

    source: str
    author: str


@command.command(
    "tag",
    "ox failures tag deployed wild 0199d5f0-... 0199d5f1-... --tag night --tag blurred",
    "ox failures tag deployed wild 0199d5f0-... --remove night",
)
@argument("branch", required=True)
@argument("folder", metavar="DIR", required=True)
@argument("records", metavar="RECORD...", many=True, required=True)
@option("--tag", "tags", many=True, metavar="TAG", help="Give them this tag; or several.")
@option("--remove", many=True, metavar="TAG", help="Take this tag from them; or several.")
@option("--source", default="human", metavar="NAME", help="Where it comes from; human.")
@option("--author", default="", metavar="NAME", help="Who says so; you, if nobody is named.")
def tag(
    session: Session,
    branch: str,
    folder: str,
    records: tuple[str, ...],
    tags: tuple[str, ...],
    remove: tuple[str, ...],
    **saying: Unpack[Saying],
) -> None:
    """Tag records; slices and conditions on tags count them from then on."""
    if bool(tags) == bool(remove):
        raise UsageError("which tag?", hint="--tag NAME, or --remove NAME")
    kind, values = ("tag", tags) if tags else ("untag", remove)
    with session.open() as repo:
        commit = repo.annotate(branch, folder, records, kind, values, **saying)
    done = "tagged" if tags else "took the tag from"
    session.say(f"{done} {plural(len(set(records)), 'record')}: commit {short_id(commit)}")


@command.command(
    "correct",
    "ox failures correct deployed wild 0199d5f0-... dog",
    """ox failures correct deployed wild 0199d5f0-... '{"label": "dog", "box": [3, 4]}' --parse""",
)
@argument("branch", required=True)
@argument("folder", metavar="DIR", required=True)
@argument("record", metavar="RECORD", required=True)
@argument("value", metavar="VALUE", required=True)
@option("--parse", flag=True, help="VALUE is JSON: a whole output, as it ought to be.")
@option("--source", default="human", metavar="NAME", help="Where it comes from; human.")
@option("--author", default="", metavar="NAME", help="Who says so; you, if nobody is named.")
def correct(
    session: Session,
    branch: str,
    folder: str,
    record: str,
    value: str,
    *,
    parse: bool,
    **saying: Unpack[Saying],
) -> None:
    """Say what the model ought to have said: the label of the record from then on.

    Labels of a source that is trusted more stand before it. Many at once: ox label import.
    """
    said = _parsed(value) if parse else value
    with session.open() as repo:
        commit = repo.annotate(branch, folder, [record], "correction", [said], **saying)
    session.say(f"corrected: commit {short_id(commit)}")


@command.command("note", "ox failures note deployed wild 0199d5f0-... 'the lens is dirty'")
@argument("branch", required=True)
@argument("folder", metavar="DIR", required=True)
@argument("record", metavar="RECORD", required=True)
@argument("text", metavar="TEXT", required=True)
@option("--source", default="human", metavar="NAME", help="Where it comes from; human.")
@option("--author", default="", metavar="NAME", help="Who says so; you, if nobody is named.")
def note(
    session: Session, branch: str, folder: str, record: str, text: str, **saying: Unpack[Saying]
) -> None:
    """Write a note on a record, which ox failures show tells."""
    with session.open() as repo:
        commit = repo.annotate(branch, folder, [record], "note", [text], **saying)
    session.say(f"noted: commit {short_id(commit)}")


def _parsed(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"not JSON: {error}", hint="without --parse it is text") from error


def _start(repo: Repo, path: str, version: str) -> bytes:
    """The first bytes of a file, enough to show."""
    data = b""
    for piece in repo.cat(path, version):
        data += piece
        if len(data) >= _MOST:
            break
    return data[:_MOST]


def _write(place: str, pieces: Iterable[bytes], *, force: bool) -> None:
    from oxcore.fs.atomic import storage_errors

    with storage_errors(f"write {place}"):
        try:
            with open(place, "wb" if force else "xb") as file:
                file.writelines(pieces)
        except FileExistsError:
            raise ExistsError(f"{place} is there already", hint="replace it: --force") from None
