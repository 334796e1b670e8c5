"""Moving the work tree from one tree to another without hurting unsaved work.

Everything that may refuse is asked before anything is written. Then: the intent is written
down, each file is replaced by a rename, the operation is logged, the stat cache follows, the
intent is removed. If something fails or the process dies in between, what was replaced is put
back, at once or by the next writer (``oxcore.verbs.moving.intent``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from oxcore import tree
from oxcore.codec.oplog import Operation
from oxcore.errors import InvalidError, UnsavedError, counted
from oxcore.model.entries import Change
from oxcore.repo import Repository
from oxcore.repo.select import Selection
from oxcore.repo.survey import Aside, survey, sync_stat
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.plan import REMOVE, WRITE, Plan, Rows, both_sides, make_plan
from oxcore.verbs.moving.steps import Steps
from oxcore.verbs.moving.writeout import write_files
from oxcore.worktree import Writer

Changes = Mapping[str, tuple[str | None, str | None]]


@dataclass(slots=True)
class Moved:
    """What a move of the work tree did: files ``written`` and ``removed``, bytes written, and the
    ``operation`` that records it (None if nothing changed)."""

    written: int = 0
    removed: int = 0
    nbytes: int = 0
    operation: Operation | None = None


class _Record(NamedTuple):
    verb: str
    note: str
    changes: Changes
    undoes: int | None = None


def move(
    repo: Repository,
    source: bytes,
    target: bytes,
    *,
    verb: str,
    note: str,
    changes: Changes,
    force: bool = False,
) -> Moved:
    """Take work tree and stage along from tree ``source`` to tree ``target``.

    What is staged or changed besides stays, and where it touches a path that differs between
    the two trees, ``UnsavedError`` lists it and nothing happens. With ``force`` everything
    tracked becomes as in ``target``. ``changes`` are further changes of the view, made in the
    same operation. Call it with the lock held.
    """
    sync_stat(repo)
    stage = repo.stage()
    if force:
        wanted, steps = target, Steps(_all_steps(repo, stage, target))
    else:
        wanted = _carry_staged(repo, source, target, stage)
        steps = Steps(tree.diff(repo.store, stage, wanted))
    return _carry(repo, steps, wanted, _Record(verb, note, changes), force=force, whole=not force)


def carry(
    repo: Repository,
    steps: Sequence[Change],
    *,
    stage: bytes,
    verb: str,
    note: str,
    changes: Changes,
    force: bool = False,
    undoes: int | None = None,
) -> Moved:
    """Make the work tree hold ``new`` at the path of each step, and ``stage`` the staged root.

    ``steps`` ascend by path. Where the work tree holds neither ``old`` nor ``new``,
    ``UnsavedError`` lists the paths; with ``force`` what lies there is stored first, so that
    ``undo`` can bring it back, and then overwritten. Untracked files in a folder that a file
    must replace, and such a file that a folder must, are refused with ``force`` too. Call it
    with the lock held.
    """
    record = _Record(verb, note, changes, undoes)
    return _carry(repo, steps, stage, record, force=force)


def _carry(
    repo: Repository,
    steps: Sequence[Change],
    stage: bytes,
    record: _Record,
    *,
    force: bool,
    whole: bool = False,
) -> Moved:
    """``carry``; ``whole``: the steps are known to be all that differs between the stages."""
    if repo.worktree is None:
        return _log_only(repo, stage, record)
    sync_stat(repo)
    plan = make_plan(repo, steps if isinstance(steps, Steps) else Steps(steps))
    plan.whole = whole or _same_steps(repo, steps, repo.stage(), stage)
    unsaved = [] if force else [item.path for item in plan.unsaved]
    if unsaved or plan.room.blocked:
        raise _unsaved(unsaved + plan.room.blocked)
    before, after = both_sides(repo, plan, stage)
    if not (WRITE in plan.doing or REMOVE in plan.doing):
        moved = _log_only(repo, stage, record)
        _follow(repo, plan)
        return moved
    work = intent.declare(repo, before, after)
    try:
        moved = _write(repo, plan)
        moved.operation = _operate(repo, stage, record, work)
    except BaseException:
        intent.roll_back(repo)
        raise
    _follow(repo, plan)
    intent.clear(repo)
    return moved


def _operate(repo: Repository, stage: bytes, record: _Record, work: Changes) -> Operation | None:
    both = {**record.changes, **work, "stage": (repo.view()["stage"], stage.hex())}
    return repo.operate(record.verb, record.note, both, undoes=record.undoes)


def _log_only(repo: Repository, stage: bytes, record: _Record) -> Moved:
    return Moved(operation=_operate(repo, stage, record, {}))


def _carry_staged(repo: Repository, source: bytes, target: bytes, stage: bytes) -> bytes:
    """``target`` with what is staged on top of ``source``."""
    if stage == source:
        return target
    staged = {change.path: change for change in tree.diff(repo.store, source, stage)}
    clash = [
        change.path
        for change in tree.diff(repo.store, source, target)
        if change.path in staged and staged[change.path].new != change.new
    ]
    if clash:
        raise _unsaved(clash)
    edits = [(path, change.new) for path, change in staged.items()]
    try:
        with repo.batch() as batch:
            return tree.edit(repo.store, batch, target, edits)
    except InvalidError as error:  # a file is staged where the target has a folder, or under one
        raise UnsavedError(
            "staged files do not fit beside those to be written",
            items=error.items,
            hint="commit or stash them first",
        ) from error


def _all_steps(repo: Repository, stage: bytes, target: bytes) -> list[Change]:
    """What it takes to make every tracked file as in ``target``, changed ones included."""
    steps = {change.path: change for change in tree.diff(repo.store, stage, target)}
    if repo.worktree is not None:
        for item in survey(repo, Selection(), Aside(), untracked=False):
            if item.path not in steps and item.entry is not None:
                steps[item.path] = Change(item.path, item.entry, item.entry)
    return [steps[path] for path in sorted(steps)]


def _same_steps(repo: Repository, steps: Sequence[Change], old: bytes, new: bytes) -> bool:
    marker = object()
    pairs = zip_longest(steps, tree.diff(repo.store, old, new), fillvalue=marker)
    return all(step == change for step, change in pairs)


def _write(repo: Repository, plan: Plan) -> Moved:
    moved = Moved()
    progress = repo.settings.progress
    progress.start("checkout", plan.doing.count(WRITE), "files")
    with Writer(repo.tree_root()) as writer:
        for place in plan.places(REMOVE):
            writer.remove(plan.steps.paths[place], expect=plan.stat(place))
            moved.removed += 1
        plan.room.clear()
        with closing(write_files(repo, writer, plan)) as written:
            for files, nbytes in written:
                moved.written += files
                moved.nbytes += nbytes
                progress.step(files, nbytes)
    progress.done()
    return moved


def _follow(repo: Repository, plan: Plan) -> None:
    """Bring the stat cache to the stage, with the stats of the files that are as staged."""
    if plan.whole:
        repo.index.stat.apply(repo.stage(), Rows(plan, unknown=True), plan.steps.gone())
        return
    sync_stat(repo)
    repo.index.stat.touch(repo.stage(), Rows(plan, unknown=False))


def _unsaved(paths: Iterable[bytes]) -> UnsavedError:
    lost = sorted(set(paths))
    return UnsavedError(
        f"unsaved work in {counted(len(lost), 'file')} would be overwritten",
        paths=lost,
        hint="commit it, stash it (ox stash) or give it up (ox restore)",
    )
