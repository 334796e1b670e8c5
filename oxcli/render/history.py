"""The history of rows for people: who set a cell, and what a commit did to a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from oxcli.render.commits import clean as clean_text
from oxcli.render.frame import cut
from oxcli.render.text import Paint, clean, iso_date, short_id, show_path, table
from oxcore.tables import text, texts

if TYPE_CHECKING:
    from oxcore.verbs.tabular.blame import Blame, BlamedCell
    from oxcore.verbs.tabular.blametable import BlamedTable, RowsSince
    from oxcore.verbs.tabular.rowlog import CellChange, RowCommit

_KINDS = {"added": "green", "removed": "red", "changed": "yellow"}
_SHORT = 24  # columns of a value in a line of many
_WIDE = 40  # characters of a value beside others


def value(one: object) -> str:
    """A value on one line; null, and texts that could be taken for it, told apart."""
    if one is None:
        return "null"
    shown = text(one)
    return f'"{shown}"' if shown in {"", "null"} else clean(shown)


def blamed(found: Blame, name: str, paint: Paint, wide: int) -> Iterator[str]:
    """A block for each row: a line a cell, with commit, author, date, column and value."""
    from oxcore.tables.rowkeys import show_key

    for place, row in enumerate(found.rows):
        if place:
            yield ""
        head = f"{name}, row {row.row.number:,}: {clean(show_key(row.key))}"
        yield paint(cut(head, wide), "bold")
        lines = table([_blamed(cell) for cell in row.cells])
        for line, cell in zip(lines, row.cells, strict=True):
            oid = short_id(cell.id)
            yield paint(oid, "yellow") + cut(line, wide).removeprefix(oid)


def _blamed(cell: BlamedCell) -> tuple[str, ...]:
    commit = cell.commit
    date = iso_date(commit.time)[:10]
    column, shown = clean(cell.column), value(cell.shown)
    return short_id(cell.id), clean_text(commit.author.name), date, column, shown


def since_rows(found: BlamedTable, limit: int | None, paint: Paint, wide: int) -> Iterator[str]:
    """A line a row: the last commit that changed it, author, date, number, values."""
    size = max((len(clean_text(one.commit.author.name)) for one in found.since), default=0)
    heads = {one.id: _since(one, size) for one in found.since}
    number, digits = found.number(0), len(f"{found.number(len(found)):,}")
    for batch, owners in found.rows(limit):
        columns = [texts(column) for column in batch.columns]
        for at, owner in enumerate(owners):
            cells = "  ".join(cut(value(column[at]), _SHORT) for column in columns)
            head = heads[owner.id]
            line = cut(f"{head}  {number + at:>{digits},})  {cells}", wide)
            yield paint(line[: len(short_id(owner.id))], "yellow") + line[len(short_id(owner.id)) :]
        number += len(owners)


def since_counts(found: BlamedTable, paint: Paint) -> Iterator[str]:
    """A line a commit: how many rows are as it left them."""
    size = max((len(clean_text(one.commit.author.name)) for one in found.since), default=0)
    digits = max((len(f"{one.rows:,}") for one in found.since), default=0)
    for one in found.since:
        oid = short_id(one.id)
        rest = _since(one, size).removeprefix(oid)
        title = clean_text(one.commit.title)
        yield f"{one.rows:>{digits},}  {paint(oid, 'yellow')}{rest}  {title}"


def since_document(one: RowsSince) -> dict[str, object]:
    """The last commit of rows as a JSON object."""
    commit = one.commit
    return {
        "commit": one.id,
        "author": commit.author,
        "time": commit.time,
        "title": commit.title,
        "path": one.path,
    }


def _since(one: RowsSince, size: int) -> str:
    name = clean_text(one.commit.author.name).ljust(size)
    return f"{short_id(one.id)}  {name}  {iso_date(one.commit.time)[:10]}"


def change(one: RowCommit, paint: Paint) -> list[str]:
    """What a commit did to the row, a line a cell."""
    head = paint(f"{one.kind} in {show_path(one.path)}", _KINDS[one.kind])
    return [f"  {head}", *(f"    {_cell(cell, one)}" for cell in one.cells)]


def short_change(one: RowCommit, paint: Paint) -> str:
    """The same on one line."""
    cells = ", ".join(_cell(cell, one, _WIDE) for cell in one.cells)
    return f"{paint(one.kind, _KINDS[one.kind])} {cells}"


def change_document(one: RowCommit) -> dict[str, object]:
    """The same as a JSON object: ``old`` or ``new`` is missing where the column was."""
    cells = []
    for cell in one.cells:
        record: dict[str, object] = {"column": cell.column}
        if one.old is not None and cell.old is not None:
            record["old"] = one.old.value(cell.old)
        if one.new is not None and cell.new is not None:
            record["new"] = one.new.value(cell.new)
        cells.append(record)
    return {"change": one.kind, "path": one.path, "cells": cells}


def _cell(cell: CellChange, one: RowCommit, most: int = 1 << 12) -> str:
    old = cut(value(one.old.raw[cell.old]), most) if one.old and cell.old is not None else None
    new = cut(value(one.new.raw[cell.new]), most) if one.new and cell.new is not None else None
    name = clean(cell.column)
    if one.kind != "changed":
        return f"{name}: {new if old is None else old}"
    if old is None:
        return f"{name}: {new} (new column)"
    return f"{name}: {old} (column removed)" if new is None else f"{name}: {old} -> {new}"
