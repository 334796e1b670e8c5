"""What was found out about files, by the id of their content: kept in the index."""

from __future__ import annotations

from oxcore.index import STAT_SIZE, UNKNOWN_STAT, row_entry
from oxcore.model.entries import Mode
from oxcore.repo import Repository
from oxcore.worktree import peek


class StoredMemo:
    """The facts of a file of the store."""

    def __init__(self, repo: Repository, oid: bytes) -> None:
        self._facts = repo.index.facts
        self._oid = oid

    def get(self, kind: str) -> bytes | None:
        """The fact, or None."""
        return self._facts.get(self._oid, kind)

    def put(self, kind: str, fact: bytes) -> None:
        """Keep a fact."""
        self._facts.put(self._oid, kind, fact)


class WorkMemo(StoredMemo):
    """The facts of a file of the work tree that is as the stat cache knows it."""

    def __init__(self, repo: Repository, path: bytes, oid: bytes, stat: bytes) -> None:
        super().__init__(repo, oid)
        self._root, self._path, self._stat = repo.tree_root(), path, stat

    def put(self, kind: str, fact: bytes) -> None:
        """Keep a fact, if the file is still the same: or it may be one of other content."""
        now = peek(self._root, self._path)
        if now is not None and now.stat == self._stat:
            super().put(kind, fact)


def known_id(repo: Repository, path: bytes) -> tuple[bytes, WorkMemo] | None:
    """The id of a regular file of the work tree, and its facts, where the stat cache knows it
    unread; else None."""
    row = repo.index.stat.get_raw([path])[0]
    now = None if row is None else peek(repo.tree_root(), path)
    if row is None or now is None or now.mode == Mode.LINK:
        return None
    entry, stat = row_entry(row), row[:STAT_SIZE]
    if stat in (UNKNOWN_STAT, b"") or now.stat != stat or now.mode != entry.mode:
        return None
    return entry.id, WorkMemo(repo, path, entry.id, stat)
