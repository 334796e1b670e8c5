"""Tree nodes, laid out by column so that a node of hundreds of entries decodes in a few slices.

Layout (all integers little-endian), see docs/format.md:

    0   4  magic  "OXTN"
    4   1  version, 1
    5   1  level: 0 for a leaf, one more than its children for an inner node
    6   2  zero
    8   4  n, the number of entries
    12  32 n  ids                leaf: of the files; inner: of the child nodes
    ..  8 n   sizes              leaf: bytes of the file; inner: bytes of all files below
    ..  n     modes   (leaf)     1 file, 2 executable, 3 symlink
    ..  8 n   counts  (inner)    files below
    ..  rest  keys joined by NUL leaf: the paths; inner: the last path below each child
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from oxcore.errors import CorruptError
from oxcore.model.entries import MAX_PATH, Entry, paths_are_valid
from oxcore.model.ids import ID_LEN

_HEADER = struct.Struct("<4sBBHI")
MAGIC = b"OXTN"
VERSION = 1
MAX_LEVEL = 255
MAX_FILE = 2**53 - 1  # bytes: every JSON reader can take it as a number
MAX_TOTAL = 2**63 - 1  # bytes or files below a node
_SWAP = sys.byteorder == "big"


class Leaf(NamedTuple):
    """A leaf in columns: ``paths`` ascending, ``ids`` 32 bytes each in one run, ``sizes`` in
    bytes, one mode byte each."""

    paths: list[bytes]
    ids: bytes
    sizes: Sequence[int]
    modes: bytes

    def entry(self, index: int) -> Entry:
        """The entry at ``index``."""
        start = index * ID_LEN
        return Entry(self.modes[index], self.sizes[index], self.ids[start : start + ID_LEN])

    def entries(self) -> list[tuple[bytes, Entry]]:
        """All entries as pairs of path and entry."""
        ids = self.ids
        return [
            (path, Entry(mode, size, ids[start : start + ID_LEN]))
            for path, mode, size, start in zip(
                self.paths, self.modes, self.sizes, range(0, len(ids), ID_LEN), strict=True
            )
        ]


class Inner(NamedTuple):
    """An inner node in columns: ``keys`` the last path below each child, ``ids`` of the children
    in one run, ``sizes`` bytes and ``counts`` files below each; ``level`` at least 1."""

    level: int
    keys: list[bytes]
    ids: bytes
    sizes: Sequence[int]
    counts: Sequence[int]

    def child(self, index: int) -> bytes:
        """The id of the child at ``index``."""
        return self.ids[index * ID_LEN : (index + 1) * ID_LEN]

    def children(self) -> list[bytes]:
        """The ids of all children."""
        ids = self.ids
        return [ids[start : start + ID_LEN] for start in range(0, len(ids), ID_LEN)]


def encode_leaf(paths: Sequence[bytes], ids: bytes, sizes: Sequence[int], modes: bytes) -> bytes:
    """The canonical bytes of a leaf; the columns are as in ``Leaf``.

    ``ValueError`` if they are not equally long; else the caller vouches for what ``validate``
    checks.
    """
    if not len(ids) == ID_LEN * len(paths) == ID_LEN * len(sizes) == ID_LEN * len(modes):
        raise ValueError("the columns of a leaf are not equally long")
    return b"".join(
        (
            _HEADER.pack(MAGIC, VERSION, 0, 0, len(paths)),
            ids,
            _pack_u64(sizes),
            modes,
            b"\0".join(paths),
        )
    )


def encode_inner(
    level: int, keys: Sequence[bytes], ids: bytes, sizes: Sequence[int], counts: Sequence[int]
) -> bytes:
    """The canonical bytes of an inner node; the columns are as in ``Inner``.

    ``ValueError`` if they are not equally long, or the level is not 1 to 255.
    """
    if not len(ids) == ID_LEN * len(keys) == ID_LEN * len(sizes) == ID_LEN * len(counts):
        raise ValueError("the columns of an inner node are not equally long")
    if not 1 <= level <= MAX_LEVEL:
        raise ValueError(f"no inner node is of level {level}")
    return b"".join(
        (
            _HEADER.pack(MAGIC, VERSION, level, 0, len(keys)),
            ids,
            _pack_u64(sizes),
            _pack_u64(counts),
            b"\0".join(keys),
        )
    )


def decode(data: bytes) -> Leaf | Inner:
    """The node of canonical bytes; ``CorruptError`` if the layout is wrong.

    Checks what it costs nothing to check. ``validate`` checks the rest, where bytes come in
    from outside.
    """
    if len(data) < _HEADER.size:
        raise CorruptError("a tree node is cut short")
    magic, version, level, zero, count = _HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION or zero:
        raise CorruptError("a tree node has an unknown header")
    per_entry = ID_LEN + 9 if level == 0 else ID_LEN + 16
    end = _HEADER.size + count * per_entry
    if len(data) < end:
        raise CorruptError("a tree node is cut short")
    keys = data[end:].split(b"\0") if count else []
    if len(keys) != count or (not count and len(data) != end):
        raise CorruptError("a tree node has not as many keys as entries")
    at_sizes = _HEADER.size + count * ID_LEN
    at_last = at_sizes + 8 * count
    ids, sizes = data[_HEADER.size : at_sizes], _unpack_u64(data[at_sizes:at_last])
    if level == 0:
        return Leaf(keys, ids, sizes, data[at_last:end])
    return Inner(level, keys, ids, sizes, _unpack_u64(data[at_last:end]))


def validate(node: Leaf | Inner) -> None:
    """Raise ``CorruptError`` unless the keys ascend, every path is allowed, every mode known and
    every number in its range.

    Sums and the cuts between nodes need the children: see ``oxcore.tree._check``.
    """
    keys = node.paths if isinstance(node, Leaf) else node.keys
    if any(one >= other for one, other in pairwise(keys)):
        raise CorruptError("the paths of a tree node do not ascend")
    if keys and (not paths_are_valid(b"\0".join(keys)) or max(map(len, keys)) > MAX_PATH):
        raise CorruptError("a tree node holds a path that is not allowed")
    if isinstance(node, Leaf):
        if node.modes.strip(b"\1\2\3"):
            raise CorruptError("a tree node holds an unknown mode")
        if max(node.sizes, default=0) > MAX_FILE:
            raise CorruptError("a tree node holds a file larger than any can be")
    elif not keys:
        raise CorruptError("an inner tree node is empty")
    elif not min(node.counts) or max(sum(node.sizes), sum(node.counts)) > MAX_TOTAL:
        raise CorruptError("an inner tree node holds totals that cannot be")


def _pack_u64(values: Sequence[int]) -> bytes:
    column = array("Q", values)
    if _SWAP:
        column.byteswap()
    return column.tobytes()


def _unpack_u64(data: bytes) -> array[int]:
    column = array("Q")
    column.frombytes(data)
    if _SWAP:
        column.byteswap()
    return column
