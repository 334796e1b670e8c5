"""Where the rows of a CSV file begin and end, without taking apart more than needs be.

A quote opens a text only at the start of a field; in it a doubled quote is one; what follows the
closing quote belongs to the field. A row ends with a line feed, a carriage return or both. That is
how Arrow reads CSV, so that rows have the same numbers here and there.

Most blocks of a file are regular: each quote stands beside a delimiter or a line end, or is
doubled. Then every second part between quotes lies outside of them, and rows are counted in these
as fast as memory is read. A block with any other quote is matched row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa

from oxcore.tables.formats.csv import LONGEST
from oxcore.tables.rewrite.lines import Block
from oxcore.tables.source import Source

BLOCK = 1 << 20  # bytes read at once
_ROW = re.compile(rb"[^\r\n]++[\r\n]")
_QUOTED = re.compile(rb'"((?:[^"]++|"")*+)"')
_BLANKS = re.compile(rb"\n[\r\n]")
_BLANK = frozenset((b"\n", b"\r\n", b"\r"))


class Rows:
    """The rows of a file with this delimiter and so many columns."""

    def __init__(self, delimiter: str, columns: int) -> None:
        self.mark = mark = delimiter.encode()
        plain = b"[^" + re.escape(mark) + rb"\r\n]*+"
        field = rb'(?:"(?:[^"]++|"")*+"%b|(?!")%b)' % (plain, plain)
        self._field = re.compile(field)
        self._row = re.compile(rb"%b(?:%b%b)*+(?:\r\n|\n|\r)" % (field, re.escape(mark), field))
        self._single = columns == 1

    def blocks(self, source: Source, file: pa.NativeFile) -> Iterator[Block]:
        """All rows, the names as the first of them, from behind the mark of UTF-8, if any.

        ``InvalidError`` for a row that takes too much, or a quote that nothing closes.
        """
        rest, row = b"", 1
        for data in read_blocks(source, file):
            rest += data
            block = self._cut(rest, final=False)
            if block is not None:
                rest, row = rest[len(block.data) :], row + block.rows
                yield block
            elif len(rest) > LONGEST + BLOCK:
                why = f"a row of more than {LONGEST >> 20} MiB, or one that does not end"
                raise source.broken(why, row=row, hint="is a quote missing?")
        if rest:
            yield self._last(source, rest, row)

    def lines(self, block: Block) -> list[bytes]:
        """The rows and blank lines of a block, each with its line end."""
        if not block.broken:
            return block.data.splitlines(keepends=True)
        added = _missing_end(block.data)
        lines: list[bytes] = self._row.findall(block.data + added)
        if added:
            lines[-1] = lines[-1].removesuffix(added)
        return lines

    def is_blank(self, line: bytes) -> bool:
        """Whether a line is no row: an empty one is, of more than one column."""
        return not self._single and line in _BLANK

    def fields(self, row: bytes) -> list[bytes]:
        """The fields of a row, without its line end, as they stand there."""
        if b'"' not in row:
            return row.split(self.mark)
        fields, at = [], 0
        while (found := self._field.match(row, at)) is not None:
            fields.append(found.group())
            at = found.end() + 1
            if at > len(row):
                break
        return fields

    def value(self, field: bytes) -> bytes | None:
        """The text that a field stands for; None for an empty one."""
        quoted = _QUOTED.match(field)
        if quoted is None:
            return field or None
        return quoted[1].replace(b'""', b'"') + field[quoted.end() :]

    def is_field(self, text: bytes) -> bool:
        """Whether this is one field."""
        return self._field.fullmatch(text) is not None

    def _last(self, source: Source, rest: bytes, row: int) -> Block:
        added = _missing_end(rest)
        block = self._cut(rest + added, final=True)
        if block is None or len(block.data) < len(rest) + len(added):
            done = row + (block.rows if block else 0)
            raise source.broken("a quote is opened and not closed", row=done)
        return block._replace(data=rest)

    def _cut(self, data: bytes, *, final: bool) -> Block | None:
        """The rows that end in ``data``, which begins with one."""
        end = _line_end(data, open_end=not final)
        if data.find(b'"', 0, end or None) >= 0:
            return self._cut_quoted(data, final=final)
        return Block(data[:end], self._count(data[:end]), broken=False) if end else None

    def _cut_quoted(self, data: bytes, *, final: bool) -> Block | None:
        parts = data.split(b'"')
        at = (len(parts) - 1) // 2 * 2
        end = _line_end(parts[at], open_end=at == len(parts) - 1 and not final)
        while at and not end:
            at -= 2
            end = _line_end(parts[at], open_end=False)
        first, *others = [*parts[:at:2], parts[at][:end]]
        outside = b'"'.join([first, *filter(None, others)])  # nothing: between doubled quotes
        if not end or not self._regular(outside):
            return self._matched(data, final=final)
        after = parts[at + 1 :]
        stop = len(data) - sum(map(len, after)) - len(after) - (len(parts[at]) - end)
        whole = data[:stop]
        return Block(whole, self._count(outside), broken=ends_in(whole) != ends_in(outside))

    def _regular(self, outside: bytes) -> bool:
        """Whether each quote in the text around quotes, where two are one, is beside an end."""
        marks = (self.mark, b"\n", b"\r")
        total = outside.count(b'"')
        before = total - outside.startswith(b'"')
        after = total
        for mark in marks:
            before -= outside.count(mark + b'"') if before else 0
            after -= outside.count(b'"' + mark) if after else 0
        return not before and not after

    def _matched(self, data: bytes, *, final: bool) -> Block | None:
        rows = at = 0
        while (found := self._row.match(data, at)) is not None:
            if not final and found.end() == len(data) and data.endswith(b"\r"):
                break  # a line feed may follow
            rows += not self.is_blank(found.group())
            at = found.end()
        return Block(data[:at], rows, broken=True) if at else None

    def _count(self, outside: bytes) -> int:
        """The rows of a text that has no line end within quotes."""
        if not self._single and _blanks(outside):
            return len(_ROW.findall(outside))
        return ends_in(outside)


def read_blocks(source: Source, file: pa.NativeFile) -> Iterator[bytes]:
    """The text of a file, ``BLOCK`` bytes at a time."""
    try:
        while data := file.read(BLOCK):
            yield data
    except (OSError, pa.ArrowInvalid) as error:
        raise source.broken(f"broken: {error}") from error


def _line_end(data: bytes, *, open_end: bool) -> int:
    """Behind the last line end; a carriage return at an open end may be half of one."""
    stop = len(data) - 1 if open_end else len(data)
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, max(stop, 0))) + 1


def _missing_end(data: bytes) -> bytes:
    return b"" if data.endswith((b"\n", b"\r")) else b"\n"


def ends_in(data: bytes) -> int:
    """Line ends. Taking all out is three times as fast as ``count`` where they are many."""
    feeds = len(data) - len(data.replace(b"\n", b""))
    return feeds + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else feeds


def _blanks(data: bytes) -> bool:
    """Whether a line may be blank."""
    if data[:1] in {b"\n", b"\r"} or _BLANKS.search(data):
        return True
    return b"\r\r" in data if b"\r" in data else False
