"""Where the messages of an Arrow file or stream begin, and the buffers of its record batches.

Messages follow one another, each with its length in front: apache/arrow,
``docs/source/format/Columnar.rst`` (IPC), ``format/Message.fbs``; tables are FlatBuffers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import error as StructError  # noqa: N812 -- it is one
from struct import unpack_from

_AHEAD = 4096  # bytes that are read of a message; its length tells whether there are more
_LONGEST = 1 << 20  # bytes of one message without its body
_RECORD_BATCH = 3

Named = tuple[int, object]
Broken = (StructError, ValueError, IndexError)


def seams(size: int, read_at: Callable[[int, int], bytes], start: int) -> Iterator[Named]:
    """Place and name of each message from ``start`` on, and of each buffer of a record batch.

    Where there is more than a message a MiB the rest is left out: looking would cost too much.
    Raises one of ``Broken`` for what is no message.
    """
    place = start
    for number in range((size >> 20) + 16):
        head = read_at(place, _AHEAD)
        mark, length = unpack_from("<Ii", head)
        if mark != 0xFFFFFFFF or not 0 < length <= _LONGEST:
            break
        if length + 8 > len(head):
            head = read_at(place, length + 8)
        yield place, (number, -1)
        message, body = head[8 : length + 8], place + 8 + length
        root = unpack_from("<I", message)[0]
        if message[_field(message, root, 1)] == _RECORD_BATCH:
            for index, offset in enumerate(_buffers(message, root)):
                yield body + offset, (number, index)
        at = _field(message, root, 3)
        place = body + (unpack_from("<q", message, at)[0] if at else 0)
        if not body <= place < size:
            break
    yield place, "end"


def _buffers(message: bytes, root: int) -> list[int]:
    """Where the buffers of a record batch begin in its body."""
    batch = _behind(message, _field(message, root, 2))
    vector = _behind(message, _field(message, batch, 2))
    count = unpack_from("<I", message, vector)[0]
    if vector + 4 + 16 * count > len(message):
        raise ValueError("more buffers than the message holds")
    return [unpack_from("<q", message, vector + 4 + 16 * index)[0] for index in range(count)]


def _behind(message: bytes, at: int) -> int:
    """What the offset at ``at`` leads to."""
    if not at:
        raise ValueError("a field is missing")
    return at + int(unpack_from("<I", message, at)[0])


def _field(message: bytes, table: int, index: int) -> int:
    """The place of a field of a table; 0 where it is left out."""
    names = table - unpack_from("<i", message, table)[0]
    if names < 0:
        raise ValueError("an offset leads out of the message")
    size, slot = unpack_from("<H", message, names)[0], 4 + 2 * index
    if slot + 2 > size:
        return 0
    offset: int = unpack_from("<H", message, names + slot)[0]
    return table + offset if offset else 0
