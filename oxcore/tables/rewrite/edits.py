"""What is to change in a table: cells, rows, columns; and the columns that come out of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from typing import NamedTuple

import pyarrow as pa

from oxcore.errors import UsageError
from oxcore.tables.asking import places_of
from oxcore.tables.rewrite.many import Places, Values, ascending


class Raw(NamedTuple):
    """The very text of a cell, as a file of the same format has it: of CSV with its quotes, of
    JSON as JSON. For text formats only."""

    text: str


ABSENT = object()
"""The value of a column added to JSON: records without a value of their own do not have it."""


@dataclass(frozen=True, slots=True)
class Edits:
    """Changes of one table, all told by its rows as they were, counted from 0.

    ``cells``: row -> column -> new value. ``deleted``: rows that go. ``inserted``: before which row
    (the number of rows: at the end), and its values; a column without one is null. ``renamed``: old
    name -> new. ``added``: name, type (None: by the value) and value for all rows of columns at the
    end (of JSON also ``ABSENT``). ``dropped``: columns that go.

    Cells and rows name columns as they are called afterwards; an old name does too, where no
    column has it afterwards. A value is a Python value, or ``Raw``; None is null.
    """

    cells: Mapping[int, Values] = field(default_factory=dict)
    deleted: Collection[int] = ()
    inserted: Sequence[tuple[int, Values]] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    added: Sequence[tuple[str, pa.DataType | None, object]] = ()
    dropped: Collection[str] = ()

    @property
    def columns(self) -> bool:
        """Whether columns come or go, so that every row changes."""
        return bool(self.added or self.dropped)

    def __bool__(self) -> bool:
        return bool(self.cells or self.deleted or self.inserted or self.renamed or self.columns)


class Layout:
    """The columns before and after.

    ``kept``: the old places of those that stay, in order; ``names``: what all are called at the
    end. Raises ``NotFoundError`` for a column that is not there, ``UsageError`` for names that
    would be the same.
    """

    def __init__(self, old: Sequence[str], edits: Edits) -> None:
        self.old = tuple(old)
        gone = set(places_of(list(edits.dropped), old))
        renamed = zip(places_of(list(edits.renamed), old), edits.renamed.values(), strict=True)
        self.kept = [place for place in range(len(old)) if place not in gone]
        self.renamed = {at: to for at, to in renamed if at not in gone and to != old[at]}
        self.added = [name for name, _, _ in edits.added]
        self.names = [self.renamed.get(place, old[place]) for place in self.kept] + self.added
        self._places = {name: place for place, name in enumerate(self.names)}
        self._check()
        for at, place in enumerate(self.kept):
            self._places.setdefault(old[place], at)

    def place(self, name: str) -> int:
        """Where a column stands at the end."""
        found = self._places.get(name)
        return places_of([name], self.names)[0] if found is None else found

    def placed(self, values: Values) -> dict[int, object]:
        """The values by where their column stands at the end."""
        return {self.place(name): value for name, value in values.items()}

    def _check(self) -> None:
        if not self.names:
            raise UsageError("no column would be left", hint="remove the file instead: ox rm")
        new = [*self.renamed.values(), *self.added]
        if "" in new:
            raise UsageError("a column needs a name")
        double = next((name for name in new if self.names.count(name) > 1), None)
        if double is not None:
            raise UsageError(f"two columns would be called {double!r}")


class Changes:
    """The rows that change, in order, and what happens to each."""

    def __init__(self, edits: Edits, layout: Layout) -> None:
        self._cells, self._layout = edits.cells, layout
        known = isinstance(edits.deleted, range | Places)
        self._deleted = edits.deleted if known else set(edits.deleted)
        self._inserted: dict[int, list[Values]] = {}
        for place, values in edits.inserted:
            self._inserted.setdefault(place, []).append(values)
        groups = (self._cells, self._deleted, self._inserted)
        self._rows = (row for row, _ in groupby(merge(*map(ascending, groups))))
        self.next = next(self._rows, None)
        if self.next is not None and self.next < 0:
            raise UsageError(f"rows are counted from 0: {self.next} is none")

    def before(self, end: int) -> Iterator[int]:
        """The rows below ``end`` that change, or that something is put in before."""
        while self.next is not None and self.next < end:
            yield self.next
            self.next = next(self._rows, None)

    def inserted(self, row: int) -> Iterator[dict[int, object]]:
        """The values of rows that come before ``row``, by where their columns stand."""
        return map(self._layout.placed, self._inserted.get(row, ()))

    def deleted(self, row: int) -> bool:
        """Whether the row goes."""
        return row in self._deleted

    def cells(self, row: int) -> dict[int, object]:
        """The new values of a row."""
        return self._layout.placed(self._cells.get(row, {}))

    def finish(self, total: int) -> Iterator[dict[int, object]]:
        """The rows that come at the end; ``UsageError`` if a change is of a row beyond it."""
        beyond = [row for row in (*self._cells, *self._deleted) if row >= total]
        beyond += [row for row in self._inserted if row > total]
        if beyond:
            raise UsageError(f"there is no row {min(beyond):,}: the table has {total:,}, from 0 on")
        return self.inserted(total)
