"""Removing large files without waiting: their blocks are freed beside, in a thread.

Freeing a GiB takes ext4 a quarter of a second. A file that is open keeps its blocks when its name
goes; they are freed when the last handle is closed, which another thread can do. Mostly that waits
for the disk (``discard``), so two of them are freed at once.
"""

from __future__ import annotations

import os
import threading
from collections import deque

_LARGE = 16 << 20  # bytes; a smaller file is freed sooner than a thread has started
_AT_ONCE = 2  # files whose room is not free yet; so a disk that is nearly full may do
_HANDLE = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC


class Releases:
    """Files on their way out, two at a time."""

    def __init__(self) -> None:
        self._threads: deque[threading.Thread] = deque()

    def unlink(self, name: bytes, folder: int, size: int) -> None:
        """Remove the file or link ``name`` of an open folder. Raises ``OSError``."""
        handle = _held(name, folder) if size >= _LARGE else None
        try:
            os.unlink(name, dir_fd=folder)
        finally:
            if handle is not None:
                self._close(handle)

    def wait(self) -> None:
        """Return when all blocks are free."""
        while self._threads:
            self._threads.popleft().join()

    def _close(self, handle: int) -> None:
        if len(self._threads) == _AT_ONCE:
            self._threads.popleft().join()
        thread = threading.Thread(target=os.close, args=(handle,))
        thread.start()
        self._threads.append(thread)


def _held(name: bytes, folder: int) -> int | None:
    """A handle that keeps the blocks of a file; None where it cannot be opened."""
    try:
        return os.open(name, _HANDLE, dir_fd=folder)
    except OSError:
        return None
