"""Arrow IPC: the file (Feather 2) and the stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial

import pyarrow as pa
from pyarrow import ipc

from oxcore.tables.about import About, remembered
from oxcore.tables.damage import DAMAGE
from oxcore.tables.detect import Form
from oxcore.tables.formats.blocks import Block, blocks
from oxcore.tables.reading import Facts, Outline, Piece, count, distinct, loaded, some
from oxcore.tables.source import Source, opened


class ArrowReader:
    """An Arrow file or stream; reads its schema at once."""

    def __init__(self, source: Source, form: Form) -> None:
        self._source = source
        self._stream = form.format == "arrow-stream"
        with self._errors(), opened(source) as file:
            opener = ipc.open_stream if self._stream else ipc.open_file
            self.schema = distinct(opener(file).schema)

    @property
    def source(self) -> Source:
        """The file."""
        return self._source

    def facts(self) -> Facts:
        """Rows and nulls, by reading everything; they are remembered."""
        return remembered(self._source, self._find).facts

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """A piece for each batch that was written."""
        options = ipc.IpcReadOptions(included_fields=_sorted(columns))
        rows = 0
        with opened(self._source) as file:
            batches = self._batches(file, options)
            while True:
                with self._errors(rows):
                    batch = next(batches, None)
                    if batch is None:
                        return
                    batch.validate(full=True)  # a length or place out of it would be read past
                rows += len(batch)
                self._source.counters.add_rows(len(batch))
                named = batch.rename_columns(some(self.schema, _sorted(columns)).names)
                yield loaded(_ordered(named, columns))

    def outlines(self) -> list[Outline]:
        """What is said of each batch; none where a batch cannot be read alone: in a stream, and
        where values stand in dictionaries apart."""
        return [one.outline for one in self._blocks]

    def groups(self) -> Iterator[Piece]:
        """A piece for each of ``outlines``, which is read when it is loaded."""
        first = 0
        for index, block in enumerate(self._blocks):
            yield Piece(block.rows, partial(self._alone, index, first))
            first += block.rows

    @cached_property
    def _blocks(self) -> list[Block]:
        if self._stream:
            return []
        with self._source.open() as file:
            return blocks(file, self._source.size)

    def _alone(self, index: int, first: int) -> Iterator[pa.RecordBatch]:
        with self._errors(first), opened(self._source) as file:
            batch = ipc.open_file(file).get_batch(index)
            batch.validate(full=True)  # as above
            if len(batch) != self._blocks[index].rows:
                raise pa.ArrowInvalid("a batch has other rows than its message says")
        self._source.counters.add_rows(len(batch))
        yield batch.rename_columns(self.schema.names)

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """The rows as they are."""
        return batch

    def _find(self) -> About:
        return About("arrow-stream" if self._stream else "arrow", "", self.schema, count(self))

    def _batches(
        self, file: pa.NativeFile, options: ipc.IpcReadOptions
    ) -> Iterator[pa.RecordBatch]:
        if self._stream:
            yield from ipc.open_stream(file, options=options)
            return
        reader = ipc.open_file(file, options=options)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)

    @contextmanager
    def _errors(self, rows: int | None = None) -> Iterator[None]:
        try:
            yield
        except DAMAGE as error:
            after = None if rows is None else rows + 1
            raise self._source.broken(f"broken Arrow file: {error}", row=after) from error


def _sorted(columns: Sequence[int] | None) -> list[int] | None:
    return None if columns is None else sorted(columns)


def _ordered(batch: pa.RecordBatch, columns: Sequence[int] | None) -> pa.RecordBatch:
    """The columns, which the file gives in its own order, as they were asked for."""
    if columns is None:
        return batch
    places = {index: place for place, index in enumerate(sorted(columns))}
    return batch.select([places[index] for index in columns])
