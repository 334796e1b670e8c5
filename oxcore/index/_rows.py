"""A row of the stat cache: what a file looked like when its entry was known.

73 bytes, little-endian: size (u64), mtime and ctime in nanoseconds (i64 each), inode (u64);
then the entry: mode (u8), size (u64), id (32 bytes). The first 32 bytes, the *stat*, compare as
they are; all zero they say that the file must be read.
"""

import struct
from typing import NamedTuple

from oxcore.model.entries import Entry

_STAT = struct.Struct("<QqqQ")
_ENTRY = struct.Struct("<BQ32s")
_ROW = struct.Struct("<QqqQBQ32s")

STAT_SIZE = _STAT.size
ROW_SIZE = _ROW.size
UNKNOWN_STAT = bytes(STAT_SIZE)


class Row(NamedTuple):
    """Size in bytes, times in nanoseconds, inode (all 0: not known), and the entry."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    entry: Entry


def pack_stat(size: int, mtime_ns: int, ctime_ns: int, inode: int) -> bytes:
    """The 32 bytes that a packed row starts with."""
    return _STAT.pack(size, mtime_ns, ctime_ns, inode)


def pack_row(stat: bytes, entry: tuple[int, int, bytes]) -> bytes:
    """A packed row out of a packed stat and an entry (or its mode, size and id)."""
    return stat + _ENTRY.pack(*entry)


def packed(row: Row | bytes) -> bytes:
    """The packed row; one that is packed already passes through."""
    if isinstance(row, bytes):
        return row
    size, mtime_ns, ctime_ns, inode, entry = row
    return _ROW.pack(size, mtime_ns, ctime_ns, inode, *entry)


def unpack_row(value: bytes) -> Row:
    """The row that was packed as ``value``."""
    size, mtime_ns, ctime_ns, inode, mode, length, oid = _ROW.unpack(value)
    return Row(size, mtime_ns, ctime_ns, inode, Entry(mode, length, oid))


def row_entry(value: bytes) -> Entry:
    """The entry of a packed row."""
    mode, size, oid = _ENTRY.unpack_from(value, STAT_SIZE)
    return Entry(mode, size, oid)
