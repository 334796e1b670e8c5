"""What a move of the work tree has to do, found by looking at every path that is concerned."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from oxcore import tree
from oxcore.index import pack_row, row_entry
from oxcore.model.entries import Change, Entry
from oxcore.repo import Repository
from oxcore.repo.survey import Found, differs
from oxcore.verbs.moving.room import Room
from oxcore.verbs.moving.steps import Steps
from oxcore.verbs.storing.ingest import Ingest
from oxcore.worktree import STAT_SIZE, UNKNOWN_STAT, Places, Seen, racy_places

NOTHING, KEEP, WRITE, REMOVE = range(4)

_FRESH = bytes([NOTHING, WRITE, WRITE, WRITE, *[0] * 252])  # by mode, where nothing is there


@dataclass(slots=True)
class Plan:
    """What to do, a byte a step: ``KEEP`` is what is as wanted already.

    ``stats`` has 32 bytes a step: what lies there (zero: nothing), and once the file is written
    what it looks like. ``unsaved`` are files that would be lost. ``exact``: no file is missing that
    a step says was there. ``whole``: the steps are all that differs between the old stage and the
    new one. ``room``: what stands in the way.
    """

    steps: Steps
    room: Room
    doing: bytearray
    stats: bytearray
    whole: bool = False
    exact: bool = True
    unsaved: list[Found] = field(default_factory=list)

    def places(self, what: int, start: int = 0, stop: int | None = None) -> Iterator[int]:
        """The steps from ``start`` up to ``stop`` where this is to be done, ascending."""
        place = self.doing.find(what, start, stop)
        while place >= 0:
            yield place
            place = self.doing.find(what, place + 1, stop)

    def stat(self, place: int) -> bytes | None:
        """What lies at the path of a step, None for nothing."""
        found = bytes(self.stats[place * STAT_SIZE : (place + 1) * STAT_SIZE])
        return None if found == UNKNOWN_STAT else found

    def order(self, place: int) -> tuple[bytes, Entry, bytes | None]:
        """What to write at a step: path, entry, and the stat of what lies there."""
        return self.steps.paths[place], self.steps.new(place), self.stat(place)

    def note(self, place: int, what: int, stat: bytes) -> None:
        """Do this at that step, and this lies there."""
        self.doing[place] = what
        self.stats[place * STAT_SIZE : (place + 1) * STAT_SIZE] = stat

    @property
    def simple(self) -> bool:
        """Whether nothing but what differs between the old stage and the new one will happen."""
        return self.exact and self.whole and not self.unsaved and KEEP not in self.doing


def make_plan(repo: Repository, steps: Steps) -> Plan:
    """Look at the path of each step; nothing is changed.

    Where a folder is not there, or holds less than the steps do, that costs no look a file.
    """
    removed: set[bytes] = set()
    room = Room(repo.tree_root(), removed)
    plan = Plan(steps, room, bytearray(len(steps)), bytearray(STAT_SIZE * len(steps)))
    doubtful: list[bytes] = []  # places where something stands that is no file, or no folder
    with Places(repo.tree_root()) as look:
        for folder, start, stop in steps.runs():
            cut = len(folder) + 1 if folder else 0
            seen = look.many(folder, [path[cut:] for path in steps.paths[start:stop]])
            if seen is None:
                _free(plan, start, stop, doubtful)
            else:
                _taken(repo, plan, start, seen, doubtful)
    removed.update(steps.paths[place] for place in plan.places(REMOVE))
    room.look(doubtful)
    return plan


def both_sides(repo: Repository, plan: Plan, stage: bytes) -> tuple[bytes, bytes]:
    """Two trees whose difference is what happens: what to put back, and what to undo.

    Mostly these are the old stage and the new one. Otherwise they hold the touched paths
    only, and unsaved files that are about to be overwritten are stored here.
    """
    if plan.simple:
        return repo.stage(), stage
    with repo.batch() as batch:
        ingest = Ingest(repo, batch, "keep")
        saved = {path: row_entry(row) for path, row in ingest.files(plan.unsaved)}
        ingest.check()
        before: list[tuple[bytes, Entry | None]] = []
        after: list[tuple[bytes, Entry | None]] = []
        for place, (path, old, new) in enumerate(plan.steps):
            if plan.doing[place] not in (WRITE, REMOVE):
                continue
            old = saved.get(path, old)
            if old is not None and plan.stat(place) is not None:
                before.append((path, old))
            if new is not None:
                after.append((path, new))
        return tree.edit(repo.store, batch, tree.EMPTY, before), tree.edit(
            repo.store, batch, tree.EMPTY, after
        )


class Rows:
    """The rows of the files that a plan has brought to what is wanted, as often as asked for.

    A stat within the present tick of the clock says nothing yet: such a row is given with the stat
    unknown, so that the next status reads the file, or left out if ``unknown`` is False.
    """

    def __init__(self, plan: Plan, *, unknown: bool) -> None:
        stats = bytes(plan.stats)
        self._racy = set(racy_places(stats, time.time_ns()))
        self._stats = stats
        self._plan = plan
        self._unknown = unknown

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        plan, stats = self._plan, self._stats
        paths, packed_new = plan.steps.paths, plan.steps.packed_new
        for place, what in enumerate(plan.doing):
            if what not in (KEEP, WRITE):
                continue
            if place not in self._racy:
                start = place * STAT_SIZE
                yield paths[place], stats[start : start + STAT_SIZE] + packed_new(place)
            elif self._unknown:
                yield paths[place], UNKNOWN_STAT + packed_new(place)


def _free(plan: Plan, start: int, stop: int, doubtful: list[bytes]) -> None:
    """Steps in a folder where there is nothing."""
    old, new = plan.steps.modes(start, stop)
    plan.doing[start:stop] = new.translate(_FRESH)
    plan.exact &= not old.strip(b"\0")
    if new.strip(b"\0"):
        doubtful.append(plan.steps.paths[start + new.index(new.strip(b"\0")[:1])])


def _taken(
    repo: Repository, plan: Plan, start: int, seen: list[Seen | None], doubtful: list[bytes]
) -> None:
    """Steps in a folder where something may be at each path."""
    there = [plan.steps.paths[start + at] for at, now in enumerate(seen) if now and now.mode]
    rows = iter(repo.index.stat.get_raw(there))
    for place, now in enumerate(seen, start):
        step = plan.steps[place]
        if now is None or not now.mode:
            plan.exact &= step.old is None
            if step.new is not None:
                plan.doing[place] = WRITE
                if now is not None:
                    doubtful.append(step.path)
        else:
            _replace(repo, plan, place, step, now, next(rows))


def _replace(
    repo: Repository, plan: Plan, place: int, step: Change, now: Seen, row: bytes | None
) -> None:
    """A step at whose path a file or link is."""
    clean = row is not None and row[:STAT_SIZE] == now.stat and _holds(row, step.old)
    item = Found(step.path, now.mode, now.stat, step.new)
    if not clean and step.new is not None and differs(repo, item) is None:
        plan.note(place, KEEP, now.stat)
        return
    if not clean and not _is(repo, item, step.old):
        plan.unsaved.append(item)
    plan.note(place, REMOVE if step.new is None else WRITE, now.stat)


def _holds(row: bytes, entry: Entry | None) -> bool:
    return entry is not None and row[STAT_SIZE:] == pack_row(UNKNOWN_STAT, entry)[STAT_SIZE:]


def _is(repo: Repository, item: Found, entry: Entry | None) -> bool:
    return entry is not None and differs(repo, item._replace(entry=entry)) is None
