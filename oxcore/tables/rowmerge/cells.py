"""The cells of a few rows of a table, as they are to be carried into another."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.formats.jsonrows import JsonReader
from oxcore.tables.gather import ascending
from oxcore.tables.rewrite import ABSENT, Raw
from oxcore.tables.rowmerge.records import members
from oxcore.tables.table import Table

Values = Mapping[str, object]


class Cells:
    """Cells of chosen rows: of text formats as they stand in the file, else scalars of Arrow; null
    is None."""

    def __init__(self, table: Table, rows: Iterable[int], columns: Sequence[str]) -> None:
        self._rows = array("q", sorted(set(rows)))
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._records: list[dict[str, str]] | None = None
        self._text = isinstance(table.reader, CsvReader)
        if isinstance(table.reader, JsonReader):
            self._records = list(members(table, self._rows, columns))
        elif self._rows and columns:
            self._read(table, columns)

    def _read(self, table: Table, columns: Sequence[str]) -> None:
        names = table.schema.names
        places = [names.index(name) for name in columns]
        found = pa.Table.from_batches(list(ascending(table.reader, [self._rows], places)))
        self._columns = dict(zip(columns, found.columns, strict=True))

    def value(self, row: int, column: str) -> object:
        """One cell."""
        at = bisect_left(self._rows, row)
        if self._records is not None:
            text = self._records[at].get(column)
            return None if text is None else Raw(text)
        found = self._columns[column][at]
        if not found.is_valid:
            return None
        return found.as_py() if self._text else found

    def has(self, row: int, column: str) -> bool:
        """Whether the row has such a cell: a record of JSON may lack it."""
        return self._records is None or column in self._records[bisect_left(self._rows, row)]


def new_column(theirs: Table, name: str, there: str) -> tuple[str, pa.DataType, object]:
    """A column that theirs calls ``there``, as ``Edits.added`` has it, with nothing in it."""
    empty = ABSENT if isinstance(theirs.reader, JsonReader) else None
    return name, theirs.schema.field(there).type, empty


class RowValues(Mapping[str, object]):
    """One row of ``cells``: what the merge calls its columns -> their values. ``whole``: it is a
    row to put in, without what theirs does not have."""

    __slots__ = ("_cells", "_names", "_row")

    def __init__(
        self, cells: Cells, row: int, names: Mapping[str, str], *, whole: bool = False
    ) -> None:
        self._cells, self._row = cells, row
        if whole:
            names = {name: there for name, there in names.items() if cells.has(row, there)}
        self._names = names

    def __getitem__(self, name: str) -> object:
        return self._cells.value(self._row, self._names[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Taken(Mapping[int, Values]):
    """Which cells come from theirs: our row -> its new values, made when they are asked for.

    ``places``: our rows, ascending, and the row of theirs for each; ``columns``: what the merge
    calls a column, theirs' name of it, and a byte a row that says whether it is taken.
    """

    def __init__(
        self,
        cells: Cells,
        places: tuple[array[int], array[int]],
        columns: Sequence[tuple[str, str, bytes]],
    ) -> None:
        self._cells, self._columns = cells, columns
        self._ours, self._theirs = places

    def __getitem__(self, row: int) -> Values:
        at = bisect_left(self._ours, row)
        if at == len(self._ours) or self._ours[at] != row:
            raise KeyError(row)
        names = {name: source for name, source, taken in self._columns if taken[at]}
        return RowValues(self._cells, self._theirs[at], names)

    def __iter__(self) -> Iterator[int]:
        return iter(self._ours)

    def __len__(self) -> int:
        return len(self._ours)

    @property
    def count(self) -> int:
        """How many cells these are."""
        return sum(len(taken) - taken.count(0) for _, _, taken in self._columns)


class Added(Sequence[tuple[int, Values]]):
    """Rows of theirs that come in: before which row of ours, and their values."""

    def __init__(
        self, cells: Cells, places: Sequence[tuple[int, int]], names: Mapping[str, str]
    ) -> None:
        self.places = places
        self._cells, self._names = cells, names

    def __getitem__(self, at: int) -> tuple[int, Values]:  # type: ignore[override]
        before, row = self.places[at]
        return before, RowValues(self._cells, row, self._names, whole=True)

    def __len__(self) -> int:
        return len(self.places)
