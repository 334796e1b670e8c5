"""Helper processes take small files while this process stores what was taken.

Reading, hashing and probing a small file is mostly Python, which one process does on one core.
Each helper fills slots of a piece of shared memory and says over a pipe what is in them. One
that dies costs nothing but its share of the work: its files are taken here.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, Generic, NamedTuple, TypeVar, cast

from oxcore.chunk import ChunkParams
from oxcore.verbs.storing.helper import SLOTS, pack_question, unpack_answer
from oxcore.verbs.storing.intake import ROOM, Seen, Taken, take
from oxcore.verbs.storing.processes import python, receive, send

T = TypeVar("T")

_SET_PIPE_SIZE: int | None = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux
_PIPE = 1 << 20  # bytes: a question with long paths waits in the pipe, its asker does not


class Helper:
    """One process and its slots. ``OSError`` from ``__init__`` if there can be none."""

    def __init__(self, level: int, params: ChunkParams) -> None:
        handle = _memory(ROOM * SLOTS)
        try:
            self._room = memoryview(mmap.mmap(handle, ROOM * SLOTS))
            settings = (handle, level, params.minimum, params.mean, params.maximum)
            self._process = subprocess.Popen(
                python("oxcore.verbs.storing.helper", " ".join(map(str, settings))),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[handle],
                bufsize=0,
            )
        finally:
            os.close(handle)
        self._questions = cast("IO[bytes]", self._process.stdin).fileno()
        self._answers = cast("IO[bytes]", self._process.stdout).fileno()
        self._free = list(range(SLOTS))
        self._asked: deque[int] = deque()
        self._gone = False
        _widen(self._questions)

    def is_free(self) -> bool:
        """Whether it has a slot to fill."""
        return bool(self._free) and not self._gone

    def ask(self, seen: Seen) -> None:
        """Have these files taken, ``SLOT`` bytes at most."""
        slot = self._free.pop()
        self._asked.append(slot)
        try:
            send(self._questions, pack_question(slot, seen))
        except OSError:  # it died: ``answer`` tells
            self._gone = True

    def has_answer(self) -> bool:
        """Whether ``answer`` would not have to wait."""
        return bool(select.select([self._answers], [], [], 0)[0])

    def answer(self) -> Taken | None:
        """What became of the oldest question; None if the process is gone.

        The run lies in its slot until ``release``.
        """
        slot = self._asked[0]
        message = receive(self._answers)
        if message is None:
            self._gone = True
            return None
        room = self._room[slot * ROOM : (slot + 1) * ROOM]
        return unpack_answer(message, room)

    def release(self) -> None:
        """The oldest answer has been used."""
        self._free.append(self._asked.popleft())

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        with self._process:
            pass


class _Job(NamedTuple, Generic[T]):
    tag: T
    seen: Seen
    helper: Helper | None
    taken: Taken | None  # where this process has taken the files itself


class Crew(Generic[T]):
    """Takes groups of files, here and in ``count`` helpers; results come in the order asked.

    What ``put`` and ``rest`` give must be used before the next is asked for: its run lies in
    memory that is used again. Close it at the end.
    """

    def __init__(self, count: int, level: int, params: ChunkParams) -> None:
        self._level = level
        self._params = params
        self._helpers: list[Helper] = []
        with suppress(OSError):  # no more processes or memory: this one does it all
            for _ in range(count):
                self._helpers.append(Helper(level, params))
        self._jobs: deque[_Job[T]] = deque()
        self._room = memoryview(bytearray(ROOM))
        self._room_used = False

    def put(self, tag: T, seen: Seen) -> Iterator[tuple[T, Taken]]:
        """Have files taken; gives what has been done by now, each with its tag."""
        helper = next((one for one in self._helpers if one.is_free()), None)
        if helper is not None:
            helper.ask(seen)
            self._jobs.append(_Job(tag, seen, helper, None))
        else:
            while self._room_used:
                yield from self._next()
            self._jobs.append(_Job(tag, seen, None, self._take(seen, self._room)))
            self._room_used = True
        while self._jobs and self._is_ready(self._jobs[0]):
            yield from self._next()

    def rest(self) -> Iterator[tuple[T, Taken]]:
        """What is still to come."""
        while self._jobs:
            yield from self._next()

    def close(self) -> None:
        """End the helpers."""
        for helper in self._helpers:
            helper.close()
        self._helpers = []

    def _is_ready(self, job: _Job[T]) -> bool:
        return job.helper is None or job.helper.has_answer()

    def _next(self) -> Iterator[tuple[T, Taken]]:
        job = self._jobs.popleft()
        if job.taken is not None:
            yield job.tag, job.taken
            self._room_used = False
            return
        taken = None if job.helper is None else job.helper.answer()
        if taken is None:
            taken = self._take(job.seen, memoryview(bytearray(ROOM)))
        yield job.tag, taken
        if job.helper is not None:
            job.helper.release()

    def _take(self, seen: Seen, room: memoryview) -> Taken:
        return take(seen, room, self._level, self._params)


def _memory(size: int) -> int:
    """The handle of ``size`` bytes of memory that another process can be given."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("ox-helper", os.MFD_CLOEXEC)
    else:
        with TemporaryFile() as file:
            handle = os.dup(file.fileno())
    os.ftruncate(handle, size)
    return handle


def _widen(pipe: int) -> None:
    if _SET_PIPE_SIZE is not None:
        with suppress(OSError):  # above what the system allows
            fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE)
