"""JSON Lines and JSON arrays of records; types are found by reading it all (``tables.shape``)."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import pyarrow as pa

from oxcore.errors import InvalidError
from oxcore.tables.about import About, remembered
from oxcore.tables.detect import Form
from oxcore.tables.reading import Facts, Piece, loaded, some
from oxcore.tables.shape import DEEPEST, Shape, TooDeep, levels_of
from oxcore.tables.source import Source, opened

LONGEST = 8 << 20  # bytes of a record
_BLOCK = 1 << 20  # bytes read at once
_NAMES = 10_000  # columns: a record is gone through for each
_HALF = "half of a surrogate pair, which is no text"
_ROWS = 8192  # of a batch at most
_BYTES = 8 << 20  # read for a batch, and a block and a record more
_SPACE = re.compile(r"[ \t\r\n]*")
Record = dict[str, object]


class JsonReader:
    """A JSON file of records; reads all of it once for ``schema`` and ``facts``, and remembers
    these."""

    def __init__(self, source: Source, form: Form) -> None:
        self._source, self._form = source, form
        self._compression = form.compression
        self._array = form.format == "json"

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns, in the order in which they first come up."""
        return self._known.schema

    @property
    def source(self) -> Source:
        """The file."""
        return self._source

    def facts(self) -> Facts:
        """Rows and nulls; a name that a record lacks is null."""
        return self._known.facts

    @property
    def shape(self) -> Shape:
        """What values the records hold."""
        return self._known.shape or Shape()

    def shaped(self, fields: Mapping[str, Shape]) -> JsonReader:
        """The same rows with columns of these shapes, which hold all of their values."""
        made = JsonReader(self._source, self._form)
        whole = Shape(fields={name: fields[name] for name in self.shape.fields})
        try:
            schema = pa.schema([shape.field(name) for name, shape in whole.fields.items()])
        except UnicodeEncodeError:
            raise self._source.broken(f"a name has {_HALF}") from None
        made._known = self._known._replace(schema=schema, shape=whole)
        return made

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """All rows, some thousands at a time."""
        schema = some(self.schema, columns)
        fields = (self._known.shape or Shape()).fields
        shapes = [(name, fields[name]) for name in schema.names]
        rows = 0
        for records in self._batches():
            arrays = [self._array_of(name, shape, records, rows) for name, shape in shapes]
            rows += len(records)
            if arrays:
                yield loaded(pa.RecordBatch.from_arrays(arrays, schema=schema))

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """The rows as they are."""
        return batch

    @cached_property
    def _known(self) -> About:
        known = remembered(self._source, self._find)
        names = None if known.shape is None else list(known.shape.fields)
        return known if known.schema.names == names else self._find()

    def _find(self) -> About:
        whole, rows = Shape(), 0
        filled: dict[str, int] = {}
        for records in self._batches():
            for name in dict.fromkeys(name for record in records for name in record):
                values = [record[name] for record in records if name in record]
                try:
                    whole.fields.setdefault(name, Shape()).look(values)
                except TooDeep:
                    raise self._too_deep(name, records, rows) from None
                if len(whole.fields) > _NAMES:
                    raise self._source.broken(f"more than {_NAMES:,} columns", row=rows + 1)
                filled[name] = filled.get(name, 0) + len(values) - values.count(None)
            rows += len(records)
        if not whole.fields:
            raise self._source.broken("no record has a name, so it has no columns")
        try:
            schema = pa.schema([shape.field(name) for name, shape in whole.fields.items()])
        except UnicodeEncodeError:
            raise self._source.broken(f"a name has {_HALF}") from None
        facts = Facts(rows, tuple(rows - filled[name] for name in whole.fields))
        return About("json" if self._array else "jsonl", self._compression, schema, facts, whole)

    def _array_of(self, name: str, shape: Shape, records: list[Record], rows: int) -> pa.Array:
        values = [record.get(name) for record in records]
        try:
            return pa.array(shape.values(values), shape.type)
        except UnicodeEncodeError:
            row = next(n for n, v in enumerate(values, rows + 1) if _lone(v))
            raise self._source.broken(_HALF, row=row, column=name) from None

    def _too_deep(self, name: str, records: list[Record], rows: int) -> InvalidError:
        row = next(
            n for n, one in enumerate(records, rows + 1) if levels_of(one.get(name)) > DEEPEST
        )
        why = f"lists and objects in each other, more than {DEEPEST} deep"
        return self._source.broken(why, row=row, column=name)

    def _batches(self) -> Iterator[list[Record]]:
        with opened(self._source, self._compression) as whole:
            file = _Metered(whole)
            batch: list[Record] = []
            end = _BYTES
            for record in self._elements(file) if self._array else self._lines(file):
                batch.append(record)
                if len(batch) == _ROWS or file.done > end:
                    self._source.counters.add_rows(len(batch))
                    yield batch
                    batch, end = [], file.done + _BYTES
            if batch:
                self._source.counters.add_rows(len(batch))
                yield batch

    def _blocks(self, file: _Metered, row: list[int]) -> Iterator[bytes]:
        try:
            while data := file.read(_BLOCK):
                yield data
        except (OSError, pa.ArrowInvalid) as error:
            raise self._source.broken(f"broken: {error}", row=row[0]) from error

    def _lines(self, file: _Metered) -> Iterator[Record]:
        row, rest = [1], b""
        for block in self._blocks(file, row):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if len(rest) > LONGEST:
                raise self._too_long(row[0] + len(lines))
            for line in lines:
                yield from self._line(line, row)
        yield from self._line(rest, row)

    def _line(self, line: bytes, row: list[int]) -> Iterator[Record]:
        if row[0] == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if line.strip():
            yield self._record(self._parsed(self._text(line, row[0]), row[0]), row[0])
        row[0] += 1

    def _elements(self, file: _Metered) -> Iterator[Record]:
        """The records of one array, decoded as they come."""
        row = [1]
        window = _Window(self._source, self._blocks(file, row), row)
        opened_by = window.peek()  # moves window.at, so it goes first
        window.at += opened_by == "["
        while (mark := window.peek()) != "]":
            if row[0] > 1:
                if mark != ",":
                    why = (
                        "the array goes on without a comma" if mark else "it ends within the array"
                    )
                    raise self._source.broken(why, row=row[0])
                window.at += 1
                window.peek()
            yield self._record(window.value(), row[0])
            row[0] += 1
        window.at += 1
        if window.peek():
            raise self._source.broken("something follows the array", row=row[0])

    def _text(self, line: bytes, row: int) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            where = f"not UTF-8 at byte {error.start + 1} of the line"
            raise self._source.broken(where, row=row) from None

    def _parsed(self, text: str, row: int) -> object:
        try:
            value: object = json.loads(text)
        except json.JSONDecodeError as error:
            hint = "JSON Lines: one record a line" if row == 1 else ""
            why = f"not JSON: {error.msg} at character {error.pos + 1}"
            raise self._source.broken(why, row=row, hint=hint) from None
        except (RecursionError, ValueError) as error:
            raise self._source.broken(_beyond(error), row=row) from None
        return value

    def _record(self, value: object, row: int) -> Record:
        if isinstance(value, dict):
            return value
        hint = 'rows are objects: {"name": value, ...}'
        raise self._source.broken(f"a {_word(value)}, not an object", row=row, hint=hint)

    def _too_long(self, row: int) -> InvalidError:
        return self._source.broken(f"a record of more than {LONGEST >> 20} MiB", row=row)


class _Metered:
    """A file, and how many bytes of it were read."""

    def __init__(self, file: pa.NativeFile) -> None:
        self._file = file
        self.done = 0

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data: bytes = self._file.read(size)
        self.done += len(data)
        return data


class _Window:
    """The text of a file, decoded a block at a time; what lies before ``at`` is done with.

    ``row``: a list of one, the number of the row at hand.
    """

    def __init__(self, source: Source, blocks: Iterator[bytes], row: list[int]) -> None:
        self.text, self.at = "", 0
        self._row = row
        self._source, self._blocks = source, blocks
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._parse = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """The next character that is not blank; nothing at the end."""
        while True:
            found = _SPACE.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.text) or not self._more():
                return self.text[self.at : self.at + 1]

    def value(self) -> object:
        """The value that starts here."""
        while True:
            try:
                value, self.at = self._parse(self.text, self.at)
            except (ValueError, RecursionError) as error:
                if len(self.text) - self.at > LONGEST or not self._more():
                    raise self._wrong(error) from None
            else:
                return value

    def _more(self) -> bool:
        block = next(self._blocks, b"")
        try:
            text = self._decoder.decode(block, not block)
        except UnicodeDecodeError:
            raise self._source.broken("not UTF-8", row=self._row[0]) from None
        self.text, self.at = self.text[self.at :] + text, 0
        return bool(block)

    def _wrong(self, error: Exception) -> InvalidError:
        row = self._row[0]
        if not self.text[self.at :].strip():
            return self._source.broken("it ends within the array", row=row)
        if len(self.text) - self.at > LONGEST:
            return self._source.broken(
                f"not JSON, or a record of more than {LONGEST >> 20} MiB", row=row
            )
        if not isinstance(error, json.JSONDecodeError):
            return self._source.broken(_beyond(error), row=row)
        return self._source.broken(f"not JSON: {error.msg}", row=row)


def _beyond(error: Exception) -> str:
    """What Python's reader of JSON refuses, though it is JSON."""
    if isinstance(error, RecursionError):
        return f"lists and objects in each other, more than {DEEPEST} deep"
    return "a number of thousands of digits"


def _word(value: object) -> str:
    words = {list: "list", str: "text", bool: "truth value", type(None): "null"}
    return words.get(type(value), "number")


def _lone(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
