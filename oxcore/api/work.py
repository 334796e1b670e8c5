"""The area of files: from the work tree to the stage, to a commit, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from oxcore import verbs
from oxcore.api.base import RepoBase
from oxcore.errors import NotFoundError
from oxcore.model.commits import Json
from oxcore.model.entries import Change, path_bytes

if TYPE_CHECKING:
    from oxcore.verbs.add import Added
    from oxcore.verbs.commit import Committed
    from oxcore.verbs.moving.update import Moved
    from oxcore.verbs.reset import How
    from oxcore.verbs.stash import Stash
    from oxcore.verbs.status import Status
    from oxcore.verbs.transaction import Transaction


Paths = Sequence[str | bytes]


class Work(RepoBase):
    """``add``, ``status``, ``commit`` and what takes them back."""

    def add(
        self,
        paths: Paths = (),
        *,
        update: bool = False,
        ignored: bool = False,
        dry_run: bool = False,
    ) -> Added:
        """Stage new, changed and removed files under ``paths`` (files, folders, globs in the
        dataset; none: everything).

        ``update`` leaves untracked files alone, ``ignored`` takes those that ``.oxignore``
        names, ``dry_run`` only tells. Raises
        ``NotFoundError`` for a path that fits nothing, ``UnstableError`` for files that keep
        changing, ``StorageError`` for files that cannot be read; then nothing is staged.
        """
        return verbs.add.add(
            self._repo, _bytes(paths), update=update, ignored=ignored, dry_run=dry_run
        )

    def rm(
        self, paths: Paths, *, recursive: bool = False, cached: bool = False, force: bool = False
    ) -> list[Change]:
        """Take tracked files out of the stage and, unless ``cached``, out of the work tree.

        Raises ``NotFoundError`` for a path without a tracked file, ``UsageError`` for a folder
        without ``recursive``, ``UnsavedError`` for files that differ from the stage or from
        HEAD; with ``force`` these go too, and ``undo`` brings them back.
        """
        return verbs.remove.rm(
            self._repo, _bytes(paths), recursive=recursive, cached=cached, force=force
        )

    def mv(
        self, sources: Paths, target: str | bytes, *, force: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """Rename tracked files or folders; into ``target`` if that is a folder.

        Gives old and new path of every file. Raises ``NotFoundError`` for a source that is not
        tracked, ``ExistsError`` where something is in the way (``force`` overwrites a file that
        is as staged).
        """
        return verbs.remove.mv(self._repo, _bytes(sources), path_bytes(target), force=force)

    def status(
        self, paths: Paths = (), *, limit: int | None = None, each_untracked: bool = False
    ) -> Status:
        """What is staged, changed, untracked and in progress; lists hold at most ``limit``."""
        return verbs.status.status(
            self._repo, _bytes(paths), limit=limit, each_untracked=each_untracked
        )

    def commit(
        self,
        message: str | None = None,
        *,
        all_tracked: bool = False,
        amend: bool = False,
        allow_empty: bool = False,
        meta: Mapping[str, Json] | None = None,
        strict: bool | None = None,
        allow_leak: bool = False,
    ) -> Committed:
        """Record the stage as a commit on the present branch.

        ``.left`` of what it gives tells which new tables leave their schema; with ``strict`` (None:
        as ``commit.strict`` is set) these raise ``SchemaError``. Raises ``NothingToDoError`` if
        nothing is staged, ``ConflictError`` while conflicts are open, ``UsageError`` without a
        message or an author; ``InvalidError`` that lists rows which a promoted dataset would have
        for training and for the test, or move from the test to training: nothing is changed then.
        ``allow_leak`` commits them, and lists them in the commit's ``meta`` ("allowed-leaks").
        """
        return verbs.commit.commit(
            self._repo,
            message,
            all_tracked=all_tracked,
            amend=amend,
            allow_empty=allow_empty,
            meta=meta,
            strict=strict,
            guard=self._guard(allow=allow_leak),
        )

    def restore(
        self,
        paths: Paths,
        *,
        source: str | None = None,
        staged: bool = False,
        worktree: bool = True,
    ) -> list[Change]:
        """Give files the content that they have in the stage, or in the revision ``source``.

        ``staged`` restores the stage (from HEAD by default), ``worktree`` the files. What is
        overwritten is stored first: ``undo`` brings it back. Raises ``NotFoundError`` for a path
        that neither the source nor the tracked files know.
        """
        root = None if source is None else verbs.names.resolve_tree(self._repo, source)
        return verbs.reset.restore(
            self._repo, _bytes(paths), source=root, staged=staged, worktree=worktree
        )

    def reset(self, revision: str = "HEAD", how: How = "mixed") -> Moved:
        """Move the branch to a commit; with it the stage (``mixed``), and the files (``hard``).

        ``hard`` stores what it overwrites first, so that ``undo`` brings it back; untracked
        files stay. ``soft`` moves the branch alone. To unstage some paths only, ``restore``
        them with ``staged=True, worktree=False``.
        """
        if self._repo.head() is None:
            raise NotFoundError(
                "there is no commit to go back to yet",
                hint="unstage files with: ox restore --staged PATH",
            )
        return verbs.reset.reset(self._repo, verbs.names.resolve_commit(self._repo, revision), how)

    def stash_push(
        self, message: str | None = None, *, paths: Paths = (), untracked: bool = False
    ) -> Stash:
        """Put staged and changed files aside and go back to HEAD; ``untracked`` ones too.

        Raises ``NothingToDoError`` if all is clean.
        """
        return verbs.stash.push(self._repo, message, patterns=_bytes(paths), untracked=untracked)

    def stash_list(self) -> list[Stash]:
        """All stashes, newest first."""
        return verbs.stash.entries(self._repo)

    def stash_show(self, index: int = 0) -> list[Change]:
        """What the stash changes, against the commit that it was made on."""
        return verbs.stash.show(self._repo, index)

    def stash_apply(self, index: int = 0) -> Moved:
        """Bring what a stash holds into the work tree, and keep the stash.

        Raises ``ConflictError`` for files that changed otherwise since, ``UnsavedError`` for
        changed files in the way; then nothing happens.
        """
        return verbs.stash.apply(self._repo, index)

    def stash_pop(self, index: int = 0) -> Moved:
        """``stash_apply``, and then forget the stash."""
        return verbs.stash.apply(self._repo, index, drop_it=True)

    def stash_drop(self, index: int = 0) -> Stash:
        """Forget a stash; ``undo`` brings it back."""
        return verbs.stash.drop(self._repo, index)

    def transaction(
        self,
        branch: str,
        *,
        message: str,
        meta: Mapping[str, Json] | None = None,
        allow_empty: bool = False,
        allow_leak: bool = False,
    ) -> AbstractContextManager[Transaction]:
        r"""Edit ``branch`` without a work tree; it becomes a commit when the block ends.

        What leaks between training and test is refused there, and ``allow_leak`` lets it, as in
        ``commit``.

        >>> with repo.transaction("main", message="labels") as t:    # doctest: +SKIP
        ...     t.put("labels.csv", b"id,label\n1,cat\n")
        ...     t.remove("old.csv")
        """
        return verbs.transaction.transaction(
            self._repo,
            branch,
            message=message,
            meta=meta,
            allow_empty=allow_empty,
            guard=self._guard(allow=allow_leak),
        )


def _bytes(paths: Paths) -> list[bytes]:
    return [path_bytes(path) for path in paths]
