"""``ox schema``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import PATH, REVISION, argument, json_option, option, verb_group
from oxcli.paths import is_pattern
from oxcli.render import schema as render
from oxcli.render.json import path_fields
from oxcli.targets import file_at
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.api import Repo
    from oxcore.tables.schema import TableSchema


class Options(TypedDict):
    """The options of ``ox schema set``."""

    key: str | None
    types: tuple[str, ...]
    holds: tuple[str, ...]
    about: tuple[str, ...]
    infer: bool
    only: tuple[str, ...]


@verb_group(
    "ox schema",
    "ox schema set labels.csv --infer --key id --holds photo=image",
    "ox schema set 'data/*.csv' --type zip=string --describe 'one row a house'",
    "ox schema set labels.csv --describe taken='local time of the camera'",
    "ox schema show labels.csv@v1.0 --json",
    "ox schema rm labels.csv",
    default=True,
)
@json_option
def command(session: Session, *, as_json: bool) -> None:
    """Keep with a table what its columns are: types, key, what they hold, what they mean.

    Alone: the tables that have a schema. It is a file of the dataset, .oxschema/TABLE.json,
    committed, moved, removed and merged with the rest. ox commit tells of new tables that leave
    theirs; ox commit --strict refuses them.
    """
    with session.open() as repo:
        found = repo.schemas()
        if as_json:
            session.emit([{**path_fields(one.path), **_record(one.schema)} for one in found])
        else:
            session.lines(render.listing((session.show(one.path), one.schema) for one in found))


@command.command("show")
@argument("file", kind=PATH, metavar="FILE[@REV]")
@option("--rev", kind=REVISION, help="The version; the work tree if none is named.")
@json_option
def show(session: Session, file: str, *, rev: str | None, as_json: bool) -> None:
    """The columns of a table file beside what is kept of them, and where the two part."""
    from oxcore.tables.schema import TableSchema

    with session.open() as repo:
        path, version = file_at(session, repo, file, rev)
        table, schema = repo.table(path, version), repo.schema(path, version)
        columns = render.rows(table, schema or TableSchema())
        found = repo.departures(path, version)
        if as_json:
            record = None if schema is None else _record(schema)
            head = {**path_fields(path), "rev": version, "schema": record}
            session.emit({**head, "columns": columns, "departures": found})
        else:
            session.lines(render.lines(table.name, columns, schema, found, session.paint))


@command.command("set")
@argument("file", kind=PATH)
@option("--key", metavar="COLUMNS", help="What tells rows apart, with commas; '' for no key.")
@option("--type", "types", many=True, metavar="COLUMN=TYPE", help="As Arrow names it: int64.")
@option(
    "--holds",
    many=True,
    metavar="COLUMN=WHAT",
    help="image, audio, video or file (their paths), text, label.",
)
@option("--describe", "about", many=True, metavar="[COLUMN=]TEXT", help="Of the table, or one.")
@option("--infer", flag=True, help="Types of all columns as they are now; forget gone ones.")
@option("--only", many=True, metavar="COLUMN", help="With --infer: of these columns.")
def set_(session: Session, file: str, **options: Unpack[Options]) -> None:
    """Say what the columns of a table file are, or of all tracked files that a quoted glob fits.

    What is not named stays as it is; COLUMN= takes away what was said. The result is staged.
    """
    if options["only"] and not options["infer"]:
        raise UsageError("--only goes with --infer")
    if not any((*options.values(), options["key"] is not None)):
        raise UsageError("set what?", hint="ox schema set FILE --infer takes the types as they are")
    with session.open() as repo:
        pattern = session.paths(repo, [file])[0]
        names = _names(repo, pattern)
        about = [_pair(text, names) for text in options["about"]]
        made = repo.amend_schema(
            [pattern],
            key=None if options["key"] is None else _split(options["key"], names),
            types=dict(_named("--type", _pair(text, names)) for text in options["types"]),
            holds=dict(_named("--holds", _pair(text, names)) for text in options["holds"]),
            about={name: text for name, text in about if name is not None},
            description=next((text for name, text in about if name is None), None),
            infer=options["infer"],
            only=options["only"],
        )
        for one in made:
            session.say(f"{session.show(one.path)}: {render.summary(one.schema)}")
            for each in repo.departures(one.path):
                session.warn(f"{session.show(one.path)}: {each.text}")


@command.command("rm")
@argument("file", kind=PATH)
@option("--only", many=True, metavar="COLUMN", help="What is kept of these columns.")
def remove(session: Session, file: str, *, only: tuple[str, ...]) -> None:
    """Forget the schema of a table file, or of some of its columns; ox undo takes it back."""
    with session.open() as repo:
        path = session.path(repo, file)
        repo.remove_schema(path, only)
        session.say(f"{session.show(path)}: forgot {', '.join(only) or 'its schema'}")


def _names(repo: Repo, pattern: bytes) -> Sequence[str]:
    """The columns by whose names words are parted; of a pattern there are too many to ask."""
    if repo.bare or is_pattern(pattern):
        return ()
    return list(repo.table(pattern).schema.names)


def _pair(text: str, names: Sequence[str]) -> tuple[str | None, str]:
    """``COLUMN=TEXT``; the longest column that is there, else what stands before the first '='."""
    places = [at for at, char in enumerate(text) if char == "="]
    known = [at for at in places if text[:at] in names]
    if known:
        return text[: known[-1]], text[known[-1] + 1 :]
    if places and not names and " " not in text[: places[0]]:
        return text[: places[0]], text[places[0] + 1 :]
    return None, text


def _named(option_: str, pair: tuple[str | None, str]) -> tuple[str, str]:
    name, text = pair
    if name is not None:
        return name, text
    name, mark, text = text.partition("=")
    if not mark:
        raise UsageError(f"{option_} takes COLUMN=..., not {name!r}")
    return name, text


def _split(text: str, names: Sequence[str]) -> list[str]:
    if text in names:
        return [text]
    return [name.strip() for name in text.split(",")] if text else []


def _record(schema: TableSchema) -> dict[str, object]:
    """A schema as its file has it."""
    from json import loads

    from oxcore.tables.schema import encode

    record: dict[str, object] = loads(encode(schema))
    return record
