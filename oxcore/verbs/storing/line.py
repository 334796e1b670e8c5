"""A long stream through a few threads, each with a window that stays in its processor's cache.

The libraries that hash, cut and compress let go of the GIL. A thread takes the next window and does
with it all that is to be done, rather than hand it on: bytes that leave the cache are fetched from
memory again by each step. What rests on the window before waits its turn.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

from blake3 import blake3

from oxcore.chunk import ChunkParams, cut, cut_at
from oxcore.model.ids import content_id

WINDOW = 2 << 20  # bytes that are read, cut, hashed and encoded together
_THREADS = max(2, min(8, os.cpu_count() or 2))

Fill = Callable[[memoryview], int]
A = TypeVar("A")
B = TypeVar("B")


class Steps(NamedTuple, Generic[A, B]):
    """What is done with the chunks of each window; they are valid until ``put`` is through."""

    take: Callable[[Sequence[bytes], Sequence[memoryview]], A]  # ids and chunks; in order
    encode: Callable[[A], B]  # in several threads at once
    put: Callable[[B], object]  # in order, and never beside ``take``


def run_line(
    params: ChunkParams, fill: Fill, steps: Steps[A, B], places: Sequence[int] = ()
) -> bytes:
    """Take the stream that ``fill`` reads through the steps; gives the id of all of it.

    It is cut by content, and at ``places`` (``chunk.cut_places``).

    ``fill`` puts the next bytes into a buffer and gives their number, 0 at the end. It and the
    steps are called from several threads. What any of them raises is raised here.
    """
    line = _Line(params, fill, steps, places)
    others = [threading.Thread(target=line.work, name="ox-line") for _ in range(_THREADS - 1)]
    try:
        for thread in others:
            thread.start()
        line.work()
    except BaseException as error:  # noqa: BLE001 -- an interrupt, raised again below
        line.fail(error)
    finally:
        for thread in others:
            if thread.ident is not None:
                thread.join()
    if line.error is not None:
        raise line.error
    return line.whole.digest()


def fill_up(fill: Fill, view: memoryview) -> int:
    """Fill all of ``view`` but at the end of the stream; gives how much."""
    size = 0
    while size < len(view) and (count := fill(view[size:])):
        size += count
    return size


class _StoppedError(Exception):
    """Another thread of the line has failed."""


class _Turns:
    """Lets threads do one thing in the order of the windows."""

    def __init__(self) -> None:
        self._next = 0
        self._stopped = False
        self._moved = threading.Condition()

    @contextmanager
    def of(self, place: int) -> Iterator[None]:
        with self._moved:
            while self._next != place and not self._stopped:
                self._moved.wait()
            if self._stopped:
                raise _StoppedError
        yield
        with self._moved:
            self._next += 1
            self._moved.notify_all()

    def stop(self) -> None:
        with self._moved:
            self._stopped = True
            self._moved.notify_all()


class _Line(Generic[A, B]):
    def __init__(
        self, params: ChunkParams, fill: Fill, steps: Steps[A, B], places: Sequence[int]
    ) -> None:
        self.whole = blake3()
        self.error: BaseException | None = None
        self._params = params
        self._fill = fill
        self._steps = steps
        self._places = places
        self._start = 0  # where the next window begins
        self._rest = b""  # what the next window begins with: its cut is not known yet
        self._count = 0
        self._ended = False
        self._reading, self._batch = threading.Lock(), threading.Lock()
        self._turns = _Turns(), _Turns()

    def work(self) -> None:
        """Take windows through the line until there are no more."""
        try:
            buffer = memoryview(bytearray(2 * self._params.maximum + WINDOW))
            while self._window(buffer):
                pass
        except _StoppedError:
            return
        except BaseException as error:  # noqa: BLE001 -- raised again where the line was started
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Let all threads end, because of this."""
        self.error = self.error or error
        self._ended = True
        for turns in self._turns:
            turns.stop()

    def _window(self, buffer: memoryview) -> bool:
        taking, putting = self._turns
        with self._reading:
            if self._ended:
                return False
            place, known = self._count, len(self._rest)
            buffer[:known] = self._rest
            filled = known + fill_up(self._fill, buffer[known : known + WINDOW])
            self._ended = filled < known + WINDOW
            ends = self._cut(buffer[:filled])
            self._rest = bytes(buffer[ends[-1] if ends else 0 : filled])
            self._count += 1
        chunks = [buffer[a:b] for a, b in pairwise([0, *ends])]
        ids = list(map(content_id, chunks))
        with taking.of(place):
            self.whole.update(buffer[known:filled])
            with self._batch:
                taken = self._steps.take(ids, chunks)
        encoded = self._steps.encode(taken)
        with putting.of(place), self._batch:
            self._steps.put(encoded)
        return True

    def _cut(self, window: memoryview) -> list[int]:
        if not self._places:
            return cut(window, self._params, final=self._ended)
        ends = cut_at(
            window, self._params, final=self._ended, start=self._start, places=self._places
        )
        self._start += ends[-1] if ends else 0
        return ends
