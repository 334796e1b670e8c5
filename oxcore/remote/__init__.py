"""The HTTP client: the only room that opens connections."""

from oxcore.remote.client import Connection, HubClient
from oxcore.remote.http import HttpRemote

__all__ = ["Connection", "HttpRemote", "HubClient"]
