"""What two files share, as the lists of their chunks tell without a look at their bytes."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from oxcore.tables.source import Source

Equal = Callable[[int, int], int]
_Chunks = Callable[[], Iterable[tuple[bytes, int]]]


class Placed(NamedTuple):
    """The chunks of a file: where each starts, and the end of the last; their ids."""

    starts: Sequence[int]
    ids: Sequence[bytes]


def equal_by(old: Source, new: Source) -> Equal:
    """``equal(a, b)``: how many bytes from these places on are known to be the same in both."""
    if old.chunks is None or new.chunks is None:
        return lambda _old, _new: 0
    return _Runs(old.chunks, new.chunks).equal


class _Runs:
    """The chunks of both files, listed once they are asked for; the run of equal ones that was
    found last."""

    def __init__(self, old: _Chunks, new: _Chunks) -> None:
        self._chunks = old, new
        self._last = 0, 0, 0

    @cached_property
    def _old(self) -> Placed:
        return placed(self._chunks[0]())

    @cached_property
    def _new(self) -> Placed:
        return placed(self._chunks[1]())

    def equal(self, one: int, two: int) -> int:
        """Bytes from here to the end of the run of equal chunks; 0 outside of one."""
        start, apart, end = self._last
        if two - one != apart or not start <= one < end:
            self._last = one, two - one, one + self._run(one, two)
        return self._last[2] - one

    def _run(self, one: int, two: int) -> int:
        (starts, ids), (others, names) = self._old, self._new
        a, b = bisect_right(starts, one) - 1, bisect_right(others, two) - 1
        first = a
        while a < len(ids) and b < len(names) and ids[a] == names[b]:
            if one - starts[first] != two - others[b - a + first]:
                return 0
            a, b = a + 1, b + 1
        return starts[a] - one if a > first else 0


def placed(chunks: Iterable[tuple[bytes, int]]) -> Placed:
    """Where chunks lie of which ids and sizes are told."""
    starts, ids = array("q", [0]), list[bytes]()
    for oid, size in chunks:
        starts.append(starts[-1] + size)
        ids.append(oid)
    return Placed(starts, ids)
