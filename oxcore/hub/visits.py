"""What happened to each request, for a log: an ASGI application around the hub."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from oxcore.hub.http import Message, Receive, Send

App = Callable[[Message, Receive, Send], Awaitable[None]]

USER = "ox.user"
"""Key of the ASGI scope under which the hub notes who makes the request."""


class Visit(NamedTuple):
    """One request, after its end. ``user`` is empty without a token; ``path`` is as it came,
    percent-encoded, without its query; ``status`` 0: the answer did not even begin; ``received``
    and ``sent`` are bytes of the bodies."""

    user: str
    method: str
    path: str
    status: int
    received: int
    sent: int
    seconds: float


class Watched:
    """Calls ``app`` and tells ``told`` of each request, in the thread of the event loop."""

    def __init__(self, app: App, told: Callable[[Visit], None]) -> None:
        self._app = app
        self._told = told

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        count = _Count(receive, send)
        began = time.monotonic()
        try:
            await self._app(scope, count.receive, count.send)
        finally:
            raw: bytes = scope.get("raw_path") or scope["path"].encode()
            path = raw.partition(b"?")[0].decode("ascii", "backslashreplace")
            user, method = str(scope.get(USER, "")), str(scope["method"])
            seconds = time.monotonic() - began
            visit = Visit(user, method, path, count.status, count.received, count.sent, seconds)
            self._told(visit)


class _Count:
    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.status = self.received = self.sent = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        self.status = message.get("status", self.status)
        self.sent += len(message.get("body", b""))
        await self._send(message)
