"""The area of branches: making them, going to them, joining them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from oxcore import verbs
from oxcore.api.base import RepoBase
from oxcore.model.entries import Change, path_bytes

if TYPE_CHECKING:
    from oxcore.repo.merging import Pending
    from oxcore.tables.rowmerge.decisions import Given
    from oxcore.tree import Conflict
    from oxcore.verbs.branch import Branch, Deleted, Which
    from oxcore.verbs.merge import Forward, Merged
    from oxcore.verbs.replay import Replayed, Verb
    from oxcore.verbs.resolve import Side
    from oxcore.verbs.switch import Switched
    from oxcore.verbs.tabular.conflicts import OpenConflict
    from oxcore.verbs.tabular.settle import SettledCells
    from oxcore.verbs.tag import TagInfo, Untagged


Paths = Sequence[str | bytes]


class Branching(RepoBase):
    """Branches, tags, ``switch`` and ``checkout``, ``merge`` and what goes with it.

    Revisions are text as people type it: ``main``, ``HEAD~2``, ``v1``, a short id.
    """

    # -- branches

    def branches(self, which: Which = "local", *, compare: bool = True) -> list[Branch]:
        """The branches, ``"local"``, ``"remote"`` or ``"all"``, by name.

        Without ``compare`` the commits ahead and behind are not counted (both 0).
        """
        return verbs.branch.branches(self._repo, which, compare=compare)

    def branch(self, name: str, start: str = "HEAD", *, force: bool = False) -> Branch:
        """Make a branch at ``start``; started from a remote branch, it follows that.

        Raises ``ExistsError`` if it exists; ``force`` moves it then, unless HEAD is on it.
        """
        return verbs.branch.create(self._repo, name, start, force=force)

    def rename_branch(
        self, new: str, old: str | None = None, *, force: bool = False
    ) -> tuple[str, str]:
        """Rename a branch (by default the present one), its settings too; gives old and new name.

        Raises ``ExistsError`` if there is one of that name and not ``force``.
        """
        return verbs.branch.rename(self._repo, new, old, force=force)

    def delete_branches(
        self, names: Sequence[str], *, force: bool = False, remote: bool = False
    ) -> Deleted:
        """Delete branches, or with ``remote`` what is known of a remote's (``origin/old``).

        Raises ``UsageError`` for the present branch, ``UnsavedError`` for one that is merged
        neither into HEAD nor into its upstream, unless ``force``. ``undo`` brings them back.
        """
        return verbs.branch.delete(self._repo, names, force=force, remote=remote)

    def set_upstream(self, upstream: str | None, branch: str | None = None) -> Branch:
        """Let a branch (by default the present one) follow ``upstream``, or with None nothing."""
        return verbs.branch.set_upstream(self._repo, upstream, branch)

    # -- going somewhere

    def switch(
        self,
        target: str | None = None,
        *,
        create: str | None = None,
        detach: bool = False,
        force: bool = False,
    ) -> Switched:
        """Go to a branch (``-``: the one before), or make ``create`` at ``target`` and go to it.

        The name of a remote's branch makes one that follows it. ``detach`` goes to any revision
        and stays on no branch. Raises ``UnsavedError`` for changed files in the way, which
        ``force`` overwrites, and ``ConflictError`` while a merge waits.
        """
        if create is not None:
            return verbs.switch.create(self._repo, create, target, force=force)
        return verbs.switch.switch(self._repo, target or "HEAD", detach=detach, force=force)

    def checkout(
        self, target: str | None = None, *, create: str | None = None, force: bool = False
    ) -> Switched:
        """Like ``switch``, but a revision that is no branch is gone to without one."""
        if create is not None:
            return verbs.switch.create(self._repo, create, target, force=force)
        return verbs.switch.checkout(self._repo, target or "HEAD", force=force)

    def can_checkout(self, target: str) -> bool:
        """Whether ``checkout`` knows a branch or revision of that name."""
        return verbs.switch.known(self._repo, target)

    def checkout_files(self, paths: Paths, revision: str | None = None) -> list[Change]:
        """Bring files back: from ``revision`` into folder and stage, or from the stage.

        What is overwritten is stored first, so that ``undo`` brings it back. Raises
        ``NotFoundError`` for a path that is not known there.
        """
        patterns = [path_bytes(path) for path in paths]
        if revision is None:
            return verbs.reset.restore(self._repo, patterns)
        source = verbs.names.resolve_tree(self._repo, revision)
        return verbs.reset.restore(self._repo, patterns, source=source, staged=True)

    # -- tags

    def tags(self, patterns: Sequence[str] = ()) -> list[TagInfo]:
        """The tags by name, all or those that fit a glob."""
        return verbs.tag.tags(self._repo, patterns)

    def tag(
        self,
        name: str,
        revision: str = "HEAD",
        *,
        message: str | None = None,
        force: bool = False,
    ) -> TagInfo:
        """Tag a commit; with ``message`` the tag is an object with tagger and time.

        Raises ``ExistsError`` if there is one of that name and not ``force``.
        """
        return verbs.tag.create(self._repo, name, revision, message=message, force=force)

    def delete_tags(self, names: Sequence[str]) -> Untagged:
        """Delete tags, all or none; ``NotFoundError`` if one is not there."""
        return verbs.tag.delete(self._repo, names)

    # -- joining

    def merge(
        self,
        revision: str,
        *,
        message: str | None = None,
        forward: Forward = "auto",
        allow_unrelated: bool = False,
        allow_leak: bool = False,
    ) -> Merged:
        """Bring a revision into the present branch; ``forward``: "auto", "only" or "never".

        With conflicts it stops (``kind`` "conflicts"): settle them with ``resolve`` or ``add``,
        then ``commit``, or ``abort``. Raises ``UnsavedError`` for work in the way,
        ``RejectedError`` if only a fast-forward is wanted and there is none, ``ConflictError``
        while another merge waits, ``UsageError`` for unrelated histories, ``InvalidError`` for a
        merge that leaks between training and test, unless ``allow_leak``, as in ``commit``.
        """
        theirs, label = verbs.replay.label_of(self._repo, revision)
        return verbs.merge.merge(
            self._repo,
            theirs,
            label,
            forward=forward,
            message=message,
            allow_unrelated=allow_unrelated,
            guard=self._guard(allow=allow_leak),
        )

    def cherry_pick(
        self, revisions: Sequence[str], *, mainline: int | None = None, allow_leak: bool = False
    ) -> Replayed:
        """Make the changes of commits (or ranges) again here, each as a commit of its author.

        ``mainline`` says against which parent a merge is taken. Stops at the first conflict;
        raises ``NothingToDoError`` if all is here already, and else as ``merge``.
        """
        return self._replay("cherry-pick", revisions, mainline, allow_leak=allow_leak)

    def revert(
        self, revisions: Sequence[str], *, mainline: int | None = None, allow_leak: bool = False
    ) -> Replayed:
        """Take the changes of commits (or ranges) back, each by a new commit."""
        return self._replay("revert", revisions, mainline, allow_leak=allow_leak)

    def _replay(
        self, verb: Verb, revisions: Sequence[str], mainline: int | None, *, allow_leak: bool
    ) -> Replayed:
        guard = self._guard(allow=allow_leak)
        return verbs.replay.replay(self._repo, verb, revisions, mainline=mainline, guard=guard)

    def pending(self) -> Pending | None:
        """The merge, cherry-pick or revert that waits, with its open conflicts."""
        return verbs.merging.read_pending(self._repo)

    def abort(self, verb: str | None = None) -> Pending:
        """Give up what waits, if it is a ``verb``: stage and files are as before.

        Raises ``NotFoundError`` if none waits.
        """
        return verbs.resolve.abort(self._repo, verb)

    def resolve(self, paths: Paths, side: Side) -> list[Conflict]:
        """Settle the conflicts under ``paths`` by "ours", "theirs" or "both" (theirs beside ours).

        Of a table whose rows were merged, "ours" and "theirs" settle the cells that are open; the
        rest stays merged. Raises ``NotFoundError`` if none is open there, ``UnsavedError`` for
        such a table that was edited since the merge.
        """
        return verbs.resolve.resolve(self._repo, [path_bytes(path) for path in paths], side)

    def resolve_cells(self, path: str | bytes, cells: Iterable[Given | str]) -> SettledCells:
        """Settle open cells of a table: texts such as ``"42.label=cat"``, or ``Given`` triples of
        key, column and value; with a column None, or a whole column, the value is "ours" or
        "theirs". The last one settles the file.

        Raises ``NotFoundError`` for a cell that is not open, ``UsageError`` for a name that fits
        several, ``InvalidError`` for a value that the column cannot hold, ``UnsavedError`` if the
        file was edited since the merge.
        """
        return verbs.settle.settle_cells(self._repo, path_bytes(path).strip(b"/"), cells)

    def given_cells(self, file: str, path: str | bytes) -> list[Given]:
        """What the table in the file ``file``, anywhere on this machine, decides of the table at
        ``path``, for ``resolve_cells``: columns ``key``, ``column`` and ``value``; rows without a
        value decide nothing, nor do those whose column ``file``, if there is one, is another."""
        return verbs.settle.read_given(file, path_bytes(path).strip(b"/"))

    def conflicts(self, paths: Paths = ()) -> list[OpenConflict]:
        """The open conflicts, all or those under ``paths``, with the cells of tables:
        ``.path``, ``.conflict``, ``.keys``, ``.left``, ``.why``, ``.cells()``.

        Raises ``NotFoundError`` if none is open under one of ``paths``.
        """
        return verbs.conflicts.conflicts(self._repo, [path_bytes(path) for path in paths])

    def write_conflicts(self, output: str, paths: Paths = (), *, replace: bool = False) -> int:
        """Write the open conflicts as a table to the file ``output``, whose name says the format,
        and give their number: one row for each cell, row or column of a table, and for each other
        file. Columns: file, key, column, kind, base, ours, theirs. Raises as ``Table.write``.
        """
        return verbs.conflicts.write(self.conflicts(paths), output, replace=replace)
