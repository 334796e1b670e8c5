"""``add``: the work tree into the stage."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Sequence
from heapq import merge
from operator import itemgetter
from typing import NamedTuple

from oxcore import tree
from oxcore.errors import NotFoundError, counted
from oxcore.index import pack_row, row_entry
from oxcore.model.entries import Change, Entry, check_path, show_path
from oxcore.model.ids import ID_LEN
from oxcore.repo import Repository
from oxcore.repo.merging import read_pending, without_conflicts
from oxcore.repo.select import Selection, fixed_part, is_glob
from oxcore.repo.survey import Aside, Found, Gone, differs, survey, sync_stat
from oxcore.verbs.moving import intent
from oxcore.verbs.storing.clashes import meeting, replaced
from oxcore.verbs.storing.ingest import Ingest
from oxcore.verbs.storing.rows import Paths, Rows
from oxcore.worktree import Ignore, exists, scan

_LISTED = 1000  # changes that a result carries; counts are always whole

Edit = tuple[bytes, Entry | None, Entry | None]  # path, what is staged, what shall be


class Added:
    """What ``add`` staged: counts, the bytes read, the first changes, and what was left aside."""

    def __init__(self) -> None:
        self.added = self.modified = self.removed = 0
        self.nbytes = 0
        self.changes: list[Change] = []
        self.aside = Aside()

    def noted(self, edits: Iterable[Edit]) -> Iterator[tuple[bytes, Entry | None]]:
        """Path and new entry of each edit, as it passes and is counted."""
        for path, old, new in edits:
            if old is None:
                self.added += 1
            elif new is None:
                self.removed += 1
            else:
                self.modified += 1
            if new is not None:
                self.nbytes += new.size
            if len(self.changes) < _LISTED:
                self.changes.append(Change(path, old, new))
            yield path, new


class Asked(NamedTuple):
    """What ``add`` was asked for: its arguments, by their names."""

    patterns: Sequence[bytes] = ()
    update: bool = False
    ignored: bool = False
    dry_run: bool = False


def add(
    repo: Repository,
    patterns: Sequence[bytes] = (),
    *,
    update: bool = False,
    ignored: bool = False,
    dry_run: bool = False,
) -> Added:
    """Stage the selected files: new, changed and gone ones.

    ``patterns`` are paths, folders or globs in the dataset, none means everything. ``update``
    leaves untracked files alone, ``ignored`` takes files that ``.oxignore`` names. Raises
    ``NotFoundError`` for a pattern that fits nothing,
    ``UnstableError`` and ``StorageError`` for files that cannot be read; then nothing is
    staged, and what was stored makes the next try cheap.
    """
    with repo.lock("add"):
        if not dry_run:
            intent.recover(repo)
        return add_locked(repo, Asked(patterns, update, ignored, dry_run))


def add_locked(repo: Repository, asked: Asked) -> Added:
    """``add`` for a caller that holds the lock."""
    patterns, update, ignored, dry_run = asked
    selection, result = Selection(patterns), Added()
    for pattern in selection.patterns:
        if pattern:
            check_path(pattern)
    sync_stat(repo)
    found = survey(repo, selection, result.aside, untracked=not update, ignored=ignored)
    walk = _Walk(found)
    if dry_run:
        rows = Rows(_only_look(repo, walk))
    else:
        rows = _store(repo, walk, None if ignored or update else _expected(repo, selection))
    _check_patterns(repo, selection)
    added = Paths(path for path in rows.paths if path not in walk.old) if walk.old else rows.paths
    edits = _Edits(rows, walk.old, _gone(repo, added, walk))
    if update:
        _forget_new(result.aside, edits.gone)
    result.aside.collisions = meeting(repo, added, edits.gone)
    if dry_run:
        for _ in result.noted(edits):
            pass
    else:
        _stage(repo, edits, result, patterns)
    return result


def _expected(repo: Repository, selection: Selection) -> int | None:
    """About how many files there are to read, where a person waits for them and most are new.

    Asks for a walk ahead: a tenth of what reading the files costs.
    """
    if not repo.settings.progress.visible or any(map(is_glob, selection.patterns)):
        return None
    root = repo.tree_root()
    ignore = Ignore(root, repo.settings.excludes)
    starts = selection.roots()
    walked = sum(
        len(folder.names) for start in starts for folder in scan(root, ignore, start=start)
    )
    known = repo.index.stat.count()
    return walked - known if walked > 2 * known else None


class _Walk:
    """A survey taken apart: iterating gives the files, ``gone`` and ``old`` fill up."""

    def __init__(self, items: Iterable[Found | Gone]) -> None:
        self._items = items
        self.gone: list[Gone] = []
        self.old: dict[bytes, Entry] = {}

    def __iter__(self) -> Iterator[Found]:
        for item in self._items:
            if isinstance(item, Gone):
                self.gone.append(item)
            else:
                if item.entry is not None:
                    self.old[item.path] = item.entry
                yield item


class _Edits:
    """What really differs, ascending by path; may be gone through again."""

    def __init__(self, rows: Rows, old: dict[bytes, Entry], gone: Iterable[Gone]) -> None:
        self.rows = rows
        self._old = old
        self.gone = dict(sorted(gone))

    def __iter__(self) -> Iterator[Edit]:
        there = self._there()
        if not self.gone:
            return there
        gone = ((path, entry, None) for path, entry in self.gone.items())
        return merge(gone, there, key=itemgetter(0))

    def _there(self) -> Iterator[Edit]:
        known = self._old.get
        for path, row in self.rows:
            old, new = known(path), row_entry(row)
            if old != new:
                yield path, old, new


def _store(repo: Repository, walk: _Walk, expected: int | None) -> Rows:
    with repo.batch() as batch:
        ingest = Ingest(repo, batch, "add", expected)
        rows = Rows(ingest.files(walk))
        batch.flush()
        ingest.check()
    return rows


def _only_look(repo: Repository, walk: _Walk) -> Iterator[tuple[bytes, bytes]]:
    for found in walk:
        now = Entry(found.mode, found.size, b"") if found.entry is None else differs(repo, found)
        if now is not None:
            yield found.path, pack_row(found.stat, now._replace(id=now.id or bytes(ID_LEN)))


def _gone(repo: Repository, added: Paths, walk: _Walk) -> list[Gone]:
    """The staged files that are gone, those included whose place another file now takes."""
    known = {item.path for item in walk.gone}
    taken = (Gone(path, entry) for path, entry in replaced(repo, added) if path not in known)
    return [*walk.gone, *taken]


def _settled(
    repo: Repository, patterns: Sequence[bytes], edits: _Edits
) -> dict[str, tuple[str | None, str | None]]:
    """Adding a file that is in conflict settles it: what lies in the work tree is the answer.

    It must be named by itself or have changed: ours lies there as long as nobody decided, and
    an ``add`` of everything is no decision.
    """
    pending = read_pending(repo)
    if pending is None:
        return {}
    decided = {path for path, _, _ in edits}.union(patterns)
    rest = tuple(one for one in pending.conflicts if one.path not in decided)
    return {} if len(rest) == len(pending.conflicts) else without_conflicts(repo, pending, rest)


def _stage(repo: Repository, edits: _Edits, result: Added, patterns: Sequence[bytes]) -> None:
    old = repo.stage()
    settled = _settled(repo, patterns, edits)
    with repo.batch() as batch:
        new = tree.edit(repo.store, batch, old, result.noted(edits), replace=True)
    note = counted(result.added + result.modified + result.removed, "file")
    repo.operate("add", note, {**settled, "stage": (old.hex(), new.hex())})
    repo.index.stat.apply(new, edits.rows, edits.gone)


def _forget_new(aside: Aside, gone: Container[bytes]) -> None:
    """Keep of what was left aside only what took the place of a tracked file."""
    aside.specials = [row for row in aside.specials if row[0] in gone]
    aside.nested = []


def _check_patterns(repo: Repository, selection: Selection) -> None:
    missing = [pattern for pattern in selection.unmatched() if not _known(repo, selection, pattern)]
    if missing:
        names = [show_path(pattern) for pattern in missing]
        raise _ignored(repo, missing[0]) or NotFoundError(
            f"nothing to add under {names[0]!r}", items=names[1:], hint="check the spelling"
        )


def _ignored(repo: Repository, pattern: bytes) -> NotFoundError | None:
    """The error that says which line ignores the path, if it is there and one does."""
    root = repo.tree_root()
    if not exists(root, pattern):
        return None
    is_folder = os.path.isdir(os.path.join(os.fsencode(root), pattern))
    match = Ignore(root, repo.settings.excludes).why(pattern, is_folder=is_folder)
    if match is None:
        return None
    line = f"line {match.line} of {match.source}: {show_path(match.pattern)}"
    name = show_path(pattern)
    return NotFoundError(f"{name} is ignored by {line}", hint=f"add it all the same: add -f {name}")


def _known(repo: Repository, selection: Selection, pattern: bytes) -> bool:
    """Whether a pattern that no changed file fits stands for something that is clean."""
    for path, _ in tree.walk(repo.store, repo.stage(), prefix=fixed_part(pattern)):
        if path in selection and pattern not in selection.unmatched():
            return True
    root = repo.tree_root()
    if not exists(root, pattern):
        return False
    is_folder = os.path.isdir(os.path.join(os.fsencode(root), pattern))
    return not Ignore(root, repo.settings.excludes).ignores(pattern, is_folder=is_folder)
