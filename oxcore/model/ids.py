"""Ids: plain BLAKE3-256 for file bytes, BLAKE3 key derivation for everything else.

Source: the BLAKE3 paper, section 2.3 (modes ``hash`` and ``derive_key``). A file's id is
what ``b3sum FILE`` prints. Trees, commits, tags and segments are hashed in the
``derive_key`` mode under a context of their own, so that no file can pass for one of them.
"""

from __future__ import annotations

from enum import IntEnum

from blake3 import blake3

from oxcore.errors import InvalidError

Buffer = bytes | bytearray | memoryview

ID_LEN = 32


class Kind(IntEnum):
    """What an object in a store is; the number is part of the pack format and the protocol."""

    CHUNK = 1  # bytes of a file, or of a symlink's target; id = BLAKE3 of the bytes
    FILE = 2  # manifest of a file of several chunks; id = BLAKE3 of the whole file
    SEGMENT = 3  # a run of a long manifest
    TREE = 4  # a node of a tree
    COMMIT = 5
    TAG = 6


CONTEXTS: dict[Kind, str] = {
    Kind.SEGMENT: "ox 2026-11-21 manifest segment v1",
    Kind.TREE: "ox 2026-11-21 tree node v1",
    Kind.COMMIT: "ox 2026-11-21 commit v1",
    Kind.TAG: "ox 2026-11-21 tag v1",
}


def content_id(data: Buffer) -> bytes:
    """The 32-byte id of file content: BLAKE3 of ``data``."""
    return blake3(data).digest()


def object_id(kind: Kind, data: Buffer) -> bytes:
    """The 32-byte id of an object with the encoding ``data``.

    A ``FILE`` manifest has the id of the file it describes, which its bytes alone do not
    give: asking for it is a programming error (``KeyError``).
    """
    if kind == Kind.CHUNK:
        return blake3(data).digest()
    return blake3(data, derive_key_context=CONTEXTS[kind]).digest()


def parse_id(text: str) -> bytes:
    """The id written as 64 hex digits; ``InvalidError`` if it is not that."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != ID_LEN or len(text) != 2 * ID_LEN:
        raise InvalidError(f"not an id: {text!r}", hint="an id is 64 hexadecimal digits")
    return raw
