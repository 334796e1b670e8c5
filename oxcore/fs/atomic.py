"""Writes that are there whole or not at all, whatever moment the machine stops at."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from oxcore.errors import StorageError

_OUT_OF_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NOT_PERMITTED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_DIRECTORY_FSYNC = {errno.EINVAL, errno.ENOTSUP}

TEMPORARY = ".tmp-"  # how a file begins that a crash left behind


@contextmanager
def storage_errors(what: str) -> Iterator[None]:
    """Turn an ``OSError`` into a ``StorageError`` that names ``what`` and the way out."""
    try:
        yield
    except OSError as error:
        raise storage_error(what, error) from error


def storage_error(what: str, error: OSError) -> StorageError:
    """The ``StorageError`` for an ``OSError`` met while doing ``what``."""
    hint = "free some space and run it again" if error.errno in _OUT_OF_SPACE else ""
    if error.errno in _NOT_PERMITTED:
        hint = "check the permissions of that folder"
    place = os.fsdecode(error.filename) if error.filename else ""
    reason = error.strerror or str(error)
    message = f"{what}: {reason}" + (f" ({place})" if place and place not in what else "")
    return StorageError(message, hint=hint)


def fsync_dir(folder: str) -> None:
    """Make the names in ``folder`` durable (POSIX: fsync of the directory). Raises ``OSError``.

    Some network and FUSE file systems know no such thing; there nothing more can be done.
    """
    handle = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_FSYNC:
            raise
    finally:
        os.close(handle)


def write_atomic(path: str, data: bytes, *, sync: bool = True, mode: int = 0o666) -> None:
    """Replace ``path`` by ``data``: write beside it, fsync, rename, fsync of the folder.

    ``sync`` False leaves the two fsyncs out: for caches that carry a checksum. Raises ``OSError``
    (see ``storage_errors``); ``path`` then holds what it held before, unless only the fsync of
    the folder failed.
    """
    folder = os.path.dirname(path)
    beside = os.path.join(folder, f"{TEMPORARY}{os.urandom(8).hex()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            write_all(handle, data)
            if sync:
                os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(beside, path)
    except BaseException:
        remove_quietly(beside)
        raise
    if sync:
        fsync_dir(folder)


def write_all(handle: int, data: bytes | bytearray | memoryview) -> None:
    """Write every byte, however often the kernel takes only a part. Raises ``OSError``."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def remove_quietly(path: str) -> None:
    """Remove a file of ours that may be gone already, or that cannot be removed."""
    try:
        os.unlink(path)
    except OSError:
        return
