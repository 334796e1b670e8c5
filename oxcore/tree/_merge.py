"""Three-way merge of trees, file by file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from oxcore.model.entries import Change, Entry, Mode
from oxcore.tree._diff import diff
from oxcore.tree.nodes import Source, nodes_of

T = TypeVar("T")


class Conflict(NamedTuple):
    """A path that both sides changed in ways that do not go together.

    ``kind`` is "content" (both changed it), "added" (both added it), "deleted" (one changed,
    the other deleted it) or "folder" (theirs has a file where ours has a folder, or the other
    way round; ``ours`` is then None).
    """

    path: bytes
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    kind: str


class Merge(NamedTuple):
    """``changes`` bring what theirs did into ours (None removes), ascending by path, fit for
    ``edit``; ``conflicts``, ascending too, are in none of them."""

    changes: list[tuple[bytes, Entry | None]]
    conflicts: list[Conflict]


def merge(reader: Source, base: bytes, ours: bytes, theirs: bytes) -> Merge:
    """What to do to tree ``ours`` to get into it all that changed from ``base`` to ``theirs``.

    The same change on both sides is no conflict, nor is a new mode on one side and new content
    on the other. Memory grows with what changed on either side.
    """
    nodes = nodes_of(reader)
    left = {change.path: change for change in diff(nodes, base, ours)}
    right = {change.path: change for change in diff(nodes, base, theirs)}
    clashing = _clashing(left, right)
    merged = Merge([], [])
    for path, change in right.items():
        own = left.get(path)
        if own is None and path in clashing:
            merged.conflicts.append(Conflict(path, change.old, None, change.new, "folder"))
        elif own is None:
            merged.changes.append((path, change.new))
        elif own.new != change.new:
            _settle(merged, own, change)
    return merged


def _settle(merged: Merge, own: Change, change: Change) -> None:
    """One path that the sides changed differently."""
    both = _combined(change.old, own.new, change.new)
    if both is None:
        kind = "content" if own.new and change.new else "deleted"
        kind = "added" if change.old is None else kind
        conflict = Conflict(change.path, change.old, own.new, change.new, kind)
        merged.conflicts.append(conflict)
    elif both != own.new:
        merged.changes.append((change.path, both))


def _combined(base: Entry | None, ours: Entry | None, theirs: Entry | None) -> Entry | None:
    """Mode from one side and content from the other, or None where that does not work."""
    if base is None or ours is None or theirs is None:
        return None
    if Mode.LINK in {base.mode, ours.mode, theirs.mode}:
        return None
    mode = _pick(base.mode, ours.mode, theirs.mode)
    content = _pick(base[1:], ours[1:], theirs[1:])
    return None if mode is None or content is None else Entry(mode, *content)


def _pick(base: T, ours: T, theirs: T) -> T | None:
    """What the one side that changed it says; None where both did, apart."""
    if ours == base:
        return theirs
    return ours if theirs in {base, ours} else None


def _clashing(left: Mapping[bytes, Change], right: Mapping[bytes, Change]) -> set[bytes]:
    """Paths that theirs adds where ours, by its own changes, has a folder, or below its files.

    Each side by itself has no such pair, and a file that only one side still has has changed on
    the other: so the changed paths hold all pairs, and every pair has a path of each side.
    """
    mine = {path for path, change in left.items() if change.new is not None}
    new = {path for path, change in right.items() if change.new is not None}
    found: set[bytes] = set()
    above: list[bytes] = []
    for path in sorted(mine | new):
        while above and not path.startswith(above[-1]):
            above.pop()
        for file in above:
            if path[len(file)] == 0x2F:
                found.add(path if path in new else file)
        above.append(path)
    return found
