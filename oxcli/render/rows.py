"""Rows of a table that differ: counts, then the rows, as wide as the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from oxcli.render import frame
from oxcli.render.frame import CAPS, GAP, in_columns, padded
from oxcli.render.text import Paint, clean, number, plural

if TYPE_CHECKING:
    import pyarrow as pa

    from oxcore.tables.rowdiff.result import Run
    from oxcore.verbs.comparing.tablediff import TableDiff

_BLOCK = 1000  # rows that are laid out together
_MARKS = {"added": "+", "removed": "-", "changed": "~"}
_COLOURS = {"+": "green", "-": "red", "~": "yellow"}
_ARROW = " -> "
_LONG = 10_000  # characters of a value that are looked at
_CONTEXT = 8  # characters before the first that differs


class Field(NamedTuple):
    """A column of what is shown: its head, and its places in the old and the new table; without
    either the numbers of rows, from 1."""

    head: str
    old: int | None
    new: int | None
    right: bool
    key: bool = False


class Cell(NamedTuple):
    """What is shown of a cell; of one that changed, the texts before and after."""

    text: str
    pair: tuple[str, str] | None = None

    def painted(self, size: int, paint: Paint, *, right: bool) -> str:
        """In so many columns of the terminal, with colours for what changed."""
        made = padded(self.text, size, right=right)
        if self.pair is None:
            return made
        if in_columns(self.text) > size:
            return paint(made, "yellow")
        old, new = self.pair
        return made.replace(self.text, f"{paint(old, 'red')}{_ARROW}{paint(new, 'green')}")


def lines(found: TableDiff, name: str, paint: Paint, limit: int | None) -> Iterator[str]:
    """The counts, and the rows that differ, or the first ``limit``."""
    wide = frame.width()
    yield paint(f"{name}: ", "bold") + counts(found)
    cells = [f"{clean(column)} {number(count)}" for column, count in found.rows.cells.items()]
    if cells:
        yield from frame.wrapped("changed cells: ", cells, wide)
    fields = _fields(found)
    for block in _blocks(found, limit):
        yield from _block(block, fields, wide, paint)
    total = _total(found)
    if limit is not None and total > limit:
        left = plural(total - limit, "more row")
        yield paint(f"... and {left}: see them with --all, or -o FILE.parquet", "dim")


def counts(found: TableDiff) -> str:
    """``3 added, 1 removed of 4,310 rows by id; columns +x, -y, a -> b, c int64 -> double``."""
    rows = found.rows
    if found.old is None or found.new is None:
        columns = rows.columns.added or rows.columns.removed
        size = f"{plural(_total(found), 'row')} x {plural(len(columns), 'column')}"
        return f"{size} {'added' if found.old is None else 'removed'}"
    named = zip(_MARKS, (rows.counts.added, rows.counts.removed, rows.counts.changed), strict=True)
    parts = [f"{number(count)} {word}" for word, count in named if count]
    before, after = rows.counts.old or 0, rows.counts.new or 0
    size = plural(after, "row") if before == after else f"{before:,}{_ARROW}{plural(after, 'row')}"
    text = f"{', '.join(parts) or 'none differs'} of {size} {_by(found)}"
    names = _columns(found)
    return f"{text}; columns {', '.join(names)}" if names else text


def document(found: TableDiff, limit: int | None) -> dict[str, object]:
    """The same for programs; ``rows`` are made on the way; ``more``: how many are left out."""
    return {
        **summary(found),
        "more": 0 if limit is None else max(0, _total(found) - limit),
        "rows": (record for block in _blocks(found, limit) for record in _records(found, block)),
    }


def summary(found: TableDiff) -> dict[str, object]:
    """The counts for programs."""
    rows, tables = found.rows, (found.old, found.new)
    return {
        "by": rows.by,
        "keys": rows.keys,
        "formats": [None if table is None else table.format for table in tables],
        "counts": rows.counts,
        "columns": rows.columns,
        "cells": rows.cells,
    }


def _records(found: TableDiff, block: Run) -> Iterator[dict[str, object]]:
    names = [[] if one is None else one.schema.names for one in (found.old, found.new)]
    sides = [_plain(table) for table in (block.old, block.new)]
    places = block.old_rows, block.new_rows
    for at, kind in enumerate(block.kinds):
        old, new = (
            None if rows[at] is None else dict(zip(own, (one[at] for one in side), strict=True))
            for own, side, rows in zip(names, sides, places, strict=True)
        )
        yield {
            "change": kind,
            "old_row": block.old_rows[at],
            "new_row": block.new_rows[at],
            "cells": block.cells[at],
            "old": old,
            "new": new,
        }


def _plain(table: pa.Table) -> list[list[object]]:
    from oxcore.tables import plain

    return [[one for chunk in column.chunks for one in plain(chunk)] for column in table.columns]


def _blocks(found: TableDiff, limit: int | None) -> Iterator[Run]:
    """The rows that differ, as many as are laid out together."""
    from oxcore.tables.rowdiff.result import Run

    for run in found.rows.runs(limit):
        for at in range(0, len(run.kinds), _BLOCK):
            part = slice(at, at + _BLOCK)
            yield Run(
                run.kinds[part],
                run.old_rows[part],
                run.new_rows[part],
                run.cells[part],
                run.old.slice(at, _BLOCK),
                run.new.slice(at, _BLOCK),
            )


def _total(found: TableDiff) -> int:
    counts = found.rows.counts
    return counts.added + counts.removed + counts.changed


def _by(found: TableDiff) -> str:
    if found.rows.by == "key":
        return f"by {', '.join(map(clean, found.rows.keys))}"
    return "in order" if found.rows.by == "order" else "as whole rows"


def _columns(found: TableDiff) -> list[str]:
    columns = found.rows.columns
    return [
        *(f"+{clean(name)}" for name in columns.added),
        *(f"-{clean(name)}" for name in columns.removed),
        *(f"{clean(old)}{_ARROW}{clean(new)} renamed" for old, new in columns.renamed),
        *(f"{clean(name)} {old}{_ARROW}{new}" for name, old, new in columns.retyped),
    ]


def _fields(found: TableDiff) -> list[Field]:
    """The key first, then the new table's columns in their order, then those that are gone."""
    before = {pair.new_at: pair.old_at for pair in found.rows.pairs}
    gone = set(before.values())
    new = [
        Field(clean(one.name), before.get(at), at, _is_right(one), one.name in found.rows.keys)
        for at, one in enumerate(() if found.new is None else found.new.schema)
    ]
    old = [
        Field(clean(one.name), at, None, _is_right(one))
        for at, one in enumerate(() if found.old is None else found.old.schema)
        if at not in gone
    ]
    if found.rows.by == "key":
        return [*sorted(new, key=lambda field: not field.key), *old]
    return [Field("#", None, None, right=True, key=True), *new, *old]


def _is_right(column: pa.Field) -> bool:
    return str(column.type).startswith(frame.RIGHT)


# -- the layout


def _block(block: Run, fields: Sequence[Field], wide: int, paint: Paint) -> Iterator[str]:
    half = (_changed_cap(wide) - len(_ARROW)) // 2
    cells = [_cells(field, block, half) for field in fields]
    sizes, shown = _fitting(fields, cells, wide)
    heads = [padded(fields[i].head, sizes[i], right=fields[i].right) for i in shown]
    yield paint(f"  {GAP.join(heads)}".rstrip(), "bold")
    for place, kind in enumerate(block.kinds):
        mark = _MARKS[kind]
        parts = [cells[i][place].painted(sizes[i], paint, right=fields[i].right) for i in shown]
        line = f"{mark} {GAP.join(parts)}".rstrip()
        colour = _COLOURS[mark]
        yield paint(line, colour) if mark != "~" else paint(mark, colour) + line[1:]
    if len(shown) < len(fields):
        rest = [field.head for i, field in enumerate(fields) if i not in shown]
        yield from frame.wrapped(f"{plural(len(rest), 'more column')}: ", rest, wide)


def _cells(field: Field, block: Run, half: int) -> list[Cell]:
    """The cells of a column; empty where a row has none."""
    if field.old is None and field.new is None:
        pairs = zip(block.old_rows, block.new_rows, strict=True)
        return [Cell(str((old or 0) + 1 if new is None else new + 1)) for old, new in pairs]
    before, after = _texts(block.old, field.old), _texts(block.new, field.new)
    name = None if field.new is None else block.new.schema.names[field.new]
    cells = []
    for at, kind in enumerate(block.kinds):
        old = None if kind == "added" or before is None else before[at]
        new = None if kind == "removed" or after is None else after[at]
        if old is not None and new is not None and name in block.cells[at]:
            pair = _apart(old, new, half)
            cells.append(Cell(_ARROW.join(pair), pair))
        else:
            cells.append(Cell(frame.cut(old or "" if new is None else new, CAPS[0])))
    return cells


def _texts(table: pa.Table, at: int | None) -> list[str] | None:
    from oxcore.tables import texts

    if at is None or at >= table.num_columns:
        return None
    values = (one for chunk in table.column(at).chunks for one in texts(chunk))
    return [frame.cell(None if one is None else one[:_LONG]) for one in values]


def _apart(old: str, new: str, half: int) -> tuple[str, str]:
    """Two texts that differ, cut round the place where they begin to."""
    pairs = enumerate(zip(old, new, strict=False))
    start = next((at for at, (a, b) in pairs if a != b), min(len(old), len(new))) - _CONTEXT
    if start > 0 and max(len(old), len(new)) > half:
        old, new = f"…{old[start:]}", f"…{new[start:]}"
    return frame.cut(old, half), frame.cut(new, half)


def _changed_cap(wide: int) -> int:
    """The widest cell with two values: half of the terminal, that others have room beside it."""
    return max(CAPS[-1], min(CAPS[0], wide // 2))


def _fitting(
    fields: Sequence[Field], cells: Sequence[Sequence[Cell]], wide: int
) -> tuple[list[int], list[int]]:
    """The width of each column, and which are shown: keys, then what changed most, then the rest.

    The narrower the others, the more fit; two values have room for both.
    """
    changed = [sum(cell.pair is not None for cell in column) for column in cells]
    order = sorted(range(len(fields)), key=lambda i: (not fields[i].key, -changed[i], i))
    two = [_widest(cell for cell in column if cell.pair is not None) for column in cells]
    one = [_widest(cell for cell in column if cell.pair is None) for column in cells]
    sizes, shown = list[int](), list[int]()
    for cap in CAPS:
        sizes = [
            max(min(both, _changed_cap(wide)), min(cap, max(own, in_columns(field.head))))
            for both, own, field in zip(two, one, fields, strict=True)
        ]
        shown = _first(order, sizes, wide - 2)
        if len(shown) == len(fields):
            break
    return sizes, sorted(shown)


def _widest(cells: Iterable[Cell]) -> int:
    return max((in_columns(cell.text) for cell in cells), default=0)


def _first(order: Sequence[int], sizes: Sequence[int], wide: int) -> list[int]:
    """As many columns, in the order, as there is room for; one at least."""
    shown, used = list[int](), -len(GAP)
    for i in order:
        used += sizes[i] + len(GAP)
        if used > wide and shown:
            break
        shown.append(i)
    return shown
