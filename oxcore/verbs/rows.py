"""Paths and rows of the stat cache for many files, in columns: a million weigh 100 MB."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator

from oxcore.index import ROW_SIZE


class Paths(Collection[bytes]):
    """Paths one behind the other, without an object each; may be gone through again."""

    def __init__(self, paths: Iterable[bytes] = ()) -> None:
        self._text = bytearray()
        self._ends = array("Q")
        for path in paths:
            self.append(path)

    def append(self, path: bytes) -> None:
        """Add a path at the end."""
        self._text += path
        self._ends.append(len(self._text))

    def __len__(self) -> int:
        return len(self._ends)

    def __contains__(self, path: object) -> bool:
        return any(path == one for one in self)

    def __iter__(self) -> Iterator[bytes]:
        text, start = self._text, 0
        for end in self._ends:
            yield bytes(text[start:end])
            start = end


class Rows:
    """Pairs of path and packed row, ascending by path; may be gone through again."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.paths = Paths()
        self._rows = bytearray()
        last, ascends = b"", True
        for path, row in pairs:
            self.paths.append(path)
            self._rows += row
            ascends = ascends and last < path
            last = path
        if not ascends:
            self._sort()

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        rows, start = self._rows, 0
        for path in self.paths:
            yield path, bytes(rows[start : start + ROW_SIZE])
            start += ROW_SIZE

    def _sort(self) -> None:
        paths, rows, moved = list(self.paths), self._rows, bytearray()
        order = sorted(range(len(paths)), key=paths.__getitem__)
        for at in order:
            moved += rows[at * ROW_SIZE : (at + 1) * ROW_SIZE]
        self.paths = Paths(paths[at] for at in order)
        self._rows = moved
