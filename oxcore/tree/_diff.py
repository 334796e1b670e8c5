"""What differs between two trees, at the cost of what differs.

Two cursors go through the trees side by side. Where both stand before a node with the same id,
both step over it, at whatever level; else the one before the higher node goes down into it.
Since nodes end where the content says, cursors that an edit has pushed apart meet again within
a node or two.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from oxcore.codec.node import Inner, Leaf
from oxcore.model.entries import Change, Entry
from oxcore.model.ids import ID_LEN
from oxcore.tree.nodes import Node, Nodes, Source, level_of, nodes_of, ranges, span

_END = -2  # the level of a cursor past the last entry
_ENTRIES = -1  # of one that stands before entries of a leaf


def diff(reader: Source, a: bytes, b: bytes, prefix: bytes = b"") -> Iterator[Change]:
    """Every path that differs from tree ``a`` to tree ``b``, in the order of paths.

    ``prefix`` limits it to a file or folder, as in ``walk``. Reads only nodes that differ, and
    the few beside them where the two trees are cut differently.
    """
    if a == b:
        return
    nodes = nodes_of(reader)
    for low, high in ranges(prefix):
        one, other = Cursor(nodes, a, low, high), Cursor(nodes, b, low, high)
        yield from _compare(one, other)


def _compare(one: Cursor, other: Cursor) -> Iterator[Change]:
    while True:
        high, low = one.level, other.level
        if high == low == _END:
            return
        if high == low >= 0 and one.head == other.head:
            one.skip()
            other.skip()
        elif high > _ENTRIES or low > _ENTRIES:
            if high >= low:
                one.enter()
            if low >= high:
                other.enter()
        else:
            yield from _entries(one, other)


class Cursor:
    """A place in a tree: before a node (``level``, ``head``), before entries of a leaf, or past
    the end. Only nodes with keys from ``low`` on and below ``high`` are seen."""

    __slots__ = ("_high", "_low", "_nodes", "_stack", "head", "level")

    def __init__(self, nodes: Nodes, root: bytes, low: bytes, high: bytes | None) -> None:
        self._nodes = nodes
        self._low = low
        self._high = high
        # Nodes entered and not yet finished, with the next row and the end of the rows.
        self._stack: list[tuple[Node, int, int]] = []
        self.head = root
        self.level = level_of(nodes.read(root))

    def enter(self) -> None:
        """Go into the node ahead: stand before its first child, or its entries."""
        node = self._nodes.read(self.head)
        if self._stack:
            self._advance(1)
        self._stack.append((node, *span(node, self._low, self._high)))
        self._settle()

    def skip(self) -> None:
        """Step over the node ahead."""
        if self._stack:
            self._advance(1)
        self._settle()

    def leaf(self) -> tuple[Leaf | None, int, int]:
        """The leaf whose entries are ahead, its next row and the end of its rows."""
        if self._stack:
            node, start, stop = self._stack[-1]
            if isinstance(node, Leaf):
                return node, start, stop
        return None, 0, 0

    def take(self, count: int) -> None:
        """Step over ``count`` entries."""
        self._advance(count)
        self._settle()

    def _advance(self, count: int) -> None:
        node, start, stop = self._stack[-1]
        self._stack[-1] = (node, start + count, stop)

    def _settle(self) -> None:
        stack = self._stack
        while stack and stack[-1][1] >= stack[-1][2]:
            stack.pop()
        self.level, self.head = _END, b""
        if stack:
            node, at, _ = stack[-1]
            if isinstance(node, Inner):
                self.level, self.head = node.level - 1, node.child(at)
            else:
                self.level = _ENTRIES


def _entries(one: Cursor, other: Cursor) -> Iterator[Change]:
    """Compare the entries ahead as far as both leaves reach."""
    leaf_a, start_a, stop_a = one.leaf()
    leaf_b, start_b, stop_b = other.leaf()
    if leaf_a is not None and leaf_b is not None:
        bound = min(leaf_a.paths[stop_a - 1], leaf_b.paths[stop_b - 1])
        stop_a = bisect_right(leaf_a.paths, bound, start_a, stop_a)
        stop_b = bisect_right(leaf_b.paths, bound, start_b, stop_b)
    old, new = _rows(leaf_a, start_a, stop_a), _rows(leaf_b, start_b, stop_b)
    if old != new:
        for path in sorted({path for path, _ in old.items() ^ new.items()}):
            yield Change(path, _entry(old.get(path)), _entry(new.get(path)))
    if leaf_a is not None:
        one.take(stop_a - start_a)
    if leaf_b is not None:
        other.take(stop_b - start_b)


_Row = tuple[int, int, bytes]


def _rows(leaf: Leaf | None, start: int, stop: int) -> dict[bytes, _Row]:
    if leaf is None or start == stop:
        return {}
    ids, places = leaf.ids, range(start * ID_LEN, stop * ID_LEN, ID_LEN)
    return dict(
        zip(
            leaf.paths[start:stop],
            zip(
                leaf.modes[start:stop],
                leaf.sizes[start:stop],
                [ids[place : place + ID_LEN] for place in places],
                strict=True,
            ),
            strict=True,
        )
    )


def _entry(row: _Row | None) -> Entry | None:
    return None if row is None else Entry(*row)
