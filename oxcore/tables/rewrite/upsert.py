"""Rows of another table: they update those with the same key, and what is new comes to the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa

from oxcore.errors import InvalidError, NotFoundError
from oxcore.tables.asking import places_of
from oxcore.tables.engine import Engine, engine, quoted
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.gather import ascending
from oxcore.tables.reading import ROW, Reader
from oxcore.tables.rewrite.many import Values
from oxcore.tables.rowkeys import row_number
from oxcore.tables.table import Table
from oxcore.tables.values import plain


class Upsert(NamedTuple):
    """New cells by row, and new rows."""

    cells: dict[int, Values]
    rows: list[Values]


class _Cell(NamedTuple):
    """A value to write, and to compare."""

    value: object
    plain: object


def upsert(table: Table, other: Table, by: Sequence[str], known: Sequence[str]) -> Upsert:
    """What the rows of ``other``, which are held in memory, change in ``table``.

    From CSV to CSV they keep their text. Raises ``NotFoundError`` for a column that is not among
    ``known``, the names of ``table`` afterwards, ``InvalidError`` for a key that two rows have.
    """
    names = other.schema.names
    missing = [name for name in names if name not in known]
    if missing:
        why = f"{other.name} has a column {missing[0]!r}, and {table.name} has none"
        raise NotFoundError(why, hint=f"add it as well: --add-column {missing[0]}")
    both = [isinstance(one.reader, CsvReader) for one in (table, other)]
    new = dict(_rows(other, None, names, texts=all(both)))
    if not by:
        return Upsert({}, [_values(row) for row in new.values()])
    pairs = _pairs(table, other, by)
    shared = [name for name in names if name not in by]
    old = [name for name in shared if name in table.schema.names]
    cells: dict[int, Values] = {}
    for row, before in _rows(table, sorted(pairs), old, texts=all(both)):
        after = new.pop(pairs[row])
        changed = {
            name: after[name].value
            for name in shared
            if name not in before or before[name].plain != after[name].plain
        }
        if changed:
            cells[row] = changed
    return Upsert(cells, [_values(row) for row in new.values()])


def _values(row: dict[str, _Cell]) -> dict[str, object]:
    return {name: cell.value for name, cell in row.items()}


def _rows(
    table: Table, rows: Sequence[int] | None, names: Sequence[str], *, texts: bool
) -> Iterator[tuple[int, dict[str, _Cell]]]:
    """Some rows, or all, with their numbers; ``texts``: as CSV has them."""
    reader = table.reader
    wanted: Sequence[int] = range(len(table)) if rows is None else rows
    columns = places_of(names, reader.schema.names)
    if not columns:
        yield from ((row, {}) for row in wanted)
        return
    at = 0
    for batch in ascending(reader, [wanted], columns):
        typed = batch if texts else reader.typed(batch, columns)
        cells = [_cells(column, texts=texts) for column in typed.columns]
        for row in zip(*cells, strict=True):
            yield wanted[at], dict(zip(names, row, strict=True))
            at += 1


def _cells(column: pa.Array, *, texts: bool) -> list[_Cell]:
    if texts:
        return [_Cell(value, value) for value in column.to_pylist()]
    values = [value if value.is_valid else None for value in column]
    return list(map(_Cell, values, plain(column)))


def _pairs(table: Table, other: Table, by: Sequence[str]) -> dict[int, int]:
    """The rows of both that have the same key."""
    places = [places_of(by, one.schema.names) for one in (table, other)]
    with engine({"t": table.reader, "o": other.reader}) as sql:
        equal = " AND ".join(
            _equal(sql, (table.reader, other.reader), pair) for pair in zip(*places, strict=True)
        )
        rows = f't.{quoted(ROW)}, o.{quoted(ROW)} FROM "t rows" t JOIN "o rows" o ON {equal}'
        found = sql.rows(f"SELECT {rows} ORDER BY 1, 2")
    pairs: dict[int, int] = {}
    taken: dict[int, int] = {}
    for one, two in found:
        if one in pairs:
            raise _doubled(other, pairs[one], two, by)
        if two in taken:
            raise _doubled(table, taken[two], one, by)
        pairs[one], taken[two] = two, one
    return pairs


def _equal(sql: Engine, readers: tuple[Reader, Reader], places: tuple[int, int]) -> str:
    """The condition that a column has the same value on both sides; a null has none."""
    sides = [f"{side}.{quoted(sql.names[side][at])}" for side, at in zip("to", places, strict=True)]
    types = [one.schema.field(at).type for one, at in zip(readers, places, strict=True)]
    if types[0] != types[1]:
        sides = [f"CAST({side} AS VARCHAR)" for side in sides]
    return " = ".join(sides)


def _doubled(table: Table, one: int, two: int, by: Sequence[str]) -> InvalidError:
    first, second = (row_number(table, row) for row in sorted((one, two)))
    why = f"rows {first:,} and {second:,} have the same {', '.join(by)}"
    return InvalidError(f"{table.name}: {why}", hint="keys must tell the rows apart")
