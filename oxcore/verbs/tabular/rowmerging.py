"""Tables that both sides of a merge changed, merged by their rows.

The key is that of the table's schema, else a column that tells the rows apart in all three
versions. What is merged is stored as the file would be; what is left to a person is listed in a
file of the store, and ours stays in these cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple, cast

import pyarrow as pa

from oxcore import tree
from oxcore.errors import CorruptError, InvalidError, MissingError, UnstableError, UsageError
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.repo import Repository
from oxcore.repo.merging import TableState
from oxcore.store import Batch, content
from oxcore.tables import Table, rowmerge
from oxcore.tables.rewrite import Edits, rewrite
from oxcore.tables.rowmerge import CellConflict, RowMerge
from oxcore.tree import Conflict
from oxcore.verbs.storing.deposit import put_stream
from oxcore.verbs.tabular import kept
from oxcore.verbs.tabular.df import stored

_IN_MEMORY = 8 << 20  # bytes of a result; a longer one waits in a temporary file
_REASONS = (InvalidError, UsageError, MissingError, UnstableError, pa.ArrowException)


class Sides(NamedTuple):
    """The three versions of a table in conflict; ``base`` is None where both sides added it."""

    base: Table | None
    ours: Table
    theirs: Table


def by_rows(
    repo: Repository, root: bytes, conflicts: Sequence[Conflict]
) -> tuple[bytes, tuple[TableState, ...]]:
    """Merge these tables; gives the tree with what could be merged, and how each stands.

    ``root``: the tree with all else that is merged. Nothing is raised for a table that cannot be
    merged by rows: its state says why.
    """
    edits: list[tuple[bytes, Entry | None]] = []
    states = []
    with repo.batch() as batch:
        for conflict in conflicts:
            entry, state = _one(repo, batch, root, conflict)
            states.append(state)
            if entry is not None:
                edits.append((conflict.path, entry))
        new = tree.edit(repo.store, batch, root, sorted(edits), replace=True)
    return new, tuple(states)


def sides_of(repo: Repository, conflict: Conflict) -> Sides:
    """The three versions; ``InvalidError`` for one that is no table."""
    name = show_path(conflict.path)

    def table(entry: Entry | None, side: str) -> Table:
        if entry is None:
            raise InvalidError(f"{name} is not in {side}")
        return Table(stored(repo, entry, f"{name} ({side})"))

    base = None if conflict.base is None else table(conflict.base, "base")
    return Sides(base, table(conflict.ours, "ours"), table(conflict.theirs, "theirs"))


def put_table(repo: Repository, batch: Batch, table: Table, edits: Edits, old: Entry) -> Entry:
    """Store a table with its edits; ``old`` is what it is made of."""
    return _put(repo, batch, lambda out: rewrite(table, edits, out), old)


def put_conflicts(repo: Repository, batch: Batch, conflicts: Iterable[CellConflict]) -> Entry:
    """Store what is open of a table, one conflict a line."""

    def write(out: BinaryIO) -> None:
        out.writelines(map(rowmerge.encode, conflicts))

    return _put(repo, batch, write, None)


def read_conflicts(repo: Repository, listed: Entry) -> Iterator[CellConflict]:
    """What ``put_conflicts`` has stored."""
    rest = b""
    for piece in content.read(repo.store, listed.id):
        *lines, rest = (rest + piece).split(b"\n")
        yield from map(rowmerge.decode, lines)
    if rest:
        raise CorruptError("the open cells of a merge end within a line")


def _one(
    repo: Repository, batch: Batch, root: bytes, conflict: Conflict
) -> tuple[Entry | None, TableState]:
    state = TableState(conflict.path)
    ours = conflict.ours or Entry(Mode.FILE, 0, b"")
    try:
        found = _merge(repo, root, conflict)
        entry = put_table(repo, batch, sides_of(repo, conflict).ours, found.edits, ours)
        listed = put_conflicts(repo, batch, found.conflicts()) if found.left else None
    except _REASONS as error:
        return None, state._replace(why=_why(error))
    state = state._replace(
        keys=found.keys,
        cells=found.cells,
        inserted=found.inserted,
        deleted=found.deleted,
        left=found.left,
        listed=listed,
        called=tuple(sorted(found.called.items())),
    )
    return entry._replace(mode=_mode(conflict)), state


def _merge(repo: Repository, root: bytes, conflict: Conflict) -> RowMerge:
    known = kept.at(repo, root, conflict.path)
    sides = sides_of(repo, conflict)
    if known is not None and known.key:
        return rowmerge.merge(*sides, known.key)
    if sides.base is None:
        raise InvalidError(
            "both sides added it, and nobody said what its key is"
            " (ox schema set FILE --key names a key)"
        )
    keys = rowmerge.common_key(sides.base, sides.ours, sides.theirs)
    if not keys:
        raise InvalidError(
            "no column tells the rows of all versions apart (ox schema set FILE --key names a key)"
        )
    return rowmerge.merge(*sides, keys, found=True)


def _why(error: Exception) -> str:
    """One line that says why rows were not merged."""
    text = getattr(error, "message", None) or str(error)
    return " ".join(str(text).split())


def _mode(conflict: Conflict) -> int:
    """The mode that one side changed, or that both have."""
    base, ours, theirs = (one.mode if one else Mode.FILE for one in conflict[1:4])
    return theirs if ours == base else ours


def _put(
    repo: Repository, batch: Batch, write: Callable[[BinaryIO], object], old: Entry | None
) -> Entry:
    with SpooledTemporaryFile(_IN_MEMORY, prefix="ox-") as spool:
        write(cast("BinaryIO", spool))
        spool.seek(0)
        oid, size = put_stream(repo, batch, spool.readinto, old.id if old else None)
    return Entry(Mode.FILE, size, oid)
