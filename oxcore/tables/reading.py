"""What every format offers: a schema, counts, and rows in pieces that load when asked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

ROW = "ox row"
"""What SQL calls the number of a row."""
JSON_TEXT = {b"ox": b"json"}  # metadata of a text column whose values are JSON


class Piece(NamedTuple):
    """Consecutive rows: how many, and their batches, which are read when ``load`` is called."""

    rows: int
    load: Callable[[], Iterator[pa.RecordBatch]]


class Outline(NamedTuple):
    """Rows that lie together in a file, as a row group: what is said of them, where the bytes of
    each part start, and how many they are. Those of one schema of which ``kind`` and bytes are
    the same are the same rows."""

    kind: Hashable
    starts: Sequence[int]
    sizes: Sequence[int]


class Facts(NamedTuple):
    """Rows of a table, and the nulls of each column."""

    rows: int
    nulls: tuple[int, ...]


class Reader(Protocol):
    """One file of one format.

    ``pieces`` gives the rows in order as the format has them (of CSV: text), which
    ``typed`` turns into those of ``schema``. ``columns`` are positions in ``schema``, or None for
    all. Raises ``InvalidError`` with file, row and column for bytes that break the format.
    """

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        ...

    def facts(self) -> Facts:
        """Counts; read from the file's own directory where it has one."""
        ...

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """All rows, in order."""
        ...

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """The rows with the types of ``schema``."""
        ...


def loaded(batch: pa.RecordBatch) -> Piece:
    """A piece that is in memory already."""
    return Piece(len(batch), lambda: iter((batch,)))


def some(schema: pa.Schema, columns: Sequence[int] | None) -> pa.Schema:
    """The schema of these columns."""
    import pyarrow as pa

    if columns is None:
        return schema
    return pa.schema([schema.field(index) for index in columns], schema.metadata)


def count(reader: Reader) -> Facts:
    """The facts by reading everything."""
    rows, nulls = 0, [0] * len(reader.schema)
    for piece in reader.pieces():
        for batch in piece.load():
            rows += len(batch)
            for index, column in enumerate(batch.columns):
                nulls[index] += column.null_count
    return Facts(rows, tuple(nulls))


def distinct(schema: pa.Schema) -> pa.Schema:
    """The schema with names that differ."""
    import pyarrow as pa

    names = schema.names
    if len(set(names)) == len(names):
        return schema
    fields = [one.with_name(name) for one, name in zip(schema, distinct_names(names), strict=True)]
    return pa.schema(fields, schema.metadata)


def distinct_names(names: Sequence[str], *, fold: bool = False) -> list[str]:
    """Names that differ: an empty one is called by its place, a second ``x`` is ``x_2``.

    ``fold``: those that differ in case alone count as the same.
    """
    made: list[str] = []
    taken: set[str] = set()
    for place, name in enumerate(names, start=1):
        base = chosen = name or f"column_{place}"
        number = 1
        while (chosen.casefold() if fold else chosen) in taken:
            number += 1
            chosen = f"{base}_{number}"
        taken.add(chosen.casefold() if fold else chosen)
        made.append(chosen)
    return made
