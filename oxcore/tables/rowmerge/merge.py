"""The merge itself."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from oxcore.errors import InvalidError
from oxcore.tables.engine import engine
from oxcore.tables.rewrite import Edits
from oxcore.tables.rowmerge.cells import Added, Cells, Taken, new_column
from oxcore.tables.rowmerge.columns import Column, follow
from oxcore.tables.rowmerge.compare import (
    SIDES,
    Say,
    Sides,
    anchors,
    compare,
    edited_here,
    keep_keys,
    new_rows,
    renames,
)
from oxcore.tables.rowmerge.conflict import CellConflict
from oxcore.tables.rowmerge.kinds import Readers, alike
from oxcore.tables.rowmerge.nothing import before
from oxcore.tables.rowmerge.open import Open, Places
from oxcore.tables.table import Table


@dataclass(frozen=True, slots=True)
class RowMerge:
    """What a merge found: the ``edits`` that bring into ours what theirs did, and how many
    conflicts are ``left``; ``cells``, ``inserted`` and ``deleted`` count what the edits do.
    ``called``: what theirs calls columns that are called otherwise then."""

    keys: tuple[str, ...]
    edits: Edits
    cells: int
    inserted: int
    deleted: int
    left: int
    called: dict[str, str]
    opened: Open

    def conflicts(self) -> Iterator[CellConflict]:
        """What is left to a person: columns, then rows and cells in the order of our rows."""
        return self.opened.conflicts()


def merge(
    base: Table | None, ours: Table, theirs: Table, keys: Sequence[str], *, found: bool = False
) -> RowMerge:
    """Merge the rows of ``theirs`` into ``ours``; ``keys`` are named as in the base, which is None
    for a table that both sides added.

    ``found``: the key was found, not named. A row of the base that both sides lack, while both
    have new ones, may then be one row whose key both changed, and nothing is merged. Raises
    ``InvalidError``, which says why, for tables that cannot be merged by rows: no such key, null or
    doubled keys, formats or types that differ.
    """
    _check_formats(*([] if base is None else [base]), ours, theirs)
    if base is None:
        _check_there(keys, ours.schema, theirs.schema)
    old = before(ours.reader, theirs.reader) if base is None else base.reader
    readers = (old, ours.reader, theirs.reader)
    columns = _columns(readers, keys)
    types = alike(readers, columns)
    with engine(dict(zip(SIDES, types, strict=True))) as sql:
        sides = Sides(sql, types, columns, _chosen(columns, keys))
        keep_keys(sides)
        return _merged(sides, theirs, types, found=found)


def _check_formats(*tables: Table) -> None:
    formats = list(dict.fromkeys(table.format for table in tables))
    if len(formats) > 1:
        raise InvalidError(f"the formats differ: {', '.join(formats)}")


def _check_there(keys: Sequence[str], *schemas: pa.Schema) -> None:
    """Raise for a key of a table without a base, which no message is to speak of."""
    for side, schema in zip(SIDES[1:], schemas, strict=True):
        gone = next((name for name in keys if name not in schema.names), None)
        if gone is not None:
            raise InvalidError(f"the key column {gone!r} is not in {side}")


def _chosen(columns: Sequence[Column], keys: Sequence[str]) -> list[Column]:
    """The columns of the key."""
    known = {column.base: column for column in columns}
    for name in keys:
        column = known.get(name, Column(None, None, None))
        lacking = [side for side, one in zip(SIDES, column, strict=True) if one is None]
        if lacking:
            raise InvalidError(f"the key column {name!r} is not in {lacking[0]}")
    return [known[name] for name in keys]


def _columns(readers: Readers, keys: Sequence[str]) -> list[Column]:
    """The columns of the three versions, those included that one side renamed."""
    base, ours, theirs = (reader.schema.names for reader in readers)
    plain = follow(base, ours, theirs, {}, {})
    gone = [[c for c in plain if c.base is not None and c[side] is None] for side in (1, 2)]
    new = [[c for c in plain if c.base is None and c[side] is not None] for side in (1, 2)]
    if not any(a and b for a, b in zip(gone, new, strict=True)):
        return plain
    types = alike(readers, plain)
    with engine(dict(zip(SIDES, types, strict=True))) as sql:
        sides = Sides(sql, types, plain, _chosen(plain, keys))
        here, there = (renames(sides, side, gone[side - 1], new[side - 1]) for side in (1, 2))
    return follow(base, ours, theirs, here, there)


def _merged(sides: Sides, table: Table, types: Readers, *, found: bool) -> RowMerge:
    rows = compare(sides)
    base, ours, theirs = (pc.is_valid(rows[name]) for name in SIDES)
    if found:
        _check_found(sides, rows.filter(pc.invert(pc.or_(ours, theirs))))
    here, there = pc.and_(ours, pc.invert(theirs)), pc.and_(theirs, pc.invert(ours))
    both, own = pc.and_(ours, theirs), rows["own"]
    deleted = _numbers(rows.filter(pc.and_(here, pc.invert(own))), "ours")
    added = _added(sides, rows.filter(pc.and_(there, pc.invert(base))), table)
    taken = _taken(sides, rows.filter(both), table)
    columns = _Columns(sides, _lost(sides, rows))
    edits = Edits(taken, deleted, added, columns.renamed, columns.added(table), columns.dropped)
    asked = rows.filter(pc.or_(pc.and_(pc.invert(both), own), pc.and_(both, _open(sides, rows))))
    opened = Open(
        columns.conflicts,
        asked,
        sides.cells,
        sides.keys,
        types,
        Places(deleted, [row for row, _ in added.places]),
        _before(sides, rows.filter(pc.and_(there, own))),
    )
    keys = tuple(key.name for key in sides.keys)
    names = [(one.name, one.theirs) for one in (*sides.keys, *sides.cells)]
    called = {name: there for name, there in names if there is not None and there != name}
    counts = (taken.count, len(added), len(deleted), opened.count)
    return RowMerge(keys, edits, *counts, called, opened)


def _check_found(sides: Sides, gone: pa.Table) -> None:
    """Raise if the key that was found may be what both sides changed of one row: both lack a row
    of the base (``gone``), and both have rows with new keys."""
    if len(gone) and all(new_rows(sides, side) for side in (1, 2)):
        names = ", ".join(key.name for key in sides.keys)
        raise InvalidError(
            f"both sides changed which {names} there are, and nobody said that it is the key"
            f" (ox schema set FILE --key {names})"
        )


def _added(sides: Sides, rows: pa.Table, theirs: Table) -> Added:
    """The rows that only theirs has."""
    numbers = sorted(_numbers(rows, "theirs"))
    found = anchors(sides, numbers)
    places = sorted((anchor.ours + 1, anchor.theirs) for anchor in found)
    kept = [column for column in (*sides.keys, *sides.cells) if not column.gone_here]
    names = {column.name: column.theirs for column in kept if column.theirs is not None}
    return Added(Cells(theirs, numbers, list(names.values())), places, names)


def _taken(sides: Sides, rows: pa.Table, theirs: Table) -> Taken:
    """The cells that only theirs changed, of rows that both have."""
    says = [pc.equal(rows[f"c{i}"], Say.TAKE) for i in range(len(sides.cells))]
    some = _any(says, len(rows))
    kept = rows.filter(some)
    columns, sources = [], []
    for column, say in zip(sides.cells, says, strict=True):
        mine = bytes(pc.cast(say.filter(some), pa.uint8()).to_pylist())
        if column.theirs is not None and any(mine):
            columns.append((column.name, column.theirs, mine))
            sources.append(column.theirs)
    here, there = _numbers(kept, "ours"), _numbers(kept, "theirs")
    return Taken(Cells(theirs, there, sources), (here, there), columns)


def _open(sides: Sides, rows: pa.Table) -> pa.ChunkedArray:
    """Which rows have a cell that both sides changed."""
    says = [pc.equal(rows[f"c{i}"], Say.BOTH) for i in range(len(sides.cells))]
    return _any(says, len(rows))


def _any(tests: Sequence[pa.ChunkedArray], count: int) -> pa.ChunkedArray:
    found = pa.chunked_array([pa.array([False] * count, pa.bool_())])
    for test in tests:
        found = pc.or_(found, test)
    return found


def _lost(sides: Sides, rows: pa.Table) -> set[Column]:
    """The columns that one side dropped and the other changed."""
    gone = [column for column in sides.cells if column.gone_there]
    edited = edited_here(sides, gone) if gone else []
    lost = {column for column, one in zip(gone, edited, strict=True) if one}
    for i, column in enumerate(sides.cells):
        if column.gone_here and pc.any(pc.equal(rows[f"c{i}"], Say.LOST)).as_py():
            lost.add(column)
    return lost


class _Columns:
    """What becomes of columns: those to be ``renamed`` and ``dropped``, and ``conflicts``."""

    def __init__(self, sides: Sides, lost: set[Column]) -> None:
        self._new = [column for column in sides.cells if column.new_there]
        self.renamed: dict[str, str] = {}
        self.dropped: list[str] = []
        self.conflicts: list[CellConflict] = []
        for column in (*sides.keys, *sides.cells):
            if column.renamed_apart:
                self._conflict(column, "renamed")
            elif column.gone_here or column.gone_there:
                self._gone(column, changed=column in lost)
            elif column.ours is not None and column.name != column.ours:
                self.renamed[column.ours] = column.name

    def added(self, theirs: Table) -> list[tuple[str, pa.DataType | None, object]]:
        """The columns that come in, with nothing where theirs has no row."""
        return [new_column(theirs, column.name, column.name) for column in self._new]

    def _gone(self, column: Column, *, changed: bool) -> None:
        new = {column.ours, column.theirs} - {None}
        if changed or new != {column.base}:
            self._conflict(column, "dropped")
        elif column.ours is not None:
            self.dropped.append(column.ours)

    def _conflict(self, column: Column, kind: str) -> None:
        self.conflicts.append(CellConflict({}, column.name, *column, kind))


def _before(sides: Sides, rows: pa.Table) -> dict[int, int]:
    """Of rows that ours deleted: before which of its rows each would stand."""
    found = anchors(sides, sorted(_numbers(rows, "theirs")))
    return {anchor.theirs: anchor.ours + 1 for anchor in found}


def _numbers(rows: pa.Table, side: str) -> array[int]:
    return array("q", rows[side].to_pylist())
