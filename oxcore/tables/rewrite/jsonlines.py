"""JSON Lines: only the values that are replaced change, within their line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import BinaryIO

import pyarrow as pa

from oxcore.tables.formats.jsonrows import LONGEST
from oxcore.tables.rewrite.edits import Changes, Edits
from oxcore.tables.rewrite.lines import Block, Editor, Out
from oxcore.tables.rewrite.records import Records
from oxcore.tables.rewrite.rows import BLOCK, ends_in, read_blocks
from oxcore.tables.source import Source

_SAMPLE = 100  # records that show the style
_BLANK = re.compile(rb"\n[ \t\r\x0b\f]*\n")


def rewrite(
    source: Source, schema: pa.Schema, file: pa.NativeFile, edits: Edits, out: BinaryIO
) -> int:
    """Write the table, whose text ``file`` is, with its edits; gives the number of its rows."""
    grammar, output = JsonLines(), Out(out, (b"\n",))
    blocks = grammar.blocks(source, file)
    first = next(blocks, Block(b"", 0))
    lines = [line for line in grammar.lines(first) if not grammar.is_blank(line)][:_SAMPLE]
    output.end = b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"
    shown = [line.decode().strip() for line in lines]
    records = Records(source, schema, edits, shown)
    changes = Changes(edits, records.layout)
    editor = Editor(grammar, _Writing(source, records), changes, output, every=records.every)
    return editor.run(chain([first], blocks))


class JsonLines:
    """Lines, of which each is a record unless it is blank."""

    def blocks(self, source: Source, file: pa.NativeFile) -> Iterator[Block]:
        """All rows; ``InvalidError`` for one that takes too much."""
        rest, row = b"", 1
        for data in read_blocks(source, file):
            end = data.rfind(b"\n") + 1
            if end:
                whole, rest = rest + data[:end], data[end:]
                yield Block(whole, self._count(whole))
                row += ends_in(whole)
            else:
                rest += data
            if len(rest) > LONGEST + BLOCK:
                raise source.broken(f"a record of more than {LONGEST >> 20} MiB", row=row)
        if rest:
            yield Block(rest, int(not self.is_blank(rest)))

    def lines(self, block: Block) -> list[bytes]:
        """The lines of a block, each with its end."""
        *lines, rest = block.data.split(b"\n")
        whole = [line + b"\n" for line in lines]
        return [*whole, rest] if rest else whole

    def is_blank(self, line: bytes) -> bool:
        """Whether a line holds no record."""
        return not line.strip()

    def _count(self, data: bytes) -> int:
        lines = len(data) - len(data.replace(b"\n", b""))
        if _BLANK.search(data) or not data[: data.find(b"\n")].strip():
            return sum(1 for line in data.split(b"\n") if line.strip())
        return lines


class _Writing:
    """Records as lines of bytes."""

    def __init__(self, source: Source, records: Records) -> None:
        self._source, self._records = source, records

    def changed(self, row: int, text: bytes, cells: Mapping[int, object]) -> bytes:
        """A record with new values; what is blank around it stays."""
        line = text.decode()
        whole = line.strip()
        before, _, after = line.partition(whole)
        return (before + self._records.changed(row, whole, cells) + after).encode()

    def made(self, values: Mapping[int, object]) -> bytes:
        """A new record."""
        return self._records.made(values).encode()

    def alike(self, block: Block) -> None:
        """Each record is looked at."""
