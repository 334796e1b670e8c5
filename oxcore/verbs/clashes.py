"""Paths that cannot be side by side: a file where a folder is, names that fold into one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from oxcore.index import row_entry
from oxcore.model.entries import Entry
from oxcore.repo import Repository
from oxcore.worktree import collisions, fold


def replaced(repo: Repository, added: Sequence[bytes]) -> Iterator[tuple[bytes, Entry]]:
    """The staged files that cannot stay beside the paths ``added``, with their entries: files
    that are folders of these, and files below them. The stat cache is in step."""
    above = sorted(_folders(added))
    for path, row in zip(above, repo.index.stat.get_raw(above), strict=True):
        if row is not None:
            yield path, row_entry(row)
    new = set(added)
    for folder in repo.index.stat.folders():
        if not new.isdisjoint(_with_parents(folder)):
            for name, row in repo.index.stat.raw_rows(folder).items():
                yield folder + b"/" + name, row_entry(row)


def meeting(
    repo: Repository, added: Sequence[bytes], gone: Collection[bytes]
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
    here = {path for path in near if path not in gone}.union(added)
    new = above.union(added)
    return [group for group in collisions(here) if not new.isdisjoint(group)]


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
