"""CSV and TSV: each byte of what is not edited stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import pyarrow as pa

from oxcore.errors import InvalidError, UsageError
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.rewrite.edits import Changes, Edits, Layout, Raw
from oxcore.tables.rewrite.rows import Block, Rows
from oxcore.tables.rewrite.texts import cell
from oxcore.tables.source import Source

_SAMPLE = 1000  # rows that show a column's habits
_STAMP = re.compile(rb'"?\d{4}-\d\d-\d\d([T ])\d\d:')
_WORDS = {b"True": ("True", "False"), b"TRUE": ("TRUE", "FALSE")}
_WORDS |= {b"False": ("True", "False"), b"FALSE": ("TRUE", "FALSE")}


def rewrite(
    source: Source, reader: CsvReader, file: pa.NativeFile, edits: Edits, out: BinaryIO
) -> int:
    """Write the table, whose text ``file`` is, with its edits; gives the number of its rows."""
    return _Separated(source, reader, edits, out).run(file)


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
    """One rewriting: ``done`` counts the old rows gone by, ``rows`` those written."""

    def __init__(self, source: Source, reader: CsvReader, edits: Edits, out: BinaryIO) -> None:
        self.source, self.edits = source, edits
        self.layout = Layout(reader.names, edits)
        self.changes = Changes(edits, self.layout)
        self.grammar = Rows(reader.delimiter, len(reader.names))
        self.out = _Out(out, single=len(self.layout.names) == 1)
        self.done = self.rows = 0
        self.habits: list[Habit] = []
        self.defaults: list[bytes] = []

    def run(self, file: pa.NativeFile) -> int:
        """Read, change, write."""
        open_end = False
        for block in self.grammar.blocks(self.source, file):
            self._block(block) if self.habits else self._first(block)
            open_end = not block.data.endswith((b"\n", b"\r"))
        for values in self.changes.finish(self.done):
            self._insert(values)
        self.out.finish(open_end=open_end)
        return self.rows

    def _first(self, block: Block) -> None:
        """The block that begins with the names, and shows how the file is written."""
        names, *lines = self.grammar.lines(block)
        row, end = _parted(names)
        head = self.grammar.fields(row)
        if len(head) != len(self.layout.old):
            raise InvalidError(f"{self.source.name} changed while it was read")
        if end:
            self.out.end = end
        self._learn(head, lines)
        self.out.write(self._names(head) + end)
        self._block(Block(block.data[len(names) :], block.rows - 1, block.broken))

    def _learn(self, head: Sequence[bytes], lines: Sequence[bytes]) -> None:
        sample = [
            self.grammar.fields(_parted(line)[0])
            for line in lines[:_SAMPLE]
            if not self.grammar.is_blank(line)
        ]
        columns = [[row[at] for row in sample if at < len(row)] for at in range(len(head))]
        every = Habit([field for column in columns for field in column])
        self.habits = [Habit(columns[at]) for at in self.layout.kept]
        self.habits += [every] * len(self.layout.added)
        start = len(self.layout.kept)
        for at, (_, _, value) in enumerate(self.edits.added, start):
            self.defaults.append(self._field(at, value))

    def _names(self, head: Sequence[bytes]) -> bytes:
        quoted = Habit(head).quoted
        fields = list(head)
        for place, name in self.layout.renamed.items():
            fields[place] = self._text(name, quoted=quoted)
        new = [self._text(name, quoted=quoted) for name in self.layout.added]
        return self.grammar.mark.join([*(fields[place] for place in self.layout.kept), *new])

    def _block(self, block: Block) -> None:
        end = self.done + block.rows
        todo = range(self.done, end) if self.edits.columns else list(self.changes.before(end))
        if todo or self.edits.columns:
            self._changed(block, todo)
        else:
            self.out.write(block.data)
        self.rows += block.rows
        self.done = end

    def _changed(self, block: Block, todo: Sequence[int]) -> None:
        """Write a block in which the rows ``todo`` change."""
        lines = self.grammar.lines(block)
        places: Sequence[int] = range(len(lines))
        if len(lines) != block.rows:
            places = [at for at, line in enumerate(lines) if not self.grammar.is_blank(line)]
        at = 0
        for row in todo:
            place = places[row - self.done]
            self._between(lines[at:place])
            for values in self.changes.inserted(row):
                self._insert(values)
            self._row(row, lines[place])
            at = place + 1
        self._between(lines[at:])

    def _between(self, lines: Sequence[bytes]) -> None:
        """Write lines as they are: blank ones not, where they would be rows of one column now."""
        if not self.edits.columns or len(self.layout.names) > 1:
            self.out.write(b"".join(lines))

    def _row(self, row: int, line: bytes) -> None:
        if self.changes.deleted(row):
            self.rows -= 1
            return
        cells = self.changes.cells(row)
        if not cells and not self.edits.columns:
            self.out.write(line)
            return
        text, end = _parted(line)
        fields = self.grammar.fields(text)
        if len(fields) != len(self.layout.old):
            why = f"{len(fields)} fields, and the first row has {len(self.layout.old)}"
            raise self.source.broken(why, row=row + 2)
        if self.edits.columns:
            fields = [*(fields[place] for place in self.layout.kept), *self.defaults]
        for place, value in cells.items():
            fields[place] = self._field(place, value, row)
        self.out.row(self.grammar.mark.join(fields), end)

    def _insert(self, values: Mapping[int, object]) -> None:
        fields = [b""] * len(self.layout.kept) + self.defaults
        for place, value in values.items():
            fields[place] = self._field(place, value)
        self.out.close_line()
        self.out.row(self.grammar.mark.join(fields), self.out.end)
        self.rows += 1

    def _field(self, place: int, value: object, row: int | None = None) -> bytes:
        """A value as the column has them; null is nothing."""
        if value is None:
            return b""
        if isinstance(value, Raw):
            return self._raw(value)
        habit = self.habits[place]
        try:
            return self._text(cell(value, words=habit.words, part=habit.part), quoted=habit.quoted)
        except (InvalidError, UnicodeEncodeError) as error:
            number = None if row is None else row + 2
            name = self.layout.names[place]
            why = "half of a surrogate pair, which is no text"
            told = error.message if isinstance(error, InvalidError) else why
            raise self.source.broken(told, row=number, column=name) from None

    def _raw(self, value: Raw) -> bytes:
        text = value.text.encode()
        if not self.grammar.is_field(text):
            raise UsageError(f"{value.text!r} is no field of this table")
        return text

    def _text(self, value: str, *, quoted: bool) -> bytes:
        text = value.encode()
        marks = (self.grammar.mark, b'"', b"\n", b"\r")
        if quoted or not text or text != text.strip() or any(mark in text for mark in marks):
            return b'"' + text.replace(b'"', b'""') + b'"'
        return text


class _Out:
    """What is written; the last of it waits, since the end of the file keeps its habit."""

    def __init__(self, out: BinaryIO, *, single: bool) -> None:
        self.end = b"\n"
        self._out, self._single = out, single
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write some lines."""
        if data:
            if self._single and self._held.endswith(b"\r") and data.startswith(b"\n"):
                data = b"\r" + data  # else a null that came to stand here would be no line
            self._out.write(self._held)
            self._held = data

    def row(self, row: bytes, end: bytes) -> None:
        """Write a row; an empty one, which is a null of one column, needs its line end."""
        self.write(row + (end if row else end or self.end))

    def close_line(self) -> None:
        """End the last line, if it is open."""
        if not self._held.endswith((b"\n", b"\r")):
            self._held += self.end

    def finish(self, *, open_end: bool) -> None:
        """Write the rest; with an ``open_end`` as the file had it."""
        if open_end:
            line = _parted(self._held)[0]
            if line and not (self._single and line.endswith((b"\n", b"\r"))):
                self._held = line
        self._out.write(self._held)


def _parted(line: bytes) -> tuple[bytes, bytes]:
    """A line without its end, and that."""
    size = 2 if line.endswith(b"\r\n") else 1 if line.endswith((b"\n", b"\r")) else 0
    at = len(line) - size
    return line[:at], line[at:]
