"""Removing large files without waiting: their blocks are freed beside, in a thread.

Freeing a GiB takes ext4 a quarter of a second. A file that is open keeps its blocks when its name
goes; they are freed when the last handle is closed, which another thread can do.
"""

from __future__ import annotations

import os
import threading

_LARGE = 16 << 20  # bytes; a smaller file is freed sooner than a thread has started
_HANDLE = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC


class Releases:
    """Files on their way out, one at a time."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def unlink(self, name: bytes, folder: int, size: int) -> None:
        """Remove the file or link ``name`` of an open folder. Raises ``OSError``."""
        handle = _held(name, folder) if size >= _LARGE else None
        try:
            os.unlink(name, dir_fd=folder)
        finally:
            if handle is not None:
                self.wait()
                self._thread = threading.Thread(target=os.close, args=(handle,))
                self._thread.start()

    def wait(self) -> None:
        """Return when all blocks are free."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None


def _held(name: bytes, folder: int) -> int | None:
    """A handle that keeps the blocks of a file; None where it cannot be opened."""
    try:
        return os.open(name, _HANDLE, dir_fd=folder)
    except OSError:
        return None
