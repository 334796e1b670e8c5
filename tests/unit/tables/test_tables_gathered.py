"""Many Parquet files as one table: what the engine reads by itself, and what it leaves to Arrow."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.tables.engine import engine
from oxcore.tables.reading import Facts, Piece, loaded
from oxcore.tables.source import Source

TYPES = {
    "id": "VARCHAR",
    "n": "BIGINT",
    "m": 'STRUCT("name" VARCHAR, "v" BIGINT)',
    "t": "VARCHAR[]",
}
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("n", pa.int64()),
        ("m", pa.struct([("name", pa.string()), ("v", pa.int64())])),
        ("t", pa.list_(pa.string())),
    ]
)
ROW = {"id": "a", "n": 1, "m": {"name": "x", "v": 2}, "t": ["p", "q"]}


@dataclass
class Many:
    """A reader of files; ``asked`` counts reads that go through Arrow."""

    parts: Sequence[bytes]
    asked: int = 0
    schema = SCHEMA
    types = TYPES

    def files(self) -> Sequence[Source]:
        return [
            Source(str(at), len(data), lambda data=data: io.BytesIO(data))
            for at, data in enumerate(self.parts)
        ]

    def facts(self) -> Facts:
        return Facts(0, (0,) * len(SCHEMA))

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        self.asked += 1
        for data in self.parts:
            table = parquet.read_table(io.BytesIO(data))
            rows = [{name: row.get(name) for name in SCHEMA.names} for row in table.to_pylist()]
            batch = pa.RecordBatch.from_pylist(rows, SCHEMA)
            yield loaded(batch.select(list(columns or range(len(SCHEMA)))))

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        return batch


def made(table: pa.Table) -> bytes:
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def rows(reader: Many) -> list[tuple[Any, ...]]:
    with engine({"t": reader}) as sql:
        return sql.rows('SELECT id, n, m, t, "ox row" FROM "t rows" ORDER BY id, n, "ox row"')


WHOLE = pa.Table.from_pylist([ROW, {**ROW, "id": "b"}], SCHEMA)
ALL = tuple(ROW.values())


def test_files_are_read_by_the_engine_alone() -> None:
    more = WHOLE.slice(0, 1).append_column("other", pa.array([{"id": 9, "n": "deep"}]))
    many = Many([made(WHOLE), made(more)])
    assert rows(many) == [(*ALL, 0), (*ALL, 0), ("b", *ALL[1:], 1)]
    assert not many.asked


@pytest.mark.parametrize("first", [0, 1])
def test_a_column_that_a_file_lacks_is_null_there(first: int) -> None:
    few = pa.table({"id": ["z"], "t": [["r"]]})
    parts = [made(WHOLE.slice(0, 1)), made(few)]
    many = Many([parts[first], parts[1 - first]])
    assert rows(many) == [(*ALL, 0), ("z", None, None, ["r"], 0)]
    assert not many.asked


def test_a_column_that_all_lack_is_null() -> None:
    many = Many([made(pa.table({"id": ["z"]}))])
    assert rows(many) == [("z", None, None, None, 0)]
    assert not many.asked


def test_no_file_is_no_row() -> None:
    many = Many([])
    assert rows(many) == []
    with engine({"t": many}) as sql:
        types = [row[1] for row in sql.rows("DESCRIBE t")]
    assert [one.replace('"', "") for one in types] == [
        one.replace('"', "") for one in TYPES.values()
    ]
    assert not many.asked


@pytest.mark.parametrize("column", [pa.array([1], pa.int32()), pa.array([1.0])])
def test_another_type_is_left_to_arrow(column: pa.Array) -> None:
    many = Many([made(WHOLE), made(pa.table({"id": ["z"], "n": column}))])
    assert [row[1] for row in rows(many)] == [1, 1, 1]
    assert many.asked


def test_a_name_in_another_case_is_another_column() -> None:
    many = Many([made(WHOLE), made(pa.table({"id": ["z"], "N": [5]}))])
    assert rows(many)[-1] == ("z", None, None, None, 2)
    assert many.asked


def test_names_that_differ_in_case_alone_are_left_to_arrow() -> None:
    many = Many([made(pa.table({"id": ["z"], "x": [5], "X": [6]}))])
    assert rows(many) == [("z", None, None, None, 0)]
    assert many.asked


def test_a_column_called_as_the_number_of_a_row_is_left_to_arrow() -> None:
    many = Many([made(pa.table({"id": ["z"], "file_row_number": [5]}))])
    assert rows(many) == [("z", None, None, None, 0)]
    assert many.asked


def test_what_is_no_parquet_is_left_to_who_can_name_it() -> None:
    many = Many([made(WHOLE), b"no parquet, but long enough for a footer"])
    with pytest.raises(Exception, match=r"[Pp]arquet"):
        rows(many)
    assert many.asked
