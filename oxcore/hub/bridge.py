"""Between the event loop, where bytes come and go, and the threads, where stores are read.

Nothing is buffered without bound: a body is read from the network only as fast as its thread takes
it (one part ahead), and an answer is read from the store only as fast as the network takes it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import NamedTuple

from oxcore.errors import InvalidError, UnreachableError
from oxcore.hub.http import Receive, Refusal
from oxcore.model.ids import Buffer

_PART = 1 << 20
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
        self._ahead: Future[_Gathered] | None = None

    async def whole(self) -> bytes:
        """All of it; ``Refusal`` beyond the limit, ``UnreachableError`` where it breaks off."""
        found: list[bytes] = []
        while self._more:
            found.append((await self._gather()).data)
        return b"".join(found)

    def parts(self) -> Iterator[bytes]:
        """Parts of about 1 MiB, for a thread outside of the loop. Raises as ``whole`` does."""
        if self._more:
            self._ahead = self._begin()
        while self._ahead is not None:
            try:
                part = self._ahead.result(_SILENCE)
            except FutureTimeout as error:
                self._ahead.cancel()
                raise UnreachableError("the client fell silent") from error
            self._ahead = self._begin() if part.more else None
            yield part.data

    async def drain(self) -> bool:
        """Take in the rest, up to the limit: who still sends cannot hear the answer. Whether that
        was all; if not, the connection is of no more use."""
        with contextlib.suppress(Refusal, UnreachableError, asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(_SILENCE):
                if self._ahead is not None:
                    await asyncio.wrap_future(self._ahead)
                while self._more:
                    await self._gather()
        return self._whole

    def _begin(self) -> Future[_Gathered]:
        return asyncio.run_coroutine_threadsafe(self._gather(), self._loop)

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
