"""Load history piece by piece, so far that what is known of a piece can no longer change.

Clocks lie: a commit may be dated before its parent, so dates never prove who descends from
whom. What proves it: explore from some commits, newest first, until a single known commit ``c``
is left unexplored. If no first commit was met on the way, every path down from any explored
``x`` has to pass ``c``; then ``c`` cannot descend from ``x``, since history has no cycles, and
no child of ``x`` is still unknown. Histories that are mostly one line fall into small pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from oxcore.model.commits import Commit

Read = Callable[[bytes], Commit]
"""Gives the commit with an id; raises ``MissingError`` if it is not here."""


class Region(NamedTuple):
    """``commits`` explored, with all children that any reachable commit has among them; ``rest``
    is the one commit that all further history hangs on, or None at the end of history."""

    commits: dict[bytes, Commit]
    rest: bytes | None


class History:
    """Commits by id, with the cuts of a shallow clone, and with side lines left out on demand."""

    def __init__(
        self, read: Read, shallow: frozenset[bytes] = frozenset(), *, first_parent: bool = False
    ) -> None:
        self._read = read
        self._rest: dict[bytes, Commit] = {}  # of the latest region: it begins the next one
        self._shallow = shallow
        self._first = first_parent

    def get(self, oid: bytes) -> Commit:
        """The commit; the rest of the latest region is not read again."""
        return self._rest.get(oid) or self._read(oid)

    def parents(self, oid: bytes, commit: Commit) -> tuple[bytes, ...]:
        """The parents to follow, each once; none where a shallow clone was cut."""
        if oid in self._shallow:
            return ()
        return commit.parents[:1] if self._first else tuple(dict.fromkeys(commit.parents))

    def region(self, tips: Iterable[bytes]) -> Region:
        """Explore from ``tips``. A single tip is itself the rest of an empty region."""
        commits: dict[bytes, Commit] = {}
        waiting: dict[bytes, Commit] = {}
        queue: list[tuple[int, bytes]] = []
        whole = True  # no first commit met
        fresh: Iterable[bytes] = tips
        while True:
            for oid in fresh:
                if oid not in commits and oid not in waiting:
                    commit = waiting[oid] = self.get(oid)
                    heappush(queue, (-commit.time.us, oid))
            if not queue or (whole and len(queue) == 1):
                self._rest = waiting
                return Region(commits, queue[0][1] if queue else None)
            oid = heappop(queue)[1]
            commit = commits[oid] = waiting.pop(oid)
            fresh = self.parents(oid, commit)
            whole = whole and bool(fresh)

    def reach(self, region: Region, tips: Iterable[bytes]) -> set[bytes]:
        """What is reachable from ``tips`` in a region, its rest included."""
        found: set[bytes] = set()
        pending = list(tips)
        while pending:
            oid = pending.pop()
            if oid in found or not (oid in region.commits or oid == region.rest):
                continue
            found.add(oid)
            if oid in region.commits:
                pending.extend(self.parents(oid, region.commits[oid]))
        return found
