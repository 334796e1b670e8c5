"""Record ids: UUIDv7 (RFC 9562, section 5.7), in the order of time within a process.

The 12 bits that the layout leaves free behind the milliseconds say which target a record went to;
then come 20 bits of nanoseconds within the millisecond, and 42 bits by chance.
"""

from __future__ import annotations

import os
import re
import time

from blake3 import blake3

_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_MILLI = 1_000_000  # nanoseconds
_CHANCE = (1 << 42) - 1


def tag_of(target: str) -> int:
    """The 12 bits that stand for a target in the ids of its records."""
    return int.from_bytes(blake3(target.encode("utf-8", "surrogateescape")).digest(2), "big") >> 4


def new_id(tag: int, now_ns: int | None = None) -> str:
    """A new id; ``now_ns`` are nanoseconds since the epoch."""
    milli, nano = divmod(time.time_ns() if now_ns is None else now_ns, _MILLI)
    chance = int.from_bytes(os.urandom(6), "big") & _CHANCE
    high = milli << 16 | 0x7000 | tag
    low = 0x8000_0000_0000_0000 | nano << 42 | chance
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(text: object) -> bool:
    """Whether this is an id as ``new_id`` makes them."""
    return isinstance(text, str) and _FORM.fullmatch(text) is not None


def tag_in(text: str) -> int:
    """The tag in an id."""
    return int(text[15:18], 16)


def writer_id() -> str:
    """A name for a writer that no other has: 16 hex digits, in the order of time."""
    return f"{time.time_ns() // _MILLI:012x}{os.urandom(4).hex()}"
