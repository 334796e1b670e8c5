r"""Packs: many objects in one immutable file, with an index of its own at the end.

Layout (integers little-endian), see docs/format.md:

    0    8  magic "OXPACK\r\n"
    8    1  version, 1
    9    1  kind of file, 1 (objects)
    10   6  zero
    16  ..  payloads, one after the other, as each entry's ``how`` says
    A   32 n  ids
    ..   4 n  stored lengths
    ..   4 n  decoded lengths
    ..   n    kinds
    ..   n    hows
    B    8  n
    ..   8  A, the offset of the index
    ..  32  BLAKE3 of header, index (A to B), n and A: the checksum, and the name of the pack
    ..   8  magic "OXPKEND\n"

Each payload is proved by the id of its object, everything else by the checksum.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate

from blake3 import blake3

from oxcore.errors import CorruptError, FormatError, InvalidError
from oxcore.model.ids import ID_LEN, Kind
from oxcore.model.protocols import How, Location

MAGIC = b"OXPACK\r\n"
END_MAGIC = b"OXPKEND\n"
VERSION = 1
HEADER = struct.pack("<8sBB6x", MAGIC, VERSION, 1)
_TRAILER = struct.Struct("<QQ32s8s")
TRAILER_SIZE = _TRAILER.size
_PER_ENTRY = ID_LEN + 4 + 4 + 1 + 1
_SWAP = sys.byteorder == "big"
_U32 = "I" if array("I").itemsize == 4 else "L"  # C promises only a least width
_KINDS = bytes(Kind)
_HOWS = bytes(How)


class PackIndex:
    """The index of one pack, in columns that grow by ``add``; an entry costs 42 bytes."""

    __slots__ = ("end", "hows", "ids", "kinds", "raws", "stored")

    def __init__(self) -> None:
        self.ids = bytearray()
        self.stored = array(_U32)
        self.raws = array(_U32)
        self.kinds = bytearray()
        self.hows = bytearray()
        self.end = len(HEADER)

    def __len__(self) -> int:
        return len(self.kinds)

    def add(self, oid: bytes, kind: int, how: int, raw: int, stored: int) -> None:
        """Note an object of ``raw`` bytes that takes the next ``stored`` bytes of the file.

        Raises ``InvalidError`` if it is of 4 GiB or more, and leaves the index as it was.
        """
        if (raw | stored) >> 32:
            raise InvalidError("an object of 4 GiB or more cannot lie in a pack")
        self.ids += oid
        self.stored.append(stored)
        self.raws.append(raw)
        self.kinds.append(kind)
        self.hows.append(how)
        self.end += stored

    def extend(
        self,
        ids: bytes,
        kinds: bytes,
        hows: bytes | bytearray,
        raws: Sequence[int],
        stored: Sequence[int],
    ) -> None:
        """``add`` for many objects at once, in columns that run in step.

        Raises ``InvalidError`` as ``add`` does, and leaves the index as it was.
        """
        if max(raws, default=0) >> 32 or max(stored, default=0) >> 32:
            raise InvalidError("an object of 4 GiB or more cannot lie in a pack")
        self.ids += ids
        self.stored.extend(stored)
        self.raws.extend(raws)
        self.kinds += kinds
        self.hows += hows
        self.end += sum(stored)

    def __iter__(self) -> Iterator[tuple[bytes, Location]]:
        return self.rows()

    def split_ids(self) -> list[bytes]:
        """The ids one by one, in the order of the file."""
        ids = bytes(self.ids)
        return [ids[at : at + ID_LEN] for at in range(0, len(ids), ID_LEN)]

    def starts(self) -> list[int]:
        """Where the payload of each object begins, in bytes from the start of the file."""
        return list(accumulate(self.stored, initial=len(HEADER)))[:-1]

    def rows(self, pack: int = 0) -> Iterator[tuple[bytes, Location]]:
        """Id and location of every object, in the order of the file."""
        ids = bytes(self.ids)
        starts = accumulate(self.stored, initial=len(HEADER))
        columns = zip(starts, self.stored, self.raws, self.kinds, self.hows, strict=False)
        for at, (start, stored, raw, kind, how) in zip(
            range(0, len(ids), ID_LEN), columns, strict=True
        ):
            yield ids[at : at + ID_LEN], Location(pack, start, stored, raw, kind, how)


def seal(index: PackIndex) -> tuple[bytes, bytes]:
    """The bytes that end the pack (index and trailer), and the pack's name (32 bytes)."""
    body = b"".join(
        (index.ids, pack_u32(index.stored), pack_u32(index.raws), index.kinds, index.hows)
    )
    tail = struct.pack("<QQ", len(index), index.end)
    name = blake3(HEADER + body + tail).digest()
    return body + _TRAILER.pack(len(index), index.end, name, END_MAGIC), name


def index_span(trailer: bytes, file_size: int, what: str) -> tuple[int, int]:
    """Offset and length of the part of the file that ``open_index`` wants, from the last
    ``TRAILER_SIZE`` bytes; ``CorruptError`` naming ``what`` if there is no sound trailer."""
    if len(trailer) != TRAILER_SIZE:
        raise CorruptError(f"{what} is cut short")
    count, start, _, magic = _TRAILER.unpack(trailer)
    length = count * _PER_ENTRY + TRAILER_SIZE
    if magic != END_MAGIC or start + length != file_size:
        raise CorruptError(f"{what} has no sound trailer")
    return start, length


def open_index(header: bytes, tail: bytes, what: str) -> tuple[PackIndex, bytes]:
    """The index and the name of a pack, from its first 16 bytes and its index with trailer.

    Raises ``FormatError`` for a pack of a newer version, ``CorruptError`` where the checksum
    or the lengths are wrong.
    """
    _check_header(header, what)
    if len(tail) < TRAILER_SIZE:
        raise CorruptError(f"{what} is cut short")
    count, end, name, magic = _TRAILER.unpack(tail[-TRAILER_SIZE:])
    body = tail[:-TRAILER_SIZE]
    checksum = blake3(HEADER + body + struct.pack("<QQ", count, end)).digest()
    if magic != END_MAGIC or checksum != name:
        raise CorruptError(f"{what} fails its checksum")
    if len(body) != count * _PER_ENTRY:
        raise CorruptError(f"{what} has an index of the wrong length")
    index = _columns(body, count)
    if index.end != end:
        raise CorruptError(f"{what} has lengths that do not add up")
    if index.kinds.strip(_KINDS) or index.hows.strip(_HOWS):
        raise FormatError(f"{what} holds objects of a kind that this release cannot read")
    return index, name


def _check_header(header: bytes, what: str) -> None:
    if header[:8] != MAGIC or len(header) != len(HEADER):
        raise CorruptError(f"{what} is no pack")
    if header != HEADER:
        raise FormatError(
            f"{what} is of version {header[8]}, kind {header[9]}, which this release cannot read"
        )


def _columns(body: bytes, count: int) -> PackIndex:
    index = PackIndex()
    ids, stored, raws, kinds, hows = accumulate(
        [ID_LEN * count, 4 * count, 4 * count, count, count]
    )
    index.ids += body[:ids]
    index.stored = unpack_u32(body[ids:stored])
    index.raws = unpack_u32(body[stored:raws])
    index.kinds += body[raws:kinds]
    index.hows += body[kinds:hows]
    index.end = len(HEADER) + sum(index.stored)
    return index


def pack_u32(column: array[int]) -> bytes:
    """The bytes of a column of 32-bit numbers, little-endian."""
    if _SWAP:
        column = array(_U32, column)
        column.byteswap()
    return column.tobytes()


def unpack_u32(data: bytes) -> array[int]:
    """The column of 32-bit numbers in ``data``, little-endian."""
    column = array(_U32)
    column.frombytes(data)
    if _SWAP:
        column.byteswap()
    return column
