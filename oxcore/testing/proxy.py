"""A network that fails on purpose: a TCP proxy that cuts connections where a test says so."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

_PART = 1 << 16


@dataclass(slots=True)
class Cuts:
    """Where the proxy cuts. Each number is used up by one connection, None lets one through.

    ``upload`` and ``download``: after so many bytes to, or from, the server. ``lose``: a connection
    that sends these bytes gets its request through, and then no answer; once.
    """

    upload: list[int | None] = field(default_factory=list)
    download: list[int | None] = field(default_factory=list)
    lose: bytes = b""


class CuttingProxy:
    """Forwards connections to ``target`` (host, port); ``port`` is where it listens.

    ``cuts`` may be changed at any time; ``made`` counts connections, ``up`` bytes to the server.
    With ``target`` None every connection is refused: a server that is gone.
    """

    def __init__(self, target: tuple[str, int] | None) -> None:
        self.target = target
        self.cuts = Cuts()
        self.made = 0
        self.up = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            _cut(one)
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.made += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if self.target is None:
            _cut(client)
            return
        upload = self.cuts.upload.pop(0) if self.cuts.upload else None
        download = self.cuts.download.pop(0) if self.cuts.download else None
        try:
            server = socket.create_connection(self.target, 5)
        except OSError:
            _cut(client)
            return
        self._open |= {client, server}
        lost = threading.Event()
        back = threading.Thread(
            target=self._pump, args=(server, client, download, lost.is_set, lambda _: None)
        )
        back.start()
        self._pump(client, server, upload, lambda: False, lambda data: self._saw(data, lost))
        back.join()
        self._open -= {client, server}

    def _saw(self, data: bytes, lost: threading.Event) -> None:
        self.up += len(data)
        if self.cuts.lose and self.cuts.lose in data:
            self.cuts.lose = b""
            lost.set()

    def _pump(
        self,
        source: socket.socket,
        sink: socket.socket,
        limit: int | None,
        stop: Callable[[], bool],
        saw: Callable[[bytes], None],
    ) -> None:
        count = 0
        with suppress(OSError):
            while data := source.recv(_PART):
                count += len(data)
                saw(data)
                if stop() or (limit is not None and count > limit):
                    break
                sink.sendall(data)
        _cut(source)
        _cut(sink)


def _cut(connection: socket.socket) -> None:
    """Close with a reset, as a broken line looks."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection.close()
