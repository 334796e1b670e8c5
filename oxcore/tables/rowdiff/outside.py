"""Two CSV files of which only the rows are read that lie outside of what they share.

A row of a shared stretch is in both tables, so it cannot differ, and where a key tells rows apart
no row outside is its partner. That a line is a row is proved, not believed: a table has as many
rows as its file has lines. Where no carriage return stands alone a table has never more: a line
that is blank, and one that goes on within quotes, make it less.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from oxcore.tables.engine import prepare
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.helping import Helper
from oxcore.tables.infer import Column, decided
from oxcore.tables.reading import Facts, Piece, Reader
from oxcore.tables.rowdiff.aligned import Alignment
from oxcore.tables.rowdiff.lines import Ranges, keep, learn, look, shared, spans
from oxcore.tables.rowdiff.shares import Lines, shared_out
from oxcore.tables.rowdiff.span import Bounds
from oxcore.tables.rowdiff.spliced import spliced

LEAST = 1 << 20  # bytes of a file; less is read faster than looked at


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


def outside(old: Reader, new: Reader, helpers: Sequence[Helper] = ()) -> Outside | None:
    """What is left of two tables, or None where they share too little, or it is not certain that
    a line is a row: then all is to be read."""
    if not isinstance(old, CsvReader) or not isinstance(new, CsvReader) or not _alike(old, new):
        return None
    prepare()
    first = new if old.known() is None and new.known() is not None else old
    second = new if first is old else old
    side = 0 if first is old else 1
    types, told = side if first.known() is None else None, second.known() is not None
    parts = spans(old.source, new.source, 1 + len(helpers))
    asked = [Lines(types, part) for part in parts]
    looks = shared_out(asked, helpers, partial(look, (old, new)))
    ranges = {} if types is None else learn(first, looks)
    found = shared(looks)
    if types is not None:
        # What one has read from end to end is certain; of parts the lines have to prove it.
        if len(looks) > 1 and (found is None or not _in_lines(first, found, side)):
            first.forget()
            return None
        keep(first, ranges)
    rest = None if found is None else _rest((old, new), found, (side, 1 - side))
    if found is None or rest is None:
        second.forget()
        return None
    if not told:
        keep(second, {})
    same = sum(one.lines for one in found.stretches) - 1
    return Outside(rest, (old, new), same, ranges if first is old else {})


def _in_lines(reader: CsvReader, found: Alignment, side: int) -> bool:
    """Whether each line of a side is a row."""
    return found.plain and reader.facts().rows == found.lines[side] - 1


def _rest(
    whole: tuple[CsvReader, CsvReader], found: Alignment, order: tuple[int, int]
) -> tuple[PartReader, PartReader] | None:
    """The rows outside of what is shared; None where that is little, or a line may be no row."""
    if not _useful(found):
        return None
    rest = _part(whole[0], found, 0), _part(whole[1], found, 1)
    return rest if _learned(whole, rest, found, order) else None


def _alike(old: CsvReader, new: CsvReader) -> bool:
    plain = not old.compression and not new.compression
    large = min(old.source.size, new.source.size) >= LEAST
    if any("\n" in name for name in old.names):
        return False  # ``spliced`` takes one line for the header
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
    bounds: list[Bounds] = []
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
    rest = None if found.rest is None else found.rest[side]
    return PartReader(spliced(reader, bounds, rest), first, start)


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
    if not _in_lines(one, found, order[0]):
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
    return _in_lines(two, found, order[1])


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
    two.suppose(certain, Facts(before.rows - gone[1] + come[1], tuple(nulls)))
