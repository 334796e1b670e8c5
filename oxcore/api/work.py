"""The area of files: from the work tree to the stage, to a commit, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from oxcore.api.base import RepoBase
from oxcore.model.commits import Json
from oxcore.model.entries import path_bytes
from oxcore.verbs.add import Added, add
from oxcore.verbs.commit import Committed, commit
from oxcore.verbs.status import Status, status
from oxcore.verbs.transaction import Transaction, transaction

Paths = Sequence[str | bytes]


class Work(RepoBase):
    """``add``, ``status``, ``commit`` and what takes them back."""

    def add(
        self,
        paths: Paths = (),
        *,
        update: bool = False,
        removals: bool = True,
        dry_run: bool = False,
    ) -> Added:
        """Stage new, changed and removed files under ``paths`` (files, folders, globs in the
        dataset; none: everything).

        ``update`` leaves untracked files alone, ``dry_run`` only tells. Raises
        ``NotFoundError`` for a path that fits nothing, ``UnstableError`` for files that keep
        changing, ``StorageError`` for files that cannot be read; then nothing is staged.
        """
        return add(self._repo, _bytes(paths), update=update, removals=removals, dry_run=dry_run)

    def status(
        self, paths: Paths = (), *, limit: int | None = None, each_untracked: bool = False
    ) -> Status:
        """What is staged, changed, untracked and in progress; lists hold at most ``limit``."""
        return status(self._repo, _bytes(paths), limit=limit, each_untracked=each_untracked)

    def commit(
        self,
        message: str | None = None,
        *,
        all_tracked: bool = False,
        amend: bool = False,
        allow_empty: bool = False,
        meta: Mapping[str, Json] | None = None,
    ) -> Committed:
        """Record the stage as a commit on the present branch.

        Raises ``NothingToDoError`` if nothing is staged, ``ConflictError`` while conflicts are
        open, ``UsageError`` without a message or an author.
        """
        return commit(
            self._repo,
            message,
            all_tracked=all_tracked,
            amend=amend,
            allow_empty=allow_empty,
            meta=meta,
        )

    def transaction(
        self,
        branch: str,
        *,
        message: str,
        meta: Mapping[str, Json] | None = None,
        allow_empty: bool = False,
    ) -> AbstractContextManager[Transaction]:
        r"""Edit ``branch`` without a work tree; it becomes a commit when the block ends.

        >>> with repo.transaction("main", message="labels") as t:    # doctest: +SKIP
        ...     t.put("labels.csv", b"id,label\n1,cat\n")
        ...     t.remove("old.csv")
        """
        return transaction(self._repo, branch, message=message, meta=meta, allow_empty=allow_empty)


def _bytes(paths: Paths) -> list[bytes]:
    return [path_bytes(path) for path in paths]
