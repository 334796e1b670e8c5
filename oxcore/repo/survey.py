"""The work tree against the stat cache: what may differ from the stage, and nothing else.

A clean file costs the walk and a row of the cache: whole parts of a folder are compared at once.
"""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from stat import S_ISDIR, S_ISFIFO, S_ISSOCK
from typing import NamedTuple

from oxcore import tree, worktree
from oxcore.errors import StorageError, UnstableError
from oxcore.index import Row, row_entry
from oxcore.model.entries import Entry
from oxcore.repo import Repository
from oxcore.repo.select import Selection
from oxcore.worktree import STAT_SIZE, Folder, Ignore, IgnoreNothing, exists, peek, scan


class Found(NamedTuple):
    """A file that is not known to be as staged: ``mode`` as in ``model.entries``, ``stat`` packed
    as in the stat cache, ``entry`` what is staged under its path, None if it is untracked."""

    path: bytes
    mode: int
    stat: bytes
    entry: Entry | None

    @property
    def size(self) -> int:
        """Its length in bytes when it was looked at."""
        return int.from_bytes(self.stat[:8], "little")


class Gone(NamedTuple):
    """A staged file that is not in the work tree."""

    path: bytes
    entry: Entry


class Aside:
    """What a walk met and left alone: ``specials`` (path and what it is), ``nested`` ox and git
    folders, ``unreadable`` (path and why); ``collisions``: groups of paths that some file
    systems cannot tell apart."""

    def __init__(self) -> None:
        self.specials: list[tuple[bytes, str]] = []
        self.nested: list[bytes] = []
        self.unreadable: list[tuple[bytes, str]] = []
        self.collisions: list[tuple[bytes, ...]] = []


def sync_stat(repo: Repository) -> None:
    """Make the rows of the stat cache those of the stage; costs what differs.

    They fall apart when a process died between two writes, or the cache was thrown away.
    """
    stage = repo.stage()
    known = repo.index.stat.root
    if known == stage:
        return
    if known is None or not repo.store.has_many([known])[0]:
        repo.index.stat.clear()
        known = tree.EMPTY
    put: list[tuple[bytes, Row]] = []
    gone: list[bytes] = []
    for change in tree.diff(repo.store, known, stage) if known != stage else ():
        if change.new is None:
            gone.append(change.path)
        else:
            put.append((change.path, Row(0, 0, 0, 0, change.new)))
    repo.index.stat.apply(stage, put, gone)


def catch_up(repo: Repository, purpose: str) -> None:
    """``sync_stat`` for a verb that only reads: it needs the lock if the cache is behind, and
    not even then where the index is the handle's own."""
    if repo.index.stat.root != repo.stage():
        with nullcontext() if repo.readable_only else repo.lock(purpose):
            sync_stat(repo)


def survey(
    repo: Repository,
    selection: Selection,
    aside: Aside,
    *,
    untracked: bool = True,
    ignored: bool = False,
) -> Iterator[Found | Gone]:
    """Every selected file that differs, or may differ, from the stage.

    Folder by folder; files of one folder by name; ``ignored`` ones as well if they are asked
    for. ``aside`` is filled on the way. The stat cache must be in step (``sync_stat``).
    """
    root = repo.tree_root()
    ignore = IgnoreNothing(root) if ignored else Ignore(root, repo.settings.excludes)
    seen: set[bytes] = set()
    for start in selection.roots():
        for item in _below(repo, root, ignore, start, seen, aside):
            if (untracked or item.entry is not None) and item.path in selection:
                yield item
    yield from _left_over(repo, selection, seen, root)


def differs(repo: Repository, found: Found) -> Entry | None:
    """What the file holds now, or None if it is as staged after all; then its row is refreshed
    by the caller. Reads the file only where the size does not settle it; the id is empty where
    it was not read, and where it cannot be or keeps changing: then it counts as changed."""
    entry = found.entry
    if entry is not None and (entry.size != found.size or entry.mode != found.mode):
        return Entry(found.mode, found.size, b"")
    try:
        oid, size = worktree.hash_file(repo.tree_root(), found.path)
    except (StorageError, UnstableError):
        return Entry(found.mode, found.size, b"")
    repo.counters.files_opened += 1
    repo.counters.bytes_hashed += size
    now = Entry(found.mode, size, oid)
    return None if now == entry else now


def _below(
    repo: Repository, root: str, ignore: Ignore, start: bytes, seen: set[bytes], aside: Aside
) -> Iterator[Found | Gone]:
    """A folder and all in it, or the one file that ``start`` is."""
    now = peek(root, start) if start else None
    if now is not None:
        row = repo.index.stat.get_raw([start])[0]
        if row is not None:
            yield from _look(root, start, row)
        elif not ignore.ignores(start):
            yield Found(start, now.mode, now.stat, None)
    elif _is_folder(root, start):
        yield from _tracked(repo, start)
        after = None
        for folder in scan(root, ignore, start=start):
            seen.add(folder.path)
            _note(folder, aside)
            if folder.names or not folder.more:
                yield from _compare(repo, folder, root, after)
                after = folder.names[-1] if folder.more else None
    else:
        yield from _tracked(repo, start)
        if exists(root, start):
            mode = _mode(os.path.join(os.fsencode(root), start))
            word = "fifo" if S_ISFIFO(mode) else "socket" if S_ISSOCK(mode) else "device"
            aside.specials.append((start, word))


def _tracked(repo: Repository, path: bytes) -> Iterator[Gone]:
    """The file that is staged under the path of something that is no file."""
    row = repo.index.stat.get_raw([path])[0] if path else None
    if row is not None:
        yield Gone(path, row_entry(row))


def _compare(
    repo: Repository, folder: Folder, root: str, after: bytes | None
) -> Iterator[Found | Gone]:
    """What differs in one part of a directory, whose names lie behind ``after``."""
    names, packed = folder.names, folder.packed
    upto = names[-1] if folder.more and names else None
    known, rows = repo.index.stat.raw_range(folder.path, after, upto)
    if names == known and packed == [row[:STAT_SIZE] for row in rows]:
        return
    base = folder.path + b"/" if folder.path else b""
    left = dict(zip(known, rows, strict=True))
    for name, stat, mode in zip(names, packed, folder.modes, strict=True):
        row = left.pop(name, None)
        if row is None:
            yield Found(base + name, mode, stat, None)
        elif not row.startswith(stat):
            yield Found(base + name, mode, stat, row_entry(row))
    for name, row in left.items():
        yield from _look(root, base + name, row)


def _left_over(
    repo: Repository, selection: Selection, seen: set[bytes], root: str
) -> Iterator[Found | Gone]:
    """Tracked files in folders that the walk did not enter: gone, ignored or now a file."""
    for path in list(repo.index.stat.folders()):
        if path not in seen and _may_hold(path, selection):
            base = path + b"/" if path else b""
            for name, row in sorted(repo.index.stat.raw_rows(path).items()):
                if base + name in selection:
                    yield from _look(root, base + name, row)


def _may_hold(folder: bytes, selection: Selection) -> bool:
    if selection.everything:
        return True
    return any(
        start in (b"", folder) or folder.startswith(start + b"/") for start in selection.roots()
    )


def _look(root: str, path: bytes, row: bytes) -> Iterator[Found | Gone]:
    entry = row_entry(row)
    now = peek(root, path)
    if now is None:
        yield Gone(path, entry)
    elif row[:STAT_SIZE] != now.stat:
        yield Found(path, now.mode, now.stat, entry)


def _is_folder(root: str, path: bytes) -> bool:
    return not path or S_ISDIR(_mode(os.path.join(os.fsencode(root), path)))


def _mode(place: bytes) -> int:
    try:
        return os.lstat(place).st_mode
    except OSError:
        return 0


def _note(folder: Folder, aside: Aside) -> None:
    aside.specials.extend(folder.specials)
    aside.nested.extend(folder.nested)
    aside.unreadable.extend(folder.errors)
