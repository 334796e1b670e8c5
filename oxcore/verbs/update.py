"""Moving the work tree from one tree to another without hurting unsaved work.

Everything that may refuse is asked before anything is written. Then: the intent is written
down, each file is replaced by a rename, the operation is logged, the stat cache follows, the
intent is removed. If something fails or the process dies in between, what was replaced is put
back, at once or by the next writer (``oxcore.verbs.intent``).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from oxcore import tree
from oxcore.codec.oplog import Operation
from oxcore.errors import InvalidError, UnsavedError, counted
from oxcore.index import pack_row, row_entry
from oxcore.model.entries import Change, Entry
from oxcore.model.ids import Kind
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.verbs import intent
from oxcore.verbs.ingest import Ingest
from oxcore.verbs.room import Room
from oxcore.verbs.select import Selection
from oxcore.verbs.survey import Aside, Found, differs, survey, sync_stat
from oxcore.worktree import STAT_SIZE, UNKNOWN_STAT, Writer, peek, racy_rows

_BATCH_FILES = 512
_BATCH_BYTES = 8 << 20
_FILE = int(Kind.FILE)

Changes = Mapping[str, tuple[str | None, str | None]]


@dataclass(slots=True)
class Moved:
    """What a move of the work tree did: files ``written`` and ``removed``, bytes written, and the
    ``operation`` that records it (None if nothing changed)."""

    written: int = 0
    removed: int = 0
    nbytes: int = 0
    operation: Operation | None = None


@dataclass(slots=True)
class _Plan:
    write: list[tuple[bytes, Entry, bytes | None]] = field(default_factory=list)
    remove: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    rows: list[tuple[bytes, bytes]] = field(default_factory=list)  # packed, where it is as wanted
    unsaved: list[Found] = field(default_factory=list)
    exact: bool = True  # no file is missing that a step says was there
    whole: bool = False  # the steps are all that differs between the old stage and the new


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
        wanted, steps = target, _all_steps(repo, stage, target)
    else:
        wanted = _carry_staged(repo, source, target, stage)
        steps = list(tree.diff(repo.store, stage, wanted))
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
    plan = _plan(repo, steps)
    plan.whole = whole or _same_steps(repo, steps, repo.stage(), stage)
    room = Room(repo.tree_root(), {path for path, _ in plan.remove})
    room.look(path for path, _, found in plan.write if found is None)
    unsaved = [] if force else [item.path for item in plan.unsaved]
    if unsaved or room.blocked:
        raise _unsaved(unsaved + room.blocked)
    before, after = _both_sides(repo, steps, plan, stage)
    if not (plan.write or plan.remove):
        moved = _log_only(repo, stage, record)
        _follow(repo, plan, steps)
        return moved
    work = intent.declare(repo, before, after)
    try:
        moved = _write(repo, plan, room)
        moved.operation = _operate(repo, stage, record, work)
    except BaseException:
        intent.roll_back(repo)
        raise
    _follow(repo, plan, steps)
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


def _plan(repo: Repository, steps: Sequence[Change]) -> _Plan:
    plan, root = _Plan(), repo.tree_root()
    rows = repo.index.stat.get_raw([step.path for step in steps])
    for step, row in zip(steps, rows, strict=True):
        now = peek(root, step.path)
        if now is None:
            found: bytes | None = None
            plan.exact &= step.old is None
        else:
            found = now.stat
            clean = row is not None and row[:STAT_SIZE] == now.stat and _holds(row, step.old)
            item = Found(step.path, now.mode, now.stat, step.new)
            if not clean and step.new is not None and differs(repo, item) is None:
                plan.rows.append((step.path, pack_row(now.stat, step.new)))
                continue
            if not clean and not _is(repo, item, step.old):
                plan.unsaved.append(item)
        if step.new is not None:
            plan.write.append((step.path, step.new, found))
        elif found is not None:
            plan.remove.append((step.path, found))
    return plan


def _holds(row: bytes, entry: Entry | None) -> bool:
    return entry is not None and row[STAT_SIZE:] == pack_row(UNKNOWN_STAT, entry)[STAT_SIZE:]


def _is(repo: Repository, item: Found, entry: Entry | None) -> bool:
    return entry is not None and differs(repo, item._replace(entry=entry)) is None


def _both_sides(
    repo: Repository, steps: Sequence[Change], plan: _Plan, stage: bytes
) -> tuple[bytes, bytes]:
    """Two trees whose difference is what happens: what to put back, and what to undo.

    Mostly these are the old stage and the new one. Otherwise they hold the touched paths
    only, and unsaved files that are about to be overwritten are stored here.
    """
    old = repo.stage()
    if plan.exact and plan.whole and not (plan.rows or plan.unsaved):
        return old, stage
    touched = {path for path, _, _ in plan.write} | {path for path, _ in plan.remove}
    there = {path for path, _, found in plan.write if found is not None}
    there |= {path for path, _ in plan.remove}
    with repo.batch() as batch:
        ingest = Ingest(repo, batch, "keep")
        saved = {path: row_entry(row) for path, row in ingest.files(plan.unsaved)}
        ingest.check()
        before = [
            (step.path, saved.get(step.path, step.old))
            for step in steps
            if step.path in there and (step.path in saved or step.old is not None)
        ]
        after = [(s.path, s.new) for s in steps if s.path in touched and s.new is not None]
        return tree.edit(repo.store, batch, tree.EMPTY, before), tree.edit(
            repo.store, batch, tree.EMPTY, after
        )


def _same_steps(repo: Repository, steps: Sequence[Change], old: bytes, new: bytes) -> bool:
    marker = object()
    pairs = zip_longest(steps, tree.diff(repo.store, old, new), fillvalue=marker)
    return all(step == change for step, change in pairs)


def _write(repo: Repository, plan: _Plan, room: Room) -> Moved:
    moved = Moved(removed=len(plan.remove))
    progress = repo.settings.progress
    progress.start("checkout", len(plan.write), "files")
    with Writer(repo.tree_root()) as writer:
        for path, found in plan.remove:
            writer.remove(path, expect=found)
        room.clear()
        for path, stat, entry in write_files(repo, writer, plan.write):
            plan.rows.append((path, pack_row(stat, entry)))
            moved.written += 1
            moved.nbytes += entry.size
            progress.step(1, entry.size)
    progress.done()
    return moved


def write_files(
    repo: Repository, writer: Writer, files: Iterable[tuple[bytes, Entry, bytes | None]]
) -> Iterator[tuple[bytes, bytes, Entry]]:
    """Write each file (path, entry, expected stat); gives path, new stat and entry of each.

    Small files are read from the store by the batch, large ones piece by piece.
    """
    batch: list[tuple[bytes, Entry, bytes | None]] = []
    pending = 0
    for item in files:
        if item[1].size > repo.params.minimum:
            path, entry, expect = item
            pieces = content.read(repo.store, entry.id)
            yield path, writer.write(path, entry, pieces, expect=expect), entry
            continue
        batch.append(item)
        pending += item[1].size
        if len(batch) >= _BATCH_FILES or pending >= _BATCH_BYTES:
            yield from _write_small(repo, writer, batch)
            batch, pending = [], 0
    yield from _write_small(repo, writer, batch)


def _write_small(
    repo: Repository, writer: Writer, batch: list[tuple[bytes, Entry, bytes | None]]
) -> Iterator[tuple[bytes, bytes, Entry]]:
    places = repo.store.locate([entry.id for _, entry, _ in batch])
    plain = [one for one, at in zip(batch, places, strict=True) if at is None or at.kind != _FILE]
    datas = iter(repo.store.get_many([entry.id for _, entry, _ in plain], Kind.CHUNK))
    for (path, entry, expect), place in zip(batch, places, strict=True):
        if place is None or place.kind != _FILE:
            yield path, writer.write(path, entry, next(datas), expect=expect), entry
        else:  # a repository with other cuts sent it as several chunks
            pieces = content.read(repo.store, entry.id)
            yield path, writer.write(path, entry, pieces, expect=expect), entry


def _follow(repo: Repository, plan: _Plan, steps: Sequence[Change]) -> None:
    """Bring the stat cache to the stage, with the stats of the files that are as staged.

    A stat within the present tick of the clock says nothing yet: the next status reads the file.
    """
    fresh = set(racy_rows((row[:STAT_SIZE] for _, row in plan.rows), time.time_ns()))
    if plan.whole:
        rows = [
            (path, UNKNOWN_STAT + row[STAT_SIZE:] if place in fresh else row)
            for place, (path, row) in enumerate(plan.rows)
        ]
        repo.index.stat.apply(repo.stage(), rows, [one.path for one in steps if one.new is None])
        return
    sync_stat(repo)
    known = [row for place, row in enumerate(plan.rows) if place not in fresh]
    repo.index.stat.touch(repo.stage(), known)


def _unsaved(paths: Iterable[bytes]) -> UnsavedError:
    lost = sorted(set(paths))
    return UnsavedError(
        f"unsaved work in {counted(len(lost), 'file')} would be overwritten",
        paths=lost,
        hint="commit it, stash it (ox stash) or give it up (ox restore)",
    )
