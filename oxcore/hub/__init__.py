"""The server: repositories by namespace and name over HTTP, as ``docs/protocol.md`` says."""

from oxcore.hub.app import HubApp
from oxcore.hub.auth import Caller, Grant, TokenInfo, Tokens
from oxcore.hub.serve import HubServer, ServeOptions, serve
from oxcore.hub.store import Shelf
from oxcore.hub.visits import Visit

__all__ = [
    "Caller",
    "Grant",
    "HubApp",
    "HubServer",
    "ServeOptions",
    "Shelf",
    "TokenInfo",
    "Tokens",
    "Visit",
    "serve",
]
