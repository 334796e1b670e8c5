"""Writing a table, in the format that the file's name says.

``.parquet`` ``.pq``; ``.arrow`` ``.feather`` (Feather 2) ``.arrows`` (stream); ``.csv`` ``.tsv``;
``.jsonl`` ``.ndjson`` ``.json``; ``.gz`` and ``.zst`` behind those of text. Text takes values
as ``tables.values`` has them; in CSV a null is an empty field, an empty text ``""``. Parquet is
written so that versions of it share what they have in common: row groups and small pages cut by
content, dictionaries for repeating text only, and uncompressed, since the store compresses it as
well (docs/design/006-speed.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc, parquet, types

from oxcore.errors import ExistsError, InvalidError
from oxcore.fs.atomic import TEMPORARY, remove_quietly, storage_errors
from oxcore.tables.formatnames import check_name
from oxcore.tables.rowgroups import row_groups
from oxcore.tables.shape import to_json
from oxcore.tables.values import plain, texts

PAGES = {"min_chunk_size": 8 << 10, "max_chunk_size": 32 << 10}
Batches = Iterable[pa.RecordBatch]
Body = Callable[[pa.NativeFile, pa.Schema, Batches], int]


def write(path: str, schema: pa.Schema, batches: Batches, *, replace: bool = False) -> int:
    """Write rows to ``path``, whole or not at all; gives their number.

    ``ExistsError`` for a file that is there, without ``replace``; ``UsageError`` for a name that
    tells no format; ``InvalidError`` for types that the format does not have; ``StorageError``.
    """
    format, packed = check_name(path)
    if os.path.lexists(path) and not replace:
        raise ExistsError(f"{path} is there already", hint="another name, or --force")
    with beside(path) as place:
        outer = pa.OSFile(place, "wb")
        with outer, pa.CompressedOutputStream(outer, packed) if packed else outer as file:
            try:
                return _BODIES[format](file, schema, batches)
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid, pa.ArrowTypeError) as error:
                why = f"{os.path.basename(path)} cannot hold these columns: {error}"
                raise InvalidError(why, hint="every type goes into .arrow") from error


@contextmanager
def beside(path: str) -> Iterator[str]:
    """A name beside ``path`` to write to, which takes its place at the end."""
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f"{TEMPORARY}{os.urandom(8).hex()}")
    try:
        with storage_errors(f"write {name}"):
            yield beside
            os.replace(beside, path)
    finally:
        remove_quietly(beside)


def _parquet(file: pa.NativeFile, schema: pa.Schema, batches: Batches) -> int:
    rows, groups = 0, row_groups(schema, batches)
    first = next(groups, pa.Table.from_batches([], schema))
    with parquet.ParquetWriter(
        file,
        schema,
        compression="none",
        use_dictionary=_repeating(first),
        use_content_defined_chunking=PAGES,
    ) as writer:
        for group in chain([first], groups):
            writer.write_table(group)
            rows += len(group)
    return rows


def _repeating(rows: pa.Table) -> list[str]:
    """The columns of text whose values come back: only these are worth a dictionary.

    Codes of numbers are packed in bits: a row put in shifts all that follow in the page.
    """
    return [
        name
        for name, column in zip(rows.column_names, rows.columns, strict=True)
        if types.is_string(column.type) or types.is_large_string(column.type)
        if pc.count_distinct(column).as_py() <= len(rows) // 16
    ]


def _arrow(file: pa.NativeFile, schema: pa.Schema, batches: Batches) -> int:
    return _ipc(ipc.new_file(file, schema), batches)


def _stream(file: pa.NativeFile, schema: pa.Schema, batches: Batches) -> int:
    return _ipc(ipc.new_stream(file, schema), batches)


def _ipc(writer: ipc.RecordBatchStreamWriter, batches: Batches) -> int:
    rows = 0
    with writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += len(batch)
    return rows


def _csv(file: pa.NativeFile, schema: pa.Schema, batches: Batches) -> int:
    return _separated(file, schema, batches, ",")


def _tsv(file: pa.NativeFile, schema: pa.Schema, batches: Batches) -> int:
    return _separated(file, schema, batches, "\t")


def _separated(file: pa.NativeFile, schema: pa.Schema, batches: Batches, mark: str) -> int:
    rows = 0
    names = _fields(pa.array(schema.names, pa.string()), mark).to_pylist()
    file.write((mark.join(names) + "\n").encode())
    for batch in batches:
        columns = [_fields(_text(column), mark) for column in batch.columns]
        lines = pc.binary_join_element_wise(*columns, mark)
        file.write("".join(f"{line}\n" for line in lines.to_pylist()).encode())
        rows += len(batch)
    return rows


def _text(column: pa.Array) -> pa.Array:
    return column if types.is_string(column.type) else pa.array(texts(column), pa.string())


def _fields(column: pa.Array, mark: str) -> pa.Array:
    """Texts as CSV has them: in quotes where they need it; null is nothing."""
    quotes = pc.match_substring_regex(column, f'["\\r\\n{mark}]|^\\s|\\s$|^$')
    doubled = pc.replace_substring(column, '"', '""')
    wrapped = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.fill_null(pc.if_else(quotes, wrapped, column), "")


def _lines(file: pa.NativeFile, _: pa.Schema, batches: Batches) -> int:
    return _records(file, batches, ("", "\n", "\n"))


def _array(file: pa.NativeFile, _: pa.Schema, batches: Batches) -> int:
    return _records(file, batches, ("[\n", ",\n", "\n]\n"))


def _records(file: pa.NativeFile, batches: Batches, marks: tuple[str, str, str]) -> int:
    before, between, after = marks
    rows = 0
    for batch in batches:
        names = batch.schema.names
        columns = [plain(column) for column in batch.columns]
        for row in zip(*columns, strict=True):
            record = to_json(dict(zip(names, row, strict=True)))
            file.write(((between if rows else before) + record).encode())
            rows += 1
    file.write((after if rows else "[]\n" if before else "").encode())
    return rows


_BODIES: dict[str, Body] = {
    "parquet": _parquet,
    "arrow": _arrow,
    "arrow-stream": _stream,
    "csv": _csv,
    "tsv": _tsv,
    "jsonl": _lines,
    "json": _array,
}
