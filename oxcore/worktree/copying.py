"""A large file out of the store: the kernel copies what lies as it is, from file to file.

A thread writes; what it has written is read again and hashed beside it, while it is in memory
still. So what is proved is the file that was made, and no byte passes through Python twice. While
one file is hashed, the thread of the next may be at work: it starts at once, and waits when it is
a quarter of a GiB ahead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import EIO

from blake3 import blake3

from oxcore.fs.ahead import Ahead
from oxcore.model.extents import Extent, Extents
from oxcore.model.ids import Buffer

_STEP = 4 << 20  # bytes copied with one call
_AHEAD = 64  # steps that are written before they are hashed
_ROOM = 1 << 19  # bytes read at once: they are in the processor's cache when they are hashed

_copy_range = getattr(os, "copy_file_range", None)  # Linux


class Copy:
    """Writes ``content`` into an empty file that is open for reading too, in a thread; close it."""

    def __init__(self, handle: int, content: Extents) -> None:
        self._handle = handle
        self._ends = Ahead(_write(handle, content), _AHEAD)

    def measure(self) -> tuple[int, bytes]:
        """The size of the file, once all is written, and the BLAKE3-256 of what it holds.

        Call it once. Raises ``OSError``, and whatever reading the content raises.
        """
        whole, room = blake3(), memoryview(bytearray(_ROOM))
        at = 0
        for end in self._ends:
            while at < end:
                count = os.preadv(self._handle, [room[: end - at]], at)
                if not count:
                    raise OSError(EIO, "it was cut short while it was written")
                whole.update(room[:count])
                at += count
        return at, whole.digest()

    def close(self) -> None:
        """End the thread, whether or not it is done."""
        self._ends.close()


def _write(handle: int, content: Extents) -> Iterator[int]:
    """Write all of it; gives how many bytes are there, now and then."""
    at = 0
    for piece in content:
        if not isinstance(piece, Extent):
            at += _put(handle, piece, at)
            yield at
            continue
        for done in range(0, piece.size, _STEP):
            part = Extent(piece.file, piece.offset + done, min(_STEP, piece.size - done))
            _copy(handle, part, at)
            at += part.size
            yield at


def _copy(handle: int, part: Extent, at: int) -> None:
    """Let the kernel copy, and do what is left of it here: where it cannot, and where the file is
    at its end or cannot be read, which ``read`` tells."""
    done = 0
    try:
        while _copy_range is not None and done < part.size:
            count = _copy_range(
                part.file.fileno(), handle, part.size - done, part.offset + done, at + done
            )
            if not count:
                break
            done += count
    except OSError:
        pass
    if done < part.size:
        _put(handle, part.file.read(part.offset + done, part.size - done), at + done)


def _put(handle: int, data: Buffer, at: int) -> int:
    view, done = memoryview(data), 0
    while done < len(view):
        done += os.pwrite(handle, view[done:], at + done)
    return done
