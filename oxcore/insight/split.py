"""Which records are for training, and which for the test: by a hash, so that none ever moves.

``split.json`` of a dataset keeps the share of the test, for good. A record goes by its group, or
else by its input: the hash of that is below the share, or not, whatever else is added.
"""

from __future__ import annotations

import json

from blake3 import blake3

from oxcore.errors import InvalidError
from oxcore.model.entries import show_path

NAME = b"split.json"
DEFAULT = 0.2
"""The share of the test where none is named."""
_VERSION = 1


def side(key: str, share: float) -> str:
    """``test`` for about ``share`` of all keys, else ``train``: BLAKE3 of the key, its first eight
    bytes as a fraction of 2^64, against the share."""
    place = int.from_bytes(blake3(b"ox split\n" + key.encode()).digest(8), "big")
    return "test" if place < share * 2**64 else "train"


def check(share: float) -> float:
    """The share, if it can be one; ``InvalidError``."""
    if not 0 <= share <= 1:
        raise InvalidError(f"{share} is no share", hint="from 0 to 1, as in 0.2")
    return share


def dump(share: float) -> bytes:
    """The file that keeps a share."""
    record = {"version": _VERSION, "test": share, "by": "BLAKE3 of group_key, else of the input"}
    return f"{json.dumps(record, indent=2)}\n".encode()


def parse(data: bytes, path: bytes) -> float:
    """The share in a file; ``InvalidError`` names the file."""
    name = show_path(path)
    try:
        record: object = json.loads(data)
    except ValueError as error:
        raise InvalidError(f"{name}: not JSON: {error}") from None
    if not isinstance(record, dict) or record.get("version") != _VERSION:
        raise InvalidError(f"{name}: not a split of version {_VERSION}")
    share = record.get("test")
    if not isinstance(share, int | float) or isinstance(share, bool) or not 0 <= share <= 1:
        raise InvalidError(f"{name}: test must be a share from 0 to 1, and is {share!r}")
    return float(share)
