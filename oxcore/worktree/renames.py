"""Putting a finished file in its place: where nothing must be, or where it replaces another.

Linux's ``renameat2(RENAME_NOREPLACE)`` cannot overwrite, whoever else writes at that moment.
Python has no name for it, so it is called through ctypes. Elsewhere a hard link does the same,
and where a file system has neither, the look before the rename must do.

``renameat2(RENAME_EXCHANGE)`` replaces a file, and what was replaced can still be looked at. A
plain rename onto a file makes ext4 write the new one to the disk first (``auto_da_alloc``), which
the caller waits for: 4 GiB took 6.5 s in place of 2.6.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

_NOREPLACE, _EXCHANGE = 1, 2  # linux/fs.h
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}

Rename = Callable[[int, bytes, bytes], None]


def rename_new() -> Rename:
    """A function (folder handle, old name, new name) that raises ``FileExistsError`` rather than
    overwrite."""
    native = _native()
    if native is None:
        return _by_link

    def rename(folder: int, old: bytes, new: bytes) -> None:
        code = native(folder, old, new, _NOREPLACE)
        if code in _UNKNOWN:
            _by_link(folder, old, new)
        elif code:
            raise OSError(code, os.strerror(code), new)

    return rename


def exchange() -> Callable[[int, bytes, bytes], bool]:
    """A function (folder handle, name, other name) that lets two files take each other's names;
    False, and nothing is done, where the file system cannot. Raises ``OSError``."""
    native = _native()
    if native is None:
        return _cannot

    def swap(folder: int, one: bytes, two: bytes) -> bool:
        code = native(folder, one, two, _EXCHANGE)
        if code and code not in _UNKNOWN:
            raise OSError(code, os.strerror(code), two)
        return not code

    return swap


def _native() -> Callable[[int, bytes, bytes, int], int] | None:
    """``renameat2`` within a folder, as a function that gives the error's number, or 0."""
    import ctypes

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return None
    return lambda folder, old, new, how: (
        ctypes.get_errno() if call(folder, old, folder, new, how) else 0
    )


def _cannot(_folder: int, _one: bytes, _two: bytes) -> bool:
    return False


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
