"""Paths of the work tree: what is there now, without following links."""

import os
from collections.abc import Sequence
from itertools import islice
from types import TracebackType
from typing import NamedTuple, Self

from oxcore import worktree
from oxcore.errors import InvalidError, UnsavedError
from oxcore.fs.atomic import storage_error
from oxcore.model.entries import show_path
from oxcore.worktree.rows import UNKNOWN_STAT, mode_of, pack_stat


class Seen(NamedTuple):
    """A file or link: ``mode`` as in ``model.Mode``, ``stat`` the 32-byte prefix."""

    mode: int
    stat: bytes


def peek(root: str, path: bytes) -> Seen | None:
    """The file or link at ``path``; None if nothing that ox tracks is there.

    What lies behind a symbolic link, or under a file, is not there; nor is a folder.
    """
    base = os.fsencode(root)
    try:
        refuse_links(base, os.path.dirname(path))
        found = os.lstat(b"%s/%s" % (base, path))
    except (InvalidError, FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise storage_error(f"look at {show_path(path)}", error) from error
    mode = mode_of(found.st_mode)
    return None if mode is None else Seen(mode, pack_stat(found))


def exists(root: str, path: bytes) -> bool:
    """Whether anything is at ``path``, be it a folder, a broken link or a socket."""
    base = os.fsencode(root)
    try:
        refuse_links(base, os.path.dirname(path))
    except InvalidError:
        return False
    return os.path.lexists(b"%s/%s" % (base, path))


def refuse_links(base: bytes, folder: bytes) -> None:
    """Raise ``InvalidError`` if a component of ``folder``, below ``base``, is a symbolic link."""
    end = len(folder) if folder else -1
    at = -1
    while at < end:
        at = folder.find(b"/", at + 1)
        at = end if at < 0 else at
        if os.path.islink(b"%s/%s" % (base, folder[:at])):
            raise InvalidError(
                f"{show_path(folder)} lies behind the symbolic link {show_path(folder[:at])}",
                hint="name the place itself; links are kept as links, never followed",
            )


class Places:
    """Looks at many paths of one work tree, folder by folder; one thread, one ``with`` block."""

    def __init__(self, root: str) -> None:
        self._folders = worktree.Folders(root)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folders.close()

    def many(self, folder: bytes, names: Sequence[bytes]) -> list[Seen | None] | None:
        """For each name what ``peek`` gives; where that is None and something is there, mode 0.

        None instead of the list if there is nothing under any of the names. To find that, a folder
        is listed if it holds no more than is asked for.
        """
        try:
            handle = self._folders.get(folder, make=False)
        except UnsavedError:
            return None  # behind a link, or under a file
        if handle is None:
            return None
        there = _names(handle, len(names))
        if there is not None and there.isdisjoint(names):
            return None
        try:
            return [_seen(handle, name) for name in names]
        except OSError as error:
            raise storage_error(f"look at the folder {show_path(folder)}", error) from error


def _names(folder: int, most: int) -> set[bytes] | None:
    """The names in a folder; None if there are more than ``most``, or it cannot be listed."""
    try:
        handle = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        with os.scandir(handle) as entries:
            found = {os.fsencode(entry.name) for entry in islice(entries, most + 1)}
    finally:
        os.close(handle)
    return found if len(found) <= most else None


def _seen(folder: int, name: bytes) -> Seen | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    mode = mode_of(found.st_mode)
    return Seen(0, UNKNOWN_STAT) if mode is None else Seen(mode, pack_stat(found))
