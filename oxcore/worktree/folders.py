"""Handles of the folders under a root that never lead through a symbolic link."""

from __future__ import annotations

import os
from collections import OrderedDict

from oxcore.errors import UnsavedError
from oxcore.fs.atomic import storage_error
from oxcore.model.entries import show_path

_KEPT = 64  # handles held open at once
_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folders:
    """Opens folders from the root down, one component at a time, without following links.

    A handle stands for the folder itself: whoever replaces a folder by a link later cannot
    lead a write elsewhere.
    """

    def __init__(self, root: str) -> None:
        try:
            self._root = os.open(root, _FLAGS & ~os.O_NOFOLLOW)
        except OSError as error:
            raise storage_error(f"open the folder {root}", error) from error
        self._open: OrderedDict[bytes, int] = OrderedDict()

    def get(self, path: bytes, *, make: bool) -> int | None:
        """A handle, good until the next call; None if it is not there and ``make`` is False.

        Raises ``UnsavedError`` if a component is a file or a link: that is the user's.
        """
        known = path
        while known and known not in self._open:
            known = known.rpartition(b"/")[0]
        handle: int | None = self._root
        if known:
            handle = self._open[known]
            self._open.move_to_end(known)
        while handle is not None and known != path:
            known = _one_deeper(known, path)
            handle = self._enter(handle, known, make=make)
        return handle

    def forget(self) -> None:
        """Close all but the root: folders may be about to go."""
        for handle in self._open.values():
            os.close(handle)
        self._open.clear()

    def close(self) -> None:
        """Close everything."""
        self.forget()
        os.close(self._root)

    def _enter(self, parent: int, path: bytes, *, make: bool) -> int | None:
        try:
            handle = _open_folder(parent, path.rpartition(b"/")[2], make=make)
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise in_the_way([path]) from error
        except OSError as error:
            raise storage_error(f"open the folder {show_path(path)}", error) from error
        self._keep(path, handle)
        return handle

    def _keep(self, path: bytes, handle: int) -> None:
        self._open[path] = handle
        if len(self._open) > _KEPT:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)


def _one_deeper(known: bytes, path: bytes) -> bytes:
    """``known`` and the next component of ``path``."""
    end = path.find(b"/", len(known) + 1) if known else path.find(b"/")
    return path if end < 0 else path[:end]


def _open_folder(parent: int, name: bytes, *, make: bool) -> int:
    try:
        return os.open(name, _FLAGS, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        pass  # someone else made it: the open tells whether it is a folder
    return os.open(name, _FLAGS, dir_fd=parent)


def in_the_way(paths: list[bytes]) -> UnsavedError:
    """The error for paths where something lies that the writer was not told about."""
    what = "unsaved work" if len(paths) == 1 else f"unsaved work in {len(paths)} places"
    return UnsavedError(
        f"{what} would be overwritten",
        paths=paths,
        hint="commit it, move it away or give it up (ox restore)",
    )
