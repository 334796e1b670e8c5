"""Frames of a segment: the fields of a record as JSON and the bytes of its input, checked.

Layout (integers little-endian), see docs/design/008-capture.md:

    0   4  magic "OXC1"
    4   1  kind
    5   3  zero
    8   8  seq
    16  4  length of the fields
    20  8  length of the blob
    28  8  XXH3-64 of the fields, which name the BLAKE3 of the blob
    36  4  CRC-32 of the bytes before
    40     fields, then blob
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple
from zlib import crc32

from blake3 import blake3
from xxhash import xxh3_64_intdigest

_HEAD = struct.Struct("<4sB3xQIQQ")
_CRC = struct.Struct("<I")
HEADER = _HEAD.size + _CRC.size
MAGIC = b"OXC1"


class What(IntEnum):
    """What a frame holds; the number is part of the format."""

    HEAD = 0
    RECORD = 1
    EVENT = 2
    GAP = 3


class Frame(NamedTuple):
    """One frame as it was read; ``fields`` is an object of JSON."""

    what: int
    seq: int
    fields: Mapping[str, object]
    blob: bytes


class Damage(NamedTuple):
    """Bytes of a segment that are no frame, and are not the end that a crash cut off."""

    start: int
    stop: int


def header(what: int, seq: int, fields: bytes, blob: bytes) -> bytes:
    """The 40 bytes before ``fields`` and ``blob``."""
    head = _HEAD.pack(MAGIC, what, seq, len(fields), len(blob), xxh3_64_intdigest(fields))
    return head + _CRC.pack(crc32(head))


def read(path: str) -> Iterator[Frame | Damage]:
    """The frames of a segment, in order; damaged bytes on the way as ``Damage``.

    What a crash cut short at the end is left out: its ``save`` had not returned.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield from _frames(data)


def count(path: str) -> int:
    """How many records and events a segment has, by its headers alone; 0 if it is gone."""
    try:
        with open(path, "rb") as file:
            found, at, size = 0, 0, os.fstat(file.fileno()).st_size
            while at < size:
                file.seek(at)
                sizes = _sizes_in(file.read(HEADER))
                if sizes is None:
                    break
                at += HEADER + sizes[2] + sizes[3]
                found += at <= size and sizes[0] in (What.RECORD, What.EVENT)
            return found
    except FileNotFoundError:
        return 0


def _frames(data: mmap.mmap) -> Iterator[Frame | Damage]:
    at = 0
    while at < len(data):
        found = _frame(data, at)
        if found is not None:
            yield found[0]
            at = found[1]
            continue
        beyond = _next(data, at + 1)
        if beyond is None:
            if not _cut_short(data, at):
                yield Damage(at, len(data))
            return
        yield Damage(at, beyond)
        at = beyond


def _frame(data: mmap.mmap, at: int) -> tuple[Frame, int] | None:
    """The frame that begins at ``at`` and where it ends; None if there is no whole one."""
    sizes = _sizes(data, at)
    if sizes is None:
        return None
    what, seq, fields_size, blob_size, check = sizes
    middle = at + HEADER + fields_size
    end = middle + blob_size
    fields = data[at + HEADER : middle]
    if end > len(data) or xxh3_64_intdigest(fields) != check:
        return None
    try:
        told = json.loads(fields)
    except ValueError:
        return None
    blob = data[middle:end]
    if blob and blake3(blob).hexdigest() != told.get("blob"):
        return None
    return Frame(what, seq, told, blob), end


def _sizes(data: mmap.mmap, at: int) -> tuple[int, int, int, int, int] | None:
    return _sizes_in(data[at : at + HEADER])


def _sizes_in(head: bytes) -> tuple[int, int, int, int, int] | None:
    """Kind, seq, both lengths and the checksum; None for what is no header."""
    if len(head) < HEADER or crc32(head[:-4]) != _CRC.unpack(head[-4:])[0]:
        return None
    magic, *rest = _HEAD.unpack(head[:-4])
    return (rest[0], rest[1], rest[2], rest[3], rest[4]) if magic == MAGIC else None


def _next(data: mmap.mmap, start: int) -> int | None:
    """Where the next whole frame begins."""
    at = data.find(MAGIC, start)
    while at >= 0:
        if _frame(data, at) is not None:
            return at
        at = data.find(MAGIC, at + 1)
    return None


def _cut_short(data: mmap.mmap, at: int) -> bool:
    """Whether the bytes from ``at`` on are the start of a frame whose end is not there."""
    if len(data) - at < HEADER:
        return MAGIC.startswith(data[at : at + 4]) or data[at : at + 4] == MAGIC
    sizes = _sizes(data, at)
    return sizes is not None and at + HEADER + sizes[2] + sizes[3] > len(data)
