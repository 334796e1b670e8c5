"""Between the event loop, where bytes come and go, and the threads, where stores are read.

Nothing is buffered without bound: a body is read from the network only as fast as its thread takes
it (some parts ahead), and an answer is read from the store only as fast as the network takes it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, Future
from queue import Empty, SimpleQueue
from typing import NamedTuple

from oxcore.errors import InvalidError, UnreachableError
from oxcore.hub.http import Receive, Refusal
from oxcore.model.ids import Buffer

_PART = 1 << 20
_AHEAD = 4  # parts that wait for the thread at most
_LOW = 1  # parts that wait still when more are asked for
_SILENCE = 120.0  # seconds without a byte after which an upload counts as broken off


class _Gathered(NamedTuple):
    data: bytes
    more: bool


class Body:
    """The body of one request. Read it whole in the loop, or as parts in a thread."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self.limit = limit
        self._size = 0
        self._more = True
        self._whole = False
        self._loop = asyncio.get_running_loop()
        self._pumping: Future[None] | None = None
        self._ready: SimpleQueue[_Gathered | Exception] = SimpleQueue()
        self._room = asyncio.Event()
        self._full = False  # the pump waits until the thread has taken some
        self._over = False  # nobody takes parts any more

    async def whole(self) -> bytes:
        """All of it; ``Refusal`` beyond the limit, ``UnreachableError`` where it breaks off."""
        found: list[bytes] = []
        while self._more:
            found.append((await self._gather()).data)
        return b"".join(found)

    def parts(self) -> Iterator[bytes]:
        """Parts of about 1 MiB, for a thread outside of the loop. Raises as ``whole`` does."""
        if not self._more:
            return
        self._pumping = asyncio.run_coroutine_threadsafe(self._pump(), self._loop)
        more = True
        while more:
            try:
                part = self._ready.get(timeout=_SILENCE)
            except Empty as error:
                raise UnreachableError("the client fell silent") from error
            if isinstance(part, Exception):
                raise part
            if self._full and self._ready.qsize() <= _LOW:
                self._loop.call_soon_threadsafe(self._room.set)
            more = part.more
            yield part.data

    async def drain(self) -> bool:
        """Take in the rest, up to the limit: who still sends cannot hear the answer. Whether that
        was all; if not, the connection is of no more use."""
        self._over = True
        self._room.set()
        with contextlib.suppress(Refusal, UnreachableError, asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(_SILENCE):
                if self._pumping is not None:
                    await asyncio.wrap_future(self._pumping)
                while self._more:
                    await self._gather()
        return self._whole

    async def _pump(self) -> None:
        """Gather parts for the thread, some ahead of it: each call between a thread and the loop
        costs more than a part does."""
        try:
            while self._more and not self._over:
                self._ready.put(await self._gather())
                self._room.clear()
                self._full = True
                if self._ready.qsize() >= _AHEAD and not self._over:
                    await self._room.wait()
                self._full = False
        except (Refusal, UnreachableError) as error:
            self._ready.put(error)

    async def _gather(self) -> _Gathered:
        found: list[bytes] = []
        size = 0
        while self._more and size < _PART:
            message = await self._receive()
            if message["type"] != "http.request":
                return self._broken(found)
            data = message.get("body", b"")
            self._more = bool(message.get("more_body", False))
            self._whole = not self._more
            found.append(data)
            size += len(data)
            self._count(len(data))
        return _Gathered(b"".join(found), self._more)

    def _broken(self, found: list[bytes]) -> _Gathered:
        """The client went away: first give what it sent, then tell."""
        if not found:
            self._more = False
            raise UnreachableError("the client broke off")
        return _Gathered(b"".join(found), more=True)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self.limit:
            self._more = False
            raise Refusal(413, InvalidError(f"the body is over {self.limit} bytes"))


async def pull(parts: Iterator[Buffer], pool: Executor) -> AsyncIterator[Buffer]:
    """The parts of a blocking iterator, each read in ``pool`` while the one before is sent."""
    loop = asyncio.get_running_loop()
    ahead = loop.run_in_executor(pool, _next, parts)
    try:
        while (part := await ahead) is not None:
            ahead = loop.run_in_executor(pool, _next, parts)
            yield part
    finally:
        # A generator must not be closed while a thread is in it.
        with contextlib.suppress(Exception):
            await ahead


def _next(parts: Iterator[Buffer]) -> Buffer | None:
    return next(parts, None)
