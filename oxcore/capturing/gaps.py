"""What a writer was handed and did not keep: counted in a small file that outlives a kill.

``gaps``, 128 bytes, rewritten in place: eight numbers of 64 bits (number of the gap, records,
bytes, first and last seq, first and last time in microseconds, reasons) and their CRC-32.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple
from zlib import crc32

REASONS = ("full", "thinned", "storage", "fault")
"""Why: the spool was full; it was filling; the disk refused; an error of capture itself."""

_ROW = struct.Struct("<8Q")
_SIZE = 128
_MAX = (1 << 64) - 1


class Gap(NamedTuple):
    """Records that were lost: how many, how many bytes, which of the writer's numbers and times
    they lie between (others in there may have been kept), and why (bits of ``REASONS``)."""

    number: int
    dropped: int
    nbytes: int
    first_seq: int
    last_seq: int
    first_ts: int
    last_ts: int
    reasons: int

    def fields(self) -> dict[str, object]:
        """What the record of the gap says in ``params``."""
        return {
            "dropped": self.dropped,
            "bytes": self.nbytes,
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "first_ts": self.first_ts,
            "last_ts": self.last_ts,
            "reason": ",".join(self.names()),
        }

    def names(self) -> list[str]:
        """The reasons."""
        return [name for bit, name in enumerate(REASONS) if self.reasons >> bit & 1]


class Ledger:
    """The file, open. Its caller holds the writer's lock."""

    def __init__(self, path: str) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.gap = Gap(1, 0, 0, 0, 0, 0, 0, 0)
        self._write(self.gap)

    def note(self, seq: int, ts: int, nbytes: int, reason: str) -> None:
        """One more record was lost."""
        known, bit = self.gap, 1 << REASONS.index(reason)
        first_seq, first_ts = (known.first_seq, known.first_ts) if known.dropped else (seq, ts)
        self._write(
            Gap(
                known.number,
                known.dropped + 1,
                min(known.nbytes + nbytes, _MAX),
                first_seq,
                seq,
                first_ts,
                ts,
                known.reasons | bit,
            )
        )

    def told(self) -> None:
        """The gap stands in a segment: the next one begins."""
        self._write(Gap(self.gap.number + 1, 0, 0, 0, 0, 0, 0, 0))

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def _write(self, gap: Gap) -> None:
        self.gap = gap
        row = _ROW.pack(*gap)
        os.pwrite(self._handle, (row + crc32(row).to_bytes(4, "little")).ljust(_SIZE, b"\0"), 0)


def read(path: str) -> Gap | None:
    """The gap that a writer left untold; None if there is none, or it cannot be read."""
    try:
        with open(path, "rb") as file:
            data = file.read(_SIZE)
    except OSError:
        return None
    row = data[: _ROW.size]
    if len(data) != _SIZE or crc32(row).to_bytes(4, "little") != data[_ROW.size : _ROW.size + 4]:
        return None
    gap = Gap(*_ROW.unpack(row))
    return gap if gap.dropped else None
