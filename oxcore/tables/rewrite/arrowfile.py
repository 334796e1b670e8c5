"""Arrow files and streams with edits: batch by batch, with its codec, metadata and dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

import pyarrow as pa
from pyarrow import ipc, types

from oxcore.tables.damage import DAMAGE
from oxcore.tables.rewrite.batches import Batches, together
from oxcore.tables.rewrite.edits import Edits
from oxcore.tables.rewrite.packing import kept_open
from oxcore.tables.source import Source, opened

_CODECS = ("lz4", "zstd")
_FILE_START = 8  # bytes before the stream that an Arrow file holds


class _Batch(NamedTuple):
    rows: pa.RecordBatch
    metadata: pa.KeyValueMetadata | None


def rewrite(source: Source, edits: Edits, out: BinaryIO, *, stream: bool) -> int:
    """Write an Arrow file or stream with its edits; gives the number of its rows."""
    options = ipc.IpcWriteOptions(
        compression=_compression(source, stream=stream), emit_dictionary_deltas=True
    )
    with opened(source) as file:
        reader = ipc.open_stream(file) if stream else ipc.open_file(file)
        batches = Batches(source, reader.schema, edits)
        opener = ipc.new_stream if stream else ipc.new_file
        more = {} if stream or reader.metadata is None else {"metadata": reader.metadata}
        grown = Dictionaries()
        with opener(kept_open(out), batches.schema, options=options, **more) as writer:
            for rows, metadata in _changed(source, reader, batches, grown):
                if len(rows):
                    _write(source, writer, grown.united(rows), metadata)
    return batches.rows


def _write(
    source: Source,
    writer: ipc.RecordBatchStreamWriter,
    rows: pa.RecordBatch,
    metadata: pa.KeyValueMetadata | None,
) -> None:
    try:
        writer.write_batch(rows, custom_metadata=metadata)
    except pa.ArrowInvalid as error:  # an empty dictionary, or one within another column, that grew
        why = "an Arrow file has no room for a value that its dictionary lacks"
        raise source.broken(why, hint="write it as a stream or Parquet: ox df -o") from error


def _changed(
    source: Source, reader: ipc.RecordBatchFileReader, batches: Batches, grown: Dictionaries
) -> Iterator[_Batch]:
    """The batches with their changes; what comes at the end belongs to the last."""
    last: _Batch | None = None
    try:
        for rows, metadata in _read(reader):
            if last is not None:
                yield last
            grown.start([rows.column(place) for place in batches.layout.kept])
            last = _Batch(batches.changed(rows), metadata)
    except DAMAGE as error:
        raise source.broken(f"broken Arrow file: {error}", row=batches.done + 1) from error
    rest = batches.finish()
    if last is not None:
        yield last._replace(rows=together([last.rows, *rest], batches.schema))
    else:
        yield from (_Batch(one, None) for one in rest)


def _read(reader: ipc.RecordBatchFileReader | ipc.RecordBatchStreamReader) -> Iterator[_Batch]:
    if isinstance(reader, ipc.RecordBatchStreamReader):
        yield from (_Batch(*one) for one in reader.iter_batches_with_custom_metadata())
        return
    for number in range(reader.num_record_batches):
        yield _Batch(*reader.get_batch_with_custom_metadata(number))


class Dictionaries:
    """The dictionaries of columns, which in a file may grow from batch to batch, not change."""

    def __init__(self) -> None:
        self._known: dict[int, pa.Array] = {}

    def start(self, columns: Sequence[pa.Array]) -> None:
        """Take the dictionaries of the old batch, where none is known yet."""
        for at, column in enumerate(columns):
            if types.is_dictionary(column.type):
                self._known.setdefault(at, column.dictionary)

    def united(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch by the dictionaries of the batches before it, which new values extend."""
        columns = [
            self._by_known(at, column) if types.is_dictionary(column.type) else column
            for at, column in enumerate(batch.columns)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    def _by_known(self, at: int, column: pa.DictionaryArray) -> pa.DictionaryArray:
        known = self._known.get(at, column.dictionary)
        if not column.dictionary.equals(known):
            none = pa.DictionaryArray.from_arrays(column.indices.slice(0, 0), known)
            both = pa.chunked_array([none.cast(column.type), column]).unify_dictionaries()
            column = both.chunk(both.num_chunks - 1)
        self._known[at] = column.dictionary
        return column


def _compression(source: Source, *, stream: bool) -> str | None:
    """The codec of the first batch."""
    with opened(source) as file:
        file.seek(0 if stream else _FILE_START)
        for message in ipc.MessageReader.open_stream(file):
            if message.type == "record batch":
                return _codec(message.metadata.to_pybytes())
    return None


def _codec(message: bytes) -> str | None:
    """The codec that a message's header names (arrow/format/Message.fbs: Message.header, which is
    a RecordBatch, then its compression and the codec of that)."""
    header = _field(message, _follow(message, 0), 2)
    compression = _field(message, _follow(message, header), 3) if header else 0
    if not compression:
        return None
    codec = _field(message, _follow(message, compression), 0)
    return _CODECS[message[codec] if codec else 0]


def _follow(data: bytes, at: int) -> int:
    """Where the offset at ``at`` leads (FlatBuffers internals)."""
    return at + int.from_bytes(data[at : at + 4], "little")


def _field(data: bytes, table: int, number: int) -> int:
    """Where the field of a table is; 0 if it has none."""
    fields = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    size = int.from_bytes(data[fields : fields + 2], "little")
    place = 4 + 2 * number
    if place >= size:
        return 0
    offset = int.from_bytes(data[fields + place : fields + place + 2], "little")
    return table + offset if offset else 0
