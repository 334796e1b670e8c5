"""A helper process of ``share``: writes small files into folders that nobody else can know yet.

Both ends of the socket belong to one program; a message is its length (u32) and its bytes. A
question comes with a handle of the folder: number of files n and length of the folder's path
(u32 each), entry (mode u8, size u64, id 32 bytes) and location (as in the index, 22 bytes) of
each, the path, then the names, separated by NUL. The answer: the stat prefix of each file, or
nothing if one could not be written.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn, cast

from oxcore.errors import MissingError, OxError
from oxcore.model.counters import Counters
from oxcore.model.entries import Entry
from oxcore.model.protocols import Location, Locator
from oxcore.store import PackReader
from oxcore.verbs.storing.processes import LENGTH, receive, receive_rest, send
from oxcore.worktree import make_file

_COUNTS = struct.Struct("=II")
_ENTRY = struct.Struct("<BQ32s")  # as in ``Steps``
_PLACE = struct.Struct("<IQIIBB")
_NUMBER = struct.Struct("=I")
_PACK = struct.Struct("=32sI")
_AT_ONCE = 256  # files written between two looks whether the parent lives


class Job(NamedTuple):
    """Files of one folder: its path, their names, packed entries and where their content lies."""

    folder: bytes
    names: Sequence[bytes]
    entries: bytes
    places: Sequence[Location]


class _Told:
    """The packs that the parent knows. Whatever is not in them the parent looks for."""

    def __init__(self, packs: Mapping[int, bytes]) -> None:
        self._packs = packs

    def packs(self) -> Mapping[int, bytes]:
        return self._packs

    def __getattr__(self, name: str) -> NoReturn:
        raise MissingError(f"{name}: only the parent has an index")


def main() -> None:
    """Answer questions until there are no more. The first message tells of the packs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what becomes of Ctrl-C
    store = unpack_packs(receive(0) or b"")
    with socket.socket(fileno=0) as parent:
        watch = select.poll()
        watch.register(parent, 0)  # tells of a closed end only
        while (question := _receive(parent)) is not None:
            job, handle = question
            try:
                answer = _write(store, watch, job, handle)
            except (OxError, OSError):  # the parent does it again, and tells what is wrong
                answer = b""
            finally:
                os.close(handle)
            send(0, answer)


def pack_packs(folder: str, known: Mapping[int, bytes]) -> bytes:
    """The folder of packs, number and name of each."""
    rows = [name + _NUMBER.pack(number) for number, name in known.items()]
    return b"".join((_NUMBER.pack(len(rows)), *rows, os.fsencode(folder)))


def unpack_packs(message: bytes) -> PackReader:
    """What reads these packs."""
    (count,) = _NUMBER.unpack_from(message)
    known = {number: name for name, number in _PACK.iter_unpack(message[4 : 4 + 36 * count])}
    folder = os.fsdecode(message[4 + 36 * count :])
    return PackReader(folder, cast(Locator, _Told(known)), Counters(), level=1)


def pack_job(job: Job) -> bytes:
    """The question for a job, without the handle."""
    head = _COUNTS.pack(len(job.names), len(job.folder))
    places = b"".join(_PLACE.pack(*place) for place in job.places)
    return b"".join((head, job.entries, places, job.folder, b"\0".join(job.names)))


def unpack_job(message: bytes) -> Job:
    """The job of a question."""
    count, cut = _COUNTS.unpack_from(message)
    middle = _COUNTS.size + count * _ENTRY.size
    end = middle + count * _PLACE.size
    places = list(map(Location._make, _PLACE.iter_unpack(message[middle:end])))
    names = message[end + cut :].split(b"\0")
    return Job(message[end : end + cut], names, message[_COUNTS.size : middle], places)


def _write(store: PackReader, watch: select.poll, job: Job, handle: int) -> bytes:
    rows = list(map(Entry._make, _ENTRY.iter_unpack(job.entries)))
    base = job.folder + b"/" if job.folder else b""
    stats = []
    for start in range(0, len(rows), _AT_ONCE):
        if watch.poll(0):
            sys.exit()  # the parent is gone: who comes next sweeps the folder
        part = slice(start, start + _AT_ONCE)
        datas = store.get_chunks_at([entry.id for entry in rows[part]], job.places[part])
        for name, entry, data in zip(job.names[part], rows[part], datas, strict=True):
            stats.append(make_file(handle, base + name, entry, data))
    return b"".join(stats)


def _receive(parent: socket.socket) -> tuple[Job, int] | None:
    head, handles, _, _ = socket.recv_fds(parent, LENGTH.size, 1)
    message = receive_rest(0, head) if handles else None
    return None if message is None else (unpack_job(message), handles[0])
