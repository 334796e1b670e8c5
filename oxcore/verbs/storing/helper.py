"""A helper process of ``crew``: takes small files into memory that it shares with its parent.

Both ends of the pipes belong to one program; a message is its length (u32) and its bytes. A
question: number of a slot (u8), number of files (u32), stat prefix of each, then their places,
separated by NUL. An answer: number n of files that could be taken and number m of their objects
(u32 each), position among those asked for and number of objects (u16 each) of the n; id (32
bytes each), kind, how (u8 each), decoded and stored length (u32 each) of the m. Numbers are as
this machine has them.
"""

from __future__ import annotations

import mmap
import signal
import struct
import sys
from array import array
from itertools import accumulate

from oxcore.chunk import ChunkParams
from oxcore.model.ids import ID_LEN
from oxcore.store import Run
from oxcore.verbs.storing.intake import ROOM, Seen, Taken, take
from oxcore.verbs.storing.processes import receive, send
from oxcore.worktree import STAT_SIZE

SLOTS = 4  # one in work, one ready to be stored, two so that neither side waits
_SLOT_AND_COUNT = struct.Struct("=BI")
_COUNTS = struct.Struct("=II")
_SIZE = struct.Struct("<Q")


def main() -> None:
    """Answer questions until there are no more. Arguments: the memory's handle, the level of
    compression, the three sizes of chunks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what becomes of Ctrl-C
    handle, level, *sizes = map(int, sys.argv[1].split())
    memory, params = memoryview(mmap.mmap(handle, ROOM * SLOTS)), ChunkParams(*sizes)
    while (message := receive(0)) is not None:
        slot, seen = _unpack_question(message)
        room = memory[slot * ROOM : (slot + 1) * ROOM]
        send(1, _pack_answer(take(seen, room, level, params)))


def pack_question(slot: int, seen: Seen) -> bytes:
    """Ask for these files in that slot."""
    head = _SLOT_AND_COUNT.pack(slot, len(seen.places))
    return b"".join((head, *seen.stats, b"\0".join(seen.places)))


def _unpack_question(message: bytes) -> tuple[int, Seen]:
    slot, count = _SLOT_AND_COUNT.unpack_from(message)
    start = _SLOT_AND_COUNT.size
    end = start + count * STAT_SIZE
    stats = [message[at : at + STAT_SIZE] for at in range(start, end, STAT_SIZE)]
    sizes = [_SIZE.unpack_from(stat)[0] for stat in stats]
    return slot, Seen(message[end:].split(b"\0"), stats, sizes)


def _pack_answer(taken: Taken) -> bytes:
    at, parts, run = taken
    numbers = (array("I", run.raws), array("I", run.stored))
    columns = (array("H", at).tobytes(), array("H", parts).tobytes(), *run.ids)
    head = _COUNTS.pack(len(at), len(run.ids))
    return b"".join((head, *columns, run.kinds, run.hows, *(one.tobytes() for one in numbers)))


def unpack_answer(message: bytes, room: memoryview) -> Taken:
    """What ``take`` found, its run lying in ``room``."""
    files, objects = _COUNTS.unpack_from(message)
    widths = (2 * files, 2 * files, ID_LEN * objects, objects, objects, 4 * objects, 4 * objects)
    ends = list(accumulate(widths, initial=_COUNTS.size))
    at, parts, ids, kinds, hows, raws, stored = map(message.__getitem__, map(slice, ends, ends[1:]))
    oids = [ids[place : place + ID_LEN] for place in range(0, len(ids), ID_LEN)]
    lengths = array("I", stored)
    run = Run(oids, kinds, hows, array("I", raws), lengths, room[: sum(lengths)])
    return Taken(array("H", at), array("H", parts), run)
