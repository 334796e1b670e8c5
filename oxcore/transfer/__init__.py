"""Moves history between two repositories: who lacks what, sending, receiving, moving refs.

A ``Remote`` is the other one: a folder (``LocalRemote``) or a hub over HTTP.
"""

from oxcore.transfer.connect import open_remote
from oxcore.transfer.content import objects_of_file
from oxcore.transfer.endpoint import Endpoint
from oxcore.transfer.fetch import FetchReport, fetch
from oxcore.transfer.local import LocalRemote
from oxcore.transfer.push import PushReport, push, read_refs
from oxcore.transfer.remote import Remote

__all__ = [
    "Endpoint",
    "FetchReport",
    "LocalRemote",
    "PushReport",
    "Remote",
    "fetch",
    "objects_of_file",
    "open_remote",
    "push",
    "read_refs",
]
