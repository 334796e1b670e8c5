"""Where the messages of an Arrow file or stream begin, and the buffers of its record batches.

Messages follow one another, each with its length in front: apache/arrow,
``docs/source/format/Columnar.rst`` (IPC), ``format/Message.fbs``; tables are FlatBuffers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from struct import unpack_from

from oxcore.codec.flatbuffers import behind, field, number, root, structs

_AHEAD = 4096  # bytes that are read of a message; its length tells whether there are more
_LONGEST = 1 << 20  # bytes of one message without its body
_RECORD_BATCH = 3

Named = tuple[int, object]


def seams(size: int, read_at: Callable[[int, int], bytes], start: int) -> Iterator[Named]:
    """Place and name of each message from ``start`` on, and of each buffer of a record batch.

    Where there is more than a message a MiB the rest is left out: looking would cost too much.
    Raises one of ``flatbuffers.Broken`` for what is no message.
    """
    place = start
    for count in range((size >> 20) + 16):
        head = read_at(place, _AHEAD)
        mark, length = unpack_from("<Ii", head)
        if mark != 0xFFFFFFFF or not 0 < length <= _LONGEST:
            break
        if length + 8 > len(head):
            head = read_at(place, length + 8)
        yield place, (count, -1)
        message, body = head[8 : length + 8], place + 8 + length
        table = root(message)
        if message[field(message, table, 1)] == _RECORD_BATCH:
            for index, offset in enumerate(_buffers(message, table)):
                yield body + offset, (count, index)
        place = body + number(message, field(message, table, 3))
        if not body <= place < size:
            break
    yield place, "end"


def _buffers(message: bytes, table: int) -> list[int]:
    """Where the buffers of a record batch begin in its body."""
    batch = behind(message, field(message, table, 2))
    return [number(message, at) for at in structs(message, field(message, batch, 2), 16)]
