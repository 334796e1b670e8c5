"""Requests and answers as values, between ASGI and the hub's own functions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from oxcore.codec import canonical
from oxcore.errors import InvalidError, OxError
from oxcore.hub.auth import Caller, Unknown
from oxcore.model.ids import Buffer
from oxcore.wire import routes
from oxcore.wire.errors import error_record, status_of

# ASGI's own types are maps of anything (asgiref.typing is not a dependency).
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_JSON = 1 << 24
MAX_STREAM = 1 << 29
"""Bytes of a body: JSON, and a stream of objects."""


class Refusal(Exception):
    """An error with a status that says more than its kind does."""

    def __init__(
        self, status: int, error: OxError, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error
        self.headers = tuple(headers)


@dataclass(slots=True)
class Request:
    """One request: ``steps`` are the parts of its path, percent-decoded; ``body`` is what was
    read whole, ``parts`` the body as it comes."""

    method: str
    steps: list[bytes]
    query: dict[str, str]
    headers: dict[str, str]
    caller: Caller = field(default_factory=lambda: Caller("", "none"))
    body: bytes = b""
    parts: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def step(self, index: int) -> str:
        """A part of the path as text; ``InvalidError`` if it is not."""
        try:
            return self.steps[index].decode()
        except UnicodeDecodeError as error:
            raise InvalidError("a name in the path is not UTF-8") from error

    def require_type(self, expected: str) -> None:
        """Refuse a body of another media type: a page in a browser cannot send ours unasked."""
        found = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if found != expected:
            error = InvalidError(f"the body is {found or 'of no type'}, not {expected}")
            raise Refusal(415, error)


@dataclass(slots=True)
class Answer:
    """What goes back: ``body`` whole, or ``stream`` part by part. ``close`` is called at the end,
    however it ends."""

    status: int = 200
    body: bytes = b""
    kind: str = routes.JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: Iterator[Buffer] | None = None
    close: Callable[[], None] = lambda: None

    def head(self) -> list[tuple[bytes, bytes]]:
        """The headers, as ASGI wants them."""
        rows = [("content-type", self.kind), (routes.HEADER.lower(), routes.PROTOCOL)]
        rows += [("x-content-type-options", "nosniff"), *self.headers]
        if self.stream is None and not any(name == "content-length" for name, _ in self.headers):
            rows.append(("content-length", str(len(self.body))))
        return [(name.encode(), value.encode("latin-1", "replace")) for name, value in rows]


def read_request(scope: Message) -> Request:
    """The request that an ASGI scope tells; ``Refusal`` for a target that is too long."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    if len(raw) + len(query) > routes.MAX_TARGET:
        raise Refusal(414, InvalidError("the path is too long"))
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")
    steps = [unquote_to_bytes(step) for step in raw.partition(b"?")[0].split(b"/")[1:]]
    if steps and not steps[-1]:
        steps.pop()
    pairs = parse_qsl(query.decode("latin-1"), errors="surrogateescape", max_num_fields=20)
    return Request(scope["method"], steps, dict(pairs), headers)


def token_of(headers: dict[str, str]) -> str | None:
    """The token of a request: a bearer's, or the password of HTTP Basic; None without one."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return pair.partition(":")[2]


def error_answer(error: Exception) -> Answer:
    """The answer that tells an error; one that is not ours is a fault of the hub."""
    if isinstance(error, Refusal):
        status, told, headers = error.status, error.error, list(error.headers)
    elif isinstance(error, OxError):
        status, told, headers = status_of(error), error, []
    else:
        status, told, headers = 500, OxError("the hub failed", hint="see its log"), []
    if isinstance(told, Unknown):
        status = 401
        headers.append(("www-authenticate", 'Basic realm="ox: any user, token as password"'))
    if status == 503:
        headers.append(("retry-after", "1"))
    return Answer(status, canonical.dumps(error_record(told)), headers=headers)
