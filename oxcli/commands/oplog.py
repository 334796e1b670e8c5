"""``ox oplog``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import Number, json_option, option, verb
from oxcli.render.text import Paint, iso_date

if TYPE_CHECKING:
    from oxcore.verbs.oplog import Logged

_SHOWN = 10  # hex digits


@verb("ox oplog", "ox oplog -n 5", "ox oplog --json")
@option("-n", "--limit", kind=Number(1), help="At most so many operations.")
@json_option
def command(session: Session, limit: int | None, *, as_json: bool) -> None:
    """List every operation on this repository, newest first.

    Each has its number, time and verb, who did it, and the values of the state that it changed.
    Any of them can be taken back with ox undo NUMBER. Settings are outside of the log.
    """
    with session.open() as repo:
        if as_json:
            session.emit_list(_fields(row) for row in repo.oplog(limit))
        else:
            session.lines(line for row in repo.oplog(limit) for line in _lines(row, session.paint))


def _fields(row: Logged) -> dict[str, object]:
    operation = row.operation
    return {
        "number": operation.number,
        "time": operation.time,
        "verb": operation.verb,
        "note": operation.note,
        "who": operation.who,
        "changes": {key: list(pair) for key, pair in operation.changes.items()},
        "undoes": operation.undoes,
        "undone_by": row.undone_by,
    }


def _lines(row: Logged, paint: Paint) -> Iterator[str]:
    operation = row.operation
    head = f"{operation.number:>5}  {iso_date(operation.time)}  {operation.verb}"
    note = f": {operation.note}" if operation.note else ""
    undone = f"  (undone by {row.undone_by})" if row.undone_by is not None else ""
    yield paint(head, "dim" if undone else "bold") + note + paint(undone, "yellow")
    if operation.who:
        yield f"       {operation.who}"
    for key, (old, new) in sorted(operation.changes.items()):
        if key != "work":
            yield f"       {key}  {_value(old)} -> {_value(new)}"


def _value(value: str | None) -> str:
    if value is None:
        return "-"
    if value.startswith("ref:"):
        return value.removeprefix("ref:")
    return value[:_SHOWN] if len(value) == 64 else "..."
