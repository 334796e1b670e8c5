"""Paths and rows of the stat cache for many files, in columns: a million weigh 100 MB."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator

from oxcore.index import ROW_SIZE


class Paths(Collection[bytes]):
    """Paths one behind the other, without an object each; may be gone through again."""

    def __init__(self, paths: Iterable[bytes] = ()) -> None:
        text, ends = bytearray(), array("Q")
        for path in paths:
            text += path
            ends.append(len(text))
        self._text, self._ends = bytes(text), ends

    def __len__(self) -> int:
        return len(self._ends)

    def __contains__(self, path: object) -> bool:
        return any(path == one for one in self)

    def __iter__(self) -> Iterator[bytes]:
        text, start = self._text, 0
        for end in self._ends:
            yield text[start:end]
            start = end


class Rows:
    """Pairs of path and packed row, ascending by path; may be gone through again."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        rows = bytearray()
        self._ascends = True
        self.paths = Paths(self._taken_apart(pairs, rows))
        self._rows = bytes(rows)
        if not self._ascends:
            self._sort()

    def _taken_apart(
        self, pairs: Iterable[tuple[bytes, bytes]], rows: bytearray
    ) -> Iterator[bytes]:
        last = b""
        for path, row in pairs:
            rows += row
            if path <= last:
                self._ascends = False
            last = path
            yield path

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        rows, start = self._rows, 0
        for path in self.paths:
            yield path, rows[start : start + ROW_SIZE]
            start += ROW_SIZE

    def _sort(self) -> None:
        paths, rows, moved = list(self.paths), self._rows, bytearray()
        order = sorted(range(len(paths)), key=paths.__getitem__)
        for at in order:
            moved += rows[at * ROW_SIZE : (at + 1) * ROW_SIZE]
        self.paths = Paths(paths[at] for at in order)
        self._rows = bytes(moved)
