"""The nodes of a tree that other trees lack: what a transfer has to send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from oxcore.codec.node import Inner
from oxcore.errors import MissingError
from oxcore.tree.nodes import Node, Nodes, Source, keys_of, level_of, locate, nodes_of


def new_nodes(
    reader: Source, known_roots: Sequence[bytes], root: bytes
) -> Iterator[tuple[bytes, Node]]:
    """The nodes of ``root`` that none of ``known_roots`` has in the same place, as (id, node).

    A node comes before its children. A node with the same last key is the same place; one that
    occurs elsewhere is given although it is known, which is harmless. Reads the new nodes and
    O(log n) inner nodes of the known trees for each; a known tree that is not here is as if it
    were not named.
    """
    nodes = nodes_of(reader)
    if root in known_roots:
        return
    first = nodes.read(root)
    pending = [root]
    if _known(nodes, known_roots, root, keys_of(first)[-1:], level_of(first)):
        return
    while pending:
        oid = pending.pop()
        node = nodes.read(oid)
        yield oid, node
        if isinstance(node, Inner):
            below = zip(node.keys, node.children(), strict=True)
            new = [
                child
                for key, child in below
                if not _known(nodes, known_roots, child, [key], node.level - 1)
            ]
            pending.extend(reversed(new))


def diff_nodes(reader: Source, a: bytes, b: bytes) -> Iterator[tuple[bytes, Node]]:
    """The nodes of tree ``b`` that tree ``a`` lacks: ``new_nodes`` with one known tree."""
    return new_nodes(reader, [a], b)


def _known(
    nodes: Nodes, roots: Sequence[bytes], oid: bytes, keys: Sequence[bytes], level: int
) -> bool:
    for root in roots:
        for key in keys:
            try:
                if locate(nodes, root, key, level)[0] == oid:
                    return True
            except MissingError:
                continue
    return False
