"""``undo``: take back an operation, in the state and in the work tree.

The state goes back by the inverse of what the operation changed; the work tree by the two trees
that the operation noted under ``work``. Settings are outside of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from oxcore import tree
from oxcore.codec.oplog import Operation
from oxcore.errors import NotFoundError, NothingToDoError, RejectedError
from oxcore.model.entries import Change
from oxcore.model.ids import parse_id
from oxcore.repo import Repository
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import Moved, carry
from oxcore.verbs.oplog import oplog

WORK = "work"

Swaps = Mapping[str, tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Undone:
    """What ``undo`` did or, with ``dry_run``, would do.

    ``operation`` is the one that was taken back, ``changes`` what that changes in the state (key
    -> before, after), ``files`` what in the work tree; ``moved`` is None after a dry run.
    """

    operation: Operation
    changes: Swaps
    files: tuple[Change, ...]
    moved: Moved | None


def undo(repo: Repository, number: int | None = None, *, dry_run: bool = False) -> Undone:
    """Take back operation ``number``; by default the latest that is no undo and holds still.

    To undo an undo is to redo. Raises ``NothingToDoError`` where nothing is left, and for the
    first operation; ``RejectedError`` naming the later operation that changed the same things,
    ``UnsavedError`` if unsaved work would be overwritten, ``NotFoundError`` for a number that
    the log does not hold. Then nothing has changed.
    """
    if dry_run:
        return _plan(repo, number)
    with repo.lock("undo"):
        intent.recover(repo)
        plan = _plan(repo, number)
        moved = _carry_out(repo, plan)
    return Undone(plan.operation, plan.changes, plan.files, moved)


def _plan(repo: Repository, number: int | None) -> Undone:
    operation = _latest(repo) if number is None else _numbered(repo, number)
    _check_unmoved(repo, operation)
    inverse = {key: (new, old) for key, (old, new) in operation.changes.items() if key != WORK}
    return Undone(operation, inverse, _steps(repo, operation), None)


def _latest(repo: Repository) -> Operation:
    previous: Operation | None = None
    for operation, undone_by in oplog(repo):
        if previous is not None:
            return previous  # it is not the first one
        if undone_by is None and operation.undoes is None:
            previous = operation
    raise NothingToDoError("there is no operation left to undo", hint="redo with: ox undo NUMBER")


def _numbered(repo: Repository, number: int) -> Operation:
    operation = repo.state.operation(number)
    try:
        repo.state.operation(number - 1)
    except NotFoundError:
        raise NothingToDoError(
            f"operation {number} is where the log begins: it cannot be undone"
        ) from None
    return operation


def _check_unmoved(repo: Repository, operation: Operation) -> None:
    view = repo.view()
    moved = [
        key for key, (_, new) in operation.changes.items() if key != WORK and view.get(key) != new
    ]
    if not moved:
        return
    later = [other for other in repo.state.operations() if not _apart(other, operation, moved)]
    names = [f"{other.number} {other.verb}: {other.note}" for other in later]
    latest = later[0] if later else operation
    if latest.undoes == operation.number:
        raise RejectedError(
            f"operation {operation.number} is undone already, by operation {latest.number}",
            hint=f"redo it with: ox undo {latest.number}",
        )
    raise RejectedError(
        f"operation {operation.number} ({operation.verb}) cannot be undone alone: operation "
        f"{latest.number} ({latest.verb}) changed {', '.join(sorted(moved))} after it",
        hint=f"undo the later one first: ox undo {latest.number}",
        items=names,
    )


def _apart(other: Operation, operation: Operation, keys: list[str]) -> bool:
    return other.number <= operation.number or other.changes.keys().isdisjoint(keys)


def _steps(repo: Repository, operation: Operation) -> tuple[Change, ...]:
    """How the files get back to what they were; nothing in a bare repository."""
    trees = _trees(operation)
    if trees is None or repo.worktree is None:
        return ()
    return tuple(tree.diff(repo.store, trees[1], trees[0]))


def _trees(operation: Operation) -> tuple[bytes, bytes] | None:
    _, text = operation.changes.get(WORK, (None, None))
    return None if text is None else intent.trees_of(text)


def _carry_out(repo: Repository, plan: Undone) -> Moved:
    number = plan.operation.number
    note = f"{number} {plan.operation.verb}: {plan.operation.note}".rstrip(": ")
    changes = dict(plan.changes)
    _, stage = changes.pop("stage", (None, repo.view()["stage"]))
    root = tree.EMPTY if stage is None else parse_id(stage)
    moved = carry(
        repo, plan.files, stage=root, verb="undo", note=note, changes=changes, undoes=number
    )
    if moved.operation is None:
        moved.operation = _note_only(repo, plan.operation, note)
    return moved


def _note_only(repo: Repository, operation: Operation, note: str) -> Operation | None:
    """The files are as they were before already: say so, else the next undo stops here again."""
    now, trees = repo.view().get(WORK), _trees(operation)
    back = None if trees is None else f"{trees[1].hex()}:{trees[0].hex()}"
    back = None if back == now else back
    return repo.operate("undo", note, {WORK: (now, back)}, undoes=operation.number)
