"""A writer: what one process appends to one spool. All calls are made with its recorder's lock."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from blake3 import blake3

from oxcore.capturing.frames import HEADER, What, header
from oxcore.capturing.gaps import Gap, Ledger
from oxcore.capturing.segment import Segment
from oxcore.capturing.spool import Folder, Spool

_GAP = 640  # bytes: more than the frame of a gap takes


class Sealed(NamedTuple):
    """A segment that nobody appends to any more."""

    writer: str
    number: int
    path: str
    size: int


class Place(NamedTuple):
    """Where a frame ends: what durability waits for."""

    segment: Segment
    end: int


class Writer:
    """Appends frames; gives up segments as they are full.

    Making one raises ``OxError`` or ``OSError``; so does appending, and nothing has changed.
    """

    def __init__(self, spool: Spool, *, power: bool) -> None:
        self._power = power
        self.folder: Folder = spool.writer()
        told = {"writer": self.folder.name, **spool.where._asdict()}
        self._head = json.dumps(told).encode()
        self.ledger = Ledger(self.folder.gaps)
        self.segment: Segment | None = None
        self.sealed: list[Sealed] = []
        self._seqs = itertools.count(1)  # atomic, whoever interrupts
        self._number = self._sealed_bytes = 0

    @property
    def used(self) -> int:
        """Bytes that wait."""
        return self._sealed_bytes + (0 if self.segment is None else self.segment.size)

    def next_seq(self) -> int:
        """The number of what was handed over next."""
        return next(self._seqs)

    def append(self, what: int, seq: int, text: bytes, blob: bytes) -> Place:
        """Write a frame; a gap that has not been told comes before it."""
        if self.ledger.gap.dropped:
            self.tell_gap()
        return self._append((header(what, seq, text, blob), text, blob))

    def _append(self, parts: Sequence[bytes]) -> Place:
        segment = self.segment or self._begin()
        return Place(segment, segment.append(parts))

    def tell_gap(self) -> None:
        """Write down what was lost. If the disk refuses that too, it stays in the ledger."""
        gap = self.ledger.gap
        fields = gap_fields(self.folder.name, gap)
        text = json.dumps(fields).encode()
        with suppress(OSError):
            self._append((header(What.GAP, gap.first_seq, text, b""), text))
            self.ledger.told()

    def due(self, records: int, nbytes: int) -> bool:
        """Whether the open segment has so many records or bytes."""
        segment = self.segment
        return segment is not None and (segment.count >= records or segment.size >= nbytes)

    @property
    def owed(self) -> int:
        """Bytes at most that the next frame takes besides its own: the head of a segment, a gap
        that was not told yet, and one that may come after it."""
        head = len(self._head) + HEADER if self.segment is None else 0
        return head + _GAP + (_GAP if self.ledger.gap.dropped else 0)

    def aged(self, seconds: float) -> bool:
        """Whether the open segment is so old, or a gap waits to be told. That stays in its ledger
        while others wait, so that what was lost takes no room of what is to be kept."""
        segment = self.segment
        if segment is None:
            return bool(self.ledger.gap.dropped) and not self.sealed
        return time.monotonic() - segment.born >= seconds

    def seal(self) -> None:
        """Close the open segment, with what was lost by then."""
        if self.ledger.gap.dropped:
            self.tell_gap()
        segment, self.segment = self.segment, None
        if segment is not None:
            segment.close(power=self._power)
            sealed = Sealed(self.folder.name, self._number, segment.path, segment.size)
            self.sealed.append(sealed)
            self._sealed_bytes += sealed.size

    def sent(self, segment: Sealed) -> None:
        """A segment is on the branch, and gone from here."""
        if segment in self.sealed:
            self.sealed.remove(segment)
            self._sealed_bytes -= segment.size

    def forget(self) -> None:
        """Let go of all files, in a forked child: they are the parent's."""
        if self.segment is not None:
            self.segment.forget()
        self.ledger.close()
        self.folder.release()

    def close(self, *, empty: bool) -> None:
        """Write no more; with ``empty`` nothing is left that the folder is needed for."""
        if self.segment is not None:
            self.segment.close(power=self._power)
            self.segment = None
        self.ledger.close()
        if empty:
            self.folder.remove()
        else:
            self.folder.release()

    def _begin(self) -> Segment:
        number = self._number + 1
        parts = (header(What.HEAD, 0, self._head, b""), self._head)
        self.segment = Segment(self.folder.segment(number), parts, power=self._power)
        self._number = number
        return self.segment


def gap_fields(writer: str, gap: Gap) -> dict[str, object]:
    """The fields of the record that tells a gap; the same for the same gap of the same writer."""
    chance = int.from_bytes(blake3(f"{writer} {gap.number}".encode()).digest(8), "big")
    text = (
        f"{gap.first_ts // 1000:012x}7000{0x8000 | chance >> 50:04x}{chance & (1 << 48) - 1:012x}"
    )
    return {
        "record_id": f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}",
        "ts": gap.first_ts,
        "number": gap.number,
        "status": "gap",
        "error": f"{gap.dropped} not kept: {', '.join(gap.names())}",
        "params": gap.fields(),
    }


def frame_size(text: bytes, blob: bytes) -> int:
    """Bytes that a frame takes."""
    return HEADER + len(text) + len(blob)
