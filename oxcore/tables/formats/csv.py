"""CSV and TSV: text whose types are found by reading all of it (``tables.infer``).

The first row names the columns. Rows are text until ``typed`` reads them, so that a value can be
shown as the file has it. An empty field is null, ``""`` is an empty text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from oxcore.errors import UnstableError
from oxcore.tables.about import About, keep, recall, remembered
from oxcore.tables.detect import Form
from oxcore.tables.formats.marked import Marked
from oxcore.tables.infer import Column, decide
from oxcore.tables.reading import Facts, Piece, distinct_names, loaded, some
from oxcore.tables.source import Source, head, opened

LONGEST = 8 << 20  # bytes of a row
_BLOCK = 2 << 20  # bytes read at once, and LONGEST from the first row on that takes more
_HEADER = 1 << 20  # bytes that the first row may take
_DELIMITERS = ",\t;|"
_MARK = "ox: the file ends here"
_RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns?, got (\d+)")
_ENCODING = re.compile(r"In CSV column #(\d+): Row #(\d+): .*invalid UTF8")


class CsvReader:
    """A CSV file; reads all of it once for ``schema`` and ``facts``, and remembers these."""

    def __init__(self, source: Source, form: Form) -> None:
        self._source = source
        self._compression = form.compression
        text = _decoded(source, head(source, form.compression, _HEADER))
        self.delimiter = _delimiter(source.name, text)
        names, self._only_names = _first_row(source, text, self.delimiter)
        self.names = distinct_names(names)

    @property
    def source(self) -> Source:
        """The file."""
        return self._source

    @property
    def compression(self) -> str:
        """gzip, zstd or nothing."""
        return self._compression

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self._known.schema

    def facts(self) -> Facts:
        """Rows and nulls."""
        return self._known.facts

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """All rows as text, a few megabytes at a time."""
        names = self.names if columns is None else [self.names[index] for index in columns]
        for batch in self._batches(columns):
            yield loaded(pa.RecordBatch.from_arrays(batch.columns, names=names))

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """Text -> values."""
        schema = some(self.schema, columns)
        pairs = zip(batch.columns, schema.types, strict=True)
        try:
            return pa.RecordBatch.from_arrays([pc.cast(*pair) for pair in pairs], schema=schema)
        except pa.ArrowInvalid:  # not the values that the types were found for
            raise UnstableError(f"{self._source.name} changed while it was read") from None

    @cached_property
    def _known(self) -> About:
        known = remembered(self._source, self._find)
        return known if known.schema.names == self.names else self._find()

    def known(self) -> About | None:
        """What is known of the table without reading it, if anything is."""
        found = self.__dict__.get("_known") or recall(self._source)
        return found if found is not None and found.schema.names == self.names else None

    def learn(self, types: Sequence[pa.DataType], facts: Facts) -> None:
        """Take the types of the columns and the counts from one who knows them."""
        self.suppose(types, facts)
        keep(self._source, self._known)

    def suppose(self, types: Sequence[pa.DataType], facts: Facts) -> None:
        """The same from one who is not sure yet: nothing is kept before ``learn``."""
        self.__dict__["_known"] = self._about(types, facts)

    def forget(self) -> None:
        """It was wrong: read all when it is asked for."""
        self.__dict__.pop("_known", None)

    def look(
        self, watch: Callable[[pa.RecordBatch], None] | None = None
    ) -> tuple[list[Column], int]:
        """What the values of each column are, and the number of rows, by reading all, which
        ``watch`` is shown as text.

        A thread looks at some rows while the next are read: Arrow lets go of the GIL for both.
        """
        found = [Column() for _ in self.names]
        rows = 0
        with ThreadPoolExecutor(1, "ox-types") as beside:
            busy: Future[None] | None = None
            for batch in self._batches(None):
                rows += len(batch)
                if busy is not None:
                    busy.result()
                busy = beside.submit(_look, found, batch)
                if watch is not None:
                    watch(batch)
            if busy is not None:
                busy.result()
        return found, rows

    def _find(self) -> About:
        found, rows = self.look()
        facts = Facts(rows, tuple(column.nulls for column in found))
        return self._about([decide(column.seen) for column in found], facts)

    def _about(self, types: Sequence[pa.DataType], facts: Facts) -> About:
        schema = pa.schema(list(zip(self.names, types, strict=True)))
        return About("tsv" if self.delimiter == "\t" else "csv", self._compression, schema, facts)

    def _batches(self, columns: Sequence[int] | None) -> Iterator[pa.RecordBatch]:
        if self._only_names or columns == []:
            return
        given = 0
        try:
            for batch in self._read(columns, _BLOCK):
                yield batch
                given += len(batch)
        except _LongRow:
            for batch in self._read(columns, LONGEST):
                known = min(given, len(batch))
                given -= known
                yield batch.slice(known)

    def _read(self, columns: Sequence[int] | None, size: int) -> Iterator[pa.RecordBatch]:
        """All rows, ``size`` bytes at a time; ``_LongRow`` for a row that takes more than these."""
        rows, last = 1, None
        mark = self.delimiter.join([_MARK] * len(self.names))
        with opened(self._source, self._compression) as file, Marked(file, mark) as marked:
            try:
                for batch in self._open(pa.PythonFile(marked), columns, size):
                    self._source.counters.add_rows(len(batch))
                    if last is not None:
                        yield last
                        rows += len(last)
                    last = batch
            except (pa.ArrowInvalid, OSError) as error:
                if "straddl" in str(error) and size < LONGEST:
                    if last is not None:
                        yield last
                    raise _LongRow from error
                rows += 0 if last is None else len(last)
                raise self._explained(str(error), rows) from error
        if last is None or set(last.slice(len(last) - 1).to_pylist()[0].values()) != {_MARK}:
            why = "a quote is opened and not closed"
            raise self._source.broken(why, row=rows + (0 if last is None else len(last)))
        yield last.slice(0, len(last) - 1)

    def _open(
        self, file: pa.NativeFile, columns: Sequence[int] | None, size: int
    ) -> Iterator[pa.RecordBatch]:
        names = [f"c{index}" for index in range(len(self.names))]
        chosen = None if columns is None else [names[index] for index in columns]
        # One thread: only then do Arrow's errors tell the row. It is as fast for text.
        reader: Iterator[pa.RecordBatch] = arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=size, column_names=names, skip_rows_after_names=1
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=len(names) > 1,  # of one column, an empty line is a null
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=chosen,
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )
        return reader

    def _explained(self, why: str, rows: int) -> Exception:
        source = self._source
        if ragged := _RAGGED.search(why):
            row, wanted, got = map(int, ragged.groups())
            hint = "a field with the delimiter, or a line break, stands in quotes"
            return source.broken(
                f"{got} fields, and the first row has {wanted}", row=row, hint=hint
            )
        if coded := _ENCODING.search(why):
            name = self.names[int(coded[1])]
            hint = "write it again in UTF-8: iconv -t utf-8"
            return source.broken("not UTF-8", row=int(coded[2]), column=name, hint=hint)
        if "straddl" in why:
            limit = f"a row of more than {LONGEST >> 20} MiB"
            hint = "is a quote missing?"
            return source.broken(f"{limit}, or one that does not end", row=rows + 1, hint=hint)
        return source.broken(why)


class _LongRow(Exception):
    """A row takes more than what is read at once."""


def _look(columns: Sequence[Column], batch: pa.RecordBatch) -> None:
    for column, values in zip(columns, batch.columns, strict=True):
        column.look(values)


def _decoded(source: Source, data: bytes) -> str:
    """The text of the first bytes, of which the last may be the start of a character."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = data[: error.start].decode("utf-8-sig", "replace")
        if not start.strip() or ("\n" not in start and "\r" not in start):
            hint = "write it again in UTF-8: iconv -t utf-8"
            raise source.broken("not UTF-8", row=1, hint=hint) from None
        return f"{start}\ufffd"  # the names are not all that there is


def _first_row(source: Source, text: str, delimiter: str) -> tuple[list[str], bool]:
    """The fields of the first row, and whether nothing follows it."""
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = next(rows, [])
    except csv.Error as error:
        raise source.broken(f"a quote is opened and not closed ({error})", row=1) from None
    if not names:
        raise source.broken("its first row is empty", row=1, hint="the first row names columns")
    try:
        more = next(rows, None) is not None
    except csv.Error:
        more = True
    if not more and len(text.encode()) >= _HEADER:
        raise source.broken(f"its first row takes more than {_HEADER >> 20} MiB", row=1)
    return names, not more


def _delimiter(name: str, text: str) -> str:
    """The delimiter that the name speaks of, if the first line has it, else the most frequent."""
    line = re.sub(r'"[^"]*"', "", re.split("[\r\n]", text, maxsplit=1)[0])
    own = "\t" if ".tsv" in name.lower() else ","
    if own in line:
        return own
    return max(_DELIMITERS, key=line.count)
