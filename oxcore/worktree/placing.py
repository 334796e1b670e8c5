"""A finished file gets its own name, if what lies there is what was expected."""

from __future__ import annotations

import os
import stat as st

from oxcore.worktree.hidden import in_the_way
from oxcore.worktree.releases import Releases
from oxcore.worktree.renames import exchange, rename_new
from oxcore.worktree.rows import is_same, pack_stat


class Placing:
    """Renames files within a folder; what they replace is freed beside, until ``wait``."""

    def __init__(self) -> None:
        self._rename_new = rename_new()
        self._exchange = exchange()
        self._releases = Releases()

    def put(self, folder: int, made: bytes, path: bytes, expect: bytes | None) -> None:
        """Rename the file ``made`` of an open folder to the last name of ``path``.

        Raises ``UnsavedError`` if something else than ``expect`` is there, or ``OSError``; what is
        there stays then, and ``made`` goes.
        """
        name = path.rpartition(b"/")[2]
        try:
            exchanged = self._take(folder, made, path, name, expect)
        except BaseException:
            unlink_quietly(made, folder)
            raise
        if exchanged and expect is not None:
            self._drop(folder, made, path, name, expect)

    def wait(self) -> None:
        """Return when all that was replaced is freed."""
        self._releases.wait()

    def _take(
        self, folder: int, made: bytes, path: bytes, name: bytes, expect: bytes | None
    ) -> bool:
        """Whether what was there has the name ``made`` now."""
        if expect is not None and may_go(folder, path, expect):
            if self._exchange(folder, made, name):
                return True
            os.rename(made, name, src_dir_fd=folder, dst_dir_fd=folder)
            return False
        try:
            self._rename_new(folder, made, name)
        except FileExistsError as error:
            raise in_the_way([path]) from error
        return False

    def _drop(self, folder: int, old: bytes, path: bytes, name: bytes, expect: bytes) -> None:
        """Remove what was replaced; if it is not what was expected, it gets its name back. Where
        that fails it keeps the name ``old``: it is not ours to remove."""
        found = os.stat(old, dir_fd=folder, follow_symlinks=False)
        if is_same(found, expect):
            self._releases.unlink(old, folder, found.st_size)
            return
        self._exchange(folder, old, name)
        unlink_quietly(old, folder)
        raise in_the_way([path])


def may_go(folder: int, path: bytes, expect: bytes | None) -> bool:
    """Whether something is there that was expected; ``UnsavedError`` for anything else."""
    try:
        found = os.stat(path.rpartition(b"/")[2], dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if pack_stat(found) != expect or st.S_ISDIR(found.st_mode):
        raise in_the_way([path])
    return True


def unlink_quietly(name: bytes, folder: int) -> None:
    """Remove a file of an open folder, if that can be."""
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        return
