"""Changes between two versions, with exact renames and sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from oxcore.model.entries import Change, Entry


class FileChange(NamedTuple):
    """One path that differs: ``letter`` is A, D, M, T (see ``Change``) or R: a file that was at
    ``old_path`` and is, byte for byte, at ``path`` now."""

    letter: str
    path: bytes
    old: Entry | None
    new: Entry | None
    old_path: bytes | None = None

    @property
    def grown(self) -> int:
        """Bytes more than before."""
        return (self.new.size if self.new else 0) - (self.old.size if self.old else 0)


class Sums:
    """How many files changed, by letter, and how many bytes went and came with them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.removed = self.added = 0

    def note(self, change: FileChange) -> None:
        """Count one; the bytes of a rename stay."""
        self.counts[change.letter] += 1
        if change.letter != "R":
            self.removed += change.old.size if change.old else 0
            self.added += change.new.size if change.new else 0

    @property
    def total(self) -> int:
        """Files that differ."""
        return self.counts.total()


def summarise(changes: Iterable[FileChange]) -> Sums:
    """The sums over some changes."""
    sums = Sums()
    for change in changes:
        sums.note(change)
    return sums


def with_renames(source: Callable[[], Iterable[Change]]) -> Iterator[FileChange]:
    """The changes that ``source`` gives, where a removed and an added path of equal content
    become one R, in the place of the new path.

    Empty files are left as they are. ``source`` is asked up to three times, so that memory
    holds what was removed, not all that was added.
    """
    moved = _pairs(source)
    gone = {change.path for change in moved.values()}
    for change in source():
        old = moved.get(change.path)
        if old is not None:
            yield FileChange("R", change.path, old.old, change.new, old.path)
        elif change.path not in gone:
            yield plain(change)


def plain(change: Change) -> FileChange:
    """A change without a look for renames."""
    return FileChange(change.letter, *change)


def _pairs(source: Callable[[], Iterable[Change]]) -> dict[bytes, Change]:
    """New path -> the removal that it came from."""
    removed: dict[tuple[int, bytes], list[Change]] = {}
    for change in source():
        if change.new is None and change.old is not None and change.old.size:
            removed.setdefault((change.old.mode, change.old.id), []).append(change)
    moved: dict[bytes, Change] = {}
    if removed:
        for change in source():
            if change.old is None and change.new is not None:
                rest = removed.get((change.new.mode, change.new.id))
                if rest:
                    moved[change.path] = _take(rest, change.path)
    return moved


def _take(rest: list[Change], path: bytes) -> Change:
    """The removal to pair with ``path``: one of the same name if there is one."""
    name = path.rpartition(b"/")[2]
    same = (at for at, one in enumerate(rest) if one.path.rpartition(b"/")[2] == name)
    return rest.pop(next(same, 0))
