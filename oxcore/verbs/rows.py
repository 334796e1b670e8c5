"""Paths and rows of the stat cache for many files, in columns: a million weigh 150 MB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from operator import lt

from oxcore.index import ROW_SIZE


class Rows:
    """Pairs of path and packed row, which can be gone through any number of times."""

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.paths: list[bytes] = []
        self._rows = bytearray()
        add, rows = self.paths.append, self._rows
        for path, row in pairs:
            add(path)
            rows += row

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        rows = self._rows
        for at, path in enumerate(self.paths):
            yield path, bytes(rows[at * ROW_SIZE : (at + 1) * ROW_SIZE])

    def sort(self) -> None:
        """Bring the pairs into the order of paths."""
        paths = self.paths
        if all(map(lt, paths, islice(paths, 1, None))):
            return
        rows, moved = self._rows, bytearray()
        order = sorted(range(len(paths)), key=paths.__getitem__)
        for at in order:
            moved += rows[at * ROW_SIZE : (at + 1) * ROW_SIZE]
        self.paths[:] = [paths[at] for at in order]
        self._rows = moved
