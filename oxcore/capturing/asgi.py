"""ASGI middleware: each request and its answer as a record, however the application is written.

The application sees and sends what it would without it; nothing is held back, and nothing waits.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from oxcore.capturing.wrap import Call, Saver

# ASGI's own types are maps of anything (asgiref.typing is not a dependency).
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

HEADER = b"ox-record-id"
"""Of each captured answer: what feedback is to name."""

_METHODS = frozenset({"POST", "PUT", "PATCH"})


class Middleware:
    """Wraps the ASGI application ``app``; saves requests of these ``methods``, whose path starts
    with one of ``paths``.

    The body of a request is the input, that of the answer the output (JSON, or text); method,
    path, query and the status of the answer go into ``params``. Bodies of more than ``most`` bytes
    are left out, which ``params`` tells. An exception, or a status of 500 and above, is an error.
    """

    def __init__(
        self,
        app: App,
        saver: Saver,
        *,
        methods: Iterable[str] = _METHODS,
        paths: Iterable[str] = ("/",),
        most: int = 16 << 20,
        **fields: object,
    ) -> None:
        self._app = app
        self._saver = saver
        self._methods = frozenset(method.upper() for method in methods)
        self._paths = tuple(paths)
        self._most = most
        self._fields = fields

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http" or not self._wanted(scope):
            await self._app(scope, receive, send)
            return
        call = Call(self._saver, self._fields)
        seen = _Seen(call, self._most, receive, send)
        failure: BaseException | None = None
        try:
            await self._app(scope, seen.receive, seen.send)
        except BaseException as error:
            failure = error
            raise
        finally:
            seen.end(scope, failure)

    def _wanted(self, scope: Message) -> bool:
        path = str(scope["path"])
        return scope["method"] in self._methods and path.startswith(self._paths)


class _Body:
    """What went by of a body, up to a bound."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self.size = 0

    def add(self, part: bytes) -> None:
        self.size += len(part)
        if self.size <= self._most:
            self._parts.append(bytes(part))
        else:
            self._parts.clear()

    @property
    def whole(self) -> bytes | None:
        """All of it; None if it was too long."""
        return b"".join(self._parts) if self.size <= self._most else None


class _Seen:
    """One exchange as it goes by."""

    def __init__(self, call: Call, most: int, receive: Receive, send: Send) -> None:
        self._call = call
        self._receive, self._send = receive, send
        self._asked, self._told = _Body(most), _Body(most)
        self._status, self._kind = 0, ""
        self._begun = time.perf_counter()

    async def receive(self) -> Message:
        """What the client sends."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._asked.add(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        """What the application answers; its head gets the id of the record."""
        if message["type"] == "http.response.start":
            headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
            self._status = int(message["status"])
            self._kind = _header(headers, b"content-type")
            tagged = [*headers, (HEADER, self._call.record_id.encode())]
            message = {**message, "headers": tagged}
        elif message["type"] == "http.response.body":
            self._told.add(message.get("body", b""))
        await self._send(message)

    def end(self, scope: Message, failure: BaseException | None) -> None:
        """Save the record."""
        call, asked, told = self._call, self._asked.whole, self._told.whole
        params = {"method": scope["method"], "path": scope["path"], "http_status": self._status}
        if scope.get("query_string"):
            params["query"] = scope["query_string"].decode("latin-1")
        if asked is None:
            params["input_left_out_bytes"] = self._asked.size
        elif asked:
            call.input = asked
            kind = _header(scope.get("headers", ()), b"content-type")
            if kind:
                call.mime = kind.partition(";")[0].strip()
        if told is None:
            params["output_left_out_bytes"] = self._told.size
        call.params = {**(call.params or {}), **params}
        call.output = None if told is None else _output(told, self._kind)
        if failure is None and self._status >= 500:
            call.status, call.error = "error", f"HTTP {self._status}"
        call.end(failure)


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    found = (value for key, value in headers if key.lower() == name)
    return next(found, b"").decode("latin-1")


def _output(data: bytes, kind: str) -> object:
    """The body of an answer as JSON: what it says, text, or what there is to say of bytes."""
    if "json" in kind:
        try:
            value: object = json.loads(data)
        except ValueError:
            return data.decode("utf-8", "backslashreplace")
        return value
    if kind.startswith("text/") or not data:
        return data.decode("utf-8", "backslashreplace") or None
    return {"content_type": kind, "size": len(data)}
