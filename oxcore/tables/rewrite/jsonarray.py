"""A JSON array of records: record by record, with the blanks between them."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from oxcore.errors import InvalidError
from oxcore.tables.formats.jsonrows import LONGEST
from oxcore.tables.rewrite.edits import Changes, Edits
from oxcore.tables.rewrite.objects import BLANK, decode
from oxcore.tables.rewrite.records import Records
from oxcore.tables.rewrite.rows import read_blocks
from oxcore.tables.source import Source


class Element(NamedTuple):
    """A record as text, what is blank around it, and whether it is the last."""

    pre: str
    text: str
    post: str
    last: bool


def rewrite(
    source: Source, schema: pa.Schema, file: pa.NativeFile, edits: Edits, out: BinaryIO
) -> int:
    """Write the table, whose text ``file`` is, with its edits; gives the number of its rows."""
    tape = Tape(source, read_blocks(source, file))
    out.write((tape.blank() + tape.take()).encode())
    elements = tape.elements()
    first = list(islice(elements, 2))
    records = Records(source, schema, edits, [one.text for one in first])
    array = _Array(out, records, first)
    changes = Changes(edits, records.layout)
    row, last = 0, ""
    for row, element in enumerate(chain(first, elements), start=1):
        last = element.post
        array.change(changes, row - 1, element)
    for values in changes.finish(row):
        array.put(records.made(values))
    array.finish(last if row else tape.inner)
    out.write(tape.rest().encode())
    return array.rows


class Tape:
    """The text of a file, decoded a block at a time. ``inner``: the blanks of an empty array."""

    def __init__(self, source: Source, blocks: Iterator[bytes]) -> None:
        self._source, self._blocks = source, blocks
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at = "", 0
        self._row = 1
        self.inner = ""

    def blank(self) -> str:
        """The blanks that are here."""
        found = ""
        while True:
            match = BLANK.match(self._text, self._at)
            found += match.group() if match else ""
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not self._more():
                return found

    def take(self) -> str:
        """The next character."""
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def elements(self) -> Iterator[Element]:
        """The records from behind the first bracket to behind the last."""
        pre = self.blank()
        if self._text[self._at : self._at + 1] == "]":
            self.inner = pre
            self.take()
            return
        mark = ","
        while mark == ",":
            text = self._value()
            post = self.blank()
            mark = self.take()
            yield Element(pre, text, post, mark != ",")
            self._row += 1
            pre = self.blank() if mark == "," else ""
        if mark != "]":
            why = "the array goes on without a comma" if mark else "it ends within the array"
            raise self._source.broken(why, row=self._row)

    def rest(self) -> str:
        """What follows the array, which is blank."""
        return self.blank()

    def _value(self) -> str:
        while True:
            try:
                _, end = decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if len(self._text) - self._at > LONGEST or not self._more():
                    raise self._wrong(error) from None
            else:
                text, self._at = self._text[self._at : end], end
                return text

    def _more(self) -> bool:
        block = next(self._blocks, b"")
        try:
            text = self._decoder.decode(block, not block)
        except UnicodeDecodeError:
            raise self._source.broken("not UTF-8", row=self._row) from None
        self._text, self._at = self._text[self._at :] + text, 0
        return bool(block)

    def _wrong(self, error: Exception) -> InvalidError:
        if len(self._text) - self._at > LONGEST:
            why = f"not JSON, or a record of more than {LONGEST >> 20} MiB"
            return self._source.broken(why, row=self._row)
        return self._source.broken(f"not JSON: {error}", row=self._row)


class _Array:
    """Records that are written; the blanks at the ends of the array stay there."""

    def __init__(self, out: BinaryIO, records: Records, first: list[Element]) -> None:
        self.rows = 0
        self._out, self._records = out, records
        style = records.style.pre
        self._start = first[0].pre if first else ""
        own = self._start if "\n" in self._start else "" if "\n" in style else style
        self._pre = first[1].pre if len(first) > 1 else own
        self._post = first[0].post if len(first) > 1 else ""
        self._open = ""

    def change(self, changes: Changes, row: int, element: Element) -> None:
        """Write what comes of an old record, and what comes before it."""
        for at in changes.before(row + 1):
            for values in changes.inserted(at):
                self.put(self._records.made(values))
        if changes.deleted(row):
            return
        text, cells = element.text, changes.cells(row)
        if cells or self._records.every:
            text = self._records.changed(row, text, cells)
        self.put(text, element.pre if row else None, None if element.last else element.post)

    def put(self, text: str, pre: str | None = None, post: str | None = None) -> None:
        """Write a record."""
        if self.rows:
            self._out.write(f"{self._open},{self._pre if pre is None else pre}{text}".encode())
        else:
            self._out.write(f"{self._start}{text}".encode())
        self._open = self._post if post is None else post
        self.rows += 1

    def finish(self, post: str) -> None:
        """Close the array with the blanks before its last bracket."""
        self._out.write(f"{post}]".encode())
