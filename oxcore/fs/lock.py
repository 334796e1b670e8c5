"""One writer at a time. Readers never ask."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from oxcore.errors import BusyError
from oxcore.fs.atomic import storage_errors

_PAUSE = 0.02  # seconds between two tries


@contextmanager
def writer_lock(path: str, *, purpose: str, wait: float = 5.0) -> Iterator[int]:
    """Hold the lock file ``path`` for the length of the block; gives its handle.

    ``flock`` belongs to the open file: the kernel drops it when the process ends, however it
    ends, so that no lock is ever stale. The file tells who holds it. Waits up to ``wait``
    seconds, then raises ``BusyError`` naming the holder; ``StorageError`` where the file cannot
    be made or the file system has no locks.
    """
    with storage_errors(f"open the lock {path}"):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        with storage_errors(f"take the lock {path}"):
            _acquire(handle, wait)
        _describe(handle, purpose)
        try:
            yield handle
        finally:
            _release(handle)
    finally:
        os.close(handle)


def _acquire(handle: int, wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise _busy(handle) from None
            time.sleep(_PAUSE)
        else:
            return


def _describe(handle: int, purpose: str) -> None:
    note = json.dumps({"pid": os.getpid(), "purpose": purpose, "since": int(time.time())})
    with suppress(OSError):  # a courtesy: gc must get the lock on a full disk too
        os.ftruncate(handle, 0)
        os.pwrite(handle, note.encode(), 0)


def _release(handle: int) -> None:
    """Unlock by word: a forked child may hold a copy of ``handle`` open for longer."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)


def _busy(handle: int) -> BusyError:
    try:
        note = json.loads(os.pread(handle, 4096, 0))
        holder = f"process {note['pid']} ({note['purpose']}, {int(time.time()) - note['since']} s)"
    except (ValueError, KeyError, TypeError):
        holder = "another process"
    return BusyError(
        f"the repository is being written by {holder}", hint="wait for it to end, then try again"
    )
