"""Which chunk of the version before a new chunk most likely replaces."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence

_AHEAD = 1 << 30  # bytes of the old version that are looked at beyond the place under way
_BEHIND = 1 << 12  # old chunks left behind before they are forgotten


class Aligner:
    """Walks through a new version beside its predecessor, in memory that does not grow with them.

    ``old`` gives id and length in bytes of each chunk of the predecessor, in order. Chunks that
    both have tell how far the bytes were shifted; a new one in between lies where it would lie
    in the old version after that shift. ``shifts`` are known ones: from which place of the new
    version on, and how far behind it the old one lies.
    """

    def __init__(
        self, old: Iterable[tuple[bytes, int]], shifts: Sequence[tuple[int, int]] = ()
    ) -> None:
        self._old = iter(old)
        self._known = deque(shifts)
        self._ids: list[bytes] = []
        self._starts: list[int] = []
        self._at: dict[bytes, int] = {}  # id -> start of its first chunk that is kept
        self._end = 0  # of what was read of the old version, in bytes
        self._place = 0  # in the new version
        self._shift = 0  # place in the old version less place in the new

    def base(self, oid: bytes, length: int) -> bytes | None:
        """Take the next chunk of the new version; the id of the old chunk that shares most of its
        place. None if the old version has this very chunk, or nothing there."""
        start, self._place = self._place, self._place + length
        while self._known and self._known[0][0] <= start:
            self._shift = self._known.popleft()[1]
        self._read(start + self._shift + _AHEAD)
        known = self._at.get(oid)
        if known is None:
            return self._nearest(start + self._shift, length)
        if not self._lies_at(oid, start + self._shift):  # one that occurs often says little
            self._shift = known - start
        return None

    def _nearest(self, start: int, length: int) -> bytes | None:
        if start >= self._end or start + length <= (self._starts[0] if self._starts else 0):
            return None
        starts = self._starts
        first = max(bisect_right(starts, start) - 1, 0)
        last = bisect_right(starts, start + length - 1)
        ends = [*starts[first + 1 : last + 1], self._end]
        shared = [
            min(end, start + length) - max(at, start)
            for at, end in zip(starts[first:last], ends, strict=False)
        ]
        return self._ids[first + shared.index(max(shared))]

    def _lies_at(self, oid: bytes, start: int) -> bool:
        place = bisect_right(self._starts, start) - 1
        return place >= 0 and self._starts[place] == start and self._ids[place] == oid

    def _read(self, until: int) -> None:
        while self._end < until:
            found = next(self._old, None)
            if found is None:
                return
            oid, length = found
            self._at.setdefault(oid, self._end)
            self._ids.append(oid)
            self._starts.append(self._end)
            self._end += length
            if len(self._ids) % _BEHIND == 0:
                self._forget()

    def _forget(self) -> None:
        """Drop the old chunks that lie well behind the place under way."""
        gone = bisect_right(self._starts, self._place + self._shift) - _BEHIND
        if gone < _BEHIND:
            return
        for oid, start in zip(self._ids[:gone], self._starts[:gone], strict=True):
            if self._at.get(oid) == start:
                del self._at[oid]
        del self._ids[:gone], self._starts[:gone]
