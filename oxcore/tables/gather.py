"""Rows of a table by their numbers, reading only the pieces that hold any of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc, types

from oxcore.tables.reading import Reader

_RUN = 1 << 14  # rows put in order at once


def ascending(
    reader: Reader, places: Iterable[Sequence[int]], columns: Sequence[int] | None
) -> Iterator[pa.RecordBatch]:
    """The rows at ``places``, which ascend and come in runs, in batches as the reader has them."""
    wanted = _Places(iter(places))
    start = 0
    for piece in reader.pieces(columns):
        if wanted.first() is None:
            return
        end = start + piece.rows
        if (wanted.first() or 0) < end:
            for batch in piece.load():
                for found in wanted.below(start + len(batch)):
                    yield from _taken(batch, [place - start for place in found])
                start += len(batch)
        start = end


def any_order(
    reader: Reader, places: Sequence[int], columns: Sequence[int] | None
) -> Iterator[pa.RecordBatch]:
    """The rows at ``places`` in their order, all held in memory: for a few."""
    ordered = sorted(set(places))
    batches = list(ascending(reader, [ordered], columns))
    if batches:
        rank = {place: at for at, place in enumerate(ordered)}
        table = pa.Table.from_batches(batches)
        yield from take(table, [rank[place] for place in places]).to_batches()


def spooled(
    reader: Reader,
    places: Iterable[Sequence[int]],
    columns: Sequence[int] | None,
    folder: str,
) -> Iterator[pa.RecordBatch]:
    """The rows at ``places`` in their order, by way of a copy in ``folder``: for many."""
    path = str(Path(folder) / "rows.arrow")
    batches = (batch for piece in reader.pieces(columns) for batch in piece.load())
    first = next(batches, None)
    if first is None:
        return
    with ipc.new_file(path, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)
    with pa.memory_map(path) as file:
        table = ipc.open_file(file).read_all()
        for run in places:
            yield from take(table, run).to_batches(max_chunksize=_RUN)


def _taken(batch: pa.RecordBatch, places: Sequence[int]) -> list[pa.RecordBatch]:
    if len(places) == places[-1] - places[0] + 1:
        return [batch.slice(places[0], len(places))]
    found: list[pa.RecordBatch] = take(pa.Table.from_batches([batch]), places).to_batches()
    return found


def take(table: pa.Table, places: Sequence[int | None] | pa.Array) -> pa.Table:
    """Rows of a table, of types too that Arrow cannot pick from (views, run-end encoded); nulls
    for a place that is None."""
    at = places if isinstance(places, pa.Array) else pa.array(places, pa.int64())
    try:
        return table.take(at)
    except pa.ArrowNotImplementedError:
        empty = pa.table([_null(type_) for type_ in table.schema.types], table.schema)
        rows = [empty if one is None else table.slice(one, 1) for one in at.to_pylist()]
        return pa.concat_tables(rows) if rows else table.slice(0, 0)


def _null(type_: pa.DataType) -> pa.Array:
    """One null; of a union, of the first of its types."""
    if not types.is_union(type_):
        return pa.nulls(1, type_)
    parts = [pa.nulls(1, type_.field(at).type) for at in range(type_.num_fields)]
    names = [type_.field(at).name for at in range(type_.num_fields)]
    first = pa.array(type_.type_codes[:1], pa.int8())
    if type_.mode == "sparse":
        return pa.UnionArray.from_sparse(first, parts, names, type_.type_codes)
    place = pa.array([0], pa.int32())
    return pa.UnionArray.from_dense(first, place, parts, names, type_.type_codes)


class _Places:
    """Ascending numbers that come in runs."""

    def __init__(self, runs: Iterator[Sequence[int]]) -> None:
        self._runs = runs
        self._run: Sequence[int] = ()
        self._at = 0

    def first(self) -> int | None:
        """The least number that was not given yet; None at the end."""
        while self._at >= len(self._run):
            found = next(self._runs, None)
            if found is None:
                return None
            self._run, self._at = found, 0
        return self._run[self._at]

    def below(self, end: int) -> Iterator[Sequence[int]]:
        """All numbers below ``end``, run by run."""
        while (first := self.first()) is not None and first < end:
            stop = bisect_left(self._run, end, self._at)
            found, self._at = self._run[self._at : stop], stop
            yield found
