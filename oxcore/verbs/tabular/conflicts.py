"""``conflicts``: what waits for a person, file by file, and of tables cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxcore.errors import NotFoundError
from oxcore.model.entries import show_path
from oxcore.repo import Repository
from oxcore.repo.merging import Pending, TableState, read_pending
from oxcore.repo.select import Selection
from oxcore.tree import Conflict

if TYPE_CHECKING:
    import pyarrow as pa

    from oxcore.tables.rowmerge import CellConflict

_RUN = 4096  # conflicts of a batch


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A file in conflict: the three entries, and for a table how its merge by rows stands (None:
    it is no table)."""

    repo: Repository
    conflict: Conflict
    state: TableState | None

    @property
    def path(self) -> bytes:
        """The file."""
        return self.conflict.path

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns by which its rows were merged; () if they were not."""
        return self.state.keys if self.state and self.state.listed else ()

    @property
    def left(self) -> int:
        """How many cells, rows and columns are open; 0 where it is the file as a whole."""
        return self.state.left if self.state else 0

    @property
    def why(self) -> str:
        """Why the rows of a table were not merged; empty if they were, or if it is no table."""
        return self.state.why if self.state else ""

    def cells(self) -> Iterator[CellConflict]:
        """What is open of a table, in the order of its rows."""
        if self.state is None or self.state.listed is None:
            return iter(())
        from oxcore.verbs.tabular.rowmerging import read_conflicts

        return read_conflicts(self.repo, self.state.listed)


def conflicts(repo: Repository, patterns: Sequence[bytes] = ()) -> list[OpenConflict]:
    """The open conflicts, by path, all or those that are selected.

    ``NotFoundError`` for a pattern under which none is open.
    """
    pending = read_pending(repo)
    selection = Selection(patterns)
    found = [] if pending is None else _selected(repo, pending, selection)
    if patterns and (selection.unmatched() or not found):
        missing = [show_path(pattern) for pattern in selection.unmatched()]
        raise NotFoundError("no conflict is open there", items=missing, hint="see: ox conflicts")
    return found


def _selected(repo: Repository, pending: Pending, selection: Selection) -> list[OpenConflict]:
    return [
        OpenConflict(repo, one, pending.table(one.path))
        for one in pending.conflicts
        if one.path in selection
    ]


def write(found: Sequence[OpenConflict], path: str, *, replace: bool = False) -> int:
    """Write conflicts as a table to a file whose name says the format; gives their number.

    Columns, all text: ``file``, ``key``, ``column`` (null: the whole row, or file), ``kind``,
    ``base``, ``ours``, ``theirs`` (null: there is none). Raises as ``tables.write``.
    """
    import pyarrow as pa

    from oxcore import tables

    names = ("file", "key", "column", "kind", "base", "ours", "theirs")
    schema = pa.schema([(name, pa.string()) for name in names])
    return tables.write(path, schema, _batches(found, schema), replace=replace)


def _batches(found: Sequence[OpenConflict], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    rows: list[tuple[str | None, ...]] = []
    for row in _rows(found):
        rows.append(row)
        if len(rows) == _RUN:
            yield pa.record_batch(list(map(list, zip(*rows, strict=True))), schema)
            rows = []
    if rows:
        yield pa.record_batch(list(map(list, zip(*rows, strict=True))), schema)


def _rows(found: Sequence[OpenConflict]) -> Iterator[tuple[str | None, ...]]:
    from oxcore.tables import text
    from oxcore.tables.rowmerge import key_cell

    for one in found:
        name = show_path(one.path)
        if not one.keys:
            yield (name, None, None, one.conflict.kind, None, None, None)
        for cell in one.cells():
            sides = [None if v is None else text(v) for v in (cell.base, cell.ours, cell.theirs)]
            yield (name, key_cell(cell.key) if cell.key else None, cell.column, cell.kind, *sides)
