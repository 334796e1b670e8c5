"""``ox pull``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import argument, json_option, option, verb
from oxcli.render.branches import (
    conflict_document,
    moved_document,
    moved_text,
    stopped,
    table_document,
    table_lines,
)
from oxcli.render.schema import warnings
from oxcli.render.sharing import change_lines, fetched_document, fetched_text
from oxcli.render.text import short_id
from oxcore.errors import UsageError

if TYPE_CHECKING:
    from oxcore.verbs.merge import Forward
    from oxcore.verbs.pull import Pulled


@verb("ox pull", "ox pull --ff-only", "ox pull origin main")
@argument("remote", required=False)
@argument("branch", required=False)
@option("--ff-only", flag=True, help="Go forward, or refuse: make no merge.")
@option("--no-ff", flag=True, help="Make a merge even if going forward would do.")
@option("--allow-leak", flag=True, help="Let test data leak into training, and note it.")
@json_option
def command(
    session: Session,
    remote: str | None,
    branch: str | None,
    *,
    ff_only: bool,
    no_ff: bool,
    allow_leak: bool,
    as_json: bool,
) -> None:
    """Fetch, and bring this branch up to date with what it follows, or with BRANCH of REMOTE.

    Where both sides changed a file, yours stays in the folder until you settle it with ox resolve.
    """
    if ff_only and no_ff:
        raise UsageError("--ff-only and --no-ff exclude each other")
    forward: Forward = "only" if ff_only else "never" if no_ff else "auto"
    with session.open() as repo:
        result = repo.pull(remote, branch, forward=forward, allow_leak=allow_leak)
    for line in warnings(result.merged.left, session.show):
        session.warn(line)
    if as_json:
        session.emit(_document(result))
    else:
        _tell(session, result)
    if result.merged.kind == "conflicts":
        merged = result.merged
        raise stopped("merge", merged.conflicts, session.show, tables=merged.tables)


def _document(result: Pulled) -> dict[str, object]:
    merged = result.merged
    states = {one.path: one for one in merged.tables}
    return {
        "fetched": fetched_document(result.fetched),
        "branch": result.branch,
        "result": merged.kind,
        "commit": merged.commit,
        "conflicts": [conflict_document(one, states.get(one.path)) for one in merged.conflicts],
        "tables": [table_document(one) for one in merged.tables],
        "moved": moved_document(merged.moved),
    }


def _tell(session: Session, result: Pulled) -> None:
    fetched, merged = result.fetched, result.merged
    for line in change_lines(fetched.changes):
        session.say(line)
    received = fetched_text(fetched.report)
    if received:
        session.say(received)
    label = f"{fetched.remote or fetched.url}/{result.branch}"
    files, at = moved_text(merged.moved) or "no file changed", short_id(merged.commit or b"")
    if merged.kind == "up-to-date":
        session.say(f"already up to date with {label}")
    elif merged.kind == "fast-forward":
        session.say(f"forward to {at}: {files}")
    elif merged.kind == "merged":
        session.say(f"merged {label} as {at}: {files}")
        for line in table_lines(merged.tables, session.show):
            session.say(line)
