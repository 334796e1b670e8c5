"""The rows of two tables that are left, once those that are equal where they stand are gone."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from oxcore.tables.reading import Facts, Piece, loaded
from oxcore.tables.rowdiff.outside import Placed
from oxcore.tables.rowdiff.unique import Range


class KeptReader(Placed):
    """Some rows of a table, in memory, and where in the file they stand; ``text``: whether its
    format is one of text."""

    def __init__(self, schema: pa.Schema, rows: pa.Table, places: array[int], text: bool) -> None:
        self.schema = schema
        self.text = text
        self.rows, self.at = rows, places

    @classmethod
    def joined(cls, parts: Sequence[KeptReader]) -> KeptReader:
        """The rows of all, which are of one file."""
        rows = pa.concat_tables([part.rows for part in parts])
        places = array("q")
        for part in parts:
            places.extend(part.at)
        return cls(parts[0].schema, rows, places, parts[0].text)

    def facts(self) -> Facts:
        """Counts of these rows."""
        return Facts(len(self.rows), tuple(one.null_count for one in self.rows.columns))

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """The rows."""
        rows = self.rows if columns is None else self.rows.select(list(columns))
        return map(loaded, rows.to_batches())

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """The rows as they are."""
        return batch

    def places(self, start: int, count: int) -> Sequence[int]:
        """The places in the file of the rows from ``start`` on."""
        return self.at[start : start + count]

    def left(self, place: int) -> int:
        """Which of these rows stands at ``place`` of the file."""
        return bisect_left(self.at, place)


class Stepped(NamedTuple):
    """The rows of both sides that are left, how many are done with, and the range of the old
    side's keys if all of them were seen to ascend."""

    readers: tuple[KeptReader, KeptReader]
    shared: int
    range: Range | None


def joined(parts: Sequence[Stepped]) -> Stepped:
    """What is left of two tables of which each of these is a part, in order."""
    kept = [KeptReader.joined([part.readers[side] for part in parts]) for side in (0, 1)]
    whole: Range | None = parts[0].range
    for part in parts[1:]:
        whole = whole.then(part.range) if whole and part.range else None
    return Stepped((kept[0], kept[1]), sum(part.shared for part in parts), whole)
