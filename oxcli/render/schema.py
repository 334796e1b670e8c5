"""Schemas for people: what is kept of a table, and how it leaves that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from oxcli.render.text import Paint, plural, table

if TYPE_CHECKING:
    from oxcore.tables import Table
    from oxcore.tables.departures import Departure
    from oxcore.tables.schema import TableSchema
    from oxcore.verbs.tabular.leaving import Left

_SHOWN = 20  # departures that are told one by one


def warnings(left: Sequence[Left], show: Callable[[bytes], str]) -> list[str]:
    """One line a departure; those beyond the first 20 are counted."""
    lines = [f"{show(one.path)}: {each.text}" for one in left for each in one.departures]
    rest = len(lines) - _SHOWN
    return lines if rest <= 0 else [*lines[:_SHOWN], f"... and {rest:,} more of the like"]


def rows(table_: Table, schema: TableSchema) -> list[dict[str, object]]:
    """One object a column: those of the file in its order, then those that are gone."""
    from oxcore.tables.schema import ColumnSchema
    from oxcore.tables.typenames import type_name

    now = {column.name: type_name(column.type) for column in table_.schema}
    nothing = ColumnSchema()
    made: list[dict[str, object]] = []
    for name in dict.fromkeys((*now, *schema.columns, *schema.key)):
        kept = schema.columns.get(name, nothing)
        made.append(
            {
                "name": name,
                "type": now.get(name),
                "kept": None if kept.type is None else type_name(kept.type),
                "key": name in schema.key,
                "holds": kept.holds or None,
                "description": kept.description or None,
            }
        )
    return made


def lines(
    name: str,
    columns: Sequence[dict[str, object]],
    schema: TableSchema | None,
    found: Sequence[Departure],
    paint: Paint,
) -> Iterator[str]:
    """The whole of ``ox schema show``."""
    key = f", key {', '.join(schema.key)}" if schema is not None and schema.key else ""
    yield paint(f"{name}: {plural(len(columns), 'column')}{key}", "bold")
    if schema is not None and schema.description:
        yield schema.description
    yield ""
    head, *body = table([("column", "type", "kept", "holds", ""), *map(_cells, columns)])
    yield paint(head, "dim")
    yield from body
    yield ""
    if schema is None:
        yield "no schema is kept; make one with: ox schema set FILE --infer"
    elif not found:
        yield paint("it keeps to its schema", "green")
    else:
        yield paint("it leaves its schema:", "yellow")
        yield from (f"  {one.text}" for one in found)


def summary(schema: TableSchema) -> str:
    """``3 columns, key id``."""
    key = f", key {', '.join(schema.key)}" if schema.key else ""
    return f"{plural(len(schema.columns), 'column')}{key}"


def listing(kept: Iterable[tuple[str, TableSchema]]) -> list[str]:
    """One line a table."""
    found = [(name, summary(schema), schema.description) for name, schema in kept]
    return table(found) if found else []


def _cells(column: dict[str, object]) -> tuple[str, ...]:
    name, key = str(column["name"]), " *" if column["key"] else ""
    texts = [str(column[one] or "-") for one in ("type", "kept", "holds")]
    return (name + key, *texts, str(column["description"] or ""))
