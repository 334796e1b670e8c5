"""Writes that are there whole or not at all, whatever moment the machine stops at."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from oxcore.errors import StorageError

_OUT_OF_SPACE = {errno.ENOSPC, errno.EDQUOT}


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
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = "check the permissions of that folder"
    place = os.fsdecode(error.filename) if error.filename else ""
    reason = error.strerror or str(error)
    message = f"{what}: {reason}" + (f" ({place})" if place and place not in what else "")
    return StorageError(message, hint=hint)


def fsync_dir(folder: str) -> None:
    """Make the names in ``folder`` durable (POSIX: fsync of the directory)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomic(path: str, data: bytes, *, sync: bool = True, mode: int = 0o666) -> None:
    """Replace ``path`` by ``data``: write beside it, fsync, rename, fsync of the folder.

    ``sync`` False leaves the two fsyncs out: for caches that carry a checksum.
    """
    folder = os.path.dirname(path)
    beside = os.path.join(folder, f".tmp-{secrets.token_hex(8)}")
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


def write_all(handle: int, data: bytes) -> None:
    """Write every byte, however often the kernel takes only a part."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def remove_quietly(path: str) -> None:
    """Remove a file of ours that may be gone already."""
    try:
        os.unlink(path)
    except OSError:
        return
