"""A new folder that is filled under a temporary name and gets its own in one step.

Nobody can have put anything into it, so its files are made in their places at once: no rename a
file, no look whether something is in the way. A process that dies leaves a folder that is known
to be ours, and no file that is half written under a name of the user's.
"""

from __future__ import annotations

import errno
import os
import stat as st

from oxcore.errors import UnsavedError
from oxcore.worktree.renames import move_new
from oxcore.worktree.temporary import temporary_name

FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}
_NO_FOLDER = {errno.ENOTDIR, errno.ELOOP}


class Hidden:
    """The folder that will be ``path``, open as ``handle``; its parent is open as ``parent``."""

    def __init__(self, parent: int, path: bytes) -> None:
        self.path = path
        self._name = temporary_name()
        os.mkdir(self._name, dir_fd=parent)
        self.handle = os.open(self._name, FLAGS, dir_fd=parent)

    def holds(self, path: bytes) -> bool:
        """Whether ``path`` is this folder or below it."""
        own = self.path
        return path.startswith(own) and path[len(own) : len(own) + 1] in b"/"

    def settle(self, parent: int) -> bool:
        """Give it its name; False if its files had to go into a folder that is there by now.

        One that holds nothing goes. Raises ``UnsavedError`` if what is there is no folder, or
        holds files of the same names.
        """
        try:
            os.rmdir(self._name, dir_fd=parent)
        except OSError:
            return _move(parent, self._name, parent, self.path)
        return False

    def remove(self, parent: int) -> None:
        """Remove it, and what was written into it."""
        from shutil import rmtree  # brings all compressors with it

        rmtree(self._name, ignore_errors=True, dir_fd=parent)


def in_the_way(paths: list[bytes]) -> UnsavedError:
    """The error for paths where something lies that the writer was not told about."""
    what = "unsaved work" if len(paths) == 1 else f"unsaved work in {len(paths)} places"
    return UnsavedError(
        f"{what} would be overwritten",
        paths=paths,
        hint="commit it, move it away or give it up (ox restore)",
    )


def _move(source: int, old: bytes, target: int, path: bytes) -> bool:
    """Rename the folder ``old`` to the last name of ``path``, in the folder ``target``.

    The kernel puts a folder in place of nothing or of an empty folder, and of nothing else.
    Where there is one with files, as where a file system takes two names for one, what is in
    ``old`` goes into it: then False.
    """
    name = path.rpartition(b"/")[2]
    try:
        os.rename(old, name, src_dir_fd=source, dst_dir_fd=target)
    except OSError as error:
        if error.errno in _NO_FOLDER:
            raise in_the_way([path]) from error
        if error.errno not in _TAKEN:
            raise
        _merge(source, old, target, path)
        return False
    return True


def _merge(source: int, old: bytes, target: int, path: bytes) -> None:
    here = os.open(old, _LIST, dir_fd=source)
    try:
        there = os.open(path.rpartition(b"/")[2], _LIST, dir_fd=target)
        try:
            for name in os.listdir(here):
                _merge_one(here, os.fsencode(name), there, b"%s/%s" % (path, os.fsencode(name)))
        finally:
            os.close(there)
    finally:
        os.close(here)
    os.rmdir(old, dir_fd=source)


def _merge_one(here: int, name: bytes, there: int, path: bytes) -> None:
    if st.S_ISDIR(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
        _move(here, name, there, path)
        return
    try:
        move_new(here, name, there)
    except FileExistsError as error:
        raise in_the_way([path]) from error
