"""Parquet: row groups that load on their own; counts from the footer where it has them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pyarrow as pa
from pyarrow import parquet, types

from oxcore.tables.about import About, remembered
from oxcore.tables.damage import DAMAGE
from oxcore.tables.detect import Form
from oxcore.tables.reading import Facts, Outline, Piece, distinct, some
from oxcore.tables.source import Source, opened

_ROWS = 1 << 15  # of a batch at most
_BYTES = 32 << 20  # that these rows should take
_BUFFER = 1 << 20  # bytes read ahead in each column
_AT_ONCE = 16 << 20  # bytes of a row group that is read with one call


class ParquetReader:
    """A Parquet file; reads its footer at once."""

    def __init__(self, source: Source, form: Form) -> None:
        self.source = source
        with self._errors(), opened(source) as file:
            whole = parquet.ParquetFile(file)
            self._footer = whole.metadata
            self._names: list[str] = whole.schema_arrow.names
            self.schema = distinct(whole.schema_arrow)

    def __len__(self) -> int:
        """Rows, by the footer."""
        return int(self._footer.num_rows)

    def facts(self) -> Facts:
        """Rows from the footer; nulls from it too, of columns that it counts them for; they are
        remembered."""
        return remembered(self.source, self._find).facts

    def _find(self) -> About:
        found = [self._counted(index) for index in range(len(self.schema))]
        missing = [index for index, nulls in enumerate(found) if nulls is None]
        read = dict.fromkeys(missing, 0)
        for piece in self.pieces(missing) if missing else ():
            for batch in piece.load():
                for index, column in zip(missing, batch.columns, strict=True):
                    read[index] += column.null_count
        nulls = tuple(read[i] if known is None else known for i, known in enumerate(found))
        return About("parquet", "", self.schema, Facts(self._footer.num_rows, nulls))

    def pieces(
        self, columns: Sequence[int] | None = None, *, coded: bool = False
    ) -> Iterator[Piece]:
        """A piece for each row group; ``coded``: columns of text that have few values come as
        codes (``pa.DictionaryArray``), which is twice as quick to read."""
        start = 0
        for group in range(self._footer.num_row_groups):
            rows = self._footer.row_group(group).num_rows
            if rows < 0:
                raise self.source.broken("broken Parquet: a row group of less than no rows")
            yield Piece(rows, partial(self._group, group, start, columns, coded=coded))
            start += rows

    def groups(self) -> Iterator[Piece]:
        """A piece for each row group, coded."""
        return self.pieces(coded=True)

    def outlines(self) -> list[Outline]:
        """What the footer says of each row group."""
        return [
            _outline(self._footer.row_group(group)) for group in range(self._footer.num_row_groups)
        ]

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """The rows as they are."""
        return batch

    def _group(
        self, group: int, start: int, columns: Sequence[int] | None, *, coded: bool
    ) -> Iterator[pa.RecordBatch]:
        schema = some(self.schema, columns)
        doubled = self._names != self.schema.names  # then names do not tell which column
        names = None if columns is None or doubled else schema.names
        with self._errors(start), opened(self.source) as file:
            small = _is_small(self._footer.row_group(group))
            whole = parquet.ParquetFile(
                file,
                metadata=self._footer,
                read_dictionary=self._coded(group) if coded and not doubled else None,
                buffer_size=0 if small else _BUFFER,
                pre_buffer=small,
            )
            rows = self._at_once(group, names)
            # Threads of Arrow's own wait for each other more than they gain: whoever reads several
            # groups or files reads each in a thread.
            batches = whole.iter_batches(rows, row_groups=[group], columns=names, use_threads=False)
            for batch in batches:
                batch.validate(full=True)  # text that is no UTF-8 would be found by whoever uses it
                self.source.counters.add_rows(len(batch))
                if doubled:
                    kept = batch.columns if columns is None else [batch.column(i) for i in columns]
                    yield pa.RecordBatch.from_arrays(kept, schema=schema)
                else:
                    yield batch if names is None else batch.select(names)

    def _coded(self, group: int) -> list[str]:
        """The columns of text that lie as codes: a text that is written out takes its length, four
        bytes, and more."""
        texts = {field.name for field in self.schema if types.is_string(field.type)}
        meta = self._footer.row_group(group)
        return [
            one.path_in_schema
            for one in map(meta.column, range(meta.num_columns))
            if one.path_in_schema in texts
            and one.has_dictionary_page
            and 0 <= one.total_uncompressed_size < 4 * one.num_values
        ]

    def _at_once(self, group: int, names: list[str] | None) -> int:
        """How many rows of a group are read together: fewer of large ones, as images are."""
        meta = self._footer.row_group(group)
        size: int = meta.total_byte_size
        if names is not None:
            chosen = set(names)
            chunks = map(meta.column, range(meta.num_columns))
            size = sum(one.total_uncompressed_size for one in chunks if _is_of(one, chosen))
        return rows_at_once(meta.num_rows, size)

    def _counted(self, index: int) -> int | None:
        """The nulls of a column by the footer; None for one that it does not count."""
        meta, name = self._footer, self.schema.field(index).name
        flat = [
            place for place in range(meta.num_columns) if meta.schema.column(place).path == name
        ]
        if len(flat) != 1 or self._names.count(name) != 1:
            return None
        total = 0
        for group in range(meta.num_row_groups):
            chunk = meta.row_group(group).column(flat[0])
            if chunk.physical_type != meta.schema.column(flat[0]).physical_type:
                # asked for its statistics, Arrow would end the process
                raise self.source.broken(
                    "broken Parquet: a footer at odds with itself", column=name
                )
            statistics = chunk.statistics
            if statistics is None or not statistics.has_null_count:
                return None
            total += statistics.null_count
        return total

    @contextmanager
    def _errors(self, start: int | None = None) -> Iterator[None]:
        try:
            yield
        except DAMAGE as error:
            after = None if start is None else start + 1
            raise self.source.broken(f"broken Parquet: {error}".strip(), row=after) from error


def _outline(group: parquet.RowGroupMetaData) -> Outline:
    said: list[Hashable] = [group.num_rows]
    starts, sizes = list[int](), list[int]()
    for at in range(group.num_columns):
        one = group.column(at)
        first = one.data_page_offset
        if one.has_dictionary_page:
            first = min(first, one.dictionary_page_offset)
        facts = one.path_in_schema, one.physical_type, one.compression, one.encodings
        said.append((*facts, one.num_values, one.data_page_offset - first))
        starts.append(first)
        sizes.append(one.total_compressed_size)
    return Outline((*said, *sizes), starts, sizes)


def _is_small(group: parquet.RowGroupMetaData) -> bool:
    """Whether a row group is read with one call; a footer may lie, so each column is asked."""
    sizes = [group.column(at).total_compressed_size for at in range(group.num_columns)]
    return all(size >= 0 for size in sizes) and sum(sizes) <= _AT_ONCE


def rows_at_once(rows: int, size: int) -> int:
    """How many of some rows, which take ``size`` bytes, are read together."""
    most = max(1, min(_ROWS, rows * _BYTES // max(size, 1)))
    return max(1, -(-rows // max(1, round(rows / most))))


def _is_of(chunk: parquet.ColumnChunkMetaData, names: set[str]) -> bool:
    """Whether a chunk belongs to one of these columns, whose name may have dots in it."""
    parts: list[str] = chunk.path_in_schema.split(".")
    return any(".".join(parts[: end + 1]) in names for end in range(len(parts)))
