"""Which tables leave their schema: those that a commit brings, or one that is looked at."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from oxcore import tree
from oxcore.errors import InvalidError, SchemaError, counted
from oxcore.model.entries import Mode, path_bytes, show_path
from oxcore.repo import Repository
from oxcore.repo.files import root_of
from oxcore.repo.schemafile import file_of, tables
from oxcore.tables import Table
from oxcore.tables.departures import Departure, Has, departures
from oxcore.tables.schema import TableSchema
from oxcore.verbs.tabular.df import open_table, stored
from oxcore.verbs.tabular.kept import at, read


class Left(NamedTuple):
    """A table that leaves its schema, and how."""

    path: bytes
    departures: tuple[Departure, ...]


def look(repo: Repository, path: bytes, rev: str | None = None) -> list[Departure]:
    """How the table at ``path`` leaves its schema; of versions as ``read``. Nothing where there is
    no schema."""
    schema = read(repo, path, rev)
    if schema is None:
        return []
    if rev is None and repo.worktree is not None:
        has = _has(path, partial(_are_files, os.fsencode(repo.worktree)))
    else:
        has = _has(path, partial(_are_in, tree.Nodes(repo.store), root_of(repo, rev or "HEAD")))
    return departures(open_table(repo, path, rev), schema, has)


def check(repo: Repository, before: bytes, after: bytes) -> tuple[Left, ...]:
    """The tables of the tree ``after`` that leave their schema, among those where table or schema
    differ from the tree ``before``. Costs nothing for the others but their entries."""
    nodes = tree.Nodes(repo.store)
    names = tables(nodes, after)
    both = sorted({*names, *map(file_of, names)})
    pairs = zip(tree.get_many(nodes, before, both), tree.get_many(nodes, after, both), strict=True)
    moved = {path for path, (old, new) in zip(both, pairs, strict=True) if old != new}
    changed = [path for path in names if path in moved or file_of(path) in moved]
    found = [Left(path, tuple(_departures(repo, nodes, after, path))) for path in changed]
    return tuple(one for one in found if one.departures)


def refusal(left: Sequence[Left]) -> SchemaError:
    """The error of a strict commit that these tables stop."""
    verb = "leaves its schema" if len(left) == 1 else "leave their schema"
    return SchemaError(
        f"{counted(len(left), 'table')} {verb}: nothing is committed",
        items=lines(left),
        hint="mend the table, or its schema (ox schema set FILE --infer), or use --no-strict",
    )


def lines(left: Iterable[Left]) -> list[str]:
    """One line a departure, for people."""
    return [f"{show_path(one.path)}: {each.text}" for one in left for each in one.departures]


def _departures(repo: Repository, nodes: tree.Nodes, root: bytes, path: bytes) -> list[Departure]:
    try:
        schema = at(repo, root, path) or TableSchema()
    except InvalidError as error:
        return [Departure("unreadable", None, None, error.message)]
    entry = tree.get(nodes, root, path)
    if entry is None:
        text = "not in this version, but its schema is: ox add it, or ox schema rm"
        return [Departure("no-table", None, None, text)]
    if entry.mode == Mode.LINK:
        return [Departure("unreadable", None, None, "it is a symbolic link")]
    try:
        table = Table(stored(repo, entry, show_path(path)))
    except InvalidError as error:
        return [Departure("unreadable", None, None, error.message)]
    return departures(table, schema, _has(path, partial(_are_in, nodes, root)))


def _has(path: bytes, are: Callable[[Sequence[bytes]], Sequence[bool]]) -> Has:
    """For paths in the table at ``path``, whether they are files: seen from its folder, or from
    the top of the dataset."""
    folder = path.rpartition(b"/")[0]

    def has(values: Sequence[str]) -> Sequence[bool]:
        raw = [path_bytes(value) for value in values]
        beside = are([posixpath.normpath(posixpath.join(folder, one)) for one in raw])
        top = are([posixpath.normpath(one) for one in raw])
        return [one or other for one, other in zip(beside, top, strict=True)]

    return has


def _are_in(nodes: tree.Nodes, root: bytes, paths: Sequence[bytes]) -> list[bool]:
    ordered = sorted(set(paths))
    found = dict(zip(ordered, tree.get_many(nodes, root, ordered), strict=True))
    return [found[path] is not None for path in paths]


def _are_files(top: bytes, paths: Sequence[bytes]) -> list[bool]:
    return [os.path.isfile(os.path.join(top, path)) for path in paths]
