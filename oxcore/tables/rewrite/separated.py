"""CSV and TSV: each byte of what is not edited stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import BinaryIO

import pyarrow as pa

from oxcore.errors import InvalidError, UnstableError, UsageError
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.rewrite.edits import Changes, Edits, Layout, Raw
from oxcore.tables.rewrite.lines import Block, Editor, Out
from oxcore.tables.rewrite.rows import Rows
from oxcore.tables.rewrite.texts import cell, wrong_value
from oxcore.tables.source import Source

_SAMPLE = 1000  # rows that show a column's habits
_STAMP = re.compile(rb'"?\d{4}-\d\d-\d\d([T ])\d\d:')
_WORDS = {b"True": ("True", "False"), b"TRUE": ("TRUE", "FALSE")}
_WORDS |= {b"False": ("True", "False"), b"FALSE": ("TRUE", "FALSE")}


def rewrite(
    source: Source, reader: CsvReader, file: pa.NativeFile, edits: Edits, out: BinaryIO
) -> int:
    """Write the table, whose text ``file`` is, with its edits; gives the number of its rows."""
    layout = Layout(reader.names, edits)
    grammar = Rows(reader.delimiter, len(reader.names))
    single = len(layout.names) == 1
    output = Out(out, (b"\n", b"\r"), nulls=single)
    blocks = grammar.blocks(source, file)
    first = next(blocks)
    lines = grammar.lines(first)
    sample = [line for line in lines[: _SAMPLE + 1] if not grammar.is_blank(line)]
    texts = [output.parted(line)[0] for line in sample]
    writing = _Separated(source, grammar, layout, edits, texts)
    end = output.parted(lines[0])[1]
    output.end = end or output.end
    output.write(writing.names() + end)
    rest = Block(first.data[len(lines[0]) :], first.rows - 1, first.broken)
    changes = Changes(edits, layout)
    editor = Editor(
        grammar, writing, changes, output, every=edits.columns, unblank=edits.columns and single
    )
    # Without a line end behind the names there is no row; the habit of the end is theirs.
    return editor.run(chain([rest], blocks), last=end[-1:])


class Habit:
    """How a column's values are written: in quotes, which words, what parts day and time."""

    def __init__(self, fields: Sequence[bytes]) -> None:
        filled = [field for field in fields if field]
        self.quoted = bool(filled) and all(field.startswith(b'"') for field in filled)
        first = filled[0] if filled else b""
        self.words = _WORDS.get(first.strip(b'"'), ("true", "false"))
        stamp = _STAMP.match(first)
        self.part = stamp[1].decode() if stamp else "T"


class _Separated:
    """The rows of one file, with the habits that its first rows show."""

    def __init__(
        self, source: Source, grammar: Rows, layout: Layout, edits: Edits, lines: Sequence[bytes]
    ) -> None:
        self._source, self._grammar, self._layout = source, grammar, layout
        self._columns = edits.columns
        self._head = grammar.fields(lines[0])
        if len(self._head) != len(layout.old):
            raise UnstableError(f"{source.name} changed while it was read")
        self._learn(lines[1:])
        start = len(layout.kept)
        values = enumerate((value for _, _, value in edits.added), start)
        self._defaults = [self._field(at, value) for at, value in values]

    def _learn(self, lines: Sequence[bytes]) -> None:
        sample = [self._grammar.fields(line) for line in lines]
        columns = [[row[at] for row in sample if at < len(row)] for at in range(len(self._head))]
        every = Habit([field for column in columns for field in column])
        self._habits = [Habit(columns[at]) for at in self._layout.kept]
        self._habits += [every] * len(self._layout.added)

    def names(self) -> bytes:
        """The first row."""
        quoted = Habit(self._head).quoted
        fields = list(self._head)
        for place, name in self._layout.renamed.items():
            fields[place] = self._text(name, quoted=quoted)
        new = [self._text(name, quoted=quoted) for name in self._layout.added]
        return self._grammar.mark.join([*(fields[place] for place in self._layout.kept), *new])

    def changed(self, row: int, text: bytes, cells: Mapping[int, object]) -> bytes:
        """A row with some new fields."""
        fields = self._grammar.fields(text)
        if len(fields) != len(self._layout.old):
            why = f"{len(fields)} fields, and the first row has {len(self._layout.old)}"
            raise self._source.broken(why, row=row + 2)
        if self._columns:
            fields = [*(fields[place] for place in self._layout.kept), *self._defaults]
        for place, value in cells.items():
            new = self._field(place, value, row)
            if isinstance(value, Raw) or self._grammar.value(fields[place]) != (
                self._grammar.value(new)
            ):
                fields[place] = new
        return self._grammar.mark.join(fields)

    def made(self, values: Mapping[int, object]) -> bytes:
        """A new row."""
        fields = [b""] * len(self._layout.kept) + self._defaults
        for place, value in values.items():
            fields[place] = self._field(place, value)
        return self._grammar.mark.join(fields)

    def alike(self, block: Block) -> bytes | None:
        """Columns put behind rows that have no quotes, and line ends of one kind."""
        data, columns = block.data, len(self._layout.old)
        plain = columns == len(self._layout.kept) > 1 and b'"' not in data
        end = b"\r\n" if b"\r" in data else b"\n"
        ends = data.count(end)
        rows = ends + (not data.endswith(end))
        regular = end == b"\n" or ends == data.count(b"\r") == data.count(b"\n")
        marks = block.rows * (columns - 1)
        if (
            not plain
            or not regular
            or rows != block.rows
            or data.count(self._grammar.mark) != marks
        ):
            return None
        added = self._grammar.mark.join([b"", *self._defaults])
        return data.replace(end, added + end) + (b"" if data.endswith(end) else added)

    def _field(self, place: int, value: object, row: int | None = None) -> bytes:
        """A value as the column has them; null is nothing."""
        if value is None:
            return b""
        if isinstance(value, Raw):
            return self._raw(value)
        habit = self._habits[place]
        try:
            return self._text(cell(value, words=habit.words, part=habit.part), quoted=habit.quoted)
        except (InvalidError, UnicodeEncodeError) as error:
            number = None if row is None else row + 2
            raise wrong_value(self._source, error, number, self._layout.names[place]) from None

    def _raw(self, value: Raw) -> bytes:
        text = value.text.encode()
        if not self._grammar.is_field(text):
            raise UsageError(f"{value.text!r} is no field of this table")
        return text

    def _text(self, value: str, *, quoted: bool) -> bytes:
        text = value.encode()
        marks = (self._grammar.mark, b'"', b"\n", b"\r")
        if quoted or not text or text != text.strip() or any(mark in text for mark in marks):
            return b'"' + text.replace(b'"', b'""') + b'"'
        return text
