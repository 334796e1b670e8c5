"""Putting a finished file in its place where nothing must be: one system call where there is one.

Linux's ``renameat2(RENAME_NOREPLACE)`` cannot overwrite, whoever else writes at that moment.
Python has no name for it, so it is called through ctypes. Elsewhere a hard link does the same,
and where a file system has neither, the look before the rename must do.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

_NOREPLACE = 1  # linux/fs.h
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}

Rename = Callable[[int, bytes, bytes], None]


def rename_new() -> Rename:
    """A function (folder handle, old name, new name) that raises ``FileExistsError`` rather than
    overwrite."""
    import ctypes

    native = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if native is None:
        return _by_link

    def rename(folder: int, old: bytes, new: bytes) -> None:
        if native(folder, old, folder, new, _NOREPLACE) == 0:
            return
        code = ctypes.get_errno()
        if code in _UNKNOWN:
            _by_link(folder, old, new)
        else:
            raise OSError(code, os.strerror(code), new)

    return rename


def move_new(source: int, name: bytes, target: int) -> None:
    """Move a file to another folder, under the same name; ``FileExistsError`` rather than
    overwrite."""
    _link(source, name, target, name)


def _by_link(folder: int, old: bytes, new: bytes) -> None:
    _link(folder, old, folder, new)


def _by_look(folder: int, old: bytes, new: bytes) -> None:
    _look(folder, old, folder, new)


def _link(source: int, old: bytes, target: int, new: bytes) -> None:
    try:
        os.link(old, new, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # no hard links here
        _look(source, old, target, new)
    else:
        os.unlink(old, dir_fd=source)


def _look(source: int, old: bytes, target: int, new: bytes) -> None:
    try:
        os.stat(new, dir_fd=target, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(old, new, src_dir_fd=source, dst_dir_fd=target)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new)
