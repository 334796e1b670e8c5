"""From what people ask of a table to the edits that do it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.tables.asking import Query, places_of
from oxcore.tables.engine import Engine, engine, quoted
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.formats.jsonrows import JsonReader
from oxcore.tables.pick import check, where
from oxcore.tables.reading import ROW
from oxcore.tables.rewrite.edits import Edits, Layout
from oxcore.tables.rewrite.fitting import fitted, is_text, read_value
from oxcore.tables.rewrite.many import Alike, Places, Values
from oxcore.tables.rewrite.upsert import Upsert, upsert
from oxcore.tables.rowfind import find
from oxcore.tables.rowkeys import Key, show_key
from oxcore.tables.table import Table

_ROWS = '"t rows"'


@dataclass(frozen=True, slots=True)
class Wish:
    """What to do to a table.

    ``add``, ``rename``, ``drop``: columns, as in ``Edits``. ``set``: column -> new value, as text
    (``fitting.read_value``) or a Python value; ``sql``: column -> SQL expression over the row as
    it was. Of which rows: for which ``where`` is true, ``rows`` (from 0), with a key among
    ``keys``; of all, if none is named. ``delete``: those rows go. ``append``: new rows at the end.
    ``other``: a table whose rows update those with the same values in the columns ``by``, and
    come to the end if there are none; without ``by``, all come to the end.
    """

    add: Sequence[tuple[str, pa.DataType | None, object]] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: Collection[str] = ()
    set: Mapping[str, object] = field(default_factory=dict)
    sql: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    rows: Collection[int] = ()
    keys: Sequence[Key] = ()
    delete: bool = False
    append: Sequence[Values] = ()
    other: Table | None = None
    by: Sequence[str] = ()

    @property
    def chooses(self) -> bool:
        """Whether it names rows."""
        return bool(self.where or self.rows or self.keys)

    def check(self) -> None:
        """Raise ``UsageError`` for a wish that makes no sense."""
        sets = bool(self.set or self.sql)
        if self.delete and sets:
            raise UsageError("rows are set or deleted, not both")
        if self.delete and not self.chooses:
            raise UsageError("delete which rows?", hint="say it with --where, --row or --key")
        if self.chooses and not (sets or self.delete):
            raise UsageError("what is to be done with these rows?", hint="--set or --delete")
        if self.by and self.other is None:
            raise UsageError("keys of which table?", hint="say it with --from")
        if not (sets or self.delete or self.append or self.other or self.columns):
            raise UsageError("nothing to do", hint="as in --set label=cat --where 'score > 0.9'")

    @property
    def columns(self) -> bool:
        """Whether columns come, go or change their name."""
        return bool(self.add or self.rename or self.drop)


class Plan(NamedTuple):
    """The edits, and what they come to: rows that change, come and go."""

    edits: Edits
    changed: int
    added: int
    deleted: int


def plan(table: Table, wish: Wish) -> Plan:
    """The edits that do what is wished.

    Raises ``NotFoundError`` for a column or a row that is not there, ``InvalidError`` for a value
    that is none of its column, with the engine's message for SQL that makes no sense.
    """
    wish.check()
    columns = _Columns(table, wish)
    cells, gone = _chosen(table, wish, columns)
    merged = upsert(table, wish.other, wish.by, columns.known) if wish.other else Upsert({}, [])
    if merged.cells:
        rows = sorted({*cells, *merged.cells})
        cells = {row: {**cells.get(row, {}), **merged.cells.get(row, {})} for row in rows}
    new = [*merged.rows, *map(columns.fitted, wish.append)]
    total = len(table)
    inserted = [(total, row) for row in new]
    edits = Edits(cells, gone, inserted, wish.rename, wish.add, wish.drop)
    Layout(table.schema.names, edits)
    return Plan(edits, len(cells), len(inserted), len(gone))


class _Columns:
    """What the columns are called, before and after, and their types. ``known``: the names."""

    def __init__(self, table: Table, wish: Wish) -> None:
        self._table = table
        self._free = isinstance(table.reader, CsvReader | JsonReader)
        self._old = {new: old for old, new in wish.rename.items()}
        self._added = {name: type_ for name, type_, _ in wish.add}
        names = table.schema.names
        self.known = [*(wish.rename.get(name, name) for name in names), *self._added]
        self._valid = {*self.known, *names}
        for row in (wish.set, wish.sql, *wish.append):
            for name in row:
                self._check(name)

    def type(self, name: str) -> pa.DataType:
        """The type of a column."""
        old = self._old.get(name, name)
        if name in self._added or old not in self._table.schema.names:
            return self._added.get(name) or pa.string()
        return self._table.schema.field(old).type

    def read(self, name: str, value: object) -> object:
        """A text as a value of a column; a column of a text format takes any."""
        if not isinstance(value, str):
            return value
        type_ = self.type(name)
        if isinstance(self._table.reader, CsvReader):
            return None if value in {"", "null"} and not is_text(type_) else value
        try:
            return read_value(value, type_)
        except InvalidError as error:
            if self._free:
                return value
            raise self._table.source.broken(error.message, column=name) from None

    def fitted(self, row: Values) -> dict[str, object]:
        """The values of a new row."""
        made: dict[str, object] = {}
        for name, value in row.items():
            try:
                made[name] = value if self._free else fitted(value, self.type(name))
            except (ValueError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
                why = f"{value!r} is no {self.type(name)}"
                raise self._table.source.broken(why, column=name) from None
        return made

    def _check(self, name: str) -> None:
        if name not in self._valid:
            try:
                places_of([name], self.known)
            except NotFoundError as error:
                hint = f"{error.hint}; a new one: --add-column {name}"
                raise NotFoundError(error.message, hint=hint) from None


def _chosen(table: Table, wish: Wish, columns: _Columns) -> tuple[Mapping[int, Values], Places]:
    """The cells that are set, and the rows that go."""
    none: dict[int, Values] = {}
    if not (wish.set or wish.sql or wish.delete):
        return none, Places()
    named = _named(table, wish)
    values = {name: columns.read(name, value) for name, value in wish.set.items()}
    if not (wish.where or wish.sql):
        rows = Places(range(len(table)) if named is None else named)
        return (none, rows) if wish.delete else (Alike(rows, values, {}), Places())
    with engine({"t": table.reader}) as sql:
        places, own = _asked(sql, wish, named)
    if wish.delete:
        return none, places
    fitting = {name: _cast(one, columns.type(name)) for name, one in own.items()}
    return Alike(places, values, fitting), Places()


def _asked(
    sql: Engine, wish: Wish, named: Sequence[int] | None
) -> tuple[Places, dict[str, pa.Array]]:
    """The rows that are chosen, and what the expressions give for them."""
    query = Query(where=wish.where)
    check(sql, query)
    for text in wish.sql.values():
        sql.check(f"SELECT (\n{text}\n) FROM t", 1)
    listed = ", ".join([quoted(ROW), *(f"(\n{text}\n)" for text in wish.sql.values())])
    text = f"SELECT {listed} FROM {_ROWS}{where(query)} ORDER BY {quoted(ROW)}"
    found = sql.table(text, 1)
    if named is not None:
        found = found.filter(pc.is_in(found.column(0), pa.array(named, pa.int64())))
    arrays = [found.column(at).combine_chunks() for at in range(found.num_columns)]
    rows = Places(arrays[0].to_pylist())
    return rows, dict(zip(wish.sql, arrays[1:], strict=True))


def _named(table: Table, wish: Wish) -> list[int] | None:
    """The rows named by number or key, ascending; None if none is."""
    if not (wish.rows or wish.keys):
        return None
    total = len(table)
    for row in wish.rows:
        if not 0 <= row < total:
            raise NotFoundError(f"{table.name} has no row {row + 1:,}: it has {total:,} rows")
    rows = set(wish.rows)
    for key, found in zip(wish.keys, find(table, wish.keys), strict=True):
        if len(found) != 1:
            told = f"{table.name}: {len(found) or 'no'} rows have the key {show_key(key)}"
            raise NotFoundError(told) if not found else InvalidError(told, hint="see --where")
        rows.add(found[0])
    return sorted(rows)


def _cast(values: pa.Array, type_: pa.DataType) -> pa.Array:
    """What an expression gives by the type of its column, where that loses nothing."""
    try:
        return pc.cast(values, type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return values
