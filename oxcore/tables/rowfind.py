"""Rows by their key: which rows of a table have certain values in certain columns.

Only the columns of the key are read. A value is given as text and read by the type of its column;
of CSV that type is found from this column alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import time

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.errors import InvalidError
from oxcore.tables.asking import places_of
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.infer import Column, decide
from oxcore.tables.rowkeys import Key, names_of
from oxcore.tables.table import Table

_MOST = 10  # rows that are looked for with one key: the first is the row, others make an error
_ZONE = re.compile(r":\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)$")
_EXACT = (pa.string(), pa.int64(), pa.date32(), pa.decimal128(38, 0))  # one value, one text


def find(table: Table, keys: Sequence[Key]) -> list[list[int]]:
    """The places of the rows that have each of the ``keys``, which all name the same columns.

    Ascending, ten at most for a key. Raises ``NotFoundError`` for a column that is not there,
    ``InvalidError`` for one whose type has no values to compare.
    """
    if not keys:
        return []
    indexes = places_of(list(keys[0]), names_of(table))
    reader = table.reader
    if not isinstance(reader, CsvReader):
        kinds = [reader.schema.field(index).type for index in indexes]
        return _scan(table, indexes, kinds, keys)
    columns = [Column() for _ in indexes]
    found = _scan(table, indexes, [pa.string()] * len(indexes), keys, columns)
    kinds = [decide(column.seen) for column in columns]
    pairs = [(kind, key[name]) for key in keys for kind, name in zip(kinds, keys[0], strict=True)]
    if all(_as_text(kind, value) for kind, value in pairs):
        return found
    return _scan(table, indexes, kinds, keys)


def _scan(
    table: Table,
    indexes: Sequence[int],
    kinds: Sequence[pa.DataType],
    keys: Sequence[Key],
    columns: Sequence[Column] = (),
) -> list[list[int]]:
    """The places for each key, the columns read as ``kinds``; ``columns`` learn of the texts."""
    given = [[key[name] for key in keys] for name in keys[0]]
    wanted = [_Wanted(_comparable(kind), one) for kind, one in zip(kinds, given, strict=True)]
    codes: dict[tuple[int | None, ...], list[int]] = {}
    for number in range(len(keys)):
        codes.setdefault(tuple(one.codes[number] for one in wanted), []).append(number)
    found: list[list[int]] = [[] for _ in keys]
    start = 0
    for piece in table.reader.pieces(indexes):
        for batch in piece.load():
            for column, values in zip(columns, batch.columns, strict=False):
                column.look(values)
            for place, code in _hits(table, batch, wanted):
                for number in codes.get(code, ()):
                    if len(found[number]) < _MOST:
                        found[number].append(start + place)
            start += len(batch)
    return found


class _Wanted:
    """The values looked for in one column: ``set``, each once, and ``codes``, the place in it of
    each key's value; None for one that no column of this type can hold."""

    def __init__(self, kind: pa.DataType, given: Sequence[str | None]) -> None:
        self.kind = kind
        values: dict[pa.Scalar, int] = {}
        casts = [pa.scalar(None, kind) if one is None else _cast(one, kind) for one in given]
        for one in casts:
            if one is not None:
                values.setdefault(one, len(values))
        self.codes = [None if one is None else values[one] for one in casts]
        parts = [pa.repeat(value, 1) for value in values]
        self.set = pa.concat_arrays(parts) if parts else pa.array([], kind)

    def look(self, values: pa.Array) -> pa.Array:
        """For each value its place in the set, or null."""
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        if values.type != self.kind:
            values = pc.cast(values, self.kind)
        return pc.index_in(values, value_set=self.set)


def _hits(
    table: Table, batch: pa.RecordBatch, wanted: Sequence[_Wanted]
) -> Iterator[tuple[int, tuple[int | None, ...]]]:
    """The rows of a batch that have a value of each set, with the places of these values."""
    codes = []
    for name, one, values in zip(batch.schema.names, wanted, batch.columns, strict=True):
        try:
            codes.append(one.look(values))
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
            why = f"{table.name}, column {name!r}: no key, it holds {values.type}"
            raise InvalidError(why) from error
    hit = codes[0].is_valid()
    for code in codes[1:]:
        hit = pc.and_(hit, code.is_valid())
    for place in pc.indices_nonzero(hit).to_pylist():
        yield place, tuple(code[place].as_py() for code in codes)


def _as_text(kind: pa.DataType, value: str | None) -> bool:
    """Whether a value of this type has no other text than this one."""
    if value is None or kind == pa.string():
        return True
    cast = _cast(value, kind)
    return kind in _EXACT and cast is not None and str(cast.as_py()) == value


def _cast(value: str, kind: pa.DataType) -> pa.Scalar | None:
    """A text as a value of a type that ``_comparable`` gives; None if it is none of these."""
    scalar = pa.scalar(value)
    try:
        if types.is_binary(kind) or types.is_large_binary(kind):
            return pa.scalar(bytes.fromhex(value), kind)
        if types.is_time(kind):
            return pa.scalar(time.fromisoformat(value), kind)
        if types.is_duration(kind):
            return pa.scalar(int(value.removesuffix(f" {kind.unit}"))).cast(kind)
        if types.is_timestamp(kind) and kind.tz and not _ZONE.search(value):
            scalar = pa.scalar(value + "Z")
        return scalar.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError, OverflowError):
        return None


def _comparable(kind: pa.DataType) -> pa.DataType:
    """The type to look for values of ``kind`` in."""
    if isinstance(kind, pa.BaseExtensionType):
        return _comparable(kind.storage_type)
    if types.is_dictionary(kind):
        return _comparable(kind.value_type)
    if types.is_float16(kind):
        return pa.float32()
    if types.is_string_view(kind) or types.is_null(kind):
        return pa.string()
    if types.is_binary_view(kind) or types.is_fixed_size_binary(kind):
        return pa.binary()
    return kind
