"""A segment: the file that a writer appends its frames to."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

from oxcore.fs.atomic import fsync_dir


class Segment:
    """One file, open for appending. ``append`` and ``close`` are called with the writer's lock
    held; ``synced`` is not.

    ``size`` in bytes, ``count`` frames of records and events, ``born`` by the monotonic clock.
    """

    def __init__(self, path: str, head: Sequence[bytes], *, power: bool) -> None:
        self.path = path
        self.size = self.count = 0
        self.born = time.monotonic()
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._changed = threading.Condition()
        self._durable = 0
        self._syncing = False
        self.append(head)
        self.count = 0
        if power:
            fsync_dir(os.path.dirname(path))

    def append(self, parts: Sequence[bytes]) -> int:
        """Write a frame; gives where it ends. ``OSError``, and the file is as it was.

        The room is taken first: a handler of signals, or the collector, may append in the midst.
        """
        total = sum(map(len, parts))
        start, self.size = self.size, self.size + total
        try:
            done = os.pwritev(self._handle, parts, start)
            if done < total:
                self._rest(b"".join(parts), start, done)
        except OSError:
            if self.size == start + total:
                self.size = start
                os.ftruncate(self._handle, start)
            raise
        self.count += 1
        return start + total

    def _rest(self, data: bytes, start: int, done: int) -> None:
        while done < len(data):
            done += os.pwrite(self._handle, data[done:], start + done)

    def synced(self, end: int) -> None:
        """Return when all before ``end`` is on the disk: one call of the system serves all threads
        that wait. Raises ``OSError``."""
        with self._changed:
            while self._durable < end and self._syncing:
                self._changed.wait()
            if self._durable >= end:
                return
            self._syncing, reach = True, self.size
        reached = 0
        try:
            os.fdatasync(self._handle)
            reached = reach
        finally:
            with self._changed:
                self._syncing = False
                self._durable = max(self._durable, reached)
                self._changed.notify_all()

    def close(self, *, power: bool = False) -> None:
        """Append no more; with ``power`` all of it is on the disk then."""
        if power:
            self.synced(self.size)
        os.close(self._handle)

    def forget(self) -> None:
        """Let go of the file in a forked child: it is the parent's."""
        os.close(self._handle)
