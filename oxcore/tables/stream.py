"""A table as Arrow's C stream interface gives it: to be read again at each scan."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from pyarrow import types

from oxcore.tables.reading import ROW, Reader


class Stream:
    """The rows of a reader with their numbers, columns called ``c0``, ``c1``...

    ``columns``: positions of those that engines take; ``text``: whether they are text that is yet
    to be cast. ``error``: what ended the last scan, since an engine passes on only its message.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        whole = reader.schema
        self.columns = [i for i, field in enumerate(whole) if is_taken(field.type)]
        self.text = hasattr(reader, "delimiter")
        fields = [
            pa.field(f"c{i}", pa.string() if self.text else _fitting(whole.field(i).type))
            for i in self.columns
        ]
        self._schema = pa.schema([*fields, pa.field(ROW, pa.int64())])
        self.error: Exception | None = None

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        reader = pa.RecordBatchReader.from_batches(self._schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        start = 0
        try:
            for piece in self._reader.pieces(self.columns):
                for batch in piece.load():
                    yield self._numbered(batch, start)
                    start += len(batch)
        except Exception as error:
            self.error = error
            raise

    def _numbered(self, batch: pa.RecordBatch, start: int) -> pa.RecordBatch:
        arrays = [
            column if column.type == field.type else column.cast(field.type)
            for column, field in zip(batch.columns, self._schema, strict=False)
        ]
        numbers = pa.array(range(start, start + len(batch)), pa.int64())
        return pa.RecordBatch.from_arrays([*arrays, numbers], schema=self._schema)


def is_taken(type_: pa.DataType) -> bool:
    """Whether engines take values of this type."""
    return not (types.is_union(type_) or types.is_run_end_encoded(type_))


def _fitting(type_: pa.DataType) -> pa.DataType:
    """The type to hand over instead of one that engines do not take."""
    if isinstance(type_, pa.BaseExtensionType):
        return _fitting(type_.storage_type)
    if types.is_decimal256(type_):
        return pa.string()
    if types.is_duration(type_):
        return pa.int64()  # a count of its unit; an interval would have months
    return pa.float32() if types.is_float16(type_) else type_
