"""Two versions of a table compared by its rows.

What counts as a table is said by its name (``is_table``), by a schema that it has, or by key
columns that are asked for. Arrow loads with the first one that is compared.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, NamedTuple, Self

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.model.entries import Mode
from oxcore.verbs.comparing.sides import FileSide

if TYPE_CHECKING:
    from oxcore.tables import Table
    from oxcore.tables.helping import Helper
    from oxcore.tables.rowdiff import RowDiff
    from oxcore.tables.whole import Whole

_TEXTS = (b".csv", b".tsv", b".jsonl", b".ndjson")
_BINARY = (b".parquet", b".pq", b".arrow", b".feather", b".arrows")
_PACKED = (b".gz", b".zst")


class ByRows(NamedTuple):
    """How rows are told apart: by key columns (none: those of the schema, else found), with
    ``ordered`` by their order; numbers differ by more than ``tolerance``. ``known``: the keys are
    those of a schema, and may be no columns any more."""

    keys: tuple[str, ...] = ()
    ordered: bool = False
    tolerance: float = 0.0
    known: bool = False


class TableDiff:
    """A table in two versions (None: it is not there), and the ``rows`` that differ; close it, or
    use it as a context manager."""

    def __init__(self, old: Table | None, new: Table | None, rows: RowDiff | Whole) -> None:
        self.old = old
        self.new = new
        self.rows = rows

    def __bool__(self) -> bool:
        """Whether a row or a column differs: the bytes of the files do."""
        return bool(self.rows)

    def close(self) -> None:
        """Let go of what the comparison holds."""
        self.rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def is_table(side: FileSide) -> bool:
    """Whether a file is called as a table is: ``.csv``, ``.jsonl.gz``, ``.parquet``... One that
    is called ``.json`` has to start as an array of objects does."""
    name = os.path.basename(side.path).lower()
    inner, last = os.path.splitext(name)
    text = inner if last in _PACKED else name
    if text.endswith(b".json"):
        return _holds_records(side)
    return text.endswith(_TEXTS) or last in _BINARY


def _holds_records(side: FileSide) -> bool:
    from oxcore.tables.detect import detect

    try:
        return detect(side.origin().source()).format == "json"
    except InvalidError:
        return False


def asked(
    old: FileSide | None, new: FileSide | None, rows: ByRows | None, *, schemas: bool
) -> ByRows | None:
    """How two files are to be compared by rows, with their key columns; None if they are not to.

    ``schemas``: whether any table has one; that of the newer side stands before the older's.
    """
    sides = [side for side in (new, old) if side is not None]
    if rows is None or any(side.entry.mode == Mode.LINK for side in sides):
        return None
    if rows.keys:
        return rows
    found = (side.key() for side in sides) if schemas else ()
    key = next((one for one in found if one is not None), None)
    if key is not None:
        return rows if rows.ordered else rows._replace(keys=key, known=True)
    return rows if all(map(is_table, sides)) else None


def compare(old: FileSide | None, new: FileSide | None, how: ByRows) -> TableDiff:
    """Compare the rows of two files.

    Raises ``InvalidError`` with file, row and column for what is no table, ``NotFoundError`` for
    keys that are no columns.
    """
    if old is not None and new is not None:
        with _together(old, new, how) as (before, after, helpers):
            return TableDiff(before, after, _compared(before, after, how, helpers))
    from oxcore.tables import Table
    from oxcore.tables.whole import Whole

    side = new if old is None else old
    if side is None:
        raise UsageError("a file on neither side")
    table, gone = Table(side.origin().source()), new is None
    return TableDiff(table if gone else None, None if gone else table, Whole(table, gone=gone))


@contextmanager
def _together(
    old: FileSide, new: FileSide, how: ByRows
) -> Iterator[tuple[Table, Table, Sequence[Helper]]]:
    """Both tables; helpers, of large ones, load what they need while this process does."""
    from oxcore.verbs.tabular.origins import shared, together

    one, two = old.origin(), new.origin()
    with nullcontext() if how.ordered else together(one, two) as found:
        from oxcore.tables import Table

        before, after, helpers = found or (*shared(one, two), ())
        yield Table(before), Table(after), helpers


def _compared(old: Table, new: Table, how: ByRows, helpers: Sequence[Helper]) -> RowDiff:
    from oxcore.tables import rowdiff

    try:
        return rowdiff.diff(old, new, rowdiff.How(how.keys, how.ordered, how.tolerance), helpers)
    except NotFoundError:
        if not how.known:
            raise
        return rowdiff.diff(old, new, rowdiff.How((), how.ordered, how.tolerance), helpers)
