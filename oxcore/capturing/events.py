"""Events of feedback that are made all at once, as one shard: of rules, of tables of labels.

The same events of one moment are the same file, so that adding it twice adds it once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import NamedTuple

from blake3 import blake3

from oxcore.capturing.plain import dumps
from oxcore.capturing.shard import VERSION, Row, event_shard
from oxcore.capturing.where import Addition


class Said(NamedTuple):
    """What is said of a record; ``value`` as JSON has it."""

    record_id: str
    kind: str
    value: object
    source: str
    author: str = ""
    confidence: float | None = None


def said(directory: str, events: Sequence[Said], now: int) -> Addition:
    """The shard of these events, below ``directory``; ``now`` in microseconds since the epoch.

    Raises ``InvalidError`` for a value that has no form in JSON.
    """
    texts = [dumps(list(one)) for one in events]
    writer = blake3(b"\n".join([str(now).encode(), *texts])).hexdigest()[:16]
    rows = [_row(writer, seq, one, now) for seq, one in enumerate(events, 1)]
    day = time.strftime("%Y-%m-%d", time.gmtime(now // 1_000_000))
    return event_shard(directory, f"feedback/dt={day}", f"{writer}-000001", rows)


def _row(writer: str, seq: int, one: Said, now: int) -> Row:
    return {
        "event_id": _id(f"{writer} {seq}", now),
        "record_id": one.record_id,
        "ts": now,
        "kind": one.kind,
        "value": json.dumps(one.value, ensure_ascii=False, separators=(",", ":")),
        "source": one.source or None,
        "author": one.author or None,
        "confidence": one.confidence,
        "writer_id": writer,
        "seq": seq,
        "schema_version": VERSION,
    }


def _id(text: str, now: int) -> str:
    """A UUIDv7 whose free bits are a hash of ``text``."""
    found = int.from_bytes(blake3(text.encode()).digest(10), "big")
    high = (now // 1000) << 16 | 0x7000 | found >> 68
    low = 0x8000_0000_0000_0000 | found & ((1 << 62) - 1)
    whole = f"{high:016x}{low:016x}"
    return f"{whole[:8]}-{whole[8:12]}-{whole[12:16]}-{whole[16:20]}-{whole[20:]}"
