"""Fields of FlatBuffers, as Arrow has them in its messages and footers.

A table is a number of offsets, of which any may be left out: google/flatbuffers,
``docs/source/internals.md``.
"""

from __future__ import annotations

from struct import error as StructError  # noqa: N812 -- it is one
from struct import unpack_from

Broken = (StructError, ValueError, IndexError)
"""What is raised for bytes that hold no such field."""


def root(data: bytes) -> int:
    """The place of the outermost table."""
    return int(unpack_from("<I", data)[0])


def field(data: bytes, table: int, index: int) -> int:
    """The place of a field of a table; 0 where it is left out."""
    names = table - unpack_from("<i", data, table)[0]
    if names < 0:
        raise ValueError("an offset leads out of the message")
    size, slot = unpack_from("<H", data, names)[0], 4 + 2 * index
    if slot + 2 > size:
        return 0
    offset: int = unpack_from("<H", data, names + slot)[0]
    return table + offset if offset else 0


def behind(data: bytes, at: int) -> int:
    """What the offset at ``at``, a field that may not be left out, leads to."""
    if not at:
        raise ValueError("a field is missing")
    return at + int(unpack_from("<I", data, at)[0])


def number(data: bytes, at: int) -> int:
    """A field of 64 bits; 0 where it is left out."""
    return int(unpack_from("<q", data, at)[0]) if at else 0


def structs(data: bytes, at: int, size: int) -> list[int]:
    """The places of the structs of ``size`` bytes in a vector; none where it is left out."""
    if not at:
        return []
    vector = behind(data, at)
    count: int = unpack_from("<I", data, vector)[0]
    if vector + 4 + size * count > len(data):
        raise ValueError("a vector is longer than what holds it")
    return [vector + 4 + size * index for index in range(count)]
