"""Paths that cannot be side by side: a file where a folder is, names that fold into one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from oxcore.index import row_entry
from oxcore.model.entries import Entry
from oxcore.repo import Repository
from oxcore.worktree import collisions, fold


def replaced(repo: Repository, added: Collection[bytes]) -> Iterator[tuple[bytes, Entry]]:
    """The staged files that cannot stay beside the paths ``added``, with their entries: files
    that are folders of these, and files below them. The stat cache is in step."""
    above = sorted(_folders(added))
    for path, row in zip(above, repo.index.stat.get_raw(above), strict=True):
        if row is not None:
            yield path, row_entry(row)
    below: dict[bytes, list[bytes]] = {}  # folder -> staged folders in it, itself included
    for folder in repo.index.stat.folders():
        for parent in _with_parents(folder):
            below.setdefault(parent, []).append(folder)
    taken = {folder for path in added if path in below for folder in below[path]} if below else ()
    for folder in sorted(taken):
        for name, row in repo.index.stat.raw_rows(folder).items():
            yield folder + b"/" + name, row_entry(row)


def meeting(
    repo: Repository, added: Collection[bytes], gone: Collection[bytes]
) -> list[tuple[bytes, ...]]:
    """Groups of paths that some file systems cannot tell apart, each with one of ``added`` or a
    folder of one. ``gone`` are staged files that do not count."""
    if not added:
        return []
    above = _folders(added)
    folds = {fold(folder) for folder in above} | {b""}
    near: list[bytes] = []
    for folder in repo.index.stat.folders():
        if folder:
            near.append(folder)
        if fold(folder) in folds:
            base = folder + b"/" if folder else b""
            near.extend(base + name for name in repo.index.stat.raw_rows(folder))
    there = {path for path in near if path not in gone}
    groups = collisions(list(there.union(added)) if there else added)
    new = above.union(added) if groups else ()
    return [group for group in groups if any(path in new for path in group)]


def _folders(paths: Iterable[bytes]) -> set[bytes]:
    """Every folder above these paths, but for the root."""
    found: set[bytes] = set()
    for path in paths:
        folder = path.rpartition(b"/")[0]
        if folder and folder not in found:
            found.update(_with_parents(folder))
    return found


def _with_parents(folder: bytes) -> Iterator[bytes]:
    """A folder and all above it, but for the root."""
    while folder:
        yield folder
        folder = folder.rpartition(b"/")[0]
