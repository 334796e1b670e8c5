"""Where the column chunks of a Parquet file begin, by its footer.

The footer is a Thrift struct in the compact protocol (apache/parquet-format, ``parquet.thrift``;
apache/thrift, ``thrift-compact-protocol.md``); only what names the places is read of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from oxcore.chunk._cut import PARQUET

_LONGEST = 256 << 10  # bytes of a footer: about 2,000 column chunks, a tenth of a second
_DEEPEST = 16
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)

Named = tuple[int, object]


def seams(size: int, read_at: Callable[[int, int], bytes]) -> Iterator[Named]:
    """Place and name of each column chunk of a file, and of what follows the last one.

    Raises ``ValueError`` or ``IndexError`` for what is no Parquet file.
    """
    tail = read_at(size - 8, 8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != PARQUET or not 0 < length <= min(_LONGEST, size - 12):
        return
    end = 0
    for group, columns in enumerate(_Footer(read_at(size - 8 - length, length)).groups()):
        for path, start, stored in columns:
            yield start, (group, path)
            end = max(end, start + stored)
    yield end, "end"


class _Footer:
    """Reads values one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def groups(self) -> Iterator[list[tuple[bytes, int, int]]]:
        """For each row group its column chunks: path, place and length in bytes."""
        for name, kind in self._fields():
            if name == 4 and kind == _LIST:
                for _ in self._items():
                    yield self._group()
                return
            self._skip(kind)

    def _group(self) -> list[tuple[bytes, int, int]]:
        found: list[tuple[bytes, int, int]] = []
        for name, kind in self._fields():
            if name == 1 and kind == _LIST:
                found += [self._column() for _ in self._items()]
            else:
                self._skip(kind)
        return found

    def _column(self) -> tuple[bytes, int, int]:
        found = (b"", 0, 0)
        for name, kind in self._fields():
            if name == 3 and kind == _STRUCT:
                found = self._facts()
            else:
                self._skip(kind)
        return found

    def _facts(self) -> tuple[bytes, int, int]:
        path, numbers = b"", dict.fromkeys((7, 9, 11), 0)
        for name, kind in self._fields():
            if name == 3 and kind == _LIST:
                path = b"\0".join(self._binary() for _ in self._items())
            elif name in numbers and kind == _I64:
                numbers[name] = self._whole()
            else:
                self._skip(kind)
        stored, pages, dictionary = numbers.values()
        start = min(pages, dictionary) if dictionary > 0 else pages
        return path, start, stored

    def _fields(self) -> Iterator[tuple[int, int]]:
        """Number and type of each field of a struct, whose value is to be read before the next."""
        name = 0
        while head := self._byte():
            name = name + (head >> 4) if head >> 4 else self._whole()
            yield name, head & 15

    def _items(self) -> range:
        """As many as a list has items, which follow."""
        count = self._byte() >> 4
        count = self._varint() if count == 15 else count
        if count > len(self._data) - self._at:
            raise ValueError("more items than bytes")
        return range(count)

    def _skip(self, kind: int, depth: int = 0) -> None:
        if depth > _DEEPEST:
            raise ValueError("values nest too deep")
        if kind in {_I16, _I32, _I64}:
            self._varint()
        elif kind == _BINARY:
            self._binary()
        elif kind in {_LIST, _SET}:
            item = self._data[self._at] & 15
            for _ in self._items():
                self._skip(_BYTE if item <= _FALSE else item, depth + 1)
        elif kind == _STRUCT:
            for _, inner in self._fields():
                self._skip(inner, depth + 1)
        elif kind in {_BYTE, _DOUBLE}:
            self._at += 1 if kind == _BYTE else 8
        elif kind not in {_TRUE, _FALSE}:
            raise ValueError(f"no value of type {kind}")

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def _whole(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _binary(self) -> bytes:
        length = self._varint()
        self._at += length
        if self._at > len(self._data):
            raise IndexError("the footer ends within a value")
        return self._data[self._at - length : self._at]
