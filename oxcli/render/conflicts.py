"""What is open of a merge, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from oxcli.render import frame
from oxcli.render.branches import Show, conflict_document, conflict_words
from oxcli.render.text import Paint, clean, plural

if TYPE_CHECKING:
    from oxcore.tables.rowmerge import CellConflict
    from oxcore.verbs.tabular.conflicts import OpenConflict

LISTED = 50  # conflicts of a table for people; the rest is counted
_GAP = "  "
_CAPS = (48, 32, 20, 12)  # widest cell, the first with which all columns fit


def view(found: Sequence[OpenConflict], show: Show, paint: Paint) -> Iterator[str]:
    """Lines: the files, and the open cells of tables."""
    for place, one in enumerate(found):
        words = conflict_words(one.conflict, one.state)
        yield paint(show(one.path), "bold") + f"  ({words})"
        if one.left:
            yield from _cells(one, paint)
        if one.left and place + 1 < len(found):
            yield ""
    yield ""
    yield from _hints(found, show)


def documents(found: Iterable[OpenConflict]) -> Iterator[dict[str, object]]:
    """The objects for programs: one a file, with its cells."""
    from oxcore.tables.rowmerge import cell_name

    for one in found:
        cells = [
            {
                "name": cell_name(cell),
                "key": cell.key or None,
                "column": cell.column,
                "kind": cell.kind,
                "base": cell.base,
                "ours": cell.ours,
                "theirs": cell.theirs,
            }
            for cell in one.cells()
        ]
        document = conflict_document(one.conflict, one.state)
        yield {**document, "cells": cells} if one.keys else document


def _cells(one: OpenConflict, paint: Paint) -> Iterator[str]:
    wide = frame.width()
    rows = [_row(one, cell) for cell in islice(one.cells(), LISTED)]
    heads = [*one.keys, "column", "base", "ours", "theirs"]
    for number, line in enumerate(_grid([heads, *rows], wide - 2)):
        yield "  " + (paint(line, "dim") if number == 0 else line)
    if one.left > LISTED:
        yield f"  ... and {one.left - LISTED:,} more: ox conflicts --json, or -o FILE, has all"


def _grid(rows: Sequence[Sequence[str]], wide: int) -> Iterator[str]:
    """Rows in columns, cells cut as far as it takes to fit."""
    sizes: list[int] = []
    for cap in _CAPS:
        sizes = [min(cap, max(map(frame.in_columns, column))) for column in zip(*rows, strict=True)]
        if sum(sizes) + len(_GAP) * (len(sizes) - 1) <= wide:
            break
    for row in rows:
        pairs = zip(row, sizes, strict=True)
        line = _GAP.join(frame.padded(text, size, right=False) for text, size in pairs)
        yield frame.cut(line.rstrip(), wide)


def _row(one: OpenConflict, cell: CellConflict) -> list[str]:
    key = [_text(cell.key.get(name)) if cell.key else "" for name in one.keys]
    if cell.kind == "deleted":
        return [*key, "(the row)", "", _changed(cell, cell.ours), _changed(cell, cell.theirs)]
    column = cell.column or ""
    if cell.kind == "dropped":
        sides = ("dropped" if side is None else "changed" for side in (cell.ours, cell.theirs))
        return [*key, column, f"named {cell.base}", *sides]
    if cell.kind == "renamed":
        return [*key, column, *(f"named {name}" for name in (cell.base, cell.ours, cell.theirs))]
    first = "(new row)" if cell.kind == "added" else _text(cell.base)
    return [*key, column, first, _text(cell.ours), _text(cell.theirs)]


def _changed(cell: CellConflict, side: object) -> str:
    """What a side made of a row that the other deleted."""
    if not isinstance(side, dict) or not isinstance(cell.base, dict):
        return "deleted"
    base = cell.base
    return ", ".join(
        f"{name}={_text(value)}" for name, value in side.items() if value != base.get(name)
    )


def _text(value: object) -> str:
    from oxcore.tables import text

    return "null" if value is None else clean(text(value)) or '""'


def _hints(found: Sequence[OpenConflict], show: Show) -> Iterator[str]:
    inside = next((one for one in found if one.left), None)
    if inside is None:
        yield "settle each with: ox resolve --ours|--theirs|--both PATH, then: ox commit"
        return
    from oxcore.tables.rowmerge import cell_name

    cell = next((one for one in inside.cells() if one.column and one.key), None)
    name = show(inside.path)
    yield f"all that is open of a table: ox resolve --ours|--theirs {name}"
    if cell is not None:
        yield f"one cell: ox resolve {name} --set '{cell_name(cell)}=VALUE'"
    row = next((one for one in islice(inside.cells(), LISTED) if one.kind == "deleted"), None)
    if row is not None:
        yield f"one row: ox resolve {name} --set '{cell_name(row)}=ours', or theirs"
    count = sum(max(one.left, 1) for one in found)
    yield f"{plural(count, 'conflict')} in {plural(len(found), 'file')}; then: ox commit"
