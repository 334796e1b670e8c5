"""A helper process of ``crew``: takes small files into memory that it shares with its parent.

Both ends of the pipes belong to one program; a message is its length (u32) and its bytes. A
question: number of a slot (u8), number of files (u32), stat prefix of each, then their places,
separated by NUL. An answer, of the n files that could be taken: n (u32), position among those
asked for (u16 each), id (32 bytes each), how (u8 each), stored length (u32 each). Numbers are as
this machine has them.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import sys
from array import array

from oxcore.model.ids import ID_LEN
from oxcore.store import Run
from oxcore.verbs.intake import CHUNK, SLOT, Seen, Taken, take
from oxcore.worktree import STAT_SIZE

SLOTS = 4  # one in work, one ready to be stored, two so that neither side waits
_LENGTH = struct.Struct("=I")
_SLOT_AND_COUNT = struct.Struct("=BI")
_SIZE = struct.Struct("<Q")


def main() -> None:
    """Answer questions until there are no more: arguments are the memory's handle, the level."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what becomes of Ctrl-C
    memory = memoryview(mmap.mmap(int(sys.argv[1]), SLOT * SLOTS))
    while (message := receive(0)) is not None:
        slot, seen = _unpack_question(message)
        room = memory[slot * SLOT : (slot + 1) * SLOT]
        send(1, _pack_answer(take(seen, room, int(sys.argv[2]))))


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
    at, run = taken
    stored = array("I", run.stored).tobytes()
    columns = (array("H", at).tobytes(), *run.ids, run.hows, stored)
    return b"".join((_LENGTH.pack(len(at)), *columns))


def unpack_answer(message: bytes, asked: Seen, room: memoryview) -> Taken:
    """What ``take`` found of the files ``asked`` for, its run lying in ``room``."""
    (count,) = _LENGTH.unpack_from(message)
    at, stored = array("H"), array("I")
    ids = _LENGTH.size + 2 * count
    hows = ids + ID_LEN * count
    at.frombytes(message[_LENGTH.size : ids])
    stored.frombytes(message[hows + count :])
    oids = [message[place : place + ID_LEN] for place in range(ids, hows, ID_LEN)]
    raws = [asked.sizes[place] for place in at]
    how = message[hows : hows + count]
    return Taken(at, Run(oids, CHUNK * count, how, raws, stored, room[: sum(stored)]))


def send(handle: int, message: bytes) -> None:
    """Write a message to a pipe."""
    view = memoryview(_LENGTH.pack(len(message)) + message)
    while view:
        view = view[os.write(handle, view) :]


def receive(handle: int) -> bytes | None:
    """The next message of a pipe; None at its end."""
    head = _read(handle, _LENGTH.size)
    return None if head is None else _read(handle, _LENGTH.unpack(head)[0])


def _read(handle: int, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(handle, size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
