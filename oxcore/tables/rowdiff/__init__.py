"""What became of the rows of a table from one version to another.

Rows are matched by key columns; without any, whole rows are counted; ``ordered``, by their order.
Values are compared by value, whatever the two formats make of their types:
docs/design/007-tables.md says how, and what it costs.
"""

from __future__ import annotations

from collections.abc import Sequence

from oxcore.tables.helping import Helper
from oxcore.tables.rowdiff.applied import apply
from oxcore.tables.rowdiff.compare import compare, find, unchanged, work
from oxcore.tables.rowdiff.model import ColumnChanges, How, Opened, RowChange, RowCounts
from oxcore.tables.rowdiff.result import RowDiff
from oxcore.tables.rowdiff.shares import Question

__all__ = [
    "ColumnChanges",
    "How",
    "Question",
    "RowChange",
    "RowCounts",
    "RowDiff",
    "answer",
    "apply",
    "diff",
    "find_keys",
]


def diff(
    old: Opened, new: Opened, how: How | None = None, helpers: Sequence[Helper] = ()
) -> RowDiff:
    """What became of the rows of ``old``; close it. ``helpers``: other processes, which may do a
    part each. ``InvalidError``: see ``Table``, and for key
    columns that do not tell rows apart, with file, row and column; ``NotFoundError`` for a key
    column that is not in both."""
    how = how or How()
    if old.source.id is not None and old.source.id == new.source.id:
        return unchanged((old.reader, new.reader), how)
    return compare((old.name, new.name), (old.reader, new.reader), how, helpers)


def answer(old: Opened, new: Opened, question: Question) -> object:
    """What a helper of ``diff`` says to its question."""
    return work((old.reader, new.reader), question)


def find_keys(old: Opened, new: Opened) -> tuple[str, ...]:
    """A column without nulls whose values are all different, in both; () if there is none."""
    return find(old.reader, new.reader)
