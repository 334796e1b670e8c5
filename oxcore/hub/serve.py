"""Runs the hub with uvicorn, in this thread or in one of its own."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from oxcore.errors import InvalidError, StorageError, UnreachableError
from oxcore.hub.app import HubApp
from oxcore.hub.auth import Anonymous
from oxcore.hub.visits import Visit, Watched

if TYPE_CHECKING:
    import uvicorn

_START = 20.0  # seconds until the server has to answer
_GRACE = 10  # seconds that requests under way get when the hub stops


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """``port`` 0 lets the system choose. ``anonymous``: what callers without a token may do.
    ``threads`` and ``uploads``: see ``HubApp``."""

    host: str = "127.0.0.1"
    port: int = 0
    anonymous: Anonymous = "none"
    threads: int = 8
    uploads: int = 8


class HubServer:
    """A hub that listens from the start: ``url`` is where. Run it with ``run`` (in this thread,
    until a signal or ``stop``) or ``start`` (in another); it is a context manager that starts.
    ``failed`` is told of faults, ``visited`` of every request."""

    def __init__(
        self,
        root: str,
        options: ServeOptions | None = None,
        failed: Callable[[Exception], None] | None = None,
        visited: Callable[[Visit], None] | None = None,
    ) -> None:
        chosen = options or ServeOptions()
        self._app = HubApp(
            root,
            anonymous=chosen.anonymous,
            threads=chosen.threads,
            uploads=chosen.uploads,
            failed=failed,
        )
        self.tokens = self._app.tokens
        self.shelf = self._app.shelf
        self._socket = _listen(chosen.host, chosen.port)
        host, port = self._socket.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port}"
        self._server = _server(self._app if visited is None else Watched(self._app, visited))
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serve until a signal (SIGINT, SIGTERM) or ``stop``; then let requests end."""
        try:
            self._server.run([self._socket])
        except KeyboardInterrupt:
            return  # uvicorn stops in good order, then raises the signal again
        finally:
            self._socket.close()

    def start(self) -> Self:
        """Serve in another thread; returns when requests are answered."""
        self._thread = threading.Thread(target=self.run, name="ox-hub", daemon=True)
        self._thread.start()
        waited = threading.Event()
        for _ in range(int(_START / 0.01)):
            if self._server.started:
                return self
            if not self._thread.is_alive():
                break
            waited.wait(0.01)
        raise UnreachableError("the hub does not start")

    def stop(self) -> None:
        """Stop gracefully, and wait for it if it runs in a thread of its own."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_GRACE + 5)
        elif not self._server.started:  # it never ran
            self._socket.close()
            self._app.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()


def serve(
    root: str,
    options: ServeOptions | None = None,
    *,
    listening: Callable[[str], None] | None = None,
    failed: Callable[[Exception], None] | None = None,
) -> None:
    """Serve the hub in the folder ``root`` until a signal; ``listening`` is told the URL first."""
    server = HubServer(root, options, failed)
    if listening is not None:
        listening(server.url)
    server.run()


def _server(app: HubApp | Watched) -> uvicorn.Server:
    import uvicorn

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=_GRACE,
        timeout_keep_alive=30,
    )
    return uvicorn.Server(config)


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise InvalidError(f"no such address to listen on: {host}") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise StorageError(
            f"cannot listen on {host}:{port}: {error.strerror}", hint="choose another port"
        ) from error
    return listener
