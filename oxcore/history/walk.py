"""Commits in the order in which people read them: newest first, children before parents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Literal

from oxcore.history.region import History, Read, Region
from oxcore.model.commits import Commit

Order = Literal["date", "topo"]


def walk(
    read: Read,
    tips: Iterable[bytes],
    hide: Iterable[bytes] = (),
    *,
    order: Order = "date",
    first_parent: bool = False,
    shallow: frozenset[bytes] = frozenset(),
) -> Iterator[tuple[bytes, Commit]]:
    """Every commit reachable from ``tips`` and from none of ``hide``, each once.

    A commit always comes before its parents, whatever their dates; within that "date" gives the
    newest first, and "topo" keeps the commits of one line together. ``first_parent`` follows the
    first parent of merges only (hidden is what is reachable in any way). Lazy: reads ahead to
    the next commit that all further history hangs on. Raises ``MissingError`` from ``read``.
    """
    shown, hidden = list(dict.fromkeys(tips)), set(hide)
    line = History(read, shallow, first_parent=first_parent)
    history = History(read, shallow) if hidden else line
    while not hidden.issuperset(shown):
        pending = [*shown, *sorted(hidden)]
        region = history.region(pending)
        if not region.commits and region.rest is not None:  # a single commit, and not hidden
            yield region.rest, history.get(region.rest)
            shown = list(line.parents(region.rest, history.get(region.rest)))
            shown.reverse()  # as in `_sorted`: a merged line comes before what it was merged into
            continue
        gone, seen = history.reach(region, hidden), line.reach(region, shown)
        for oid in _sorted(history, region, pending, order):
            if oid in seen and oid not in gone:
                yield oid, region.commits[oid]
        ahead = {region.rest} - {None}
        shown, hidden = [oid for oid in ahead if oid in seen], gone & ahead


def _sorted(
    history: History, region: Region, tips: Iterable[bytes], order: Order
) -> Iterator[bytes]:
    """The commits of a region, each after all its children."""
    commits = region.commits
    children = Counter(
        parent for oid, commit in commits.items() for parent in history.parents(oid, commit)
    )
    serial = count()

    def rank(oid: bytes) -> int:
        return -commits[oid].time.us if order == "date" else -next(serial)

    ready = [oid for oid in dict.fromkeys(tips) if oid in commits and not children[oid]]
    queue = [(rank(oid), oid) for oid in reversed(ready)]
    heapify(queue)
    while queue:
        oid = heappop(queue)[1]
        yield oid
        for parent in history.parents(oid, commits[oid]):
            children[parent] -= 1
            if parent in commits and not children[parent]:
                heappush(queue, (rank(parent), parent))
