"""SQL over tables: DuckDB, shut in.

It sees the tables that it is handed and nothing else: no file, no network, no Python variable, no
extension. It computes in UTC and in bounded memory; what does not fit is spilled to a temporary
folder, which is removed at the end. This module is the one user of DuckDB.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol

from oxcore.errors import InvalidError, OxError, UsageError
from oxcore.tables.direct import COUNTER, Files, address, direct, note_rows
from oxcore.tables.gathered import Gathered, gathered
from oxcore.tables.reading import ROW, Reader, distinct_names
from oxcore.tables.source import Source

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

COLUMNS = 2000  # of a table: plans of more take minutes, and all of the memory
MEMORY = "1GiB"
BATCH = 1 << 15  # rows of a batch of results
_NO_TABLE = re.compile(
    r"^(Catalog Error: Table with name .* does not exist!|Permission Error: Cannot access file)"
)
_NEAR = re.compile(r'\nDid you mean "[^"\n]*"\?')  # a table of the engine's own
_PLACE = re.compile(r"\n\nLINE (\d+): ([^\n]*)\n( *\^+)")


Rows = tuple[dict[int, str], str]
"""What SQL calls the columns of a table, by their position; and the query for its rows, with their
number (within each file)."""


class Failing(Protocol):
    """What the engine reads; ``error``: what ended the last read, of which it tells only text."""

    error: Exception | None


class Engine:
    """One connection. Table ``t`` is ``t`` in SQL, and ``"t rows"`` has its row numbers as well."""

    def __init__(
        self,
        link: DuckDBPyConnection,
        tables: Mapping[str, Reader],
        files: Files,
        own: Mapping[str, Rows],
        error: type[Exception],
    ) -> None:
        self._link = link
        self._error = error
        self._sources: list[Failing] = [files]
        self.names: dict[str, dict[int, str]] = {}
        for name, reader in tables.items():
            self.names[name] = self._add(name, *(own.get(name) or self._streamed(name, reader)))

    def attach(self, name: str, stream: Failing) -> None:
        """Call ``name`` the rows of an Arrow stream of ours, which is read again at each scan."""
        self._sources.append(stream)
        self._link.register(name, stream)

    def put(self, name: str, rows: pa.Table) -> None:
        """Make a temporary table out of a few columns of ours."""
        self._link.register("ox rows", rows)
        self.run(f'CREATE TEMP TABLE {quoted(name)} AS SELECT * FROM "ox rows"')
        self._link.unregister("ox rows")

    def detach(self, name: str) -> None:
        """Forget a stream."""
        self._sources.pop()
        self._link.unregister(name)

    def unite(self, name: str, parts: Mapping[str, str]) -> None:
        """Call ``name`` the rows of several tables together, columns matched by name.

        ``parts``: what the last column, ``file``, says of each table -> its name.
        """
        taken = {
            column.casefold() for part in parts.values() for column in self.names[part].values()
        }
        label = distinct_names([*taken, "file"])[-1]
        whole = " UNION ALL BY NAME ".join(
            f"SELECT *, {literal(text)} AS {label} FROM {quoted(part)}"
            for text, part in parts.items()
        )
        view = f"SELECT * EXCLUDE ({label}), {label} FROM ({whole})"
        self.run(f"CREATE TEMP VIEW {quoted(name)} AS {view}")

    def hold(self, name: str, rows: pa.Table) -> None:
        """Call some rows in memory ``name`` in queries."""
        self._link.register(name, rows)

    def run(self, sql: str, shift: int = 0) -> None:
        """Carry out a statement of ours; ``shift`` as in ``batches``."""
        with self._errors(shift):
            self._link.execute(sql)

    def rows(self, sql: str, shift: int = 0) -> list[tuple[Any, ...]]:
        """The rows of a query of ours, as Python values; ``shift`` as in ``batches``."""
        with self._errors(shift):
            found: list[tuple[Any, ...]] = self._link.execute(sql).fetchall()
        return found

    def batches(self, sql: str, shift: int = 0) -> pa.RecordBatchReader:
        """The rows of a query as they come. The connection serves nothing else until all are read.

        ``shift``: how many lines stand before the user's text, for messages.
        """
        with self._errors(shift):
            reader = self._link.sql(sql).to_arrow_reader(BATCH)
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(reader.schema, self._guarded(reader, shift))

    def table(self, sql: str, shift: int = 0) -> pa.Table:
        """All rows of a query."""
        return self.batches(sql, shift).read_all()

    def check(self, sql: str, shift: int = 0) -> None:
        """Raise ``InvalidError`` unless ``sql`` is one query that makes sense; reads no row."""
        self._check_single(sql, shift)
        with self._errors(shift + 1):
            self._link.execute(f"EXPLAIN\n{sql}").fetchall()

    def accepts(self, queries: Iterable[str], together: str) -> bool:
        """Whether each of these is one query, and the one that they make together makes sense: to
        plan one takes less time than to plan many."""
        try:
            for query in queries:
                self._check_single(query, 0)
            self.check(together)
        except InvalidError:
            return False
        return True

    def _check_single(self, sql: str, shift: int) -> None:
        with self._errors(shift):
            found = self._link.extract_statements(sql)
            kinds = [one.type.name for one in found]
            if kinds != ["SELECT"]:
                what = f"{len(kinds)} statements" if len(kinds) != 1 else kinds[0]
                raise InvalidError(f"not a query: {what}", hint="one SELECT; files are not written")

    def _guarded(self, reader: pa.RecordBatchReader, shift: int) -> Iterator[pa.RecordBatch]:
        with self._errors(shift):
            yield from reader

    @contextmanager
    def _errors(self, shift: int = 0) -> Iterator[None]:
        try:
            yield
        except OxError:
            raise
        except self._told() as error:
            cause = next((one.error for one in self._sources if one.error is not None), None)
            raise cause or self._invalid(str(error), shift) from None

    def _told(self) -> tuple[type[Exception], ...]:
        """What the engine raises, and Arrow, where that is loaded, of what it hands to it."""
        arrow = sys.modules.get("pyarrow")
        return self._error, OSError, *(() if arrow is None else (arrow.ArrowInvalid,))

    def _invalid(self, message: str, shift: int) -> InvalidError:
        if _NO_TABLE.search(message) is None:
            return InvalidError(explained(message, shift))
        alone = list(self.names) == ["t"]
        hint = "the table is called t" if alone else "a file stands in quotes: FROM 'labels.csv'"
        return InvalidError(explained(_NEAR.sub("", message), shift), hint=hint)

    def _streamed(self, name: str, reader: Reader) -> tuple[dict[int, str], str]:
        """The columns by position, and the rows with their number, of a table that is streamed to
        the engine."""
        from oxcore.tables.stream import Stream

        _check_width(reader)
        stream = Stream(reader)
        self.attach(f"{name} text", stream)
        names = distinct_names(reader.schema.names, fold=True)
        parts = [
            f"CAST({quoted(f'c{index}')} AS {sql_type(reader.schema.field(index).type)})"
            if stream.text
            else quoted(f"c{index}")
            for index in stream.columns
        ]
        rows = f"SELECT {', '.join([*parts, quoted(ROW)])} FROM {quoted(f'{name} text')}"
        return {index: names[index] for index in stream.columns}, rows

    def _add(self, name: str, columns: dict[int, str], rows: str) -> dict[int, str]:
        """Make the views of a table; gives what SQL calls its columns, by their position."""
        listed = ", ".join(map(quoted, [*columns.values(), ROW]))
        numbered = quoted(f"{name} rows")
        self.run(f"CREATE TEMP VIEW {numbered} ({listed}) AS {rows}")
        only = ", ".join(map(quoted, columns.values()))
        self.run(f"CREATE TEMP VIEW {quoted(name)} AS SELECT {only} FROM {numbered}")
        return columns


def _check_width(reader: Reader) -> None:
    from oxcore.tables.stream import is_taken

    source = getattr(reader, "source", None) or getattr(reader, "_source", None)
    called = f"{source.name}: " if isinstance(source, Source) else ""
    count = len(reader.schema)
    if count > COLUMNS:
        raise InvalidError(
            f"{called}{count:,} columns, and SQL, statistics and comparisons take {COLUMNS:,}",
            hint="make a table of some of them: ox df FILE --columns NAMES -o some.parquet",
        )
    if not any(map(is_taken, reader.schema.types)):
        raise InvalidError(f"{called}no column of a type that SQL knows")


@contextmanager
def engine(
    tables: Mapping[str, Reader], memory: str = MEMORY, *, ordered: bool = True
) -> Iterator[Engine]:
    """An engine over these tables; ``UsageError`` where DuckDB is not installed. Unless
    ``ordered``, rows of a query that names no order come in any, which takes less time."""
    duckdb = _duckdb()
    with TemporaryDirectory(prefix="ox-") as folder:
        link = duckdb.connect(":memory:", config={"memory_limit": memory, "temp_directory": folder})
        try:
            files, own = _open_files(link, tables, (duckdb.Error, OSError))
            link.execute(f"SET preserve_insertion_order = {ordered}")
            for setting in _SHUT:
                link.execute(setting)
            yield Engine(link, tables, files, own, duckdb.Error)
        finally:
            link.close()


def prepare() -> None:
    """Begin to load DuckDB, which takes a tenth of a second, beside what a thread reads anyway."""
    Thread(target=_load, name="ox-engine").start()


def _load() -> None:
    with suppress(UsageError):
        _duckdb()


def _open_files(
    link: DuckDBPyConnection, tables: Mapping[str, Reader], errors: tuple[type[Exception], ...]
) -> tuple[Files, dict[str, Rows]]:
    """Give the engine the files that it reads by itself; and the rows of their tables."""
    found = {name: sources for name in tables if (sources := _files_of(tables[name])) is not None}
    places = {
        name: [(address(source, f"{number}-{at}"), source) for at, source in enumerate(sources)]
        for number, (name, sources) in enumerate(found.items())
    }
    known = dict(pair for each in places.values() for pair in each)
    files = Files(known)
    link.execute("SET parquet_metadata_cache = true")  # no file changes while it is open
    if files.sources:
        link.register_filesystem(files.system())
    if known:
        link.execute(f"SET allowed_paths = [{', '.join(map(literal, known))}]")
    own: dict[str, Rows] = {}
    for name, each in places.items():
        reader, addresses = tables[name], [place for place, _ in each]
        if not isinstance(reader, Gathered):
            own[name] = _rows_of(reader, addresses[0])
            continue
        try:
            rows = gathered(lambda sql: link.execute(sql).fetchall(), addresses, reader.types)
        except errors:  # who reads them one by one tells which is damaged
            rows = files.error = None
        if rows is not None:
            own[name] = dict(enumerate(reader.types)), rows
    return files, own


def _files_of(reader: Reader) -> Sequence[Source] | None:
    if isinstance(reader, Gathered):
        return reader.files()
    source = direct(reader)
    return None if source is None else [source]


def _rows_of(reader: Reader, address: str) -> Rows:
    _check_width(reader)
    note_rows(reader)
    wanted = ", ".join(map(quoted, [*reader.schema.names, COUNTER]))
    names = distinct_names(reader.schema.names, fold=True)
    rows = f"SELECT {wanted} FROM read_parquet({literal(address)}, {COUNTER} = true)"
    return dict(enumerate(names)), rows


_SHUT = (
    "SET TimeZone = 'UTC'",
    "SET enable_progress_bar = false",  # DuckDB draws one wherever Python looks interactive
    "SET python_enable_replacements = false",
    "SET autoload_known_extensions = false",
    "SET autoinstall_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def quoted(name: str) -> str:
    """A name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def sql_type(type_: pa.DataType) -> str:
    """What SQL calls a type that CSV can have."""
    return _NAMES[str(type_)]


_NAMES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
    "timestamp[us]": "TIMESTAMP",
    "timestamp[ns]": "TIMESTAMP_NS",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
    "decimal128(38, 0)": "DECIMAL(38, 0)",
}


def explained(message: str, shift: int) -> str:
    """The engine's message with the place in the user's text, which starts ``shift`` lines on."""
    found = _PLACE.search(message)
    if found is None:
        return message.strip()
    line, mark = int(found[1]) - shift, found[3]
    start = len(f"LINE {found[1]}: ")
    place = f"line {line}: "
    return (
        f"{message[: found.start()]}\n{place}{found[2]}\n{' ' * len(place)}{mark[start:]}".strip()
    )


def _duckdb() -> Any:  # noqa: ANN401 -- a module
    try:
        import duckdb
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # DuckDB was being set up
            raise KeyboardInterrupt from None
        raise UsageError(
            "SQL over tables needs DuckDB, which is not installed", hint="pip install duckdb"
        ) from None
    return duckdb
