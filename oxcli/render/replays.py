"""What ``revert`` and ``cherry-pick`` have in common on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from oxcli.render.branches import Show, conflict_document, stopped
from oxcli.render.text import short_id
from oxcore.errors import ConflictError, OxError, UsageError

if TYPE_CHECKING:
    from oxcore.verbs.replay import Replayed

Verb = Literal["revert", "cherry-pick"]


def check(revisions: tuple[str, ...], *, abort: bool) -> None:
    """Raise ``UsageError`` unless there are revisions, or ``--abort`` by itself."""
    if abort and revisions:
        raise UsageError("--abort takes no revision")
    if not abort and not revisions:
        raise UsageError("which commit?", hint="ox log shows them")


def lines(verb: Verb, result: Replayed) -> list[str]:
    """One line for each commit that was looked at."""
    done = "reverted" if verb == "revert" else "picked"
    return [
        f"{done} {short_id(source)} as {short_id(new)}"
        if new is not None
        else f"left out {short_id(source)}: nothing of it is to do here"
        for source, new in result.made
    ]


def document(result: Replayed) -> dict[str, object]:
    """The object for programs."""
    states = {one.path: one for one in result.tables}
    return {
        "made": [{"source": source, "commit": new} for source, new in result.made],
        "stopped": result.stopped,
        "conflicts": [conflict_document(one, states.get(one.path)) for one in result.conflicts],
        "remaining": [oid.hex() for oid in result.remaining],
    }


def error(verb: Verb, result: Replayed, show: Show) -> OxError | None:
    """The error to end with, if one of the commits has conflicts."""
    if result.stopped is None:
        return None
    note = f" at {short_id(result.stopped)}"
    found = stopped(verb, result.conflicts, show, note, result.tables)
    if not result.remaining:
        return found
    rest = " ".join(short_id(oid) for oid in result.remaining)
    hint = f"{found.hint}; after that go on with: ox {verb} {rest}"
    return ConflictError(found.message, items=found.items, hint=hint)
