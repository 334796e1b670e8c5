"""``RowDiff``: what a diff found, told in counts, row by row, or as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

import pyarrow as pa

from oxcore.tables.reading import Reader, distinct_names
from oxcore.tables.rowdiff.columns import names_of, pairs_of
from oxcore.tables.rowdiff.keyed import BITS
from oxcore.tables.rowdiff.model import ColumnChanges, Pair, RowChange, RowCounts
from oxcore.tables.rowdiff.places import Rows, as_python
from oxcore.tables.rowdiff.sides import Sides
from oxcore.tables.writing import write

_RUN = 1 << 14  # changes put together at once


class Run(NamedTuple):
    """Some consecutive changes: kinds, places, masks, and the rows of both sides that they name,
    null where a side has none."""

    kinds: list[str]
    old_rows: list[int | None]
    new_rows: list[int | None]
    cells: list[tuple[str, ...]]
    old: pa.Table
    new: pa.Table


@dataclass(slots=True, weakref_slot=True)
class RowDiff:
    """What became of the rows of a table. Close it, or use it as a context manager.

    ``by``: what told which rows are the same: ``key`` (the columns ``keys``), ``rows`` (nothing:
    whole rows are counted) or ``order``. ``columns``, ``counts``; ``cells``: how many cells
    changed in each column, of those that have any.
    """

    by: str
    keys: tuple[str, ...]
    columns: ColumnChanges
    counts: RowCounts
    cells: dict[str, int]
    pairs: Sequence[Pair]
    readers: tuple[Reader, Reader]
    sides: Sides | None = None
    holds: ExitStack = field(default_factory=ExitStack)

    def __bool__(self) -> bool:
        """Whether anything differs."""
        counts = self.counts
        return bool(self.columns or counts.added or counts.removed or counts.changed)

    def changes(self, limit: int | None = None) -> Iterator[RowChange]:
        """The rows that differ, all or the first of them, ordered by place: that of the old row,
        or of an added row that of the new one."""
        keys = [pair for name in self.keys for pair in self.pairs if pair.new == name]
        for run in self.runs(limit):
            old, new = as_python(run.old), as_python(run.new)
            for at, kind in enumerate(run.kinds):
                one = None if kind == "added" else old[at]
                two = None if kind == "removed" else new[at]
                key = tuple(
                    (one or {})[pair.old] if two is None else two[pair.new] for pair in keys
                )
                rows = run.old_rows[at], run.new_rows[at]
                yield RowChange(kind, key, *rows, one, two, run.cells[at])

    def new_places(self) -> Iterator[list[int]]:
        """Where the rows stand in the new table that are not in the old one as they are: those
        that were added and those that changed; no value is read."""
        if self.sides is not None:
            for batch in self.sides.sql.batches("SELECT n FROM found WHERE n IS NOT NULL"):
                yield batch.column(0).to_pylist()

    def batches(self) -> pa.RecordBatchReader:
        """The same as a table: ``change``, ``old row``, ``new row``, and of each column ``old x``
        and ``new x`` by its type on that side, null on a side that has no such column or row."""
        schemas = (reader.schema for reader in self.readers)
        layout = _Layout(self.readers, self.pairs or pairs_of(*schemas))
        return pa.RecordBatchReader.from_batches(
            layout.schema, (batch for run in self.runs() for batch in layout.batches(run))
        )

    def write(self, path: str, *, replace: bool = False) -> int:
        """Write ``batches()`` to a file in the format that its name says; gives the number of rows.
        Names and errors are those of ``tables.write``."""
        reader = self.batches()
        return write(path, reader.schema, reader, replace=replace)

    def runs(self, limit: int | None = None) -> Iterator[Run]:
        """The changes, some thousands at a time."""
        if self.sides is None:
            return
        sql = self.sides.sql
        count = self.counts.added + self.counts.removed + self.counts.changed
        most = count if limit is None else min(limit, count)
        with Rows(self.readers[0]) as old, Rows(self.readers[1]) as new:
            for rows, name in ((old, "o"), (new, "n")):
                text = f"SELECT {name} FROM found WHERE place < {most} AND {name} IS NOT NULL"
                rows.load(sql.table(f"{text} ORDER BY 1").column(0))
            for start in range(0, most, _RUN):
                end = min(start + _RUN, most)
                text = (
                    f"SELECT * FROM found WHERE place >= {start} AND place < {end} ORDER BY place"
                )
                yield self._run(sql.table(text), old, new)

    def _run(self, found: pa.Table, old: Rows, new: Rows) -> Run:
        o, n = found["o"].combine_chunks(), found["n"].combine_chunks()
        kinds = [
            "added" if one is None else "removed" if two is None else "changed"
            for one, two in zip(o.to_pylist(), n.to_pylist(), strict=True)
        ]
        masks = [found[name].to_pylist() for name in found.column_names if name[0] == "m"]
        cells = [
            self._cells(row) if kind == "changed" else ()
            for kind, row in zip(kinds, zip(*masks, strict=True), strict=True)
        ]
        return Run(kinds, o.to_pylist(), n.to_pylist(), cells, old.take(o), new.take(n))

    def _cells(self, masks: Sequence[int]) -> tuple[str, ...]:
        return tuple(
            pair.new for at, pair in enumerate(self.pairs) if masks[at // BITS] >> at % BITS & 1
        )

    def close(self) -> None:
        """Let go of the engine."""
        self.holds.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Layout:
    """The columns of a diff as a table."""

    def __init__(self, readers: tuple[Reader, Reader], pairs: Sequence[Pair]) -> None:
        old, new = (reader.schema for reader in readers)
        before = {pair.new_at: pair.old_at for pair in pairs}
        listed: list[tuple[int | None, int | None]] = [
            (before.get(at), at) for at in range(len(new))
        ]
        gone = sorted(set(range(len(old))) - set(before.values()))
        self._listed = [*listed, *((at, None) for at in gone)]
        fields = [
            pa.field("change", pa.string()),
            pa.field("old row", pa.int64()),
            pa.field("new row", pa.int64()),
        ]
        names = names_of(old), names_of(new)
        for one, two in self._listed:
            if one is not None:
                fields.append(_field(old, one, f"old {names[0][one]}"))
            if two is not None:
                fields.append(_field(new, two, f"new {names[1][two]}"))
        called = distinct_names([one.name for one in fields])
        self.schema = pa.schema(
            [one.with_name(name) for one, name in zip(fields, called, strict=True)]
        )

    def batches(self, run: Run) -> list[pa.RecordBatch]:
        """A run of changes."""
        columns: list[pa.Array | pa.ChunkedArray] = [
            pa.array(run.kinds, pa.string()),
            pa.array(run.old_rows, pa.int64()),
            pa.array(run.new_rows, pa.int64()),
        ]
        for one, two in self._listed:
            if one is not None:
                columns.append(run.old.column(one))
            if two is not None:
                columns.append(run.new.column(two))
        table = pa.table(columns, schema=self.schema)
        found: list[pa.RecordBatch] = table.to_batches()
        return found


def _field(schema: pa.Schema, at: int, name: str) -> pa.Field:
    return schema.field(at).with_name(name).with_nullable(True)
