"""The area of upkeep: what was done, taking it back, and keeping the data small and sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from oxcore import verbs
from oxcore.api.base import RepoBase
from oxcore.model.retention import GRACE, KEEP

if TYPE_CHECKING:
    from oxcore.verbs.fsck import Checked
    from oxcore.verbs.gc import Collected
    from oxcore.verbs.oplog import Logged
    from oxcore.verbs.undo import Undone
    from oxcore.verbs.verify import Verified


class Upkeep(RepoBase):
    """``oplog`` and ``undo``, ``gc``, ``fsck`` and ``verify``."""

    def oplog(self, limit: int | None = None) -> Iterator[Logged]:
        """Every operation on this repository, newest first, at most ``limit``; and which undo
        took it back. Raises ``CorruptError`` for a damaged log."""
        return verbs.oplog.oplog(self._repo, limit)

    def undo(self, number: int | None = None, *, dry_run: bool = False) -> Undone:
        """Take back operation ``number``; by default the latest that holds and is no undo.

        Refs, HEAD, the stage and the tracked files become as they were before it. To undo an undo
        is to redo. Settings (such as remotes) are outside of the log. Raises ``NothingToDoError``,
        ``RejectedError`` naming the later operation that is in the way, ``UnsavedError`` where
        unsaved work would be overwritten; then nothing has changed.
        """
        return verbs.undo.undo(self._repo, number, dry_run=dry_run)

    def gc(
        self,
        *,
        grace: float = GRACE,
        keep_operations: float | None = KEEP,
        dry_run: bool = False,
    ) -> Collected:
        """Delete data that nothing refers to, forget old operations, and gather small packs.

        ``grace``: seconds for which a pack stays as it is (14 days). ``keep_operations``: seconds
        for which operations can be undone (90 days), None for ever. ``dry_run`` tells exactly what
        would go. Raises ``MissingError`` or ``CorruptError`` if something that is needed cannot be
        read; then nothing was deleted.
        """
        return verbs.gc.gc(
            self._repo, grace=grace, keep_operations=keep_operations, dry_run=dry_run
        )

    def fsck(
        self, *, quick: bool = False, repair: bool = False, sources: Sequence[str] = ()
    ) -> Checked:
        """Check all stored data; ``problems`` of the result is empty if all is well.

        ``quick`` reads no content of files. ``repair`` mends what it can: from what is here, and
        from ``sources`` (remotes, paths, URLs; none: all remotes of the repository).
        """
        return verbs.fsck.fsck(self._repo, quick=quick, repair=repair, sources=sources)

    def verify(self, revision: str = "HEAD", *, history: bool = False) -> Verified:
        """Prove the commit ``revision``, its tree and every byte of its files; with ``history``
        all commits behind it too. Raises ``CorruptError`` or ``MissingError`` with an item for
        each problem, ``NotFoundError``."""
        return verbs.verify.verify(self._repo, revision, history=history)
