"""``diff``: work tree, stage and versions against each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from oxcore import history, tree
from oxcore.errors import NotFoundError, UsageError
from oxcore.model.entries import Change, Entry
from oxcore.repo import Repository
from oxcore.repo.changes import FileChange, plain, with_renames
from oxcore.repo.names import resolve_commit, resolve_tree
from oxcore.repo.schemafile import FOLDER
from oxcore.repo.select import Selection
from oxcore.repo.survey import Aside, Gone, catch_up, differs, survey
from oxcore.verbs.comparing.details import Detail, detail, table
from oxcore.verbs.comparing.sides import FileSide, StoredSide, WorkSide
from oxcore.verbs.comparing.tablediff import ByRows, TableDiff
from oxcore.worktree import hash_file


class Versions(NamedTuple):
    """What is compared: roots of two trees (``new`` None: the work tree), and the revisions that
    messages call them."""

    old: bytes
    new: bytes | None
    names: tuple[str, str | None]


class Difference:
    """Two versions to compare: ``old`` and ``new`` are roots of trees, ``new`` None the work
    tree. Iterate for the changes, ask ``detail`` for what is inside one."""

    def __init__(
        self,
        repo: Repository,
        versions: Versions,
        selection: Selection,
        renames: bool = True,
        rows: ByRows | None = None,
    ) -> None:
        self.repo = repo
        self.old, self.new, self._names = versions
        self.selection = selection
        self.renames = renames
        self._rows = rows

    def __iter__(self) -> Iterator[FileChange]:
        source = self._source()
        return with_renames(source) if self.renames else map(plain, source())

    def detail(self, change: FileChange) -> Detail | None:
        """What differs inside a file: rows, lines of text, pixels, or chunks; None if nothing does.

        A ``TableDiff`` is to be closed. Raises ``StorageError`` or ``UnstableError`` for a file of
        the work tree that cannot be read, ``NotFoundError`` for keys that are no columns.
        """
        old, new = self._sides(change)
        return detail(old, new, self._rows, schemas=self._schemas)

    def table(self, change: FileChange) -> TableDiff | None:
        """The rows that differ inside a file; None if it is no table by its name.

        Raises ``InvalidError`` for one that is none, for which ``detail`` tells lines or chunks.
        """
        old, new = self._sides(change)
        return table(old, new, self._rows, schemas=self._schemas)

    @cached_property
    def _schemas(self) -> bool:
        """Whether any table has a schema on either side."""
        stored = [self.old] if self.new is None else [self.old, self.new]
        if any(tree.exists_folder(self.repo.store, root, FOLDER) for root in stored):
            return True
        return self.new is None and os.path.isdir(
            os.path.join(os.fsencode(self.repo.tree_root()), FOLDER)
        )

    def _sides(self, change: FileChange) -> tuple[FileSide | None, FileSide | None]:
        old: FileSide | None = None
        new: FileSide | None = None
        if change.old is not None:
            path = change.old_path or change.path
            old = StoredSide(self.repo, path, change.old, self._names[0])
        if change.new is not None and self.new is None and not self._is_staged(change):
            new = WorkSide(self.repo, change.path, change.new)
        elif change.new is not None:
            new = StoredSide(self.repo, change.path, change.new, self._names[1])
        return old, new

    def _is_staged(self, change: FileChange) -> bool:
        return tree.get(self.repo.store, self.repo.stage(), change.path) == change.new

    def _source(self) -> Callable[[], Iterable[Change]]:
        if self.new is None:
            found = list(work_changes(self.repo, self.old, self.selection))
            return lambda: found
        nodes, new = tree.Nodes(self.repo.store), self.new
        return lambda: (
            change
            for root in self.selection.roots()
            for change in tree.diff(nodes, self.old, new, prefix=root)
            if change.path in self.selection
        )


def diff(
    repo: Repository,
    revisions: Sequence[str] = (),
    *,
    staged: bool = False,
    paths: Sequence[bytes] = (),
    renames: bool = True,
    rows: ByRows | None = None,
) -> Difference:
    """What to compare, as git does; ``rows``: how tables are, None: as other files.

    None: the stage with the work tree; ``A``: a commit with the work tree; ``A B`` or ``A..B``:
    two commits; ``A...B``: their merge base with B. ``staged``: HEAD, or the one commit that is
    named, with the stage. Files that are not tracked are no part of it. Raises ``UsageError``
    for other combinations, ``NotFoundError`` for ``A...B`` without a common ancestor.
    """
    versions = _versions(repo, revisions, staged=staged)
    return Difference(repo, versions, Selection(paths), renames, rows)


def work_changes(repo: Repository, root: bytes, selection: Selection) -> Iterator[Change]:
    """The tracked files of the work tree against the tree ``root``, by path.

    Where the size or mode alone tells that a file is not as ``root`` has it, it is not read, and
    the id of ``new`` is empty.
    """
    unstaged = {change.path: change for change in _unstaged(repo, selection)}
    staged = {
        change.path: change
        for start in selection.roots()
        for change in tree.diff(repo.store, root, repo.stage(), prefix=start)
        if change.path in selection
    }
    for path in sorted(unstaged.keys() | staged.keys()):
        first, second = staged.get(path), unstaged.get(path)
        if second is None:
            yield staged[path]
            continue
        old = second.old if first is None else first.old
        new = _read_if_needed(repo, path, old, second.new)
        if old != new:
            yield Change(path, old, new)


def _unstaged(repo: Repository, selection: Selection) -> Iterator[Change]:
    """The tracked files of the work tree against the stage, folder by folder."""
    catch_up(repo, "diff")
    for item in survey(repo, selection, Aside(), untracked=False):
        if isinstance(item, Gone):
            yield Change(item.path, item.entry, None)
        elif item.entry is not None:
            now = differs(repo, item)
            if now is not None:
                yield Change(item.path, item.entry, now)


def _read_if_needed(
    repo: Repository, path: bytes, old: Entry | None, new: Entry | None
) -> Entry | None:
    """``new`` with its id if ``old`` may be the same."""
    if new is None or new.id or old is None or old[:2] != new[:2]:
        return new
    oid, size = hash_file(repo.tree_root(), path)
    return Entry(new.mode, size, oid)


def _versions(repo: Repository, revisions: Sequence[str], *, staged: bool) -> Versions:
    if len(revisions) > 2 or (staged and len(revisions) > 1):
        raise UsageError("too many revisions: two versions are compared", hint="ox diff A..B")
    if len(revisions) == 2:
        return _between(repo, *revisions)
    if not revisions and not staged:
        return Versions(repo.stage(), None, (":", None))
    if not revisions:
        return Versions(repo.head_tree(), repo.stage(), ("HEAD", ":"))
    span = history.parse_range(revisions[0])
    if span.symmetric:
        return _from_base(repo, *span.include)
    if not span.include:
        raise UsageError(f"{revisions[0]!r} leaves out, and names nothing", hint="ox diff A..B")
    if span.exclude:
        return _between(repo, span.exclude[0], span.include[0])
    old = span.include[0]
    new, name = (repo.stage(), ":") if staged else (None, None)
    return Versions(resolve_tree(repo, old), new, (old, name))


def _between(repo: Repository, old: str, new: str) -> Versions:
    return Versions(resolve_tree(repo, old), resolve_tree(repo, new), (old, new))


def _from_base(repo: Repository, a: str, b: str) -> Versions:
    left, right = resolve_commit(repo, a), resolve_commit(repo, b)
    base = history.merge_base(repo.history(), left, right)
    if base is None:
        raise NotFoundError(f"{a} and {b} have no common ancestor", hint=f"ox diff {a}..{b}")
    names = (base.hex()[:10], b)
    return Versions(repo.commit(base).tree, repo.commit(right).tree, names)
