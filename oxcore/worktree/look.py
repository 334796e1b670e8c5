"""One path of the work tree: what is there now, without following links."""

from __future__ import annotations

import os
from typing import NamedTuple

from oxcore.errors import InvalidError
from oxcore.fs.atomic import storage_error
from oxcore.model.entries import show_path
from oxcore.worktree.rows import mode_of, pack_stat


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
