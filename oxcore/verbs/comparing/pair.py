"""``diff`` of two files that are named: of any two versions, names and formats."""

from __future__ import annotations

import os
from collections.abc import Iterator

from oxcore.errors import NotFoundError
from oxcore.fs.atomic import storage_errors
from oxcore.model.entries import Entry, show_path
from oxcore.repo import Repository, files
from oxcore.repo.changes import FileChange
from oxcore.repo.memo import known_id
from oxcore.verbs.comparing.details import Detail, detail, table
from oxcore.verbs.comparing.sides import FileSide, StoredSide, WorkSide
from oxcore.verbs.comparing.tablediff import ByRows, TableDiff
from oxcore.worktree import hash_file, peek

File = tuple[bytes, str | None]
"""A path and a revision (``:`` the stage, None the work tree; HEAD in a bare repository)."""


class Pair:
    """Two files to compare: iterate for the one change, or none if their bytes are the same."""

    def __init__(self, old: FileSide, new: FileSide, rows: ByRows | None) -> None:
        self._old, self._new, self._rows = old, new, rows

    def __iter__(self) -> Iterator[FileChange]:
        old, new = self._old, self._new
        if old.entry.id != new.entry.id:
            other = None if old.path == new.path else old.path
            yield FileChange("M", new.path, old.entry, new.entry, other)

    def detail(self, _: FileChange | None = None) -> Detail | None:
        """What differs between them, as ``Difference.detail`` has it."""
        return detail(self._old, self._new, self._rows)

    def table(self, _: FileChange | None = None) -> TableDiff | None:
        """The rows that differ, as ``Difference.table`` has them."""
        return table(self._old, self._new, self._rows)


def compare(repo: Repository, old: File, new: File, rows: ByRows | None = None) -> Pair:
    """Two files to compare; ``NotFoundError`` if one is not there."""
    return Pair(_side(repo, *old), _side(repo, *new), rows)


def _side(repo: Repository, path: bytes, rev: str | None) -> FileSide:
    if rev is None and repo.worktree is not None:
        return WorkSide(repo, path, _entry(repo, path))
    rev = rev or "HEAD"
    return StoredSide(repo, path, files.entry(repo, path, rev), rev)


def _entry(repo: Repository, path: bytes) -> Entry:
    """The entry that a file of the work tree has: known by its stat, or it is read once."""
    name = show_path(path)
    seen = peek(repo.tree_root(), path)
    if seen is None:
        hint = f"of a version: {name}@HEAD"
        raise NotFoundError(f"{name} is not a file of the work tree", hint=hint)
    known = known_id(repo, path)
    if known is None:
        oid, size = hash_file(repo.tree_root(), path)
        return Entry(seen.mode, size, oid)
    with storage_errors(f"look at {name}"):
        size = os.lstat(os.path.join(os.fsencode(repo.tree_root()), path)).st_size
    return Entry(seen.mode, size, known[0])
