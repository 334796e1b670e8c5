"""Where the rows of a text file lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pyarrow as pa

from oxcore.errors import UsageError
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.formats.jsonrows import JsonReader
from oxcore.tables.rewrite.jsonarray import Tape
from oxcore.tables.rewrite.jsonlines import JsonLines
from oxcore.tables.rewrite.packing import text_of
from oxcore.tables.rewrite.rows import Rows, read_blocks
from oxcore.tables.source import Source
from oxcore.tables.table import Table


class Span(NamedTuple):
    """Bytes of the uncompressed text, from ``start`` to before ``stop``: of a row, from 0, with its
    line end; or ``row`` is None, of what stands around rows (names, blank lines, brackets)."""

    row: int | None
    start: int
    stop: int


def spans(table: Table) -> Iterator[Span]:
    """Where everything in a text file lies: the spans follow each other from its start to its end.

    ``UsageError`` for a format that is no text.
    """
    reader = table.reader
    if not isinstance(reader, CsvReader | JsonReader):
        raise UsageError(f"{table.name} is {table.format}, whose rows do not lie in one place")
    with text_of(table.source, table.compression) as (file, mark):
        at = len(mark)
        if at:
            yield Span(None, 0, at)
        for row, size in _pieces(table.source, reader, file, array=table.format == "json"):
            if size:
                yield Span(row, at, at + size)
                at += size


def _pieces(
    source: Source, reader: CsvReader | JsonReader, file: pa.NativeFile, *, array: bool
) -> Iterator[tuple[int | None, int]]:
    if array:
        yield from _elements(source, file)
        return
    grammar: Rows | JsonLines = JsonLines()
    row = 0
    if isinstance(reader, CsvReader):
        grammar = Rows(reader.delimiter, len(reader.names))
        row = -1
    for block in grammar.blocks(source, file):
        for line in grammar.lines(block):
            blank = grammar.is_blank(line)
            yield (None if blank or row < 0 else row), len(line)
            row += not blank


def _elements(source: Source, file: pa.NativeFile) -> Iterator[tuple[int | None, int]]:
    tape = Tape(source, read_blocks(source, file))
    yield None, len(tape.blank() + tape.take())
    row = -1
    for row, (pre, text, post, _) in enumerate(tape.elements()):
        yield None, len(pre)
        yield row, len(text.encode())
        yield None, len(post) + 1  # and the comma, or the bracket
    yield None, len(tape.inner) + 1 if row < 0 else 0
    yield None, len(tape.rest())
