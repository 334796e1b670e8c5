"""Make a tree out of sorted entries."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from oxcore.model.entries import Entry
from oxcore.model.protocols import Sink
from oxcore.tree.columns import Columns, Cutter, Row
from oxcore.tree.nodes import put_empty
from oxcore.tree.order import Guard, check_entries

_BATCH = 4096  # entries in columns at a time: more saves nothing and costs memory


def build(sink: Sink, entries: Iterable[tuple[bytes, Entry]]) -> bytes:
    """Write the tree of ``entries``, sorted by path; gives the id of its root.

    Streams: memory does not grow with the number of entries. Children are put before their
    parents. Raises ``InvalidError`` if paths do not ascend, occur twice, are not allowed, or
    if one is both a file and a folder; nodes already put are then left over.
    """
    tower = Tower(sink)
    guard = Guard()
    source = iter(entries)
    while batch := list(islice(source, _BATCH)):
        guard.check([path for path, _ in batch])
        check_entries([entry for _, entry in batch])
        tower.feed(Columns(0, batch))
    return tower.finish()


class Tower:
    """The levels of a tree under construction, from ``base`` up."""

    def __init__(self, sink: Sink, base: int = 0) -> None:
        self._sink = sink
        self._base = base
        self._levels: list[Cutter] = []
        self._made: list[int] = []  # nodes written, by level
        self._latest: list[bytes] = []  # id of the latest node, by level

    def feed(self, rows: Columns, at: int = 0) -> None:
        """Take the next rows of the level ``at`` steps above the base."""
        while len(rows):
            made = self._level(at).feed(rows)
            self._count(at, made)
            at += 1
            rows = Columns(self._base + at, made)

    def finish(self) -> bytes:
        """End every level; gives the id of the root."""
        at = 0
        while at < len(self._levels):
            made = self._levels[at].flush()
            self._count(at, made)
            if self._made[at] == 1:
                return self._latest[at]
            at += 1
            self.feed(Columns(self._base + at, made), at)
        return put_empty(self._sink)

    def _level(self, at: int) -> Cutter:
        if at == len(self._levels):
            self._levels.append(Cutter(self._sink, self._base + at))
            self._made.append(0)
            self._latest.append(b"")
        return self._levels[at]

    def _count(self, at: int, made: list[Row]) -> None:
        self._made[at] += len(made)
        if made:
            self._latest[at] = made[-1][1][2]
