"""What a diff of two tables is asked, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import pyarrow as pa

from oxcore.errors import UsageError
from oxcore.tables.reading import Reader
from oxcore.tables.source import Source


class Opened(Protocol):
    """A table, as ``tables.Table`` is one."""

    @property
    def name(self) -> str:
        """The file, as messages call it."""
        ...

    @property
    def source(self) -> Source:
        """Where its bytes come from."""
        ...

    @property
    def reader(self) -> Reader:
        """What reads its format."""
        ...

    def to_arrow(self) -> pa.Table:
        """All rows in memory."""
        ...


@dataclass(frozen=True, slots=True)
class How:
    """``keys``: names of the columns that tell which rows are the same (none: they are found);
    ``ordered``: the order of rows counts; ``tolerance``: how far apart two numbers may lie, in
    their own units, and still be the same (never those of a key)."""

    keys: tuple[str, ...] = ()
    ordered: bool = False
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance < float("inf"):
            raise UsageError(f"a tolerance is a number from 0 up, not {self.tolerance}")


class RowCounts(NamedTuple):
    """Rows that only one side has, that differ, that are the same; and all rows of each side.
    The last three are None where nothing was read, since the files are the same bytes."""

    added: int
    removed: int
    changed: int
    same: int | None
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class ColumnChanges:
    """``added`` and ``removed`` by name; ``retyped``: name and both types; ``renamed``: old and
    new name; ``kept``: those of both sides by their new names, renamed ones among them."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    kept: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.retyped or self.renamed)


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row: ``kind`` is added, removed or changed; ``key`` its values in the key columns (empty
    without a key); places count from 0; ``old`` and ``new`` hold the values of all columns of that
    side; ``cells`` the columns whose values differ, by their new names."""

    kind: str
    key: tuple[object, ...]
    old_row: int | None
    new_row: int | None
    old: dict[str, object] | None
    new: dict[str, object] | None
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """A column of both sides: its names, and its places in the two schemas."""

    old: str
    new: str
    old_at: int
    new_at: int
    key: bool = field(default=False)
