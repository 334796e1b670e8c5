"""``ox undo``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcli.context import Session
from oxcli.params import Number, argument, dry_run_option, json_option, verb
from oxcli.render.json import path_fields
from oxcli.render.text import plural

if TYPE_CHECKING:
    from oxcore.verbs.undo import Undone

_SHOWN = 20  # files of a dry run


@verb(
    "ox undo              # the latest operation; again: the one before",
    "ox undo 17           # a certain one, see: ox oplog",
    "ox undo --dry-run",
)
@argument("number", kind=Number(), required=False)
@dry_run_option
@json_option
def command(session: Session, number: int | None, *, dry_run: bool, as_json: bool) -> None:
    """Take back operation NUMBER, by default the latest that was not taken back yet.

    Branches, tags, stage and tracked files become as they were before it. Unsaved work is never
    overwritten. To redo, undo the undo. Settings, such as remotes, are outside of the log.
    """
    with session.open() as repo:
        undone = repo.undo(number, dry_run=dry_run)
        if as_json:
            session.emit(_fields(undone))
            return
        if dry_run:
            _show(session, undone)
            return
        session.say(f"undid {_title(undone)}")
        redo = undone.moved and undone.moved.operation
        if redo:
            session.say(f"to redo it: ox undo {redo.number}")


def _title(undone: Undone) -> str:
    operation = undone.operation
    note = f": {operation.note}" if operation.note else ""
    return f"operation {operation.number}, {operation.verb}{note}"


def _show(session: Session, undone: Undone) -> None:
    session.echo(f"would undo {_title(undone)}")
    for key, (old, new) in sorted(undone.changes.items()):
        session.echo(f"  {key}  {(old or '-')[:32]} -> {(new or '-')[:32]}")
    for change in undone.files[:_SHOWN]:
        session.echo(f"  {change.letter} {session.show(change.path)}")
    if len(undone.files) > _SHOWN:
        session.echo(f"  ... and {plural(len(undone.files) - _SHOWN, 'more file', 'more files')}")


def _fields(undone: Undone) -> dict[str, object]:
    done = undone.moved and undone.moved.operation
    return {
        "undone": undone.operation.number,
        "verb": undone.operation.verb,
        "note": undone.operation.note,
        "changes": {key: list(pair) for key, pair in undone.changes.items()},
        "files": [{**path_fields(one.path), "change": one.letter} for one in undone.files],
        "operation": done.number if done else None,
    }
