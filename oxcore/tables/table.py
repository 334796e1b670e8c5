"""``Table``: one table file of whatever format, opened for reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from oxcore.errors import NotFoundError, UsageError
from oxcore.tables.about import About
from oxcore.tables.asking import Part, Query, names_of, places_of
from oxcore.tables.detect import detect
from oxcore.tables.formats.arrow import ArrowReader
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.formats.jsonrows import JsonReader
from oxcore.tables.formats.parquet import ParquetReader
from oxcore.tables.pick import Picked, pick
from oxcore.tables.reading import Facts, Reader, some
from oxcore.tables.sketch import ColumnStats, Sketch, keep_sketches, recall_sketches
from oxcore.tables.source import Source
from oxcore.tables.stats import sketches, stats

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from oxcore.tables.helping import Helper
    from oxcore.tables.rowdiff import RowDiff

_READERS: dict[str, type[CsvReader | JsonReader | ParquetReader | ArrowReader]] = {
    "csv": CsvReader,
    "json": JsonReader,
    "jsonl": JsonReader,
    "parquet": ParquetReader,
    "arrow": ArrowReader,
    "arrow-stream": ArrowReader,
}


class Table:
    """The rows of one file. Nothing is read before it is asked for, and never all at once but by
    ``to_arrow``, ``to_pandas`` and ``to_polars``.

    Every method raises ``InvalidError``: with file, row and column for bytes that break the format,
    with the engine's message and its place in the text for SQL that makes no sense.
    """

    def __init__(self, source: Source, key: Callable[[], Sequence[str]] = tuple) -> None:
        self._source = source
        self._form = detect(source)
        self._key = key

    @property
    def source(self) -> Source:
        """Where its bytes come from."""
        return self._source

    @property
    def key(self) -> tuple[str, ...]:
        """The key columns that the schema kept with it names, if there is one."""
        return tuple(self._key())

    @property
    def name(self) -> str:
        """The file, as messages call it."""
        return self._source.name

    @property
    def format(self) -> str:
        """csv, tsv, jsonl, json, parquet, arrow or arrow-stream."""
        reader = self.reader
        tabs = isinstance(reader, CsvReader) and reader.delimiter == "\t"
        return "tsv" if tabs else self._form.format

    @property
    def compression(self) -> str:
        """gzip, zstd, or nothing, around the whole file."""
        return self._form.compression

    @cached_property
    def reader(self) -> Reader:
        """What reads the format; see ``tables.reading``."""
        return _READERS[self._form.format](self._source, self._form)

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns; of CSV and JSON they are found by reading it all, once
        a content where facts are kept."""
        return self.reader.schema

    @cached_property
    def facts(self) -> Facts:
        """The number of rows, and of nulls in each column."""
        return self.reader.facts()

    @property
    def about(self) -> About:
        """Format, schema and counts in one."""
        return About(self.format, self.compression, self.schema, self.facts)

    def __len__(self) -> int:
        return self.facts.rows

    def scan(self, columns: str | Sequence[str] | None = None) -> pa.RecordBatchReader:
        """All rows, or some columns of them, in batches that are read as they are taken."""
        chosen = self._places(columns)
        batches = (
            self.reader.typed(batch, chosen)
            for piece in self.reader.pieces(chosen)
            for batch in piece.load()
        )
        return pa.RecordBatchReader.from_batches(some(self.schema, chosen), batches)

    def to_arrow(self, columns: str | Sequence[str] | None = None) -> pa.Table:
        """All rows in memory, as an Arrow table."""
        return self.scan(columns).read_all()

    def to_pandas(self, columns: str | Sequence[str] | None = None) -> pd.DataFrame:
        """All rows as a pandas data frame; ``UsageError`` where pandas is not installed."""
        _needs("pandas")
        return self.to_arrow(columns).to_pandas()

    def to_polars(self, columns: str | Sequence[str] | None = None) -> pl.DataFrame:
        """All rows as a Polars data frame; ``UsageError`` where Polars is not installed."""
        frame: pl.DataFrame = _needs("polars").from_arrow(self.to_arrow(columns))
        return frame

    def pick(self, query: Query | None = None, part: Part | None = None) -> Picked:
        """The rows that a query and a part of its result name; close what it gives."""
        return pick(self.reader, query or Query(), part or Part(), lambda: self.facts)

    def stats(self, query: Query | None = None) -> list[ColumnStats]:
        """Counts, extremes, quantiles, frequent values and a histogram of each column."""
        if query is None or query == Query():
            return [one.stats for one in self.sketches()]
        return stats(self.reader, query)

    def sketches(self) -> list[Sketch]:
        """Statistics and distribution of each column that SQL knows; found once a content where
        facts are kept."""
        known = recall_sketches(self._source)
        if known is None:
            known = sketches(self.reader, Query())
            keep_sketches(self._source, known)
        return known

    def diff(
        self,
        other: Table,
        keys: str | Sequence[str] = (),
        *,
        ordered: bool = False,
        tolerance: float = 0.0,
    ) -> RowDiff:
        """What became of the rows on the way to ``other``, as ``tables.rowdiff`` tells it.

        ``keys``: the columns that tell which rows are the same; without, those of the schema of
        ``other``, or of this table; else a unique one is looked for, and else whole rows are
        counted. ``ordered``: the order of rows counts. ``tolerance``: how far apart numbers may
        lie. Close what it gives.
        """
        from oxcore.tables.rowdiff import How, diff

        known = () if keys or ordered else other.key or self.key
        apart = nullcontext((self, other, ()))  # rows in order are compared by one process
        with apart if ordered else _together(self, other) as (old, new, helpers):
            try:
                how = How(names_of(keys) or known, ordered, tolerance)
                return diff(old, new, how, helpers)
            except NotFoundError:
                if keys or not known:
                    raise
                how = How((), ordered, tolerance)  # the schema is an older one
                return diff(old, new, how, helpers)

    def write(self, path: str, *, replace: bool = False) -> int:
        """Write all rows to a file in the format that its name says, and give their number.

        CSV of CSV keeps the text of every value. See ``tables.write`` for the names.
        ``ExistsError`` for a file that is there, without ``replace``.
        """
        with self.pick() as rows:
            return rows.write(path, replace=replace)

    def _places(self, columns: str | Sequence[str] | None) -> list[int] | None:
        return places_of(columns, self.schema.names) if columns else None


def _needs(module: str) -> Any:  # noqa: ANN401 -- a module
    try:
        return import_module(module)
    except ImportError:
        raise UsageError(f"{module} is not installed", hint=f"pip install {module}") from None


@contextmanager
def _together(old: Table, new: Table) -> Iterator[tuple[Table, Table, Sequence[Helper]]]:
    """Both tables for a comparison: where it pays, they are read together, with helpers."""
    one, two = old.source.origin, new.source.origin
    with nullcontext() if one is None or two is None else one.together(two) as found:
        if found is None:
            yield old, new, ()
        else:
            yield Table(found[0]), Table(found[1]), found[2]
