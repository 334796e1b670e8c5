"""The conflicts of a merge with their values, which are read when they are asked for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from oxcore.tables.gather import ascending
from oxcore.tables.reading import Reader
from oxcore.tables.rowmerge.columns import Column
from oxcore.tables.rowmerge.compare import Say
from oxcore.tables.rowmerge.conflict import CellConflict
from oxcore.tables.values import Plain, plain

_RUN = 8192  # rows whose values are held at once
Rows = tuple[int | None, int | None, int | None]


class Places:
    """From rows of ours to those of the merged table. ``deleted``: the rows that go, ascending;
    ``inserted``: before which rows others come in, ascending."""

    def __init__(self, deleted: Sequence[int], inserted: Sequence[int]) -> None:
        self._deleted, self._inserted = deleted, inserted

    def place(self, row: int) -> int:
        """Where a row of ours stands, or would."""
        gone = bisect_left(self._deleted, row)
        return row - gone + bisect_right(self._inserted, row)


@dataclass(frozen=True, slots=True)
class Open:
    """What conflicts are made of: rows as ``compare`` has them, only those in conflict, with
    ``before``: of rows that ours lacks, by the row of theirs, before which row of ours they go.
    ``types``: the three versions as they were compared."""

    columns: list[CellConflict]
    rows: pa.Table
    cells: Sequence[Column]
    keys: Sequence[Column]
    types: tuple[Reader, Reader, Reader]
    places: Places
    before: dict[int, int]

    @property
    def count(self) -> int:
        """How many conflicts these are."""
        whole = pc.invert(pc.and_(pc.is_valid(self.rows["ours"]), pc.is_valid(self.rows["theirs"])))
        cells = self.rows.filter(pc.invert(whole))
        says = [pc.sum(pc.equal(cells[f"c{i}"], Say.BOTH)) for i in range(len(self.cells))]
        return len(self.columns) + sum(one.as_py() or 0 for one in (pc.sum(whole), *says))

    def conflicts(self) -> Iterator[CellConflict]:
        """Columns, then rows and cells in the order of our rows."""
        yield from self.columns
        for batch in self.rows.to_batches(max_chunksize=_RUN):
            yield from self._of(batch)

    def _of(self, batch: pa.RecordBatch) -> Iterator[CellConflict]:
        rows = [batch.column(name).to_pylist() for name in ("base", "ours", "theirs")]
        said = [batch.column(f"c{i}").to_pylist() for i in range(len(self.cells))]
        whole = any(None in row for row in rows[1:])
        asked = [
            column
            for column, says in zip(self.cells, said, strict=True)
            if whole or Say.BOTH in says
        ]
        keys = [_Shown(self.types[at], rows[at], self.keys, at) for at in (1, 2)]
        values = [_Shown(self.types[at], rows[at], asked, at) for at in range(3)]
        for at, row in enumerate(zip(*rows, strict=True)):
            key = _key(keys, row, self.keys)
            if row[1] is None or row[2] is None:
                yield self._row(key, row, values)
                continue
            for column, says in zip(self.cells, said, strict=True):
                if says[at] == Say.BOTH:
                    yield self._cell(key, column, row, values)

    def _cell(
        self, key: dict[str, Plain], column: Column, row: Rows, values: Sequence[_Shown]
    ) -> CellConflict:
        base, ours, theirs = (
            None if at is None or column[side] is None else values[side].value(at, column)
            for side, at in enumerate(row)
        )
        kind = "added" if row[0] is None else "cell"
        place = self.places.place(row[1] or 0)
        return CellConflict(key, column.name, base, ours, theirs, kind, place, row[2])

    def _row(self, key: dict[str, Plain], row: Rows, values: Sequence[_Shown]) -> CellConflict:
        base, ours, theirs = (
            None if at is None else {**key, **values[side].record(at, self.cells)}
            for side, at in enumerate(row)
        )
        before = row[1] if row[1] is not None else self.before[row[2] or 0]
        place = self.places.place(before)
        return CellConflict(key, None, base, ours, theirs, "deleted", place, row[2])


class _Shown:
    """The values of some rows and columns of one version as JSON has them."""

    def __init__(
        self, reader: Reader, rows: Iterable[int | None], columns: Sequence[Column], side: int
    ) -> None:
        self._side = side
        self._columns: dict[str, list[Plain]] = {}
        chosen = sorted({row for row in rows if row is not None})
        self._at = {row: at for at, row in enumerate(chosen)}
        names = [column[side] for column in columns]
        places = [reader.schema.names.index(name) for name in names if name is not None]
        if places and chosen:
            for batch in ascending(reader, [chosen], places):
                typed = reader.typed(batch, places)
                for name, values in zip(typed.schema.names, typed.columns, strict=True):
                    self._columns.setdefault(name, []).extend(plain(values))

    def value(self, row: int, column: Column) -> Plain:
        """One value."""
        return self._columns[column[self._side] or ""][self._at[row]]

    def record(self, row: int, columns: Sequence[Column]) -> dict[str, Plain]:
        """The values of columns that this version has, by what the merge calls them."""
        return {
            column.name: self.value(row, column)
            for column in columns
            if column[self._side] is not None
        }


def _key(shown: Sequence[_Shown], row: Rows, keys: Sequence[Column]) -> dict[str, Plain]:
    """The key of a row, from ours, or from theirs where ours lacks it."""
    if row[1] is not None:
        return shown[0].record(row[1], keys)
    return shown[1].record(row[2] or 0, keys)
