"""Where two lines of history parted."""

from __future__ import annotations

from oxcore.history.region import History, Read


def merge_bases(
    read: Read, a: bytes, b: bytes, shallow: frozenset[bytes] = frozenset()
) -> list[bytes]:
    """The best common ancestors of two commits: common, and above no other common one.

    Newest first, equal times by id; a commit is its own ancestor. Several after a criss-cross
    merge, none for unrelated histories. Raises ``MissingError`` if history is not all here.
    """
    if a == b:
        return [a]
    history = History(read, shallow)
    region = history.region((a, b))
    common = history.reach(region, [a]) & history.reach(region, [b])
    lower: set[bytes] = set()
    for oid in common - {region.rest}:
        lower.update(history.parents(oid, region.commits[oid]))
    # An ancestor of a common commit is common: so all that is above others is a parent here.
    best = common - lower
    return sorted(best, key=lambda oid: (-read(oid).time.us, oid))


def merge_base(
    read: Read, a: bytes, b: bytes, shallow: frozenset[bytes] = frozenset()
) -> bytes | None:
    """The first of ``merge_bases``, or None for unrelated histories."""
    return next(iter(merge_bases(read, a, b, shallow)), None)


def is_ancestor(read: Read, a: bytes, b: bytes, shallow: frozenset[bytes] = frozenset()) -> bool:
    """Whether ``b`` descends from ``a``, or is ``a``: a move from ``a`` to ``b`` loses nothing."""
    if a == b:
        return True
    history = History(read, shallow)
    region = history.region((a, b))
    return a in history.reach(region, [b])
