"""The types that values of three versions are compared as, so that equal means equal.

The types of text formats are found from values: one odd cell makes a column of numbers text. Its
other cells are what they were all the same, so the three versions are read with types that hold
the values of all of them. Other formats say their types, and these have to agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.errors import InvalidError
from oxcore.tables.engine import engine, quoted
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.formats.jsonrows import JsonReader
from oxcore.tables.infer import SAFE
from oxcore.tables.reading import Facts, Piece, Reader, some
from oxcore.tables.rowmerge.columns import Column
from oxcore.tables.rowmerge.nothing import Nothing
from oxcore.tables.shape import Shape

_HUGE = pa.decimal128(38, 0)
Readers = tuple[Reader, Reader, Reader]


def alike(readers: Readers, columns: Sequence[Column]) -> Readers:
    """The three readers, giving each column with one type.

    Raises ``InvalidError`` for types that differ, or that cannot be compared.
    """
    base, ours, theirs = readers
    if isinstance(base, Nothing):
        as_ours, ours, theirs = alike((ours, ours, theirs), columns)
        fields = map(as_ours.schema.field, base.schema.names)
        return Nothing(pa.schema(list(fields))), ours, theirs
    if all(isinstance(reader, CsvReader) for reader in readers):
        return _of_text(readers, columns)
    if all(isinstance(reader, JsonReader) for reader in readers):
        return _of_json(readers, columns)
    _check_same(readers, columns)
    return readers


class Retyped:
    """CSV read with other types than those that were found for it alone."""

    def __init__(self, reader: CsvReader, schema: pa.Schema) -> None:
        self._reader = reader
        self.schema = schema
        self.delimiter = reader.delimiter

    def facts(self) -> Facts:
        """Rows and nulls."""
        return self._reader.facts()

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """All rows as text."""
        return self._reader.pieces(columns)

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """Text -> values."""
        schema = some(self.schema, columns)
        arrays = [pc.cast(*pair) for pair in zip(batch.columns, schema.types, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _of_text(readers: Sequence[Reader], columns: Sequence[Column]) -> Readers:
    schemas = [reader.schema for reader in readers]
    for column in columns:
        known = [
            (reader, reader.schema.get_field_index(name))
            for reader, name in zip(readers, column, strict=True)
            if name is not None
        ]
        type_ = _common([(reader, at) for reader, at in known if not _empty(reader, at)])
        for place, name in enumerate(column):
            if name is not None:
                at = schemas[place].get_field_index(name)
                schemas[place] = schemas[place].set(at, pa.field(name, type_))
    base, ours, theirs = (
        Retyped(reader, schema)
        for reader, schema in zip(readers, schemas, strict=True)
        if isinstance(reader, CsvReader)
    )
    return base, ours, theirs


def _empty(reader: Reader, at: int) -> bool:
    facts = reader.facts()
    return facts.nulls[at] == facts.rows


def _common(known: Sequence[tuple[Reader, int]]) -> pa.DataType:
    """The type for the values of these columns; text where no other holds all."""
    found = {reader.schema.types[at] for reader, at in known}
    if len(found) < 2:
        return next(iter(found), pa.string())
    if found == {pa.int64(), pa.float64()} and all(_small(*one) for one in known):
        return pa.float64()
    return _HUGE if found == {pa.int64(), _HUGE} else pa.string()


def _small(reader: Reader, at: int) -> bool:
    """Whether doubles keep the column."""
    if reader.schema.types[at] == pa.float64():
        return True
    with engine({"t": reader}) as sql:
        name = quoted(sql.names["t"][at])
        low, high = sql.rows(f"SELECT min({name}), max({name}) FROM t")[0]
    return bool(low >= -SAFE and high <= SAFE)


def _of_json(readers: Sequence[Reader], columns: Sequence[Column]) -> Readers:
    found = [reader for reader in readers if isinstance(reader, JsonReader)]
    shared: list[dict[str, Shape]] = [{}, {}, {}]
    for column in columns:
        there = [(place, name) for place, name in enumerate(column) if name is not None]
        shape = reduce(Shape.joined, (found[place].shape.fields[name] for place, name in there))
        for place, name in there:
            shared[place][name] = shape
    base, ours, theirs = (
        reader.shaped(fields) for reader, fields in zip(found, shared, strict=True)
    )
    return base, ours, theirs


def _check_same(readers: Sequence[Reader], columns: Sequence[Column]) -> None:
    for column in columns:
        found = [
            reader.schema.field(name).type
            for reader, name in zip(readers, column, strict=True)
            if name is not None
        ]
        kinds = list(dict.fromkeys(map(str, found)))
        if len(kinds) > 1:
            raise InvalidError(f"column {column.name!r} has several types: {', '.join(kinds)}")
        if found and not _comparable(found[0]):
            raise InvalidError(f"column {column.name!r} of type {kinds[0]} cannot be compared")


def _comparable(type_: pa.DataType, *, inside: bool = False) -> bool:
    """Whether the engine takes the type without loss."""
    if isinstance(type_, pa.BaseExtensionType):
        return _comparable(type_.storage_type, inside=inside)
    if types.is_union(type_) or types.is_run_end_encoded(type_) or types.is_interval(type_):
        return False
    if types.is_decimal256(type_) or types.is_duration(type_) or types.is_float16(type_):
        return not inside
    if types.is_dictionary(type_):
        return _comparable(type_.value_type, inside=True)
    return all(_comparable(one, inside=True) for one in _parts(type_))


def _parts(type_: pa.DataType) -> Iterable[pa.DataType]:
    if types.is_map(type_):
        return (type_.key_type, type_.item_type)
    if types.is_struct(type_):
        return tuple(field.type for field in type_)
    return (type_.value_type,) if types.is_nested(type_) else ()
