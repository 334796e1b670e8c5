"""Rows of one level in columns, and the cutter that turns them into nodes."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from oxcore.codec.node import Inner, Leaf, encode_inner, encode_leaf
from oxcore.model.ids import ID_LEN, Kind, object_id
from oxcore.model.protocols import Sink
from oxcore.tree import rule

# What a key stands for: (mode, size, id) in a leaf, (files below, bytes below, id) in an inner
# node. An `Entry` is one.
Value = tuple[int, int, bytes]
Row = tuple[bytes, Value]


_SPLICES = 24  # changes of one node up to which splicing columns beats merging rows


class Columns:
    """Rows of one level, ascending by key: ``tags`` are modes in a leaf, else counts of files."""

    __slots__ = ("ids", "keys", "level", "sizes", "tags")

    def __init__(self, level: int, rows: Iterable[Row] = ()) -> None:
        self.level = level
        self.keys: list[bytes] = []
        self.ids = bytearray()
        self.sizes = array("Q")
        self.tags = array("Q" if level else "B")
        pairs = list(rows)
        if pairs:
            keys, values = zip(*pairs, strict=True)
            tags, sizes, ids = zip(*values, strict=True)
            self.keys.extend(keys)
            self.ids += b"".join(ids)
            self.sizes.extend(sizes)
            self.tags.extend(tags)

    @classmethod
    def of(cls, node: Leaf | Inner) -> Columns:
        """The rows of a node, free to be changed."""
        columns = cls(0 if isinstance(node, Leaf) else node.level)
        columns.keys.extend(node.paths if isinstance(node, Leaf) else node.keys)
        columns.ids += node.ids
        columns.sizes.extend(node.sizes)
        columns.tags.extend(node.modes if isinstance(node, Leaf) else node.counts)
        return columns

    def __len__(self) -> int:
        return len(self.keys)

    def extend(self, other: Columns) -> None:
        """Append the rows of ``other``."""
        self.keys.extend(other.keys)
        self.ids += other.ids
        self.sizes.extend(other.sizes)
        self.tags.extend(other.tags)

    def apply(self, changes: Sequence[tuple[bytes, Value | None]]) -> None:
        """Set the row of each key, or take it out where the value is None."""
        if len(changes) > _SPLICES:
            self._merge(changes)
            return
        for key, value in changes:
            at = bisect_left(self.keys, key)
            here = at < len(self.keys) and self.keys[at] == key
            self._splice(at, at + here, key, value)

    def _merge(self, changes: Sequence[tuple[bytes, Value | None]]) -> None:
        ids = [bytes(self.ids[at : at + ID_LEN]) for at in range(0, len(self.ids), ID_LEN)]
        rows: dict[bytes, Value | None] = dict(
            zip(self.keys, zip(self.tags, self.sizes, ids, strict=True), strict=True)
        )
        rows.update(changes)
        # Two ascending runs, which the sort merges in linear time.
        merged = Columns(self.level, [(key, row) for key in sorted(rows) if (row := rows[key])])
        self.keys, self.ids = merged.keys, merged.ids
        self.sizes, self.tags = merged.sizes, merged.tags

    def _splice(self, start: int, stop: int, key: bytes, value: Value | None) -> None:
        new = () if value is None else (value,)
        self.keys[start:stop] = [key] * len(new)
        self.ids[start * ID_LEN : stop * ID_LEN] = b"".join(row[2] for row in new)
        self.sizes[start:stop] = array("Q", [row[1] for row in new])
        self.tags[start:stop] = array(self.tags.typecode, [row[0] for row in new])

    def drop(self, count: int) -> None:
        """Take out the first ``count`` rows."""
        del self.keys[:count], self.sizes[:count], self.tags[:count]
        del self.ids[: count * ID_LEN]

    def encode(self, start: int, stop: int) -> bytes:
        """The canonical bytes of a node of the rows from ``start`` up to ``stop``."""
        keys, sizes = self.keys[start:stop], self.sizes[start:stop]
        ids, tags = bytes(self.ids[start * ID_LEN : stop * ID_LEN]), self.tags[start:stop]
        if self.level == 0:
            return encode_leaf(keys, ids, sizes, tags.tobytes())
        return encode_inner(self.level, keys, ids, sizes, tags)

    def value(self, start: int, stop: int, oid: bytes) -> Value:
        """What stands one level up for a node of these rows with the id ``oid``."""
        count = sum(self.tags[start:stop]) if self.level else stop - start
        return count, sum(self.sizes[start:stop]), oid


class Cutter:
    """Takes the rows of one level in order and writes nodes where the rule ends them.

    ``known`` are ids that need not be put; ``only`` says of each inner node that was made
    which single child it has, or None where it has more.
    """

    def __init__(self, sink: Sink, level: int) -> None:
        self.sink = sink
        self.level = level
        self.held = Columns(level)
        self.known: set[bytes] = set()
        self.only: dict[bytes, bytes | None] = {}

    def feed(self, rows: Columns) -> list[Row]:
        """Take rows; give the row of every node that ends in them, for the level above."""
        held = len(self.held)
        ends = [held + end for end in rule.cuts(rows.keys, self.level, held)]
        self.held.extend(rows)
        return self._write(ends)

    def flush(self) -> list[Row]:
        """End the last node of the level, if any rows are left."""
        return self._write([len(self.held)]) if len(self.held) else []

    def _write(self, ends: Sequence[int]) -> list[Row]:
        made: list[Row] = []
        start = 0
        for end in ends:
            made.append(self._node(start, end))
            start = end
        self.held.drop(start)
        return made

    def _node(self, start: int, end: int) -> Row:
        data = self.held.encode(start, end)
        oid = object_id(Kind.TREE, data)
        if oid not in self.known:
            self.sink.put(oid, Kind.TREE, data)
        if self.level:
            alone = end - start == 1
            child = bytes(self.held.ids[start * ID_LEN : end * ID_LEN]) if alone else None
            self.only[oid] = child
        return self.held.keys[end - 1], self.held.value(start, end, oid)
