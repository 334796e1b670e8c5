"""Two CSV files of which only the rows are read that lie outside of what they share.

A row of a shared stretch is in both tables, so it cannot differ, and where a key tells rows apart
no row outside is its partner. That a line is a row is proved, not believed: a table has as many
rows as its file has lines. Where no carriage return stands alone a table has never more: a line
that is blank, and one that goes on within quotes, make it less.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from oxcore.tables.detect import Form
from oxcore.tables.engine import prepare
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.infer import Column, decided
from oxcore.tables.reading import Facts, Piece, Reader
from oxcore.tables.rowdiff import unique
from oxcore.tables.rowdiff.aligned import Alignment, align
from oxcore.tables.rowdiff.chunks import equal_by
from oxcore.tables.rowdiff.unique import Range
from oxcore.tables.source import Source

LEAST = 1 << 20  # bytes of a file; less is read faster than looked at
HELD = 32 << 20  # bytes of the rows that are left that are held in memory


Ranges = dict[tuple[str, ...], Range]


class Outside(NamedTuple):
    """The rows of both tables that lie outside of what they share; the tables; how many rows are
    shared; and the keys of the old table that were found on the way."""

    readers: tuple[Reader, Reader]
    whole: tuple[Reader, Reader]
    shared: int
    ranges: Ranges


class Placed(ABC):
    """A reader of some of the rows of a file."""

    @abstractmethod
    def places(self, start: int, count: int) -> Sequence[int]:
        """The places in the file of the rows from ``start`` on among those that it gives."""

    @abstractmethod
    def left(self, place: int) -> int:
        """Which of the rows that it gives stands at ``place`` of the file."""


class PartReader(Placed):
    """Some rows of a CSV file: ``first`` are the places in the file, ``start`` those among the
    rows that are left, of the first row of each piece."""

    def __init__(self, inner: CsvReader, first: array[int], start: array[int]) -> None:
        self.delimiter = inner.delimiter
        self._inner, self._first, self._start = inner, first, start

    @property
    def schema(self) -> pa.Schema:
        """That of the whole file."""
        return self._inner.schema

    def look(self) -> tuple[list[Column], int]:
        """What the values that are left are, and the number of rows."""
        return self._inner.look()

    def learn(self, types: Sequence[pa.DataType], facts: Facts) -> None:
        """Take the types, and the counts of the rows that are left."""
        self._inner.learn(types, facts)

    def facts(self) -> Facts:
        """Counts of the rows that are left."""
        return self._inner.facts()

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """The rows that are left, as text."""
        return self._inner.pieces(columns)

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """Text -> values."""
        return self._inner.typed(batch, columns)

    def places(self, start: int, count: int) -> list[int]:
        """The places in the file of the rows from ``start`` on among those that are left."""
        found: list[int] = []
        at = bisect_right(self._start, start) - 1
        while len(found) < count:
            end = self._start[at + 1] if at + 1 < len(self._start) else start + count
            run = min(end - start, count - len(found))
            here = self._first[at] + start - self._start[at]
            found.extend(range(here, here + run))
            start, at = start + run, at + 1
        return found

    def left(self, place: int) -> int:
        """Which of the rows that are left stands at ``place`` of the file."""
        at = bisect_right(self._first, place) - 1
        return self._start[at] + place - self._first[at]


def numbers(reader: Reader, start: int, count: int) -> pa.Array:
    """The places in the file of rows that a reader gives."""
    if isinstance(reader, Placed):
        return pa.array(reader.places(start, count), pa.int64())
    first = pa.nulls(count, pa.int64()).fill_null(1)
    return pc.cumulative_sum(first, start - 1)


def given(reader: Reader, places: Sequence[int]) -> Sequence[int]:
    """Which of the rows that a reader gives stand at these places of the file."""
    if isinstance(reader, Placed):
        return array("q", map(reader.left, places))
    return places


def outside(old: Reader, new: Reader) -> Outside | None:
    """What is left of two tables, or None where they share too little, or it is not certain that
    a line is a row: then all is to be read."""
    if not isinstance(old, CsvReader) or not isinstance(new, CsvReader) or not _alike(old, new):
        return None
    prepare()
    first = new if old.known() is None and new.known() is not None else old
    with (
        ThreadPoolExecutor(1) as beside,
        old.source.open() as one,
        new.source.open() as two,
    ):
        known = beside.submit(_read, first)
        found = align(one, two, equal_by(old.source, new.source))
        ranges = known.result()
    if found is None or not _useful(found):
        return None
    parts = _part(old, found, 0), _part(new, found, 1)
    if not _learned((old, new), parts, found, (0, 1) if first is old else (1, 0)):
        return None
    shared = sum(one.lines for one in found.stretches) - 1
    return Outside(parts, (old, new), shared, ranges if first is old else {})


def _read(reader: CsvReader) -> Ranges:
    """Find the types of a table and the columns that ascend, if its types are not known."""
    if reader.known() is not None:
        return {}
    ascent = unique.Ascent(len(reader.names))
    reader.find(ascent.look)
    found = ascent.found(reader.schema.types)
    ranges: Ranges = {(reader.names[at],): one for at, one in found.items()}
    unique.keep(reader.source, ranges)
    return ranges


def _alike(old: CsvReader, new: CsvReader) -> bool:
    plain = not old.compression and not new.compression
    large = min(old.source.size, new.source.size) >= LEAST
    return plain and large and (old.delimiter, old.names) == (new.delimiter, new.names)


def _useful(found: Alignment) -> bool:
    """Whether they start with the same line and share half of the bytes."""
    first = found.stretches[0] if found.stretches else None
    if first is None or first.old or first.new:
        return False
    shared = sum(one.size for one in found.stretches)
    return found.plain and 2 * shared > max(found.sizes)


def _part(reader: CsvReader, found: Alignment, side: int) -> PartReader:
    """The rows of one side outside of the stretches."""
    bounds = [(0, _header(reader))]
    first, start = array("q"), array("q")
    byte = line = rows = 0
    ends = (found.sizes[side], 0, found.lines[side], 0)
    stretches = [(one[side], one.size, one[3 + side], one.lines) for one in found.stretches]
    for at, size, at_line, lines in [*stretches, ends]:
        if at > byte:
            bounds.append((byte, at))
            first.append(line - 1)
            start.append(rows)
            rows += at_line - line
        byte, line = at + size, at_line + lines
    source = reader.source
    size = sum(end - begin for begin, end in bounds)
    opener = _opener(source, bounds, size)
    inner = replace(source, size=size, open=opener, id=None, memo=None, chunks=None)
    return PartReader(CsvReader(inner, Form("csv", "", b"")), first, start)


def _header(reader: CsvReader) -> int:
    with reader.source.open() as file:
        return len(file.readline())


def _opener(source: Source, bounds: Sequence[tuple[int, int]], size: int) -> Callable[[], BinaryIO]:
    """Opens pieces of a file as one; they are read once and held if that is little."""
    if size > HELD:
        return lambda: io.BufferedReader(_Pieces(source, bounds), 1 << 20)
    with io.BufferedReader(_Pieces(source, bounds), 1 << 20) as file:
        data = file.read()
    return lambda: io.BytesIO(data)


class _Pieces(io.RawIOBase):
    """Pieces of a file, one behind the other."""

    def __init__(self, source: Source, bounds: Sequence[tuple[int, int]]) -> None:
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
            data = self._file.read(min(self._end - self._at, len(view) - done))
            if not data:
                break  # the file is shorter than it was
            view[done : done + len(data)] = data
            done += len(data)
            self._at += len(data)
        return done

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _learned(
    whole: tuple[CsvReader, CsvReader],
    parts: tuple[PartReader, PartReader],
    found: Alignment,
    order: tuple[int, int],
) -> bool:
    """Let each side know its types and counts, those of the second by ``order`` from those of the
    first where that is certain; False unless each line is a row."""
    looks = [part.look() for part in parts]
    one, two = (whole[at] for at in order)
    about = one.facts()
    if about.rows != found.lines[order[0]] - 1:
        return False
    lines = [found.lines[at] - sum(s.lines for s in found.stretches) for at in (0, 1)]
    if any(rows != count for (_, rows), count in zip(looks, lines, strict=True)):
        return False
    if two.known() is None:
        _derive(one, two, looks[order[0]], looks[order[1]])
    for at in (0, 1):
        columns, rows = looks[at]
        facts = Facts(rows, tuple(column.nulls for column in columns))
        parts[at].learn(whole[at].schema.types, facts)
    return two.facts().rows == found.lines[order[1]] - 1


def _derive(
    one: CsvReader,
    two: CsvReader,
    gone: tuple[list[Column], int],
    come: tuple[list[Column], int],
) -> None:
    """The types and counts of ``two``, which is ``one`` less some rows and with some others."""
    types = [
        decided(before, a.seen, b.seen)
        for before, a, b in zip(one.schema.types, gone[0], come[0], strict=True)
    ]
    certain = [type_ for type_ in types if type_ is not None]
    if len(certain) < len(types):
        return
    before = one.facts()
    nulls = (
        total - a.nulls + b.nulls
        for total, a, b in zip(before.nulls, gone[0], come[0], strict=True)
    )
    two.learn(certain, Facts(before.rows - gone[1] + come[1], tuple(nulls)))
