"""Which rows and cells of three versions differ: one query, answered by the engine.

Only what theirs changed matters: ours is what the merge starts from. So the base is held against
theirs, and what differs against ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import pyarrow as pa

from oxcore.errors import InvalidError
from oxcore.tables.engine import Engine, quoted
from oxcore.tables.reading import ROW, Reader
from oxcore.tables.rowmerge.columns import Column
from oxcore.tables.values import text

_ROW = quoted(ROW)
SIDES = ("base", "ours", "theirs")


class Say(IntEnum):
    """What a cell says: nothing is to do, theirs is to take, both changed it, ours dropped its
    column and theirs changed it."""

    KEEP = 0
    TAKE = 1
    BOTH = 2
    LOST = 3


class Sides:
    """The columns as the engine calls them, in each version; ``keys`` are among ``columns``."""

    def __init__(
        self,
        sql: Engine,
        readers: Sequence[Reader],
        columns: Sequence[Column],
        keys: Sequence[Column],
    ) -> None:
        self.sql = sql
        self.keys, self.cells = keys, [column for column in columns if column not in keys]
        self._schemas = [reader.schema for reader in readers]
        self._names = [
            {reader.schema.field(at).name: quoted(name) for at, name in sql.names[side].items()}
            for side, reader in zip(SIDES, readers, strict=True)
        ]

    def name(self, column: Column, side: int) -> str:
        """What SQL calls a column on a side where it is."""
        return self._names[side][column[side] or ""]

    def type(self, column: Column, side: int) -> pa.DataType:
        """The type of a column on a side where it is."""
        return self._schemas[side].field(column[side]).type

    def on(self, left: int, right: int, names: tuple[str, str]) -> str:
        """The condition that two rows have the same key."""
        pairs = [
            f"{names[0]}.{self.name(key, left)} = {names[1]}.{self.name(key, right)}"
            for key in self.keys
        ]
        return " AND ".join(pairs)


def keep_keys(sides: Sides) -> None:
    """Have the engine keep the keys of all rows, and raise ``InvalidError`` unless they tell the
    rows of each version apart. The other questions but ``compare`` are answered by these."""
    columns = [f"k{i}" for i in range(len(sides.keys))]
    listed = ", ".join(columns)
    nulls = " OR ".join(f"{name} IS NULL" for name in columns)
    for side, called in enumerate(SIDES):
        named = [f"{sides.name(key, side)} AS k{i}" for i, key in enumerate(sides.keys)]
        rows = f"SELECT {', '.join(named)}, {_ROW} AS r FROM {_table(side)}"
        sides.sql.run(f"CREATE TEMP TABLE {_kept(side)} AS {rows}")
        found = sides.sql.rows(
            f"SELECT {listed}, max(r), bool_or({nulls}) FROM {_kept(side)}"
            f" GROUP BY {listed} HAVING count(*) > 1 OR bool_or({nulls}) ORDER BY max(r) LIMIT 1"
        )
        if found:
            *values, row, null = found[0]
            key = ", ".join(key.name for key in sides.keys)
            what = "is null" if null else f"{_said(values)} comes twice"
            raise InvalidError(f"the key {key} {what} in {called}, row {row + 1:,}")


def compare(sides: Sides) -> pa.Table:
    """What theirs changed, in the order of our rows.

    Columns ``base``, ``ours``, ``theirs``: numbers of rows, null where there is none; ``own``: of a
    row that one side deleted, whether the other changed it; then a ``Say`` for each of
    ``sides.cells``.
    """
    said = [f"CAST({_say(sides, i)} AS TINYINT) AS c{i}" for i in range(len(sides.cells))]
    on = " AND ".join(f"o.{sides.name(key, 1)} = d.k{i}" for i, key in enumerate(sides.keys))
    listed = ", ".join([f"d.b AS base, o.{_ROW} AS ours, d.t AS theirs, {_own(sides)}", *said])
    return sides.sql.table(
        f"SELECT {listed} FROM ({_differing(sides)}) d LEFT JOIN {_table(1)} o ON {on}"
        " ORDER BY ours NULLS LAST, theirs NULLS LAST, base"
    )


def _differing(sides: Sides) -> str:
    """The rows of base and theirs that are not the same, with their values."""
    listed = [f"b.{_ROW} AS b", f"t.{_ROW} AS t"]
    for i, key in enumerate(sides.keys):
        listed.append(f"coalesce(t.{sides.name(key, 2)}, b.{sides.name(key, 0)}) AS k{i}")
    tests = [f"b.{_ROW} IS NULL", f"t.{_ROW} IS NULL"]
    for i, column in enumerate(sides.cells):
        if column.base is not None:
            listed.append(f"b.{sides.name(column, 0)} AS b{i}")
        if column.theirs is not None:
            listed.append(f"t.{sides.name(column, 2)} AS t{i}")
            value = f"b.{sides.name(column, 0)}" if column.base is not None else "NULL"
            tests.append(f"{value} IS DISTINCT FROM t.{sides.name(column, 2)}")
    return (
        f"SELECT {', '.join(listed)} FROM {_table(0)} b FULL JOIN {_table(2)} t"
        f" ON {sides.on(0, 2, ('b', 't'))} WHERE {' OR '.join(tests)}"
    )


def _own(sides: Sides) -> str:
    """Whether the side that kept a row changed it."""
    here = [
        f"d.b{i} IS DISTINCT FROM o.{sides.name(column, 1)}"
        for i, column in enumerate(sides.cells)
        if column.base is not None and column.ours is not None
    ]
    there = [
        f"d.b{i} IS DISTINCT FROM d.t{i}"
        for i, column in enumerate(sides.cells)
        if column.base is not None and column.theirs is not None
    ]
    return (
        f"CASE WHEN d.b IS NULL OR (d.t IS NULL AND o.{_ROW} IS NULL) THEN false"
        f" WHEN d.t IS NULL THEN {_any(here)}"
        f" WHEN o.{_ROW} IS NULL THEN {_any(there)} ELSE false END AS own"
    )


def _any(tests: Sequence[str]) -> str:
    return f"({' OR '.join(tests)})" if tests else "false"


def _say(sides: Sides, i: int) -> str:
    """The ``Say`` of the cells of one column, as SQL.

    A column that the base lacks is null there; in a row that both sides added, only what is the
    same goes without a question.
    """
    column = sides.cells[i]
    if column.theirs is None:
        return str(Say.KEEP.value)
    base = f"d.b{i}" if column.base is not None else "NULL"
    same = f"WHEN {base} IS NOT DISTINCT FROM d.t{i} THEN {Say.KEEP.value}"
    if column.gone_here:
        return f"CASE WHEN d.b IS NULL OR d.t IS NULL THEN 0 {same} ELSE {Say.LOST.value} END"
    if column.ours is None:
        return f"CASE {same} ELSE {Say.TAKE.value} END"
    ours = f"o.{sides.name(column, 1)}"
    return (
        f"CASE WHEN {ours} IS NOT DISTINCT FROM d.t{i} THEN {Say.KEEP.value}"
        f" WHEN d.b IS NULL THEN {Say.BOTH.value} {same}"
        f" WHEN {ours} IS NOT DISTINCT FROM {base} THEN {Say.TAKE.value} ELSE {Say.BOTH.value} END"
    )


def edited_here(sides: Sides, columns: Sequence[Column]) -> list[bool]:
    """Of columns that base and ours have: whether ours changed a cell of rows that it kept."""
    tests = [f"b.{sides.name(one, 0)} IS DISTINCT FROM o.{sides.name(one, 1)}" for one in columns]
    listed = ", ".join(f"bool_or({test})" for test in tests)
    on = sides.on(0, 1, ("b", "o"))
    found = sides.sql.rows(f"SELECT {listed} FROM {_table(0)} b JOIN {_table(1)} o ON {on}")[0]
    return [bool(one) for one in found]


def new_rows(sides: Sides, side: int) -> int:
    """How many rows of a side have a key that the base does not have."""
    text = f"SELECT count(*) FROM {_kept(side)} s ANTI JOIN {_kept(0)} b USING ({_using(sides)})"
    found: int = sides.sql.rows(text)[0][0]
    return found


def renames(
    sides: Sides, side: int, gone: Sequence[Column], new: Sequence[Column]
) -> dict[str, str]:
    """Old name -> new of columns that a side renamed: all rows that it shares with the base have
    the same values, and these are not all the same. ``gone`` and ``new``: the columns that may be.
    """
    pairs = [(a, b) for a in gone for b in new if sides.type(a, 0) == sides.type(b, side)]
    if not pairs:
        return {}
    tests = []
    for a, b in pairs:
        old, now = f"b.{sides.name(a, 0)}", f"s.{sides.name(b, side)}"
        tests.append(f"bool_and({old} IS NOT DISTINCT FROM {now}) AND count(DISTINCT {old}) > 1")
    on = sides.on(0, side, ("b", "s"))
    text = f"SELECT {', '.join(tests)} FROM {_table(0)} b JOIN {_table(side)} s ON {on}"
    same = [pair for pair, one in zip(pairs, sides.sql.rows(text)[0], strict=True) if one]
    olds, news = Counter(a for a, _ in same), Counter(b for _, b in same)
    return {a.base or "": b[side] or "" for a, b in same if olds[a] == news[b] == 1}


class Anchor(NamedTuple):
    """A row of theirs, and the row of ours behind which it goes (-1: before all)."""

    theirs: int
    ours: int


def anchors(sides: Sides, rows: Sequence[int]) -> list[Anchor]:
    """For ascending rows that only theirs has: behind which row of ours each goes.

    That is the nearest row before it in theirs that ours has too: it stays, since theirs has it.
    """
    if not rows:
        return []
    sides.sql.hold("ox added", pa.table({"t": pa.array(rows, pa.int64())}))
    both = f"SELECT t.r AS t, o.r AS o FROM {_kept(2)} t JOIN {_kept(1)} o USING ({_using(sides)})"
    found = sides.sql.rows(
        f'SELECT a.t, m.o FROM "ox added" a ASOF LEFT JOIN ({both}) m ON a.t >= m.t ORDER BY a.t'
    )
    return [Anchor(t, -1 if o is None else o) for t, o in found]


def _table(side: int) -> str:
    return quoted(f"{SIDES[side]} rows")


def _kept(side: int) -> str:
    return quoted(f"{SIDES[side]} keys")


def _using(sides: Sides) -> str:
    return ", ".join(f"k{i}" for i in range(len(sides.keys)))


def _said(values: Sequence[object]) -> str:
    plainly = (value if isinstance(value, str | int | float) else str(value) for value in values)
    return ", ".join(map(text, plainly))
