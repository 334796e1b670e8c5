"""Rows of a table by their places, in any order."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import pyarrow as pa
from pyarrow import ipc

from oxcore.tables import gather, values
from oxcore.tables.reading import Reader
from oxcore.tables.rowdiff import canon
from oxcore.tables.rowdiff.columns import names_of
from oxcore.tables.rowdiff.outside import given

_FEW = 1 << 15  # rows that are held in memory
_NONE = (ValueError, KeyError, OSError, OverflowError, pa.ArrowException)
_STEP = 1 << 14  # places handed on at once


class Rows:
    """The rows at some places of a table: in memory if they are few, else in a temporary file."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._holds = ExitStack()
        self._known = array("q")
        self._table = pa.Table.from_batches([], reader.schema)

    def load(self, places: pa.ChunkedArray) -> None:
        """Read the rows at ``places``, which ascend."""
        for chunk in places.chunks:
            self._known.extend(chunk.to_pylist())
        batches = gather.ascending(self._reader, self._runs(), None)
        typed = map(self._reader.typed, batches)
        if len(places) <= _FEW:
            self._table = pa.Table.from_batches(typed, self._reader.schema)
            return
        folder = self._holds.enter_context(TemporaryDirectory(prefix="ox-"))
        path = str(Path(folder) / "rows.arrow")
        with ipc.new_file(path, self._reader.schema) as writer:
            for batch in typed:
                writer.write_batch(batch)
        file = self._holds.enter_context(pa.memory_map(path))
        self._table = ipc.open_file(file).read_all()

    def take(self, places: pa.Array) -> pa.Table:
        """The rows at ``places``, in this order; nulls for a place that is null."""
        known = self._known
        at = [None if one is None else bisect_left(known, one) for one in places.to_pylist()]
        return gather.take(self._table, at)

    def _runs(self) -> Iterator[Sequence[int]]:
        for start in range(0, len(self._known), _STEP):
            yield given(self._reader, self._known[start : start + _STEP])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._table = pa.Table.from_batches([], self._reader.schema)
        self._holds.close()


def as_python(table: pa.Table) -> list[dict[str, object]]:
    """The rows as Python values. What has none (nanoseconds, zones that this machine does not
    know) is as JSON has it: ``tables.values``."""
    columns = [_values(column) for column in table.columns]
    names = names_of(table.schema)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[object]:
    found: list[object] = []
    for chunk in column.chunks:
        found += _of(chunk)
    return found


def _of(values_: pa.Array) -> list[object]:
    try:
        found: list[object] = values_.to_pylist()
    except _NONE:
        try:
            found = values.plain(values_)
        except _NONE:  # days that no calendar has
            found = canon.count(values_).to_pylist()
    return found
