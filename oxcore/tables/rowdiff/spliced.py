"""Pieces of a CSV file as a file of their own, with the header before them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import BinaryIO

from oxcore.tables.detect import Form
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.rowdiff.span import Bounds
from oxcore.tables.source import Source

_BUFFER = 1 << 20  # bytes read at once


def spliced(whole: CsvReader, bounds: Iterable[Bounds], data: bytes | None = None) -> CsvReader:
    """A reader of the rows in these pieces (``data``: their bytes, if they are at hand), each of
    which starts and ends where rows do; nothing is kept of what it finds out."""
    source = whole.source
    with source.open() as file:
        header = file.readline()
    head = len(header)
    pieces = [(0, head), *((max(start, head), end) for start, end in bounds if end > head)]
    size = sum(end - start for start, end in pieces)
    opener: Callable[[], BinaryIO] = partial(_open, source, pieces)
    if data is not None:
        opener = partial(io.BytesIO, header + data)
    inner = replace(source, size=size, open=opener, id=None, memo=None, chunks=None, origin=None)
    return CsvReader(inner, Form("csv", "", b""))


def _open(source: Source, pieces: Sequence[Bounds]) -> BinaryIO:
    return io.BufferedReader(_Pieces(source, pieces), _BUFFER)


class _Pieces(io.RawIOBase):
    """Pieces of a file, one behind the other."""

    def __init__(self, source: Source, bounds: Sequence[Bounds]) -> None:
        super().__init__()
        self._file = source.open()
        self._rest = iter(bounds)
        self._at = self._end = 0

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill ``buffer`` from one or more pieces; gives how much."""
        view, done = memoryview(buffer).cast("B"), 0
        while done < len(view):
            if self._at == self._end:
                bounds = next(self._rest, None)
                if bounds is None:
                    break
                self._at, self._end = bounds
                self._file.seek(self._at)
            count = min(self._end - self._at, len(view) - done)
            read = self._file.readinto(view[done : done + count])  # type: ignore[attr-defined]
            if not read:
                break  # the file is shorter than it was
            done += read
            self._at += read
        return done

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
