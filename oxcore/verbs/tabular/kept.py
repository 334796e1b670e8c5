"""What is kept of tables: their schemas, read from the tree or the work tree."""

from __future__ import annotations

import os
from typing import NamedTuple

from oxcore import tree
from oxcore.errors import InvalidError
from oxcore.fs.atomic import storage_errors
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.repo import Repository
from oxcore.repo.files import root_of
from oxcore.repo.schemafile import file_of, tables
from oxcore.store import content
from oxcore.tables.schema import TableSchema, parse

_LARGEST = 16 << 20  # bytes of a schema, which is read at once


class Kept(NamedTuple):
    """A table and its schema."""

    path: bytes
    schema: TableSchema


def read(repo: Repository, path: bytes, rev: str | None = None) -> TableSchema | None:
    """The schema of the table at ``path``, if one is kept: in a revision (``:``: the stage), or
    where ``rev`` is None in the work tree, and of HEAD in a bare repository.

    ``InvalidError`` names the file, and the place in it that makes no sense.
    """
    if rev is not None or repo.worktree is None:
        return at(repo, root_of(repo, rev or "HEAD"), path)
    name = file_of(path)
    place = os.path.join(os.fsencode(repo.worktree), name)
    with storage_errors(f"read {show_path(name)}"):
        try:
            with open(place, "rb") as file:
                return parse(file.read(_LARGEST), show_path(name))
        except (FileNotFoundError, NotADirectoryError):
            return None


def at(repo: Repository, root: bytes, path: bytes) -> TableSchema | None:
    """The schema of the table at ``path`` that a tree has; raises as ``read``."""
    name = file_of(path)
    entry = tree.get(repo.store, root, name)
    return None if entry is None else parsed(repo, name, entry)


def kept(repo: Repository, rev: str | None = None) -> list[Kept]:
    """All tables that have a schema, by path: in a revision; where ``rev`` is None, those that are
    tracked."""
    root = root_of(repo, rev or ("HEAD" if repo.worktree is None else ":"))
    found = ((path, at(repo, root, path)) for path in tables(repo.store, root))
    return [Kept(path, schema) for path, schema in found if schema is not None]


def parsed(repo: Repository, name: bytes, entry: Entry) -> TableSchema:
    """The schema that the file ``name`` of a tree holds; raises as ``read``."""
    if entry.mode == Mode.LINK or entry.size > _LARGEST:
        raise InvalidError(f"{show_path(name)} is no schema: a link, or too large")
    return parse(b"".join(content.read(repo.store, entry.id)), show_path(name))
