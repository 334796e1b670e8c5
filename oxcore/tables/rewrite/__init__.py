"""Edits of a table, written in its own format: what is not edited stays as it is.

Text: each byte that no edit touches, so that a line-based tool sees the same edits. Around it the
same compression, whose bytes may differ where another program wrote them. Parquet and Arrow:
schema, metadata, codecs, the bounds of row groups and batches.
"""

from __future__ import annotations

import shutil
from typing import BinaryIO

from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.formats.jsonrows import JsonReader
from oxcore.tables.rewrite import arrowfile, jsonarray, jsonlines, parquetfile, separated
from oxcore.tables.rewrite.edits import ABSENT, Edits, Raw
from oxcore.tables.rewrite.packing import packed, text_of
from oxcore.tables.rewrite.places import Span, spans
from oxcore.tables.table import Table

__all__ = ["ABSENT", "Edits", "Raw", "Span", "rewrite", "spans"]


def rewrite(table: Table, edits: Edits, out: BinaryIO) -> int:
    """Write the table with its edits in its own format; gives the number of its rows.

    Raises ``InvalidError`` with row and column for a value that the column cannot hold, and for a
    file that breaks its format; ``NotFoundError`` for a column that is not there; ``UsageError``
    for edits that make no sense. What was written to ``out`` then is to be thrown away.
    """
    source, reader = table.source, table.reader
    if not edits:
        with source.open() as file:
            shutil.copyfileobj(file, out)
        return len(table)
    if table.format == "parquet":
        return parquetfile.rewrite(source, edits, out)
    if not isinstance(reader, CsvReader | JsonReader):
        return arrowfile.rewrite(source, edits, out, stream=table.format == "arrow-stream")
    packing = table.compression
    with text_of(source, packing) as (file, mark), packed(out, packing) as body:
        body.write(mark)
        if isinstance(reader, CsvReader):
            return separated.rewrite(source, reader, file, edits, body)
        write = jsonlines.rewrite if table.format == "jsonl" else jsonarray.rewrite
        return write(source, table.schema, file, edits, body)
