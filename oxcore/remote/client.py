"""Requests to a hub: retried where that can help, answers and errors as values."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from oxcore.errors import (
    BusyError,
    DeniedError,
    NotFoundError,
    OxError,
    UnreachableError,
)
from oxcore.model.counters import Counters
from oxcore.model.ids import Buffer
from oxcore.model.run import Run
from oxcore.remote.lines import FAULTS, Answer, Limits, Lines
from oxcore.wire import routes
from oxcore.wire.errors import error_from
from oxcore.wire.frames import StreamReader
from oxcore.wire.messages import RepoInfo, WhoAmI, decode_repos

_MAX_ANSWER = 1 << 26  # bytes of an answer that is held whole
_MAX_RETRY_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach hubs: seconds to wait for a connection and for each answer, attempts in a row,
    a file of certificates to trust in place of the usual ones, a proxy. ``sleep`` waits."""

    connect: float = 10.0
    answer: float = 300.0
    tries: int = 5
    certificates: str | None = None
    proxy: str | None = None
    sleep: Callable[[float], None] = field(default=time.sleep)


class HubClient:
    """Talks to the hub at ``base`` with ``token`` (None: as nobody); counts its requests."""

    def __init__(
        self,
        base: str,
        token: str | None = None,
        counters: Counters | None = None,
        connection: Connection | None = None,
    ) -> None:
        self.base = base
        self.counters = counters or Counters()
        self.connection = connection or Connection()
        self._retry_after = 0.0  # seconds that the last refusal asked for
        self._headers = {routes.HEADER: routes.PROTOCOL, "User-Agent": "ox"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        # The environment is the caller's: no proxies, no netrc, no certificates from there.
        told = self.connection
        limits = (told.connect, told.answer, told.certificates, told.proxy)
        self._lines = Lines(base, Limits(*limits))

    def whoami(self) -> WhoAmI:
        """Who the hub takes the caller for."""
        return WhoAmI.decode(self.call("GET", routes.WHOAMI))

    def repos(self) -> list[RepoInfo]:
        """The repositories that the caller may read."""
        return decode_repos(self.call("GET", routes.REPOS))

    def create(self, repo: routes.RepoName) -> None:
        """Make a repository; ``ExistsError`` if it is there."""
        body = json.dumps({"namespace": repo.namespace, "name": repo.name}).encode()
        self.call("POST", routes.REPOS, body, routes.JSON_TYPE)

    def call(self, method: str, path: str, body: bytes = b"", kind: str = "") -> bytes:
        """The body of the answer. Repeats the request while the hub does not answer or is busy."""
        return self.repeat(lambda: self._whole(method, path, body, kind))

    def send_stream(self, path: str, parts: Iterable[Buffer]) -> bytes:
        """Send a body of unknown length, once: what was read of ``parts`` is gone."""
        return self._whole("PUT", path, parts, routes.STREAM_TYPE)

    def open_stream(self, path: str, body: bytes, kind: str) -> Iterator[Run]:
        """Runs of the objects of an answer, as they come; ``StreamReader`` says what it raises."""
        with closing(self._request("POST", path, body, kind)) as answer:
            reader = StreamReader(self._parts(answer))
            yield from reader
            reader.require_all()

    def repeat(self, attempt: Callable[[], bytes]) -> bytes:
        """Make the attempt again, after a while, as long as that may help."""
        for number in range(1, self.connection.tries):
            try:
                return attempt()
            except (UnreachableError, BusyError):
                self.pause(number)
        return attempt()

    def pause(self, number: int) -> None:
        """Wait after failed attempt ``number``: 0.2 s doubling up to 5 s and up to half as long
        again, or as long as the hub asked for."""
        delay = min(5.0, 0.1 * 2**number) * (1 + random.random() / 2)  # noqa: S311
        asked, self._retry_after = self._retry_after, 0.0
        self.connection.sleep(max(delay, min(asked, _MAX_RETRY_AFTER)))

    def close(self) -> None:
        """Close the connections."""
        self._lines.close()

    def _whole(self, method: str, path: str, body: bytes | Iterable[Buffer], kind: str) -> bytes:
        with closing(self._request(method, path, body, kind)) as answer:
            return _limited(self._parts(answer))

    def _request(self, method: str, path: str, body: bytes | Iterable[Buffer], kind: str) -> Answer:
        self.counters.requests += 1
        headers = {**self._headers, "Content-Type": kind} if kind else self._headers
        try:
            answer = self._lines.ask(method, path, headers, body)
        except FAULTS as error:
            raise self._unreachable(error) from error
        if answer.status >= 300:
            with closing(answer):
                raise self._error(answer)
        return answer

    def _parts(self, answer: Answer) -> Iterator[bytes]:
        try:
            yield from answer.parts()
        except FAULTS as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> UnreachableError:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return UnreachableError(
            f"{self.base} does not answer: {_short(reason)}",
            hint="check the address and the network; what was sent is not sent again",
        )

    def _error(self, answer: Answer) -> OxError:
        status = answer.status
        self._retry_after = _seconds(answer.header("Retry-After"))
        try:
            record = json.loads(_limited(self._parts(answer)))
        except (ValueError, OxError):
            record = None
        if isinstance(record, dict) and isinstance(record.get("kind"), str):
            return self._addressed(error_from(record))
        return self._foreign(status)

    def _addressed(self, error: OxError) -> OxError:
        """A hub does not know by which URL it is reached: its hints leave a gap for it."""
        error.hint = error.hint.replace("ox login URL", f"ox login {self.base}")
        return error

    def _foreign(self, status: int) -> OxError:
        """The error for an answer that no hub of ours gave."""
        said = f"{self.base} answered {status}"
        if status in (401, 403):
            return DeniedError(said, hint=f"get a token, then: ox login {self.base}")
        if status == 404:
            return NotFoundError(said, hint="check the address")
        if status < 400:
            return UnreachableError(f"{said}: it points elsewhere", hint="use the new address")
        return UnreachableError(said, hint="try again later")


def _short(reason: object) -> str:
    text = str(reason)
    return text.rsplit(": ", 1)[-1] if len(text) > 80 else text


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 0.0


def _limited(parts: Iterable[bytes]) -> bytes:
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size > _MAX_ANSWER:
            raise UnreachableError("the answer of the hub is too long")
    return b"".join(held)
