"""``log``: commits, newest first, by range, path, author and time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from oxcore import history, tree
from oxcore.history import Drawn, Read
from oxcore.model.commits import Commit
from oxcore.repo import Repository
from oxcore.repo.changes import FileChange, with_renames
from oxcore.repo.names import decorations, tips
from oxcore.repo.select import Selection

Row = tuple[bytes, Commit]
Filter = history.Filter


class Logged(NamedTuple):
    """A commit of the log. ``refs``: the full names that point at it, ``HEAD`` first; ``drawn``:
    the lines of the graph beside it, if they were asked for."""

    id: bytes
    commit: Commit
    refs: tuple[str, ...]
    drawn: Drawn | None = None


def log(
    repo: Repository,
    revisions: Sequence[str] = (),
    *,
    only: Filter | None = None,
    limit: int | None = None,
    first_parent: bool = False,
    graph: bool = False,
) -> Iterator[Logged]:
    """Commits reachable from ``revisions`` (names and ranges; none: ``HEAD``), newest first.

    At most ``limit``; ``first_parent`` follows that of merges only; ``graph`` keeps lines
    together and draws them, over what ``only`` leaves out. Lazy, but for a graph with a filter.
    Raises as ``history.select``; a repository without a commit gives nothing.
    """
    chosen, read = tips(repo, revisions), repo.history()
    rows: Iterator[Row] = history.walk(
        read,
        chosen.tips,
        chosen.hide,
        order="topo" if graph else "date",
        first_parent=first_parent,
    )
    if only:
        keep = _test(repo, only, read)
        rows = _bridged(rows, keep) if graph else (row for row in rows if keep(row))
    refs = decorations(repo)
    if graph:
        for drawn in islice(history.graph(rows, first_parent=first_parent), limit):
            yield Logged(drawn.id, read(drawn.id), refs.get(drawn.id, ()), drawn)
        return
    for oid, commit in islice(rows, limit):
        yield Logged(oid, commit, refs.get(oid, ()))


def moment(repo: Repository, text: str, *, end: bool) -> int:
    """The microseconds of an ISO 8601 date or time, in the zone of this repository's clock.

    A date alone is the start of that day, or its ``end``. ``InvalidError`` for anything else.
    """
    zone = repo.settings.clock().offset
    if not end and re.fullmatch(r"\d{4}-?\d\d-?\d\d", text):
        text += "T00:00"
    return history.parse_time(text, zone)


def changes_of(
    repo: Repository, commit: Commit, paths: Sequence[bytes] = ()
) -> Iterator[FileChange]:
    """What a commit changes against its first parent (against nothing at the edge of a shallow
    clone, where the parent is not here), with renames."""
    before, selection = first_tree(repo, commit), Selection(paths)
    nodes = tree.Nodes(repo.store)
    return with_renames(
        lambda: (c for c in tree.diff(nodes, before, commit.tree) if c.path in selection)
    )


def first_tree(repo: Repository, commit: Commit) -> bytes:
    """The tree that a commit started from: that of its first parent, or the empty one."""
    for parent in commit.parents[:1]:
        if repo.store.has_many([parent])[0]:
            return repo.commit(parent).tree
    return tree.EMPTY


def touches(
    nodes: tree.Nodes, selection: Selection, commit: Commit, parents: Iterable[bytes]
) -> bool:
    """Whether the selected paths of ``commit`` differ from those of each of the trees
    ``parents`` (of the empty tree if there are none)."""
    return all(
        any(
            change.path in selection
            for root in selection.roots()
            for change in tree.diff(nodes, before, commit.tree, prefix=root)
        )
        for before in tuple(parents) or (tree.EMPTY,)
    )


def _test(repo: Repository, only: Filter, read: Read) -> Callable[[Row], bool]:
    nodes, selection = tree.Nodes(repo.store), Selection(only.paths)

    def keep(row: Row) -> bool:
        commit = row[1]
        if not only.fits(commit):
            return False
        parents = [read(parent).tree for parent in commit.parents]
        return not only.paths or touches(nodes, selection, commit, parents)

    return keep


def _bridged(rows: Iterable[Row], keep: Callable[[Row], bool]) -> Iterator[Row]:
    """The kept commits, with lines drawn over those that were left out."""
    every = list(rows)
    shown = {row[0] for row in every if keep(row)}
    stand: dict[bytes, tuple[bytes, ...]] = {}  # commit -> the kept ones nearest to it
    kept: list[Row] = []
    for oid, commit in reversed(every):
        above = dict.fromkeys(one for parent in commit.parents for one in stand.get(parent, ()))
        stand[oid] = (oid,) if oid in shown else tuple(above)
        if oid in shown:
            kept.append((oid, commit._replace(parents=tuple(above))))
    return reversed(kept)
