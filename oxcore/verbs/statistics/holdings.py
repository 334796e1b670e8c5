"""What a version holds: folders with kinds of files and images, tables with rows and columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from oxcore import tree
from oxcore.errors import NotFoundError
from oxcore.model.entries import Entry, show_path
from oxcore.repo import Repository
from oxcore.repo.select import Selection
from oxcore.verbs.statistics.census import Census, Content, ImageQueue, folder_at
from oxcore.verbs.statistics.tabulated import TableFile, is_table_name, table_files


class FolderStats(NamedTuple):
    """A folder (b"" is the top; else it ends in '/') and what its files are: all below one that is
    as deep as was asked for, those right in one above."""

    path: bytes
    content: Content


@dataclass(frozen=True, slots=True)
class DatasetStats:
    """A version: all together, its folders and its tables by path."""

    total: Content
    folders: tuple[FolderStats, ...]
    tables: tuple[TableFile, ...]


def holdings(repo: Repository, root: bytes, selection: Selection, depth: int) -> DatasetStats:
    """What the selected files of the tree ``root`` are."""
    whole, parts = Census(), defaultdict[bytes, Census](Census)
    queue, folder_of = ImageQueue(repo), folder_at(depth)
    tables: list[tuple[bytes, Entry]] = []
    repo.settings.progress.start("looking at images", unit="images")
    for path, entry in _entries(repo, root, selection):
        part = parts[folder_of(path)]
        for census in (whole, part):
            census.note(path, entry.size)
        queue.add(path, entry, whole, part)
        if is_table_name(path, entry):
            tables.append((path, entry))
    queue.flush()
    repo.settings.progress.done()
    if selection.unmatched():
        missed = show_path(selection.unmatched()[0])
        raise NotFoundError(f"no file fits {missed!r}", hint="see: ox ls -r")
    folders = (FolderStats(path, parts[path].content()) for path in sorted(parts))
    return DatasetStats(whole.content(), tuple(folders), table_files(repo, tables))


def _entries(repo: Repository, root: bytes, selection: Selection) -> Iterator[tuple[bytes, Entry]]:
    nodes = tree.Nodes(repo.store)
    for start in selection.roots():
        for path, entry in tree.walk(nodes, root, start):
            if path in selection:
                yield path, entry
