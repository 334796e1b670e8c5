"""``Hub``: a server of many repositories, and what a client asks one before it begins."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Self

from oxcore.errors import InvalidError, NotFoundError
from oxcore.hub import Grant, HubServer, ServeOptions, Shelf, TokenInfo, Tokens, Visit
from oxcore.hub.auth import Anonymous, Place, Scope
from oxcore.remote import Connection, HubClient
from oxcore.wire.messages import RepoInfo, WhoAmI
from oxcore.wire.routes import parse_url


class Hub:
    """The hub in the folder ``root``: its repositories, its tokens, and a server for them.

    It listens from the first look at ``url``, and answers after ``start`` (in a thread of its
    own) or ``run`` (in this one); as a context manager it starts and stops. ``port`` 0 lets the
    system choose one; ``anonymous`` is what callers without a token may do: none, read or
    write. ``failed`` is told of faults, ``visited`` of every request. A hub that is not there is
    made or, with ``make`` False, ``NotFoundError``.

    >>> import oxcore as ox
    >>> with ox.Hub("/srv/hub") as hub:                        # doctest: +SKIP
    ...     token = hub.create_token("ann", "write").secret
    ...     print(hub.url)
    """

    def __init__(
        self,
        root: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        anonymous: Anonymous = "none",
        failed: Callable[[Exception], None] | None = None,
        visited: Callable[[Visit], None] | None = None,
        make: bool = True,
    ) -> None:
        if not (make or os.path.isdir(os.path.join(root, "repos"))):
            raise NotFoundError(f"no hub in {root}", hint=f"make one: ox hub serve --root {root}")
        if anonymous not in ("none", "read", "write"):
            raise InvalidError(f"anonymous callers: none, read or write, not {anonymous!r}")
        self._options = ServeOptions(host, port, anonymous)
        self._failed, self._visited = failed, visited
        self._shelf = Shelf(root)
        self._tokens = Tokens(self._shelf.root)
        self._server: HubServer | None = None

    @property
    def root(self) -> str:
        """The folder of the hub."""
        return self._shelf.root

    @property
    def url(self) -> str:
        """Where it listens; ``StorageError`` if the port is taken, ``InvalidError`` for a host
        that is none."""
        return self._listening().url

    def start(self) -> Self:
        """Serve in a thread of its own; returns when requests are answered."""
        self._listening().start()
        return self

    def run(self) -> None:
        """Serve in this thread until SIGINT, SIGTERM or ``stop``; requests under way may end."""
        self._listening().run()

    def stop(self) -> None:
        """Stop in good order; a later ``start`` listens anew."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def create_token(
        self,
        user: str,
        scope: Scope = "write",
        namespaces: Sequence[str] = ("*",),
        expires: int | None = None,
        place: Place | None = None,
    ) -> Grant:
        """Make a token: ``secret`` of the answer is what the user types, and is kept nowhere.

        ``scope`` is read, write, admin or capture; ``namespaces`` are patterns such as ``lab-*``;
        ``expires`` is in microseconds since the epoch. A capture token may add new files at its
        ``place`` (repository, branch, folder), and do nothing else. Raises ``InvalidError``.
        """
        return self._tokens.create(user, scope, namespaces, expires, place)

    def tokens(self) -> list[TokenInfo]:
        """Every token that was made, revoked and expired ones among them; never their secrets."""
        return list(self._tokens.all())

    def revoke_token(self, token_id: str) -> TokenInfo:
        """Make the token with this id (or a unique start of it) invalid; ``NotFoundError``."""
        return self._tokens.revoke(token_id)

    def repos(self) -> list[str]:
        """The repositories, as ``NAMESPACE/NAME``."""
        return [str(name) for name in self._shelf.names()]

    def _listening(self) -> HubServer:
        if self._server is None:
            self._server = HubServer(self.root, self._options, self._failed, self._visited)
        return self._server


def whoami(url: str, token: str | None = None, *, tries: int = 2) -> WhoAmI:
    """Who the hub at ``url`` (its own address, or that of a repository on it) takes the holder of
    ``token`` for.

    Raises ``DeniedError`` for a token that is not valid, ``UnreachableError``.
    """
    with closing(_client(url, token, tries)) as client:
        return client.whoami()


def hub_repos(url: str, token: str | None = None, *, tries: int = 2) -> list[RepoInfo]:
    """The repositories on the hub at ``url`` that the holder of ``token`` may read."""
    with closing(_client(url, token, tries)) as client:
        return client.repos()


def _client(url: str, token: str | None, tries: int) -> HubClient:
    return HubClient(parse_url(url).base, token, connection=Connection(tries=tries))
