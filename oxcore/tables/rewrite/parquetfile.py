"""Parquet with edits: schema, metadata, codecs and the bounds of row groups stay.

It is written anew in pages cut by content (``tables.write``), so that what was not edited is
shared with the version before where that was written so too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import parquet

from oxcore.tables.damage import DAMAGE
from oxcore.tables.formats.parquet import rows_at_once
from oxcore.tables.rewrite.batches import Batches
from oxcore.tables.rewrite.edits import Edits
from oxcore.tables.rewrite.packing import kept_open
from oxcore.tables.source import Source, opened
from oxcore.tables.writing import PAGES

_BUFFER = 1 << 20  # bytes read ahead in each column
_MOST = 256 << 20  # bytes of a row group that is held at once; a larger one is parted
_CODECS = {"UNCOMPRESSED": "none", "LZ4_RAW": "lz4"}
_DICTIONARIES = {"RLE_DICTIONARY", "PLAIN_DICTIONARY"}


def rewrite(source: Source, edits: Edits, out: BinaryIO) -> int:
    """Write a Parquet file with its edits; gives the number of its rows."""
    with opened(source) as file:
        whole = parquet.ParquetFile(file, buffer_size=_BUFFER)
        batches = Batches(source, whole.schema_arrow, edits)
        how = _how(whole, batches)
        with parquet.ParquetWriter(kept_open(out), batches.schema, **how) as writer:
            for group in _groups(source, whole, batches):
                if len(group):
                    writer.write_table(group, row_group_size=len(group))
            writer.add_key_value_metadata(_unheld(whole.metadata, batches.schema))
    return batches.rows


def _groups(source: Source, whole: parquet.ParquetFile, batches: Batches) -> Iterator[pa.Table]:
    """The row groups with their changes; what comes at the end belongs to the last."""
    last = batches.schema.empty_table()
    for number in range(whole.num_row_groups):
        for group in _group(source, whole, number, batches):
            yield last
            last = group
    yield pa.concat_tables([last, pa.Table.from_batches(batches.finish(), batches.schema)])


def _group(
    source: Source, whole: parquet.ParquetFile, number: int, batches: Batches
) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    try:
        meta = whole.metadata.row_group(number)
        rows = rows_at_once(meta.num_rows, meta.total_byte_size)
        for batch in whole.iter_batches(rows, row_groups=[number]):
            held.append(batches.changed(batch))
            if sum(one.nbytes for one in held) > _MOST:
                yield pa.Table.from_batches(held, batches.schema)
                held = []
    except DAMAGE as error:
        raise source.broken(f"broken Parquet: {error}", row=batches.done + 1) from error
    if held:
        yield pa.Table.from_batches(held, batches.schema)


def _how(whole: parquet.ParquetFile, batches: Batches) -> dict[str, Any]:
    """How the file was written, as far as it tells."""
    meta = whole.metadata
    leaves = _leaves(whole, batches)
    codecs = {path: _codec(column.compression) for path, column in leaves.items()}
    most = Counter(codecs.values()).most_common(1)
    codecs |= dict.fromkeys(batches.layout.added, most[0][0] if most else "none")
    coded = [path for path, one in leaves.items() if _DICTIONARIES & set(one.encodings)]
    paths = [meta.schema.column(at) for at in range(meta.num_columns)]
    return {
        "version": meta.format_version,
        "compression": codecs,
        "use_dictionary": coded,
        "store_schema": b"ARROW:schema" in (meta.metadata or {}),
        "use_compliant_nested_type": not any(".list.item" in one.path for one in paths),
        "use_deprecated_int96_timestamps": any(one.physical_type == "INT96" for one in paths),
        "write_page_index": any(column.has_offset_index for column in leaves.values()),
        "use_content_defined_chunking": PAGES,
    }


def _unheld(meta: parquet.FileMetaData, schema: pa.Schema) -> dict[bytes, bytes]:
    """The metadata of the file that is not also the schema's."""
    found = meta.metadata or {}
    stored = schema.metadata or {} if b"ARROW:schema" in found else {}
    return {key: found[key] for key in found if key not in {b"ARROW:schema", *stored}}


def _leaves(whole: parquet.ParquetFile, batches: Batches) -> dict[str, parquet.ColumnChunkMetaData]:
    """The physical columns that stay, by their path afterwards."""
    meta, layout = whole.metadata, batches.layout
    called = {place: layout.names[at] for at, place in enumerate(layout.kept)}
    found: dict[str, parquet.ColumnChunkMetaData] = {}
    at = 0
    for place, name in enumerate(layout.old):
        while at < meta.num_columns and _within(path := meta.schema.column(at).path, name):
            if place in called and meta.num_row_groups:
                found[called[place] + path[len(name) :]] = meta.row_group(0).column(at)
            at += 1
    return found


def _within(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")


def _codec(name: str) -> str:
    return _CODECS.get(name, name.lower())
