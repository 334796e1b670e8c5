"""From a query to rows.

SQL only says which rows, and in which order: their values come from the file as it has them,
whatever the engine makes of their types. Only a whole query (``Query.sql``) gives values of its
own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from tempfile import TemporaryDirectory
from typing import Self

import pyarrow as pa

from oxcore.tables import gather
from oxcore.tables.asking import Part, Query, places_of
from oxcore.tables.engine import Engine, engine, quoted
from oxcore.tables.formatnames import is_separated
from oxcore.tables.reading import ROW, Facts, Piece, Reader, loaded, some
from oxcore.tables.writing import write

_FEW = 1 << 16  # rows that are put in order in memory
_RESULT = '"ox result"'
_ROWS = '"t rows"'

Batches = Iterator[pa.RecordBatch]
Runs = Iterator[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Picked:
    """Rows that were asked for: the types of the columns; ``total``, the rows that the query has
    before a part is taken, and ``nulls`` of each column among these (None: not counted).

    Close it, or use it as a context manager: it may hold an engine open.
    """

    schema: pa.Schema
    total: int
    nulls: tuple[int | None, ...]
    source: Callable[[], Batches]
    typed: Callable[[pa.RecordBatch], pa.RecordBatch]
    holds: ExitStack = field(default_factory=ExitStack)

    def raw(self) -> Batches:
        """The rows as the file has them: of CSV, text."""
        yield from self.source()

    def batches(self) -> Batches:
        """The rows by value."""
        yield from map(self.typed, self.source())

    def write(self, path: str, *, replace: bool = False) -> int:
        """Write the rows to a file in the format that its name says; gives their number.

        CSV of CSV keeps the text of every value. See ``tables.write`` for names and errors.
        """
        rows = self.raw() if is_separated(path) else self.batches()
        return write(path, self.schema, rows, replace=replace)

    def close(self) -> None:
        """Let go of what was opened."""
        self.holds.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def pick(reader: Reader, query: Query, part: Part, facts: Callable[[], Facts]) -> Picked:
    """The rows of ``reader`` that ``query`` and ``part`` name."""
    if query.sql:
        return _by_sql(reader, query.sql, part)
    columns = places_of(query.columns, reader.schema.names) if query.columns else None
    schema = some(reader.schema, columns)

    def typed(batch: pa.RecordBatch) -> pa.RecordBatch:
        return reader.typed(batch, columns)

    if query.where or query.sort:
        with ExitStack() as stack:
            sql = stack.enter_context(engine({"t": reader}))
            check(sql, query)
            total, nulls = _counted(sql, query, columns or range(len(reader.schema)))
            places = part.places(total)
            return Picked(
                schema,
                total,
                nulls,
                lambda: _ordered(reader, sql, query, places, columns),
                typed,
                stack.pop_all(),
            )
    known = facts()
    places = part.places(known.rows)
    kept = range(len(reader.schema)) if columns is None else columns
    nulls = tuple(known.nulls[index] for index in kept)
    return Picked(
        schema, known.rows, nulls, lambda: gather.ascending(reader, [places], columns), typed
    )


def check(sql: Engine, query: Query) -> None:
    """Raise ``InvalidError`` with the place in the user's text for SQL that makes no sense."""
    if query.sql:
        sql.check(query.sql)
    if query.where:
        sql.check(f"SELECT 1 FROM t WHERE (\n{query.where}\n)", 1)
    if query.sort:
        sql.check(f"SELECT 1 FROM t ORDER BY\n{query.sort}\n, 1", 1)


def text_of(names: Sequence[str], query: Query) -> str:
    """The query as SQL; ``names``: the columns as the engine calls them."""
    if query.sql:
        return query.sql
    return f"SELECT {', '.join(map(quoted, names)) or '1'} FROM {_ROWS}{where(query)}"


def where(query: Query) -> str:
    """The condition on rows as SQL; nothing without one."""
    return f" WHERE (\n{query.where}\n)" if query.where else ""


def _counted(
    sql: Engine, query: Query, columns: Sequence[int]
) -> tuple[int, tuple[int | None, ...]]:
    """Rows of the query, and nulls of the columns among them."""
    taken = [sql.names["t"].get(index) for index in columns]
    counts = ["count(*)", *(f"count({quoted(name)})" for name in taken if name is not None)]
    text = f"SELECT {', '.join(counts)} FROM {_ROWS}{where(query)}"
    total, *filled = sql.rows(text, 1)[0]
    rest = iter(filled)
    return total, tuple(None if name is None else total - next(rest) for name in taken)


def _ordered(
    reader: Reader,
    sql: Engine,
    query: Query,
    places: Sequence[int],
    columns: Sequence[int] | None,
) -> Batches:
    """Of the rows in the query's order, those at ``places``; a condition leaves the file's."""
    runs = _runs(sql, query, places)
    if not query.sort:
        yield from gather.ascending(reader, runs, columns)
    elif len(places) <= _FEW:
        yield from gather.any_order(reader, list(chain.from_iterable(runs)), columns)
    else:
        with TemporaryDirectory(prefix="ox-") as folder:
            yield from gather.spooled(reader, runs, columns, folder)


def _runs(sql: Engine, query: Query, places: Sequence[int]) -> Runs:
    """The numbers of the rows in the file, in the query's order, of those at ``places``."""
    order = f"\n{query.sort}\n, {quoted(ROW)}" if query.sort else quoted(ROW)
    text = f"SELECT {quoted(ROW)} FROM {_ROWS}{where(query)} ORDER BY {order}"
    if not places:
        return iter(())
    first, last = places[0], places[-1] + 1
    found = sql.batches(f"{text} LIMIT {last - first} OFFSET {first}", 1)
    runs = (batch.column(0).to_pylist() for batch in found)
    return runs if len(places) == last - first else _chosen(runs, places, first)


def _chosen(runs: Runs, places: Sequence[int], start: int) -> Runs:
    """Of numbers that come in runs, the first being the ``start``-th, those at ``places``."""
    at = 0
    for run in runs:
        end = start + len(run)
        chosen = []
        while at < len(places) and places[at] < end:
            chosen.append(run[places[at] - start])
            at += 1
        start = end
        if chosen:
            yield chosen


class _Result:
    """What a query gave, kept by the engine, as a reader."""

    def __init__(self, sql: Engine, text: str) -> None:
        self._sql = sql
        sql.run(f"CREATE TEMP TABLE {_RESULT} AS\n{text}", 1)
        self.schema: pa.Schema = sql.table(f"SELECT * FROM {_RESULT} LIMIT 0").schema

    def facts(self) -> Facts:
        """Rows and nulls."""
        names = self.schema.names
        counts = ", ".join(["count(*)", *(f"count({quoted(name)})" for name in names)])
        rows, *filled = self._sql.rows(f"SELECT {counts} FROM {_RESULT}")[0]
        return Facts(rows, tuple(rows - count for count in filled))

    def pieces(self, columns: Sequence[int] | None = None) -> Iterator[Piece]:
        """All rows, in the order of the query."""
        return map(loaded, self._sql.batches(f"SELECT * FROM {_RESULT}"))

    def typed(self, batch: pa.RecordBatch, columns: Sequence[int] | None = None) -> pa.RecordBatch:
        """The rows as they are."""
        return batch


def _by_sql(reader: Reader, text: str, part: Part) -> Picked:
    with ExitStack() as stack:
        picked = picked_by(stack.enter_context(engine({"t": reader})), text, part)
        picked.holds.push(stack.pop_all())
        return picked


def picked_by(sql: Engine, text: str, part: Part) -> Picked:
    """The rows, or a part of them, that the query ``text`` gives."""
    sql.check(text)
    result = _Result(sql, text)
    facts = result.facts()
    places = part.places(facts.rows)
    return Picked(
        result.schema,
        facts.rows,
        facts.nulls,
        lambda: gather.ascending(result, [places], None),
        result.typed,
    )
