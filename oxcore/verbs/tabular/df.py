"""``df``: a table file of a version or of the work tree, opened for reading."""

from __future__ import annotations

import os
import stat
from functools import partial

from oxcore.errors import InvalidError, NotFoundError, OxError
from oxcore.fs.atomic import storage_errors
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.repo import Repository, files
from oxcore.repo.memo import known_id
from oxcore.tables import Source, Table
from oxcore.verbs.tabular import kept
from oxcore.verbs.tabular.origins import InFolder, Stored, seen


def open_table(repo: Repository, path: bytes, rev: str | None = None) -> Table:
    """The table at ``path`` of a revision (``:`` is the stage); of the work tree where ``rev`` is
    None, and of HEAD in a bare repository.

    ``NotFoundError`` if no file is there, ``InvalidError`` if it is no table.
    """
    key = partial(_key, repo, path, rev)
    if rev is None and repo.worktree is not None:
        return Table(in_folder(repo, repo.worktree, path), key)
    return Table(_of_version(repo, path, rev or "HEAD"), key)


def _of_version(repo: Repository, path: bytes, rev: str) -> Source:
    found = files.entry(repo, path, rev)
    name = f"{show_path(path)}@{rev}"
    if found.mode == Mode.LINK:
        raise InvalidError(f"{name} is a symbolic link", hint="name the file that it points to")
    return stored(repo, found, name)


def stored(repo: Repository, entry: Entry, name: str) -> Source:
    """A file of the store, called ``name``."""
    return Stored(repo, entry, name).source()


def in_folder(repo: Repository, top: str, path: bytes) -> Source:
    """A file of the work tree ``top``; ``NotFoundError`` if none is there."""
    return folder_file(repo, top, path).source()


def folder_file(repo: Repository, top: str, path: bytes) -> InFolder:
    """The same as it may be read together with another."""
    place = os.path.join(os.fsencode(top), path)
    with storage_errors(f"read {show_path(path)}"):
        try:
            found = os.stat(place)
        except (FileNotFoundError, NotADirectoryError):
            raise _missing(repo, path) from None
    if not stat.S_ISREG(found.st_mode):
        raise InvalidError(f"{show_path(path) or '.'} is not a file", hint="see: ox ls")
    known = known_id(repo, path) or (None, None)
    return InFolder(repo, place, show_path(path), seen(found), known)


def _missing(repo: Repository, path: bytes) -> NotFoundError:
    """That a file is not in the work tree; and where it is, if the last version has it."""
    name = show_path(path)
    try:
        files.entry(repo, path, "HEAD")
        hint = f"of a version: {name}@HEAD"
    except OxError:
        hint = "see what is there: ox ls, ox status"
    return NotFoundError(f"{name} is not in the work tree", hint=hint)


def _key(repo: Repository, path: bytes, rev: str | None) -> tuple[str, ...]:
    """The key columns of the schema of a table."""
    found = kept.read(repo, path, rev)
    return () if found is None else found.key
