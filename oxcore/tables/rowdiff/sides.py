"""The two tables as the engine compares them: ``old`` and ``new``, columns ``c0``, ``c1``..."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from oxcore.errors import InvalidError
from oxcore.tables.direct import direct
from oxcore.tables.engine import Engine, engine, quoted
from oxcore.tables.reading import ROW, Reader
from oxcore.tables.rowdiff.meet import Convert, Meet
from oxcore.tables.rowdiff.outside import numbers


@dataclass(slots=True)
class Column:
    """A column of one side: its place in the schema, and how its values are brought to the
    ``type`` that the other side has as well."""

    at: int
    type: pa.DataType
    convert: Convert | None


@dataclass(slots=True)
class Side:
    """The rows of a reader with their numbers, as a stream that can be read again.

    ``rows``: how many the last scan gave; ``error``: what ended it.
    """

    reader: Reader
    columns: Sequence[Column]
    rows: int = 0
    error: Exception | None = None
    schema: pa.Schema = field(init=False)

    def __post_init__(self) -> None:
        whole = self.reader.schema
        fields = [
            pa.field(f"c{number}", one.type if one.convert else whole.field(one.at).type)
            for number, one in enumerate(self.columns)
        ]
        self.schema = pa.schema([*fields, pa.field(ROW, pa.int64())])

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        reader = pa.RecordBatchReader.from_batches(self.schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        places = [one.at for one in self.columns]
        start = 0
        try:
            for piece in self.reader.pieces(places):
                for batch in piece.load():
                    yield self._met(self.reader.typed(batch, places), start)
                    start += len(batch)
        except pa.ArrowException as error:
            self.error = InvalidError(f"rows that cannot be compared: {error}")
            raise
        except Exception as error:
            self.error = error
            raise
        self.rows = start

    def _met(self, batch: pa.RecordBatch, start: int) -> pa.RecordBatch:
        arrays = [
            one.convert(values) if one.convert else values
            for one, values in zip(self.columns, batch.columns, strict=True)
        ]
        places = numbers(self.reader, start, len(batch))
        return pa.RecordBatch.from_arrays([*arrays, places], schema=self.schema)


@dataclass(frozen=True, slots=True)
class Sides:
    """An engine that holds both sides; ``meets``: where the columns ``c0``, ``c1``... meet."""

    sql: Engine
    meets: Sequence[Meet]
    old: Side
    new: Side

    def rows(self) -> tuple[int, int]:
        """Rows of both sides."""
        return self._rows("old", self.old), self._rows("new", self.new)

    def _rows(self, name: str, side: Side) -> int:
        if name in self.sql.names or not side.rows:
            return side.reader.facts().rows
        return side.rows


@contextmanager
def facing(
    readers: tuple[Reader, Reader], places: Sequence[tuple[int, int]], meets: Sequence[Meet]
) -> Iterator[Sides]:
    """Both tables side by side; ``places``: where each column stands in the two schemas."""
    old = [Column(at, one.type, one.old) for (at, _), one in zip(places, meets, strict=True)]
    new = [Column(at, one.type, one.new) for (_, at), one in zip(places, meets, strict=True)]
    both = {"old": Side(readers[0], old), "new": Side(readers[1], new)}
    own = {name: side.reader for name, side in both.items() if _own(side)}
    with engine({f"{name} file": reader for name, reader in own.items()}) as sql:
        for name, side in both.items():
            _view(sql, name, side)
        yield Sides(sql, meets, both["old"], both["new"])


def _own(side: Side) -> bool:
    """Whether the engine reads the file by itself."""
    return direct(side.reader) is not None and not any(one.convert for one in side.columns)


def _view(sql: Engine, name: str, side: Side) -> None:
    """``name``: the columns to compare, and the number of each row as ``row``."""
    file = f"{name} file"
    if file in sql.names:
        called = [sql.names[file][one.at] for one in side.columns]
        source = f"{file} rows"
    else:
        called = [f"c{number}" for number in range(len(side.columns))]
        source = f"{name} text"
        sql.attach(source, side)
    listed = [f"{quoted(one)} AS c{number}" for number, one in enumerate(called)]
    text = ", ".join([*listed, f"{quoted(ROW)} AS row"])
    sql.run(f"CREATE TEMP VIEW {name} AS SELECT {text} FROM {quoted(source)}")
