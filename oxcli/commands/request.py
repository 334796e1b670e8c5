"""``ox request``."""

from __future__ import annotations

from typing import TypedDict, Unpack

from oxcli.context import Session
from oxcli.params import (
    REVISION,
    Choice,
    Number,
    argument,
    dry_run_option,
    json_option,
    option,
    verb_group,
)
from oxcli.reading import prediction_option, trust_option
from oxcli.render import asking, frame
from oxcli.render.text import plural, short_id

_METRICS = ("accuracy", "precision", "recall", "f1", "mae", "rmse", "ece", "brier")

onto_option = option(
    "--onto", metavar="BRANCH", help="That of this branch, if it is on several; commit there."
)
rev_option = option("--rev", kind=REVISION, help="Of this version; of all branches if none is.")


@verb_group(
    "ox request open night deployed wild --slice night --at-least 0.9 --owner Grace",
    "ox request list",
    "ox request show night",
    "ox request test night --pred new.csv",
    "ox request close night --reason 'the camera was replaced'",
    default=True,
)
def command(session: Session) -> None:
    """Give failures back to who owns the model: a slice, pinned, and what is asked for.

    A request is a branch, request/NAME, with the folder requests/NAME: its failing records, their
    labels and inputs. It is pushed, fetched and merged as all others, and closes when a later model
    passes. Alone it is ox request list.
    """
    _list(session, None, every=False, as_json=False)


class Asked(TypedDict):
    """The options of ``ox request open``."""

    slice_name: str
    slices_of: str | None
    metric: str
    at_least: float | None
    at_most: float | None
    within: float
    owner: str
    note: str
    model: str
    split: float | None
    proposed: bool
    prediction: str
    trust: str
    onto: str
    dry_run: bool
    as_json: bool


@command.command(
    "open",
    "ox request open night deployed wild --slice night --at-least 0.9 --owner Grace",
    "ox request open price deployed wild --slice old --metric mae --at-most 2.5 --split 0.4",
)
@argument("name", required=True, metavar="NAME")
@argument("branch", kind=REVISION, required=True)
@argument("folder", metavar="DIR", required=True)
@option("--slice", "slice_name", required=True, metavar="SLICE", help="The records it is about.")
@option("--slices", "slices_of", kind=REVISION, help="Slices of this version, not BRANCH's own.")
@option("--metric", kind=Choice(*_METRICS), default="accuracy", help="Of what; accuracy.")
@option("--at-least", kind=Number(0, 1, whole=False), metavar="X", help="Ask for so much: 0.9.")
@option("--at-most", kind=Number(0, whole=False), metavar="X", help="Of mae, rmse, ece, brier.")
@option(
    "--within",
    kind=Number(0, whole=False),
    default=0.0,
    metavar="X",
    help="A number is right if it is off by no more.",
)
@option("--owner", default="", metavar="WHO", help="Whose model it is.")
@option("--note", default="", metavar="TEXT", help="What else is to be said.")
@option("--model", default="", metavar="MODEL", help="Records of this model only.")
@option(
    "--split",
    kind=Number(0, 1, whole=False),
    metavar="X",
    help="Only what ox promote --split X keeps for the test.",
)
@option("--proposed", flag=True, help="Labels too that only a rule or a model gave.")
@prediction_option
@trust_option
@option("--onto", default="", metavar="BRANCH", help="Commit it there; on request/NAME.")
@dry_run_option
@json_option
def open_(session: Session, name: str, branch: str, folder: str, **options: Unpack[Asked]) -> None:
    """Pin the labelled records of a slice, and ask for a model that does better on them.

    What is pinned stays: later records, labels and slices do not change what is asked for. It is
    committed on a branch of its own, without touching this folder; ox push origin request/NAME
    sends it, with all inputs. With --split only the records are pinned that ox promote keeps for
    the test at that share, so that the others may be learned from.
    """
    trust = tuple(one.strip() for one in options["trust"].split(",")) if options["trust"] else ()
    with session.open() as repo:
        kept = repo.open_request(
            name,
            branch,
            folder,
            options["slice_name"],
            slices_of=options["slices_of"],
            metric=options["metric"],
            at_least=options["at_least"],
            at_most=options["at_most"],
            within=options["within"],
            owner=options["owner"],
            note=options["note"],
            model=options["model"],
            split=options["split"],
            proposed=options["proposed"],
            prediction=options["prediction"],
            trust=trust,
            onto=options["onto"],
            dry_run=options["dry_run"],
        )
    if options["as_json"]:
        session.emit({**asking.document(kept), "dry_run": options["dry_run"]})
        return
    session.lines(asking.wish(kept.request, session.paint))
    if not options["dry_run"]:
        session.say(f"commit {short_id(kept.commit)} on {kept.branch}")


@command.command("list")
@option("--all", "every", flag=True, help="Also those that passed or were closed.")
@rev_option
@json_option
def listing(session: Session, rev: str | None, *, every: bool, as_json: bool) -> None:
    """The requests that are open: on all branches, or of a version."""
    _list(session, rev, every=every, as_json=as_json)


@command.command("show")
@argument("name", required=True, metavar="NAME")
@rev_option
@option("-n", "--head", "head", kind=Number(0), default=20, help="So many failing records; 20.")
@json_option
def show(session: Session, name: str, rev: str | None, head: int, *, as_json: bool) -> None:
    """What is asked for, the records that fail, and the history of a request."""
    with session.open() as repo:
        found = repo.request(name, rev, limit=head)
    if as_json:
        session.emit({**asking.document(found.kept), **asking.details(found)})
    else:
        session.lines(asking.lines(found, session.paint, frame.width()))


class Tested(TypedDict):
    """The options of ``ox request test``."""

    pred: str
    model: str
    key: str
    prediction: str
    onto: str | None
    head: int
    dry_run: bool
    as_json: bool


@command.command(
    "test",
    "ox request test night --pred new.csv --model resnet@4",
    "ox request test night --pred deployed:wild --model resnet@4 -n",
)
@argument("name", required=True, metavar="NAME")
@option("--pred", required=True, metavar="FILE|BRANCH:DIR|EVAL", help="What was predicted.")
@option("--model", default="", metavar="MODEL", help="Whose answers; of records, only these.")
@option("--key", default="", metavar="COLUMN", help="Record, hash or path of the input.")
@option("--prediction", default="", metavar="COLUMN", help="The prediction, if not called so.")
@onto_option
@option("--head", "head", kind=Number(0), default=20, help="Show so many of each kind; 20.")
@dry_run_option
@json_option
def test(session: Session, name: str, **options: Unpack[Tested]) -> int:
    """Measure a later model on exactly the pinned records. Exit code 1 unless it passes.

    Answers are a table, a file, REV:PATH or an evaluation, or records that ox.save put on a branch,
    of the same inputs. A record without one is wrong. If an open request is met, it is closed by a
    commit on its branch; one that passed before stays a test.
    """
    with session.open() as repo:
        done = repo.test_request(
            name,
            options["pred"],
            model=options["model"],
            key=options["key"],
            prediction=options["prediction"],
            onto=options["onto"],
            dry_run=options["dry_run"],
            limit=options["head"],
        )
    if options["as_json"]:
        session.emit(asking.tested(done))
    else:
        session.lines(asking.verdict(done, session.paint))
        if done.commit is not None:
            session.say(f"closed: commit {short_id(done.commit)} on {done.kept.branch}")
        elif done.passed and done.kept.request.state == "open":
            session.say("a test without --dry-run closes it")
    return 0 if done.passed else 1


@command.command("close", "ox request close night --reason 'the camera was replaced'")
@argument("name", required=True, metavar="NAME")
@option("--reason", required=True, metavar="TEXT", help="Why nobody will meet it.")
@onto_option
def close(session: Session, name: str, reason: str, onto: str | None) -> None:
    """Close a request that no model will meet."""
    with session.open() as repo:
        kept = repo.close_request(name, reason, onto=onto)
    session.say(f"closed: commit {short_id(kept.commit)} on {kept.branch}")


@command.command("reopen", "ox request reopen night")
@argument("name", required=True, metavar="NAME")
@onto_option
def reopen(session: Session, name: str, onto: str | None) -> None:
    """Open a request again, with the records that were pinned."""
    with session.open() as repo:
        kept = repo.reopen_request(name, onto=onto)
    session.say(f"open: commit {short_id(kept.commit)} on {kept.branch}")


def _list(session: Session, rev: str | None, *, every: bool, as_json: bool) -> None:
    with session.open() as repo:
        found = repo.requests(rev)
    shown = [one for one in found if every or one.request.state == "open"]
    if as_json:
        session.emit_list(map(asking.document, shown))
    elif shown:
        session.lines(asking.table_of(shown, session.paint))
    elif found:
        session.say("no request is open")
    else:
        session.say("no request is here: ox request open NAME BRANCH DIR --slice SLICE ...")
    hidden = len(found) - len(shown)
    if hidden and not as_json:
        session.say(f"{plural(hidden, 'request')} passed or closed: --all")
