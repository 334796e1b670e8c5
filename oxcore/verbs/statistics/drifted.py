"""How a version drifted from another: per folder what came and went, per table its columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from oxcore import tree
from oxcore.errors import OxError
from oxcore.model.entries import Change, Entry
from oxcore.repo import Repository
from oxcore.repo.select import Selection
from oxcore.tables import TableDrift, table_drift
from oxcore.verbs.statistics.census import Census, Content, ImageQueue, folder_at
from oxcore.verbs.statistics.tabulated import (
    TableFile,
    about_of,
    is_table_name,
    problem_of,
    sketches_of,
    source_of,
    table_file,
    table_files,
)


class Sum(NamedTuple):
    """Files and their bytes."""

    files: int
    size: int


_NONE = Sum(0, 0)


class FolderDrift(NamedTuple):
    """What changed in a folder (as ``holdings.FolderStats`` counts): files ``added``, ``removed``
    and ``changed``, with the bytes that they have now. ``old``: what those that went or changed
    were; ``new``: what those that came or changed are. ``total``: the folder before and after; None
    where it is only a part of one."""

    path: bytes
    added: Sum
    removed: Sum
    changed: Sum
    old: Content
    new: Content
    total: tuple[Sum, Sum] | None


class TableChange(NamedTuple):
    """A table whose content changed; ``problem`` says why it cannot be compared, and then there is
    no ``drift``."""

    path: bytes
    drift: TableDrift | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """How one version differs from another. ``total``: files before and after, None where paths
    were chosen; folders by path; ``tables`` that changed, the one that drifted most first, those
    that cannot be compared last; tables that were ``added`` and ``removed``, not those that were
    only renamed."""

    total: tuple[Sum, Sum] | None
    folders: tuple[FolderDrift, ...]
    tables: tuple[TableChange, ...]
    added: tuple[TableFile, ...]
    removed: tuple[TableFile, ...]


@dataclass(slots=True)
class _Folder:
    """The counts of a folder."""

    added: Sum = _NONE
    removed: Sum = _NONE
    changed: Sum = _NONE
    old: Census = field(default_factory=Census)
    new: Census = field(default_factory=Census)

    def note(self, change: Change, queue: ImageQueue) -> None:
        """Count a file that differs."""
        for entry, census in ((change.old, self.old), (change.new, self.new)):
            if entry is not None:
                census.note(change.path, entry.size)
                queue.add(change.path, entry, census)
        if change.old is None:
            self.added = _more(self.added, change.new)
        elif change.new is None:
            self.removed = _more(self.removed, change.old)
        else:
            self.changed = _more(self.changed, change.new)


class _Tables(NamedTuple):
    """Changes of files that are called like tables."""

    changed: list[tuple[bytes, Entry, Entry]]
    added: list[tuple[bytes, Entry]]
    removed: list[tuple[bytes, Entry]]


def drift(repo: Repository, old: bytes, new: bytes, selection: Selection, depth: int) -> Drift:
    """Compare the selected files of two trees."""
    nodes, folders = tree.Nodes(repo.store), defaultdict[bytes, _Folder](_Folder)
    queue, folder_of = ImageQueue(repo), folder_at(depth)
    tables = _Tables([], [], [])
    repo.settings.progress.start("looking at images", unit="images")
    for change in _changes(nodes, old, new, selection):
        folders[folder_of(change.path)].note(change, queue)
        _note_table(tables, change)
    queue.flush()
    repo.settings.progress.done()
    whole = selection.everything
    return Drift(
        _total(nodes, old, new, b"") if whole else None,
        tuple(
            _folder(path, folders[path], _total(nodes, old, new, path))
            if whole and path.count(b"/") == depth
            else _folder(path, folders[path], None)
            for path in sorted(folders)
        ),
        _compared(repo, tables.changed),
        table_files(repo, _without(tables.added, tables.removed)),
        table_files(repo, _without(tables.removed, tables.added)),
    )


def _changes(nodes: tree.Nodes, old: bytes, new: bytes, selection: Selection) -> Iterator[Change]:
    for start in selection.roots():
        for change in tree.diff(nodes, old, new, prefix=start):
            if change.path in selection:
                yield change


def _note_table(tables: _Tables, change: Change) -> None:
    path, old, new = change
    was = old is not None and is_table_name(path, old)
    now = new is not None and is_table_name(path, new)
    if old is not None and new is not None and was and now:
        if old.id != new.id:
            tables.changed.append((path, old, new))
    elif new is not None and now:
        tables.added.append((path, new))
    elif old is not None and was:
        tables.removed.append((path, old))


def _without(
    found: Sequence[tuple[bytes, Entry]], others: Sequence[tuple[bytes, Entry]]
) -> list[tuple[bytes, Entry]]:
    """Those whose content is not among the others."""
    there = {entry.id for _, entry in others}
    return [(path, entry) for path, entry in found if entry.id not in there]


def _compared(
    repo: Repository, changed: Sequence[tuple[bytes, Entry, Entry]]
) -> tuple[TableChange, ...]:
    progress, found = repo.settings.progress, []
    progress.start("comparing tables", len(changed), unit="tables")
    for path, old, new in changed:
        one = _table(repo, path, old, new)
        if one is not None:
            found.append(one)
        progress.step()
    progress.done()
    found.sort(key=lambda one: (one.drift is None, -one.drift.drift if one.drift else 0.0))
    return tuple(found)


def _table(repo: Repository, path: bytes, old: Entry, new: Entry) -> TableChange | None:
    """One table; None for JSON that is none."""
    for when, entry in (("before", old), ("now", new)):
        found = table_file(repo, path, entry)
        if found is None or found.problem:
            return found and TableChange(path, None, f"{when}: {found.problem}")
    one, two = (source_of(repo, path, entry) for entry in (old, new))
    try:
        rows = about_of(one).facts.rows, about_of(two).facts.rows
        return TableChange(path, table_drift(rows, sketches_of(one), sketches_of(two)))
    except OxError as error:
        return TableChange(path, None, problem_of(two, error))


def _total(nodes: tree.Nodes, old: bytes, new: bytes, path: bytes) -> tuple[Sum, Sum]:
    return Sum(*tree.summary(nodes, old, path)), Sum(*tree.summary(nodes, new, path))


def _folder(path: bytes, found: _Folder, total: tuple[Sum, Sum] | None) -> FolderDrift:
    return FolderDrift(
        path,
        found.added,
        found.removed,
        found.changed,
        found.old.content(),
        found.new.content(),
        total,
    )


def _more(known: Sum, entry: Entry | None) -> Sum:
    return Sum(known.files + 1, known.size + (entry.size if entry else 0))
