"""Where a table leaves its schema: columns, types, key, and files that are not there.

Formats that have types (Parquet, Arrow) must have those of the schema, however they lay them out;
in text (CSV, JSON) every value must be one of the type. Rows are counted as messages count them:
from 1, and the names of CSV are its row 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.errors import InvalidError
from oxcore.tables.engine import Engine, engine, quoted
from oxcore.tables.reading import ROW
from oxcore.tables.schema import PATHS, ColumnSchema, TableSchema
from oxcore.tables.table import Table
from oxcore.tables.typenames import logical, type_name

KINDS = ("gone", "retyped", "null-key", "doubled-key", "missing-file", "unreadable", "no-table")
"""The kinds of departures; the last is told by who looks for the table."""
_SHOWN = 3  # values or rows that a text names
_LONGEST = 40  # characters of a value in a text

Has = Callable[[Sequence[str]], Sequence[bool]]
"""For paths as a table has them: whether each is a file."""


class Departure(NamedTuple):
    """One way in which a table leaves its schema: ``kind`` (one of ``KINDS``), ``column`` (of a
    key of several, their names with commas), the first ``row`` where, and a ``text`` for people."""

    kind: str
    column: str | None
    row: int | None
    text: str


def departures(table: Table, schema: TableSchema, has: Has) -> list[Departure]:
    """Where ``table`` leaves ``schema``; nothing if it keeps to it. Memory stays bounded."""
    try:
        return list(_Look(table, schema, has).found())
    except InvalidError as error:
        return [Departure("unreadable", None, None, f"cannot be read: {error.message}")]


class _Look:
    def __init__(self, table: Table, schema: TableSchema, has: Has) -> None:
        self._table = table
        self._schema = schema
        self._has = has
        self._names = table.schema.names
        self._head = 2 if table.format in {"csv", "tsv"} else 1  # what the first row is called

    def found(self) -> Iterator[Departure]:
        kept = self._schema.columns
        for name in dict.fromkeys((*kept, *self._schema.key)):
            if name not in self._names:
                part = " of the key" if name in self._schema.key else ""
                yield Departure("gone", name, None, f"column {name!r}{part} is gone")
        for name, column in kept.items():
            if name in self._names:
                yield from self._type(name, column)
                yield from self._files(name, column)
        if self._schema.key and set(self._schema.key) <= set(self._names):
            yield from self._key(self._schema.key)

    # -- types

    def _type(self, name: str, column: ColumnSchema) -> Iterator[Departure]:
        if column.type is None:
            return
        place = self._names.index(name)
        now, wanted = self._table.schema.field(place).type, logical(column.type)
        if logical(now) == wanted:
            return
        row = None
        if self._table.format in {"csv", "tsv", "json", "jsonl"}:
            facts = self._table.facts
            if facts.nulls[place] == facts.rows:
                return
            row = self._first_misfit(name, now, wanted)
            if row == 0:
                return
        where = "" if not row else f" (row {row:,})"
        text = f"column {name!r} is {type_name(now)}, not {type_name(column.type)}{where}"
        yield Departure("retyped", name, row or None, text)

    def _first_misfit(self, name: str, now: pa.DataType, wanted: pa.DataType) -> int | None:
        """The first row whose value is not of the type; None if there is none to be told, and 0
        where all are of it."""
        separated = self._head == 2
        if types.is_string(wanted):
            return 0 if separated else None
        written = types.is_string(now)  # and to be read: what CSV makes text of is of no other type
        if not (_comparable(now, wanted) or (written and (separated or _is_time(wanted)))):
            return None
        start = self._head
        for batch in self._table.scan([name]):
            row = _misfit(batch.column(0), wanted)
            if row is not None:
                return start + row
            start += len(batch)
        return None if written and separated else 0

    # -- files

    def _files(self, name: str, column: ColumnSchema) -> Iterator[Departure]:
        now = logical(self._table.schema.field(name).type)
        item = now.value_type if types.is_list(now) or types.is_fixed_size_list(now) else now
        if column.holds not in PATHS or not types.is_string(item):
            return
        count, start, told = 0, self._head, dict[str, int]()
        for batch in self._table.scan([name]):
            rows, values = _texts(batch.column(0))
            missing = self._missing(values)
            hits = pc.is_in(values, value_set=missing)
            count += pc.sum(hits).as_py() or 0
            for value in missing.to_pylist()[: _SHOWN - len(told)]:
                told.setdefault(value, start + rows[pc.index(values, value).as_py()].as_py())
            start += len(batch)
        if count:
            first = min(told.values())
            listed = ", ".join(f"{_cut(value)} (row {row:,})" for value, row in told.items())
            more = f", and {count - len(told):,} more" if count > len(told) else ""
            text = f"column {name!r} names files that are not there: {listed}{more}"
            yield Departure("missing-file", name, first, text)

    def _missing(self, values: pa.Array) -> pa.Array:
        paths = [one for one in pc.unique(values).to_pylist() if one and _in_tree(one)]
        there = self._has(paths)
        gone = [path for path, found in zip(paths, there, strict=True) if not found]
        return pa.array(gone, pa.string())

    # -- the key

    def _key(self, key: tuple[str, ...]) -> Iterator[Departure]:
        places = [self._names.index(name) for name in key]
        for name, place in zip(key, places, strict=True):
            type_ = self._table.schema.field(place).type
            if types.is_union(type_) or types.is_run_end_encoded(type_):
                text = f"key {name!r} is {type_name(type_)}, whose values are not compared"
                yield Departure("retyped", name, None, text)
                return
        with engine({"t": self._table.reader}) as sql:
            columns = [quoted(sql.names["t"][place]) for place in places]
            yield from self._nulls(sql, key, columns)
            yield from self._doubled(sql, ", ".join(key), columns)

    def _nulls(self, sql: Engine, key: tuple[str, ...], columns: list[str]) -> Iterator[Departure]:
        for name, column in zip(key, columns, strict=True):
            rows, count = sql.rows(
                f'SELECT min({quoted(ROW)}, {_SHOWN}), count(*) FROM "t rows"'
                f" WHERE {column} IS NULL"
            )[0]
            if count:
                first = self._head + rows[0]
                text = f"key {name!r} is null in {self._rows(rows, count)}"
                yield Departure("null-key", name, first, text)

    def _doubled(self, sql: Engine, key: str, columns: list[str]) -> Iterator[Departure]:
        shown = " || ', ' || ".join(f"CAST({one} AS VARCHAR)" for one in columns)
        listed, filled = ", ".join(columns), " AND ".join(f"{one} IS NOT NULL" for one in columns)
        found = sql.rows(
            f"SELECT {shown}, min({quoted(ROW)}, {_SHOWN}) AS r, count(*) AS n, count(*) OVER ()"
            f' FROM "t rows" WHERE {filled} GROUP BY {listed} HAVING count(*) > 1'
            f" ORDER BY r[1] LIMIT {_SHOWN}"
        )
        if found:
            parts = [f"{_cut(value)} in {self._rows(rows, n)}" for value, rows, n, _ in found]
            more = f"; and {found[0][3] - len(found):,} more" if found[0][3] > len(found) else ""
            text = f"key {key!r} is not of one row: {'; '.join(parts)}{more}"
            yield Departure("doubled-key", key, self._head + found[0][1][0], text)

    def _rows(self, rows: Sequence[int], count: int) -> str:
        listed = ", ".join(f"{self._head + row:,}" for row in rows)
        more = f" and {count - len(rows):,} more" if count > len(rows) else ""
        return f"row{'s' if count > 1 else ''} {listed}{more}"


def _comparable(now: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of the one type can be of the other without being written otherwise."""
    if types.is_date(now):
        return types.is_date(wanted) or (types.is_timestamp(wanted) and wanted.tz is None)
    if types.is_timestamp(now):
        return types.is_timestamp(wanted) and (now.tz is None) == (wanted.tz is None)
    return (_is_number(now) and _is_number(wanted)) or (
        types.is_nested(now) and bool(now.id == wanted.id)
    )


def _is_time(type_: pa.DataType) -> bool:
    return bool(types.is_temporal(type_) and not types.is_interval(type_))


def _is_number(type_: pa.DataType) -> bool:
    tests = (types.is_integer, types.is_floating, types.is_decimal)
    return any(test(type_) for test in tests)


def _misfit(column: pa.Array, wanted: pa.DataType) -> int | None:
    """Where the first value is that is not of the type."""
    if _fits(column, wanted):
        return None
    low, high = 0, len(column)  # the first `low` values fit, the first `high` do not
    while high - low > 1:
        middle = (low + high) // 2
        part = column.take(pa.array(range(low, middle), pa.int64()))  # a slice of lists keeps all
        if _fits(part, wanted):
            low = middle
        else:
            high = middle
    return low


def _fits(column: pa.Array, wanted: pa.DataType) -> bool:
    try:
        pc.cast(column, wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return False
    return True


def _texts(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Row and text of each value, those in lists one by one."""
    if types.is_dictionary(column.type) or types.is_run_end_encoded(column.type):
        column = pc.cast(column, column.type.value_type)
    if types.is_nested(column.type):
        rows = pc.list_parent_indices(column)
        return rows, pc.cast(pc.list_flatten(column), pa.string())
    return pa.array(range(len(column)), pa.int64()), pc.cast(column, pa.string())


def _in_tree(path: str) -> bool:
    """Whether a path could be of a file of the dataset: it is no URL, nor absolute."""
    return "://" not in path and not path.startswith(("/", "data:"))


def _cut(value: str) -> str:
    return repr(value if len(value) <= _LONGEST else value[: _LONGEST - 3] + "...")
