"""Arrow batches with their edits: columns keep their type, and new values must be of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa
from pyarrow import types

from oxcore.errors import UsageError
from oxcore.tables.rewrite.edits import Changes, Edits, Layout, Raw
from oxcore.tables.rewrite.texts import repeated
from oxcore.tables.source import Source

_MISFIT = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError)
_MISFIT_PYTHON = (OverflowError, TypeError, ValueError)
Cells = Mapping[int, object]


class Batches:
    """The batches of one table, one after the other. ``schema`` and ``layout``: what
    they have at the end; ``done``: the old rows gone by; ``rows``: those that were made."""

    def __init__(self, source: Source, schema: pa.Schema, edits: Edits) -> None:
        self._source = source
        self.layout = layout = Layout(schema.names, edits)
        self._changes = Changes(edits, layout)
        kept = [
            schema.field(place).with_name(layout.names[at]) for at, place in enumerate(layout.kept)
        ]
        self._added = [self._constant(name, type_, value) for name, type_, value in edits.added]
        new = [
            pa.field(name, scalar.type)
            for name, scalar in zip(layout.added, self._added, strict=True)
        ]
        self.schema = pa.schema([*kept, *new], schema.metadata)
        self.rows = self.done = 0

    def changed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The next rows with their changes."""
        end = self.done + len(batch)
        arrays = [batch.column(place) for place in self.layout.kept]
        arrays += [repeated(scalar, len(batch)) for scalar in self._added]
        whole = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        todo = list(self._changes.before(end))
        made = self._edited(whole, todo) if todo else whole
        self.done = end
        self.rows += len(made)
        return made

    def finish(self) -> list[pa.RecordBatch]:
        """The rows that come at the end, if any."""
        rows = list(self._changes.finish(self.done))
        self.rows += len(rows)
        return [self._inserted(rows)] if rows else []

    def _edited(self, batch: pa.RecordBatch, todo: Sequence[int]) -> pa.RecordBatch:
        cells: dict[int, dict[int, object]] = {}
        for row in todo:
            if not self._changes.deleted(row):
                for place, value in self._changes.cells(row).items():
                    cells.setdefault(place, {})[row - self.done] = value
        columns = [
            self._replaced(at, column, cells[at]) if at in cells else column
            for at, column in enumerate(batch.columns)
        ]
        whole = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        return together(self._pieces(whole, todo), self.schema)

    def _pieces(self, batch: pa.RecordBatch, todo: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """The batch cut where rows come or go."""
        at = 0
        for row in todo:
            place = row - self.done
            values = list(self._changes.inserted(row))
            gone = place < len(batch) and self._changes.deleted(row)
            if values or gone:
                yield batch.slice(at, place - at)
                if values:
                    yield self._inserted(values)
                at = place + gone
        yield batch.slice(at)

    def _replaced(self, place: int, column: pa.Array, cells: Mapping[int, object]) -> pa.Array:
        """The column with new values at some rows, which ascend."""
        pieces, at = [], 0
        for start, values in _runs(cells):
            row = self.done + start
            pieces += [column.slice(at, start - at), self._array(place, values, row)]
            at = start + len(values)
        return one_array([*pieces, column.slice(at)], column.type)

    def _inserted(self, rows: Sequence[Cells]) -> pa.RecordBatch:
        arrays = []
        for place in range(len(self.schema)):
            extra = place - len(self.layout.kept)
            default = self._added[extra] if extra >= 0 else None
            arrays.append(self._array(place, [row.get(place, default) for row in rows]))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _constant(self, name: str, type_: pa.DataType | None, value: object) -> pa.Scalar:
        try:
            array = _values([value], type_)
        except (*_MISFIT, *_MISFIT_PYTHON) as error:
            raise self._source.broken(_reason(error, value, type_), column=name) from None
        return (array.cast(pa.string()) if types.is_null(array.type) else array)[0]

    def _array(self, place: int, values: Sequence[object], row: int | None = None) -> pa.Array:
        """The values as the column's type; the error tells the first that is not of it."""
        field = self.schema.field(place)
        try:
            array = _values(values, field.type)
        except (*_MISFIT, *_MISFIT_PYTHON) as error:
            if len(values) > 1:
                for at, value in enumerate(values):
                    self._array(place, [value], None if row is None else row + at)
            number = None if row is None else row + 1
            why = _reason(error, values[0], field.type)
            raise self._source.broken(why, row=number, column=field.name) from None
        if array.null_count and not field.nullable:
            at = array.is_null().to_pylist().index(True)
            number = None if row is None else row + 1 + at
            why = "null, which the column has none of"
            raise self._source.broken(why, row=number, column=field.name)
        return array


def _reason(error: Exception, value: object, type_: pa.DataType | None) -> str:
    if isinstance(value, Raw):
        raise UsageError("only text formats have the text of a cell") from None
    shown = repr(value)[:60]
    return f"{shown} is no {type_}" if type_ is not None else f"{shown} is no value: {error}"


def _values(values: Sequence[object], type_: pa.DataType | None) -> pa.Array:
    """Python values and scalars as an array of this type."""
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, _values(values, type_.storage_type))
    if type_ is not None and types.is_dictionary(type_):
        return _values(values, type_.value_type).dictionary_encode().cast(type_)
    if type_ is not None and all(value is None for value in values):
        return pa.nulls(len(values), type_)
    if any(isinstance(value, Raw) for value in values):
        raise TypeError("the text of a cell")
    if type_ is None:
        return pa.array(values)
    if any(isinstance(value, pa.Scalar) for value in values):
        return one_array([_one(value, type_) for value in values], type_)
    if types.is_integer(type_) and any(map(_unwhole, values)):
        raise TypeError("not a whole number")
    return pa.array(values, type_)


def _one(value: object, type_: pa.DataType) -> pa.Array:
    if isinstance(value, pa.Scalar):
        return repeated(value, 1).cast(type_)
    return _values([value], type_)


def _unwhole(value: object) -> bool:
    """Whether Arrow would make of this a number that it is not."""
    return isinstance(value, bool) or (isinstance(value, float) and not value.is_integer())


def _runs(cells: Mapping[int, object]) -> Iterator[tuple[int, list[object]]]:
    """Neighbouring rows together: the first of them, and their values."""
    start, values = 0, list[object]()
    for row, value in cells.items():
        if values and row != start + len(values):
            yield start, values
            values = []
        if not values:
            start = row
        values.append(value)
    if values:
        yield start, values


def one_array(arrays: Iterable[pa.Array], type_: pa.DataType) -> pa.Array:
    """Arrays of one type as one; dictionaries are united."""
    whole = pa.chunked_array(list(arrays), type_)
    if types.is_dictionary(type_):
        whole = whole.unify_dictionaries()
    return whole.combine_chunks() if whole.num_chunks != 1 else whole.chunk(0)


def together(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """Batches, at least one, as one."""
    whole = list(batches)
    found = [batch for batch in whole if len(batch)] or whole[:1]
    if len(found) == 1:
        return found[0]
    columns = [
        one_array([batch.column(at) for batch in found], field.type)
        for at, field in enumerate(schema)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
