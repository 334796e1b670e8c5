"""A table that only one of two versions has: all of its rows were added, or removed."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from oxcore.tables.asking import Part, Query
from oxcore.tables.rowdiff import ColumnChanges, RowChange, RowCounts
from oxcore.tables.rowdiff.model import Pair
from oxcore.tables.rowdiff.places import as_python
from oxcore.tables.rowdiff.result import Run
from oxcore.tables.table import Table
from oxcore.tables.writing import write


class Whole:
    """What ``rowdiff.RowDiff`` tells, of a table against none; ``gone``: it was removed."""

    def __init__(self, table: Table, *, gone: bool) -> None:
        names, count = tuple(table.schema.names), len(table)
        self._table, self._gone = table, gone
        self.by = "order"
        self.keys: tuple[str, ...] = ()
        self.cells: dict[str, int] = {}
        self.pairs: tuple[Pair, ...] = ()
        if gone:
            self.columns = ColumnChanges(removed=names)
            self.counts = RowCounts(0, count, 0, 0, count, 0)
        else:
            self.columns = ColumnChanges(added=names)
            self.counts = RowCounts(count, 0, 0, 0, 0, count)

    def __bool__(self) -> bool:
        """It differs, though no row be in it."""
        return True

    def runs(self, limit: int | None = None) -> Iterator[Run]:
        """The rows, or the first of them, some thousands at a time."""
        nothing, row = pa.table({}), 0
        part = Part("all") if limit is None else Part("head", limit)
        with self._table.pick(Query(), part) as picked:
            for batch in picked.batches():
                count, rows = len(batch), pa.Table.from_batches([batch])
                places: list[int | None] = list(range(row, row + count))
                none: list[int | None] = [None] * count
                cells: list[tuple[str, ...]] = [()] * count
                if self._gone:
                    yield Run(["removed"] * count, places, none, cells, rows, nothing)
                else:
                    yield Run(["added"] * count, none, places, cells, nothing, rows)
                row += count

    def changes(self, limit: int | None = None) -> Iterator[RowChange]:
        """The rows in their order, or the first of them."""
        for run in self.runs(limit):
            records = as_python(run.old if self._gone else run.new)
            for record, *places in zip(records, run.old_rows, run.new_rows, strict=True):
                sides = (record, None) if self._gone else (None, record)
                yield RowChange(run.kinds[0], (), places[0], places[1], *sides)

    def batches(self) -> pa.RecordBatchReader:
        """The same as a table: ``change``, ``old row``, ``new row``, and of each column ``old x``
        or ``new x``."""
        side = "old" if self._gone else "new"
        own = [one.with_name(f"{side} {one.name}") for one in self._table.schema]
        places = [pa.field("old row", pa.int64()), pa.field("new row", pa.int64())]
        schema = pa.schema([pa.field("change", pa.string()), *places, *own])
        return pa.RecordBatchReader.from_batches(schema, self._batches(schema))

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for run in self.runs():
            rows = run.old if self._gone else run.new
            heads = [pa.array(run.kinds, pa.string())]
            heads += [pa.array(one, pa.int64()) for one in (run.old_rows, run.new_rows)]
            yield from pa.table([*heads, *rows.columns], schema=schema).to_batches()

    def write(self, path: str, *, replace: bool = False) -> int:
        """Write ``batches()`` to a file, as ``RowDiff.write`` does; gives the number of rows."""
        reader = self.batches()
        return write(path, reader.schema, reader, replace=replace)

    def close(self) -> None:
        """Nothing is held."""
