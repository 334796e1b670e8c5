"""From an address to a remote."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from oxcore.errors import InvalidError
from oxcore.model.counters import Counters
from oxcore.model.settings import Settings
from oxcore.transfer.local import LocalRemote
from oxcore.transfer.remote import Remote
from oxcore.wire.routes import parse_url

if TYPE_CHECKING:
    from oxcore.remote import Connection


def is_url(address: str) -> bool:
    """Whether an address is that of a hub, and not of a folder."""
    return address.startswith(("http://", "https://"))


def local_path(address: str) -> str:
    """The folder of a path or ``file://`` address; ``InvalidError`` for another scheme."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise InvalidError(
            f"not an address that ox knows: {address!r}",
            hint="a path, file:///PATH or http://HOST:PORT/NS/NAME",
        )
    return unquote(parts.path)


def open_remote(
    address: str,
    *,
    token: str | None = None,
    counters: Counters | None = None,
    settings: Settings | None = None,
    connection: Connection | None = None,
) -> Remote:
    """The repository at ``address``: a path, ``file://`` or the URL of a repository on a hub.

    ``token`` and ``connection`` (certificates, proxy, waiting times) are for hubs; ``settings``
    tell a local one who moves its refs. ``counters`` counts requests. Raises ``NotFoundError``
    where a path has no repository, ``InvalidError`` for an address of another form. Opens no
    connection.
    """
    if not is_url(address):
        return LocalRemote(local_path(address), settings)
    url = parse_url(address)
    if url.repo is None:
        raise InvalidError(
            f"{address!r} names a hub, not a repository on it", hint="http://HOST:PORT/NS/NAME"
        )
    from oxcore.remote import HttpRemote

    return HttpRemote(url.base, url.repo, token, counters or Counters(), connection)
