"""Open conflicts settled: what people decided, as edits of the merged table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from oxcore.tables.engine import engine, quoted
from oxcore.tables.reading import ROW
from oxcore.tables.rewrite import Edits
from oxcore.tables.rowmerge.cells import Cells, RowValues, new_column
from oxcore.tables.rowmerge.columns import Column
from oxcore.tables.rowmerge.conflict import CellConflict
from oxcore.tables.rowmerge.kinds import alike
from oxcore.tables.rowmerge.open import Places
from oxcore.tables.table import Table


class Decision(NamedTuple):
    """What somebody decided: ``ours`` or ``theirs``, or a ``value`` that is neither."""

    side: str
    value: object = None


Decided = tuple[CellConflict, Decision | None]
"""A conflict, and what was decided; None: nothing yet."""


@dataclass(slots=True)
class _Chosen:
    """The conflicts that are settled otherwise than with ours."""

    cells: list[tuple[CellConflict, Decision]] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    inserted: list[tuple[int, int]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    brought: list[tuple[str, str]] = field(default_factory=list)


class Settled:
    """Open conflicts and what was decided of them; ``conflicts`` gives them anew at every call.

    ``done`` is how many are settled, ``open`` how many are not.
    """

    def __init__(self, conflicts: Callable[[], Iterable[Decided]]) -> None:
        self._conflicts = conflicts
        self._chosen = _Chosen()
        self.done = self.open = 0
        for conflict, decision in conflicts():
            if decision is None:
                self.open += 1
            else:
                self.done += 1
                if decision.side != "ours":
                    _note(self._chosen, conflict, decision)
        self._chosen.inserted.sort()

    def left(self) -> Iterator[CellConflict]:
        """Those that are not settled, in their order, as they stand in the table with ``edits``."""
        chosen = self._chosen
        places = Places(sorted(chosen.deleted), [before for before, _ in chosen.inserted])
        names = chosen.renamed
        for one, decision in self._conflicts():
            if decision is not None:
                continue
            row = None if one.row is None else places.place(one.row)
            column = None if one.column is None else names.get(one.column, one.column)
            key = {names.get(name, name): value for name, value in one.key.items()}
            yield one._replace(key=key, column=column, row=row)

    @property
    def renamed(self) -> Mapping[str, str]:
        """The columns that are called otherwise now."""
        return self._chosen.renamed

    def edits(
        self, merged: Table, theirs: Table, keys: Sequence[str], called: Mapping[str, str]
    ) -> Edits:
        """What to do to the ``merged`` table. ``called``: what theirs calls columns otherwise."""
        chosen = self._chosen
        cells = _cells(chosen, theirs, called)
        for name, there in chosen.brought:
            _bring(
                cells, merged, theirs, (name, there), [(key, called.get(key, key)) for key in keys]
            )
        return Edits(
            cells,
            sorted(chosen.deleted),
            _rows(chosen, merged, theirs, called),
            chosen.renamed,
            [new_column(theirs, name, there) for name, there in chosen.brought],
            chosen.dropped,
        )


def _note(chosen: _Chosen, conflict: CellConflict, decision: Decision) -> None:
    row, name = conflict.row or 0, conflict.column or ""
    if conflict.kind in {"cell", "added"}:
        chosen.cells.append((conflict, decision))
    elif conflict.kind == "deleted" and conflict.theirs is None:
        chosen.deleted.append(row)
    elif conflict.kind == "deleted":
        chosen.inserted.append((row, conflict.source or 0))
    elif conflict.kind == "renamed":
        chosen.renamed[name] = str(conflict.theirs)
    elif conflict.theirs is None:
        chosen.dropped.append(name)
    else:
        chosen.brought.append((name, str(conflict.theirs)))


def _cells(
    chosen: _Chosen, theirs: Table, called: Mapping[str, str]
) -> dict[int, dict[str, object]]:
    taken = [one for one, decision in chosen.cells if decision.side == "theirs"]
    names = {one.column or "": called.get(one.column or "", one.column or "") for one in taken}
    source = Cells(theirs, [one.source or 0 for one in taken], list(names.values()))
    made: dict[int, dict[str, object]] = {}
    for one, decision in chosen.cells:
        name, value = one.column or "", decision.value
        if decision.side == "theirs":
            value = source.value(one.source or 0, names[name])
        made.setdefault(one.row or 0, {})[name] = value
    return made


def _rows(
    chosen: _Chosen, merged: Table, theirs: Table, called: Mapping[str, str]
) -> list[tuple[int, RowValues]]:
    """The rows that ours deleted, as theirs has them."""
    there = set(theirs.schema.names)
    columns = [name for name in merged.schema.names if name not in chosen.dropped]
    columns += [name for name, _ in chosen.brought]
    names = {name: called.get(name, name) for name in columns if called.get(name, name) in there}
    source = Cells(theirs, [row for _, row in chosen.inserted], list(names.values()))
    return [(before, RowValues(source, row, names, whole=True)) for before, row in chosen.inserted]


def _bring(
    cells: dict[int, dict[str, object]],
    merged: Table,
    theirs: Table,
    column: tuple[str, str],
    keys: Sequence[tuple[str, str]],
) -> None:
    """Put a column that ours dropped into ``cells``, as theirs has it."""
    pairs = [Column(here, here, there) for here, there in keys]
    readers = alike((merged.reader, merged.reader, theirs.reader), pairs)[1:]
    with engine({"m": readers[0], "t": readers[1]}) as sql:
        names = [
            {reader.schema.field(at).name: quoted(name) for at, name in sql.names[side].items()}
            for side, reader in zip("mt", readers, strict=True)
        ]
        on = " AND ".join(f"m.{names[0][here]} = t.{names[1][there]}" for here, there in keys)
        row = quoted(ROW)
        text = f'SELECT m.{row}, t.{row} FROM "m rows" m JOIN "t rows" t ON {on} ORDER BY 1'
        found: pa.Table = sql.table(text)
    ours, rows = (found.column(at).to_pylist() for at in (0, 1))
    source = Cells(theirs, rows, [column[1]])
    for here, there in zip(ours, rows, strict=True):
        cells.setdefault(here, {})[column[0]] = source.value(there, column[1])
