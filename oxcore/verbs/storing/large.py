"""Large files of the work tree into the store, beside what they replace."""

from __future__ import annotations

from oxcore.index import pack_row
from oxcore.model.entries import Entry, Mode
from oxcore.repo import Repository
from oxcore.repo.survey import Found
from oxcore.store import Batch
from oxcore.verbs.storing.deposit import Whole, put_stream
from oxcore.worktree import StableRead, stable


class Large:
    """Puts large files of ``repo``'s work tree into ``batch``, one by one."""

    def __init__(self, repo: Repository, batch: Batch) -> None:
        self._repo = repo
        self._batch = batch
        self._root = repo.tree_root()

    def row(self, item: Found) -> bytes:
        """Store a file, telling of its bytes; gives its packed row, as the stat cache keeps it.

        Raises ``UnstableError`` for one that keeps changing, ``StorageError`` for one that cannot
        be read.
        """
        old = None if item.entry is None or item.entry.mode == Mode.LINK else item.entry.id

        def put(source: StableRead) -> tuple[bytes, int]:
            whole = Whole(source.size, source.read_at)
            return put_stream(self._repo, self._batch, source.readinto, old, self._tell, whole)

        (oid, size), mode, stat = stable(self._root, item.path, put)
        return pack_row(stat, Entry(mode, size, oid))

    def _tell(self, nbytes: int) -> None:
        self._repo.settings.progress.step(0, nbytes)
