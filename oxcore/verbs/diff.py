"""``diff``: work tree, stage and versions against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from oxcore import history, tree
from oxcore.errors import NotFoundError, UsageError
from oxcore.model.entries import Change, Entry
from oxcore.repo import Repository
from oxcore.verbs.changes import FileChange, plain, with_renames
from oxcore.verbs.details import Detail, StoredSide, WorkSide, detail
from oxcore.verbs.names import resolve_commit, resolve_tree
from oxcore.verbs.select import Selection
from oxcore.verbs.survey import Aside, Gone, catch_up, differs, survey
from oxcore.worktree import hash_file


class Difference:
    """Two versions to compare: ``old`` and ``new`` are roots of trees, ``new`` None the work
    tree. Iterate for the changes, ask ``detail`` for what is inside one."""

    def __init__(
        self,
        repo: Repository,
        old: bytes,
        new: bytes | None,
        selection: Selection,
        renames: bool = True,
    ) -> None:
        self.repo = repo
        self.old = old
        self.new = new
        self.selection = selection
        self.renames = renames

    def __iter__(self) -> Iterator[FileChange]:
        source = self._source()
        return with_renames(source) if self.renames else map(plain, source())

    def detail(self, change: FileChange) -> Detail | None:
        """What differs inside a file: lines of text, pixels, or chunks; None if nothing does.

        Raises ``StorageError`` or ``UnstableError`` for a file of the work tree that cannot be
        read.
        """
        old = new = None
        if change.old is not None:
            old = StoredSide(self.repo, change.old_path or change.path, change.old)
        if change.new is not None:
            kind = WorkSide if self.new is None and not self._is_staged(change) else StoredSide
            new = kind(self.repo, change.path, change.new)
        return detail(old, new)

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
) -> Difference:
    """What to compare, as git does.

    None: the stage with the work tree; ``A``: a commit with the work tree; ``A B`` or ``A..B``:
    two commits; ``A...B``: their merge base with B. ``staged``: HEAD, or the one commit that is
    named, with the stage. Files that are not tracked are no part of it. Raises ``UsageError``
    for other combinations, ``NotFoundError`` for ``A...B`` without a common ancestor.
    """
    old, new = _sides(repo, revisions, staged=staged)
    return Difference(repo, old, new, Selection(paths), renames)


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


def _sides(
    repo: Repository, revisions: Sequence[str], *, staged: bool
) -> tuple[bytes, bytes | None]:
    if len(revisions) > 2 or (staged and len(revisions) > 1):
        raise UsageError("too many revisions: two versions are compared", hint="ox diff A..B")
    if len(revisions) == 2:
        return resolve_tree(repo, revisions[0]), resolve_tree(repo, revisions[1])
    if not revisions:
        return (repo.head_tree(), repo.stage()) if staged else (repo.stage(), None)
    span = history.parse_range(revisions[0])
    if span.symmetric:
        return _from_base(repo, *span.include)
    if not span.include:
        raise UsageError(f"{revisions[0]!r} leaves out, and names nothing", hint="ox diff A..B")
    if span.exclude:
        return resolve_tree(repo, span.exclude[0]), resolve_tree(repo, span.include[0])
    return resolve_tree(repo, span.include[0]), repo.stage() if staged else None


def _from_base(repo: Repository, a: str, b: str) -> tuple[bytes, bytes]:
    left, right = resolve_commit(repo, a), resolve_commit(repo, b)
    base = history.merge_base(repo.history(), left, right)
    if base is None:
        raise NotFoundError(f"{a} and {b} have no common ancestor", hint=f"ox diff {a}..{b}")
    return repo.commit(base).tree, repo.commit(right).tree
