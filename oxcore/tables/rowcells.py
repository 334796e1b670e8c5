"""One row of a version: its values, and whether two versions of a cell hold the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.tables import gather
from oxcore.tables.asking import places_of
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.reading import JSON_TEXT
from oxcore.tables.rowkeys import names_of, row_number
from oxcore.tables.table import Table
from oxcore.tables.values import Plain, plain, text

_PAIRS = 64  # pairs of columns that are compared for a rename
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]")


@dataclass(frozen=True)
class Row:
    """One row: its ``place`` from 0, and ``raw``: column -> value, of CSV the text."""

    table: Table
    place: int
    raw: Mapping[str, Plain]

    @property
    def number(self) -> int:
        """Its number in messages."""
        return row_number(self.table, self.place)

    @cached_property
    def is_text(self) -> bool:
        """Whether the format has texts only, whose types are found."""
        return isinstance(self.table.reader, CsvReader)

    def value(self, name: str) -> Plain:
        """The value by its type, as JSON has it; of CSV the first call reads the whole file."""
        found = self.raw[name]
        if not self.is_text or found is None:
            return found
        return plain(pc.cast(pa.array([found], pa.string()), self._type(name)))[0]

    def number_or_value(self, name: str) -> object:
        """The value for comparing: decimals are numbers."""
        found = self.value(name)
        if isinstance(found, str) and types.is_decimal(self._type(name)):
            return Decimal(found)
        return found

    def _type(self, name: str) -> pa.DataType:
        schema = self.table.schema
        return schema.field(schema.names.index(name)).type


def rows_at(table: Table, places: Sequence[int]) -> dict[int, Row]:
    """The rows at these places, by place; reads only the pieces that hold any."""
    ordered = sorted(set(places))
    found: dict[int, Row] = {}
    rest = iter(ordered)
    for batch in gather.ascending(table.reader, [ordered], None) if ordered else ():
        for values in _rows(batch):
            place = next(rest)
            found[place] = Row(table, place, values)
    return found


def same(one: Row, name: str, two: Row, other: str) -> bool:
    """Whether two cells hold the same: by value, and of two texts of CSV by text too."""
    left, right = one.raw[name], two.raw[other]
    if left is None or right is None:
        return left is right
    if type(left) is type(right) and left == right:
        return True
    if one.is_text and two.is_text and not _alike(str(left), str(right)):
        return False
    return _equal(
        one.number_or_value(name), two.number_or_value(other), found=one.is_text or two.is_text
    )


def renamed(old: Table, new: Table) -> dict[str, str]:
    """Columns of ``new`` that ``old`` has, row for row, under a name that is gone: new -> old."""
    before, after = names_of(old), names_of(new)
    pairs = [(b, a) for b in after if b not in set(before) for a in before if a not in set(after)]
    if not pairs or len(pairs) > _PAIRS:
        return {}
    mine, theirs = sorted({b for b, _ in pairs}), sorted({a for _, a in pairs})
    for left, right in _aligned(_columns(new, mine), _columns(old, theirs)):
        if left is None or right is None:
            return {}
        pairs = [
            (b, a)
            for b, a in pairs
            if left.column(mine.index(b)).equals(right.column(theirs.index(a)))
        ]
        if not pairs:
            return {}
    found: dict[str, str] = {}
    for b, a in pairs:
        if b not in found and a not in found.values():
            found[b] = a
    return found


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Plain]]:
    names = batch.schema.names
    columns = [_plain(field, column) for field, column in zip(batch.schema, batch, strict=True)]
    for row in zip(*columns, strict=True):
        found: dict[str, Plain] = {}
        for name, value in zip(names, row, strict=True):
            found.setdefault(name, value)
        yield found


def _plain(field: pa.Field, column: pa.Array) -> list[Plain]:
    values = plain(column)
    if (field.metadata or {}).get(b"ox") != JSON_TEXT[b"ox"]:
        return values
    return [None if one is None else json.loads(str(one)) for one in values]


def _alike(one: str, two: str) -> bool:
    """Whether two texts that differ may be one value of some type."""
    if _STAMP.match(one) and _STAMP.match(two):
        return True
    try:
        return float(one) == float(two) or (one.lower(), two.lower()) == ("nan", "nan")
    except ValueError:
        return one.lower() == two.lower()


def _equal(one: object, two: object, *, found: bool) -> bool:
    """``found``: a type was found for one of them, so that text may stand for another value."""
    numbers = [isinstance(v, int | float | Decimal) and not isinstance(v, bool) for v in (one, two)]
    if all(numbers):
        return _exact(one) == _exact(two)
    if type(one) is type(two):
        return one == two
    if found and (isinstance(one, str) or isinstance(two, str)):
        return text(one) == text(two)
    return False


def _exact(value: object) -> object:
    """A number that compares with decimals by its digits: 0.1 is 0.1."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def _columns(table: Table, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    indexes = places_of(names, names_of(table))
    return (batch for piece in table.reader.pieces(indexes) for batch in piece.load())


def _aligned(
    one: Iterator[pa.RecordBatch], two: Iterator[pa.RecordBatch]
) -> Iterator[tuple[pa.RecordBatch | None, pa.RecordBatch | None]]:
    """Batches of the same rows of both; None at the end of the shorter one."""
    left, right = next(one, None), next(two, None)
    while left is not None and right is not None:
        rows = min(len(left), len(right))
        yield left.slice(0, rows), right.slice(0, rows)
        left = left.slice(rows) if rows < len(left) else next(one, None)
        right = right.slice(rows) if rows < len(right) else next(two, None)
    if left is not None or right is not None:
        yield left, right
