"""Reading nodes: the empty tree, a cache of decoded nodes, and the way down to a key."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict

from oxcore.codec.node import Inner, Leaf, decode, encode_leaf
from oxcore.model.ids import Kind
from oxcore.model.protocols import Reader, Sink
from oxcore.tree._empty import EMPTY

Node = Leaf | Inner

_EMPTY_DATA = encode_leaf([], b"", [], b"")
"""The id of the empty tree."""


class Nodes:
    """Decoded nodes by id, the latest used kept: ``inner`` and ``leaves`` at most.

    Every function of this room takes one in place of a ``Reader``; hand one in where many
    calls go to the same tree. The empty tree is there even if it was never stored.
    """

    def __init__(self, reader: Reader, *, inner: int = 512, leaves: int = 256) -> None:
        self._reader = reader
        self._limits = (leaves, inner)
        self._kept: tuple[OrderedDict[bytes, Node], ...] = (OrderedDict(), OrderedDict())

    def read(self, oid: bytes) -> Node:
        """The node; ``MissingError`` or ``CorruptError`` as the reader has it."""
        for kept in self._kept:
            node = kept.get(oid)
            if node is not None:
                kept.move_to_end(oid)
                return node
        data = _EMPTY_DATA if oid == EMPTY else self._reader.get(oid, Kind.TREE)
        return self._keep(oid, decode(data))

    def _keep(self, oid: bytes, node: Node) -> Node:
        inner = isinstance(node, Inner)
        kept = self._kept[inner]
        kept[oid] = node
        if len(kept) > self._limits[inner]:
            kept.popitem(last=False)
        return node


Source = Reader | Nodes


def nodes_of(source: Source) -> Nodes:
    """``source`` itself if it keeps decoded nodes, else a new cache over it."""
    return source if isinstance(source, Nodes) else Nodes(source)


def put_empty(sink: Sink) -> bytes:
    """Store the empty tree; gives ``EMPTY``."""
    sink.put(EMPTY, Kind.TREE, _EMPTY_DATA)
    return EMPTY


def keys_of(node: Node) -> list[bytes]:
    """The paths of a leaf, or the last path below each child."""
    return node.paths if isinstance(node, Leaf) else node.keys


def level_of(node: Node) -> int:
    """0 for a leaf."""
    return 0 if isinstance(node, Leaf) else node.level


def locate(nodes: Nodes, root: bytes, key: bytes, level: int = 0) -> tuple[bytes, bool]:
    """The node of ``level`` where ``key`` is or would go, and whether it is the level's last.

    That is the first node whose last key is not below ``key``, or else the last one.
    """
    oid, last = root, True
    node = nodes.read(root)
    while isinstance(node, Inner) and node.level > level:
        end = len(node.keys) - 1
        at = min(bisect_left(node.keys, key), end)
        last = last and at == end
        oid = node.child(at)
        if node.level == level + 1:
            break
        node = nodes.read(oid)
    return oid, last


def span(node: Node, low: bytes, high: bytes | None) -> tuple[int, int]:
    """The rows (from, up to) of a node that can hold keys from ``low`` on and below ``high``."""
    keys = keys_of(node)
    start = bisect_left(keys, low) if low else 0
    if high is None:
        return start, len(keys)
    stop = bisect_left(keys, high, start)
    return start, stop if isinstance(node, Leaf) else min(stop + 1, len(keys))


def ranges(prefix: bytes) -> list[tuple[bytes, bytes | None]]:
    """The ranges of keys (from, below) of the file ``prefix`` and of the folder ``prefix``.

    b"" is the whole tree. Two ranges, since b"a-b" stands between b"a" and b"a/b".
    """
    path = prefix.rstrip(b"/")
    if not path:
        return [(b"", None)]
    folder = (path + b"/", path + b"0")
    return [folder] if prefix != path else [(path, path + b"\0"), folder]
