"""Files that are cut into chunks: from the work tree into the store.

One beyond ``WHOLE`` is read in a stream and never lies in memory as a whole.
"""

from __future__ import annotations

from oxcore.index import pack_row
from oxcore.model.entries import Entry, Mode
from oxcore.repo import Repository
from oxcore.store import Batch
from oxcore.verbs.deposit import put_bytes, put_stream
from oxcore.verbs.survey import Found
from oxcore.worktree import StableRead, stable

WHOLE = 8 << 20  # bytes up to which a file is read at once


class Large:
    """Puts large files of ``repo``'s work tree into ``batch``, one by one."""

    def __init__(self, repo: Repository, batch: Batch) -> None:
        self._repo = repo
        self._batch = batch
        self._root = repo.tree_root()

    def row(self, item: Found) -> tuple[bytes, int]:
        """Store a file; gives its packed row, as the stat cache keeps it, and its size in bytes.

        Raises ``UnstableError`` for one that keeps changing, ``StorageError`` for one that cannot
        be read.
        """
        old = None if item.entry is None or item.entry.mode == Mode.LINK else item.entry.id

        def put(source: StableRead) -> tuple[bytes, int]:
            if source.size > WHOLE:
                return put_stream(self._repo, self._batch, source.read, old)
            data = source.read()
            return put_bytes(self._repo, self._batch, data, old), len(data)

        (oid, size), mode, stat = stable(self._root, item.path, put)
        return pack_row(stat, Entry(mode, size, oid)), size
