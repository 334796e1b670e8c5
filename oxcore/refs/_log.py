"""Reading one operation log, record by record, without holding all of it."""

from __future__ import annotations

import os
import weakref
from array import array
from collections.abc import Iterator

from blake3 import blake3

from oxcore.codec import oplog
from oxcore.codec.oplog import Operation
from oxcore.errors import CorruptError
from oxcore.model.commits import Moment
from oxcore.refs.view import View

START = len(oplog.HEADER)
FRAME = 20  # length and checksum before each payload
_BLOCK = 1 << 20
_PAYLOAD_START = b'{"changes":{'  # canonical JSON sorts its keys: every record starts so


class LogFile:
    """An operation log that is open for reading.

    It stays open as long as somebody reads from it: so its inode is not given to the log that
    ``prune`` puts in its place, and ``is_at`` can tell the two apart.
    """

    def __init__(self, path: str) -> None:
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.close = weakref.finalize(self, os.close, self._handle)
        status = os.fstat(self._handle)
        self._identity = (status.st_dev, status.st_ino)
        self._starts = array("Q")
        self._walked = START

    def check_header(self) -> None:
        """Raise ``FormatError`` or ``CorruptError`` unless this is a log that we read."""
        oplog.check_header(self.read(0, START))

    def is_at(self, status: os.stat_result) -> bool:
        """Whether ``status`` describes this very file."""
        return (status.st_dev, status.st_ino) == self._identity

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from ``start`` to ``stop``, fewer where the file ends before."""
        parts = []
        while start < stop and (part := os.pread(self._handle, stop - start, start)):
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def starts(self, end: int) -> array[int]:
        """Where each record before ``end`` starts; only what is new is walked."""
        while self._walked < end:
            self._walk(self.read(self._walked, min(end, self._walked + _BLOCK)), end)
        return self._starts

    def _walk(self, block: bytes, end: int) -> None:
        base, at = self._walked, 0
        while len(block) - at >= 4:
            self._starts.append(base + at)
            at += FRAME + int.from_bytes(block[at : at + 4], "little")
        self._walked = base + at
        if at == 0 or self._walked > end:
            for _ in follow(self.read(START, end), 0):
                pass  # a length is wrong; this raises the error that names the record
            raise CorruptError("the operation log is damaged: its records overlap")

    def operation(self, start: int, number: int) -> Operation:
        """The record at ``start``; ``CorruptError`` unless it is sound and operation ``number``."""
        length = int.from_bytes(self.read(start, start + 4), "little")
        found = next(oplog.scan(self.read(start, start + FRAME + length)), None)
        if found is None or found[1].number != number:
            raise damaged(number)
        return found[1]

    def is_record(self, start: int, end: int) -> bool:
        """Whether a sound record lies exactly from ``start`` to ``end``."""
        if not START <= start < end:
            return False
        return next((stop for stop, _ in oplog.scan(self.read(start, end))), 0) == end - start


def follow(tail: bytes, number: int) -> Iterator[tuple[int, Operation]]:
    """The records of ``tail`` that come after operation ``number``, each with its end.

    Ends at a record that was cut short: it was never acknowledged. Raises ``CorruptError`` if a
    damaged record has a sound one behind it, or a number is missing (0: any may come first).
    """
    stop = 0
    for stop, operation in oplog.scan(tail):
        if number and operation.number != number + 1:
            raise damaged(number + 1)
        number = operation.number
        yield stop, operation
    if next_frame(tail, stop + 1) >= 0:
        raise damaged(number + 1)


def base_record(view: View, time: Moment) -> bytes:
    """The record that stands for all operations up to ``view``."""
    changes: dict[str, tuple[str | None, str | None]] = {k: (None, v) for k, v in view.items()}
    return oplog.encode(Operation(view.number, "base", "", "", time, changes))


def damaged(number: int) -> CorruptError:
    """The error for a record that is not what its checksum says."""
    return CorruptError(
        f"operation {number} of the operation log is damaged",
        hint="the data is not touched; mend the log with: ox fsck --repair",
    )


def next_frame(data: bytes, start: int) -> int:
    """Where the first record at or behind ``start`` lies whose checksum is right; -1: nowhere."""
    # Lengths cannot be trusted behind a damaged record, so look at every place where a payload
    # may start.
    at = data.find(_PAYLOAD_START, start + FRAME)
    while at >= 0:
        frame = at - FRAME
        stop = at + int.from_bytes(data[frame : frame + 4], "little")
        if stop <= len(data):
            found = blake3(data[frame : frame + 4] + data[at:stop]).digest(length=16)
            if found == data[frame + 4 : at]:
                return frame
        at = data.find(_PAYLOAD_START, at + 1)
    return -1
