"""The hub as an ASGI application: finds the function of a route and runs it in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from oxcore.errors import FormatError, InvalidError, OxError
from oxcore.hub import api
from oxcore.hub.auth import Anonymous, Tokens
from oxcore.hub.bridge import Body, pull
from oxcore.hub.context import Context, Handler
from oxcore.hub.http import (
    MAX_JSON,
    MAX_STREAM,
    Answer,
    Message,
    Receive,
    Refusal,
    Request,
    Send,
    error_answer,
    read_request,
    token_of,
)
from oxcore.hub.pages import error_page, index_page, repo_page
from oxcore.hub.raw import raw
from oxcore.hub.store import Shelf
from oxcore.hub.visits import USER
from oxcore.model.settings import Settings
from oxcore.wire import routes


class Route(NamedTuple):
    """A function and the methods that it takes; ``stream`` if it reads its body part by part."""

    handler: Handler
    methods: tuple[str, ...] = ("GET", "HEAD")
    stream: bool = False


def _healthz(_: Context, __: Request) -> Answer:
    return Answer(body=b"ok\n", kind="text/plain; charset=utf-8")


def find_route(request: Request) -> Route:
    """The route of a request's path; ``Refusal`` with 404 for none, 405 for another method."""
    steps = [step.decode("utf-8", "replace") for step in request.steps]
    route = _api_route(steps) if steps[:1] == ["api"] else _page_route(steps)
    if route is None:
        error = InvalidError("there is no such route", hint="see docs/protocol.md")
        raise Refusal(404, error)
    if request.method not in route.methods:
        error = InvalidError(f"{request.method} is not possible here")
        raise Refusal(405, error, [("allow", ", ".join(route.methods))])
    if route.handler is api.repos and request.method == "POST":
        return Route(api.create, ("POST",))
    return route


def _api_route(steps: list[str]) -> Route | None:
    match steps:
        case ["api", "v1", "whoami"]:
            return Route(api.whoami)
        case ["api", "v1", "repos"]:
            return Route(api.repos, ("GET", "HEAD", "POST"))
        case ["api", "v1", "repos", _, _, action] if action in api.ACTIONS:
            return Route(api.ACTIONS[action], routes.ACTIONS[action], action == "push")
    return None


def _page_route(steps: list[str]) -> Route | None:
    match steps:
        case []:
            return Route(index_page)
        case ["healthz"]:
            return Route(_healthz)
        case [_, _]:
            return Route(repo_page)
        case [_, _, "raw", _, _, *_]:
            return Route(raw)
    return None


class HubApp:
    """Serves the repositories under ``root``, to be run by any ASGI server.

    ``anonymous`` is what callers without a token may do; ``threads`` read for answers, ``uploads``
    more take pushes, so that readers do not wait for these. ``failed`` is told of faults.
    """

    def __init__(
        self,
        root: str,
        *,
        anonymous: Anonymous = "none",
        threads: int = 8,
        uploads: int = 8,
        settings: Settings | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        self.shelf = Shelf(root, settings)
        self.tokens = Tokens(self.shelf.root)
        self._context = Context(self.shelf, self.tokens, anonymous)
        self._readers = ThreadPoolExecutor(threads, "ox-read")
        self._writers = ThreadPoolExecutor(uploads, "ox-write")
        self._failed = failed

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One ASGI connection: ``lifespan`` or one HTTP request."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    def close(self) -> None:
        """End the threads and close the repositories."""
        self._readers.shutdown()
        self._writers.shutdown()
        self.shelf.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await asyncio.get_running_loop().run_in_executor(None, self.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        body = Body(receive, MAX_STREAM)
        try:
            answer = await self._answer(scope, body)
        except Exception as error:  # noqa: BLE001 -- every fault becomes an answer
            answer = self._told(scope, error)
        if not await body.drain():
            answer.headers.append(("connection", "close"))
        try:
            await self._send(scope, answer, send)
        finally:
            await asyncio.get_running_loop().run_in_executor(self._readers, _close, answer)

    async def _answer(self, scope: Message, body: Body) -> Answer:
        request = read_request(scope)
        version = request.headers.get(routes.HEADER.lower(), routes.PROTOCOL)
        if version != routes.PROTOCOL:
            raise FormatError(f"this hub speaks protocol {routes.PROTOCOL}, not {version}")
        route = find_route(request)
        _check_length(request, MAX_STREAM if route.stream else MAX_JSON)
        request.caller = self.tokens.caller(token_of(request.headers), self._context.anonymous)
        scope[USER] = request.caller.user
        if route.stream:
            request.parts = body.parts()
        else:
            body.limit = MAX_JSON
            request.body = await body.whole()
        pool = self._readers if request.method in ("GET", "HEAD") else self._writers
        if route.handler in (api.has, api.objects, api.commits):
            pool = self._readers
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, route.handler, self._context, request)

    def _told(self, scope: Message, error: Exception) -> Answer:
        if not isinstance(error, OxError | Refusal) and self._failed is not None:
            self._failed(error)
        answer = error_answer(error)
        accepted = dict(scope["headers"]).get(b"accept", b"")
        return error_page(answer) if b"text/html" in accepted else answer

    async def _send(self, scope: Message, answer: Answer, send: Send) -> None:
        head = {"type": "http.response.start", "status": answer.status, "headers": answer.head()}
        await send(head)
        if answer.stream is not None and scope["method"] != "HEAD":
            async for part in pull(answer.stream, self._readers):
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": answer.body})


def _check_length(request: Request, limit: int) -> None:
    told = request.headers.get("content-length", "0")
    if not told.isdigit() or int(told) > limit:
        raise Refusal(413, InvalidError(f"the body is over {limit} bytes"))


def _close(answer: Answer) -> None:
    with suppress(Exception):
        answer.close()
