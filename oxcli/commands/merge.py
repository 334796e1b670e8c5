"""``ox merge``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import REVISION, argument, json_option, option, verb
from oxcli.render.branches import (
    conflict_document,
    moved_document,
    moved_text,
    stopped,
    table_document,
    table_lines,
)
from oxcli.render.schema import warnings
from oxcli.render.text import short_id
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from oxcore.verbs.merge import Forward, Merged

    class Options(TypedDict):
        """The options of ``ox merge``."""

        message: str | None
        ff_only: bool
        no_ff: bool
        abort: bool
        unrelated: bool
        allow_leak: bool
        as_json: bool


@verb(
    "ox merge topic",
    'ox merge topic -m "new labels"',
    "ox merge --ff-only origin/main",
    "ox merge --abort",
)
@argument("revision", required=False, kind=REVISION)
@option("-m", "--message", help="The message of the merge.")
@option("--ff-only", flag=True, help="Go forward, or refuse: make no merge.")
@option("--no-ff", flag=True, help="Make a merge even if going forward would do.")
@option("--abort", flag=True, help="Give up the merge that waits.")
@option(
    "--allow-unrelated-histories",
    "unrelated",
    flag=True,
    help="Join histories without a common commit.",
)
@option("--allow-leak", flag=True, help="Let test data leak into training, and note it.")
@json_option
def command(session: Session, revision: str | None, **options: Unpack[Options]) -> None:
    """Join another branch into this one, file by file.

    A file that only one side changed is taken from there. Where both changed it, yours stays in
    the folder until you settle it with: ox resolve.
    """
    if options["abort"]:
        _abort(session, revision)
        return
    if revision is None:
        raise UsageError("merge what?", hint="ox merge BRANCH")
    forward = _forward(ff_only=options["ff_only"], no_ff=options["no_ff"])
    with session.open() as repo:
        result = repo.merge(
            revision,
            message=options["message"],
            forward=forward,
            allow_unrelated=options["unrelated"],
            allow_leak=options["allow_leak"],
        )
    for line in warnings(result.left, session.show):
        session.warn(line)
    if options["as_json"]:
        session.emit(_document(result))
    elif result.kind != "conflicts":
        _tell(session, revision, result)
    if result.kind == "conflicts":
        raise stopped("merge", result.conflicts, session.show, tables=result.tables)


def _abort(session: Session, revision: str | None) -> None:
    if revision is not None:
        raise UsageError("--abort takes no revision")
    with session.open() as repo:
        repo.abort("merge")
    session.say("gave up the merge: all is as before")


def _forward(*, ff_only: bool, no_ff: bool) -> Forward:
    if ff_only and no_ff:
        raise UsageError("--ff-only and --no-ff exclude each other")
    return "only" if ff_only else "never" if no_ff else "auto"


def _document(result: Merged) -> dict[str, object]:
    states = {one.path: one for one in result.tables}
    return {
        "result": result.kind,
        "commit": result.commit,
        "conflicts": [conflict_document(one, states.get(one.path)) for one in result.conflicts],
        "tables": [table_document(one) for one in result.tables],
        "moved": moved_document(result.moved),
    }


def _tell(session: Session, revision: str, result: Merged) -> None:
    files = moved_text(result.moved) or "no file changed"
    at = short_id(result.commit or b"")
    if result.kind == "up-to-date":
        session.say(f"already up to date: {revision} is in this branch")
    elif result.kind == "fast-forward":
        session.say(f"forward to {at}: {files}")
    else:
        session.say(f"merged {revision} as {at}: {files}")
        for line in table_lines(result.tables, session.show):
            session.say(line)
