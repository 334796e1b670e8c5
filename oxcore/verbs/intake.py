"""Many small files of the work tree into one run of encoded chunks, in a buffer that is reused.

The hot loop of ``add``: an open, a read, a stat and a close a file, a hash and a probe. What is
not as the walk saw it (changed since, a link, unreadable) is left to the caller.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from blake3 import blake3

from oxcore.model.ids import Kind
from oxcore.store import Run, encode
from oxcore.worktree import racy_rows, read_as_seen

CHUNK = bytes([Kind.CHUNK])
SLOT = 4 << 20  # bytes that are taken at a time; a larger write gains nothing


class Seen(NamedTuple):
    """Files as the walk saw them: places on the disk, stat prefixes and lengths, in step."""

    places: Sequence[bytes]
    stats: Sequence[bytes]
    sizes: Sequence[int]


class Taken(NamedTuple):
    """Which of the files (``at``, ascending) could be taken, and their bytes as a run."""

    at: Sequence[int]
    run: Run


def take(seen: Seen, view: memoryview, level: int) -> Taken:
    """Read, hash and encode files; each is one chunk, and all of them fit into ``view``."""
    racy = set(racy_rows(seen.stats, time.time_ns()))
    at, ids, hows, raws, stored = array("H"), [], bytearray(), array("I"), array("I")
    end = 0
    for place, (path, stat, size) in enumerate(zip(*seen, strict=True)):
        data = view[end : end + size]
        if place in racy or not read_as_seen(path, stat, data):
            continue
        how, payload = encode(data, level)
        at.append(place)
        ids.append(blake3(data).digest())
        hows.append(how)
        raws.append(size)
        stored.append(len(payload))
        if payload is not data:
            data[: len(payload)] = payload
        end += len(payload)
    return Taken(at, Run(ids, CHUNK * len(at), hows, raws, stored, view[:end]))
