"""Where the record batches of an Arrow file lie, by its footer.

The last bytes of a file are its footer, the length of that, and the magic: apache/arrow,
``docs/source/format/Columnar.rst`` (IPC), ``format/File.fbs`` and ``Message.fbs``.
"""

from __future__ import annotations

from struct import unpack_from
from typing import BinaryIO, NamedTuple

from oxcore.codec.flatbuffers import Broken, behind, field, number, root, structs
from oxcore.tables.reading import Outline

_END = 10  # bytes behind the footer
_LONGEST = 4 << 20  # bytes of a footer, which holds the schema and all that is said of it
_MESSAGE = 1 << 20  # bytes of what is said of a batch
_BLOCK = 24  # bytes of a Block: offset, length of what is said of it, four that fill, of the body
_MOST = 1024  # batches; each that is read alone takes a look at the whole footer
_RECORD_BATCH = 3


class Block(NamedTuple):
    """A record batch: how many rows, and what is said of it."""

    rows: int
    outline: Outline


def blocks(file: BinaryIO, size: int) -> list[Block]:
    """The batches of a file of ``size`` bytes, in their order; none where values stand in
    dictionaries, which lie apart, where they are very many, and for what is no such file: who reads
    it tells."""
    try:
        file.seek(size - _END)
        length: int = unpack_from("<i", file.read(_END))[0]
        if not 0 < length <= min(_LONGEST, size - _END):
            return []
        file.seek(size - _END - length)
        footer = file.read(length)
        table = root(footer)
        listed = structs(footer, field(footer, table, 3), _BLOCK)
        apart = structs(footer, field(footer, table, 2), _BLOCK)
        few = len(listed) <= _MOST and not apart
        return [_block(file, footer, at) for at in listed] if few else []
    except (*Broken, OSError):
        return []


def _block(file: BinaryIO, footer: bytes, at: int) -> Block:
    start, length, body = unpack_from("<qi4xq", footer, at)
    if min(start, body) < 0 or not 8 < length <= _MESSAGE:
        raise ValueError("no place of a batch")
    file.seek(start)
    said = file.read(length)
    mark, inner = unpack_from("<Ii", said)
    message = said[8 : 8 + inner]
    table = root(message)
    if mark != 0xFFFFFFFF or message[field(message, table, 1)] != _RECORD_BATCH:
        raise ValueError("no record batch")
    rows = number(message, field(message, behind(message, field(message, table, 2)), 0))
    if rows < 0:
        raise ValueError("less than no rows")
    return Block(rows, Outline((said, body), [start + length], [body]))
