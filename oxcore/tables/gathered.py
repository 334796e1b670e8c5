"""Many Parquet files that are one table, columns matched by name: read by the engine alone.

What each of them holds is asked of the engine, which keeps their ends for when it reads them. So
nothing else has to be loaded that knows Parquet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from oxcore.tables.direct import COUNTER
from oxcore.tables.source import Source

Ask = Callable[[str], list[tuple[Any, ...]]]
Layout = Mapping[str, str]
"""The columns of a file, and what SQL calls their types."""


@runtime_checkable
class Gathered(Protocol):
    """A reader of many Parquet files. ``types``: its columns, and what SQL calls their types; one
    that a file lacks is null there."""

    types: Layout

    def files(self) -> Sequence[Source] | None:
        """The files; None where they are too many."""


def gathered(ask: Ask, addresses: Sequence[str], types: Layout) -> str | None:
    """The query for the rows of these files with their number in the file; None where one holds a
    column as another type."""
    listed = list(addresses)  # ours, without quotes: SQL writes it as Python does
    layouts = _layouts(ask, listed) if addresses else []
    if not all(one is not None and _fits(one, types) for one in layouts):
        return None
    known = [one.keys() & types.keys() for one in layouts if one is not None]
    there = frozenset[str]().union(*known)
    columns = [
        f'"{name}"' if name in there else f'CAST(NULL AS {type_}) AS "{name}"'
        for name, type_ in types.items()
    ]
    if not addresses:
        return f"SELECT {', '.join(columns)}, 0::BIGINT AS {COUNTER} WHERE false"
    how = f"{COUNTER} = true, union_by_name = {any(one != there for one in known)}"
    return f"SELECT {', '.join(columns)}, {COUNTER} FROM read_parquet({listed}, {how})"


def _layouts(ask: Ask, listed: list[str]) -> list[Layout | None]:
    """The layouts that occur; None for one whose names differ in case alone."""
    found = ask(
        "SELECT DISTINCT list((name, coalesce(num_children, 0), duckdb_type) ORDER BY column_id) "
        f"FROM parquet_schema({listed}) GROUP BY file_name"
    )
    return [_layout(columns[1:]) for (columns,) in found]  # the first is the row itself


def _layout(columns: Sequence[tuple[str, int, str]]) -> Layout | None:
    """Of columns with those within them, the outer ones."""
    found: dict[str, str] = {}
    folded: set[str] = set()
    within = 0
    for name, inner, type_ in columns:
        if not within:
            if name.casefold() in folded:
                return None
            folded.add(name.casefold())
            found[name] = type_
        within += inner - bool(within)
    return found


def _fits(layout: Layout, types: Layout) -> bool:
    """Whether the engine, which finds names in any case, gives what is asked for."""
    folded = {name.casefold(): name for name in types} | {COUNTER: ""}
    return all(
        name == folded[name.casefold()] and _plain(type_) == _plain(types[name])
        for name, type_ in layout.items()
        if name.casefold() in folded
    )


def _plain(type_: str) -> str:
    return type_.replace('"', "")
