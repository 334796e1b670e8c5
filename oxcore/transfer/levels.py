"""The nodes that some trees have and others have not, level by level from the roots.

One walk serves all sides: the sender's plan, the receiver's (where reading means fetching) and the
check before a ref moves. It costs what differs: below a node that both sides have, nothing is
read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from oxcore.codec.node import Inner, Leaf, decode
from oxcore.errors import CorruptError
from oxcore.model.ids import ID_LEN, Kind
from oxcore.model.protocols import Reader
from oxcore.tree import EMPTY

RUN = 512
"""Nodes that are held decoded at once."""

ReadMany = Callable[[Sequence[bytes]], Iterable[bytes]]
"""Gives the bytes of nodes, in the order of their ids."""
Prune = Callable[[list[bytes]], list[bytes]]
"""Of the new nodes of one level, those that are worth going into."""
T = TypeVar("T")


class Run(NamedTuple):
    """Some new nodes of one level (0: leaves), ids and decoded."""

    level: int
    ids: list[bytes]
    nodes: list[Leaf | Inner]

    def files(self) -> dict[bytes, int]:
        """Ids and sizes of the files in the leaves among the nodes."""
        found: dict[bytes, int] = {}
        for node in self.nodes:
            if isinstance(node, Leaf):
                ids = node.ids
                keys = [ids[start : start + ID_LEN] for start in range(0, len(ids), ID_LEN)]
                found.update(zip(keys, node.sizes, strict=True))
        return found


def read_from(reader: Reader) -> ReadMany:
    """A ``ReadMany`` over what is here; ``MissingError`` for a node that is not."""
    return lambda oids: (reader.get(oid, Kind.TREE) for oid in oids)


def keep_all(oids: list[bytes]) -> list[bytes]:
    """A ``Prune`` that keeps every node."""
    return oids


def new_nodes(
    roots: Iterable[bytes],
    bases: Iterable[bytes],
    read: ReadMany,
    read_base: ReadMany,
    prune: Prune = keep_all,
) -> Iterator[Run]:
    """Runs of the nodes of the trees ``roots`` that no tree of ``bases`` has, top level first.

    A few nodes that a base has may be among them, where the trees are of different height.
    ``read`` is called with up to ``RUN`` ids of one level at a time, and never for the empty tree.
    """
    known = set(bases) - {EMPTY}
    new = _by_level(set(roots) - known - {EMPTY}, read)
    old = _by_level(known, read_base) if new else {}
    for level in range(max(new, default=-1), -1, -1):
        here, there = new[level] - old[level], old[level] - new[level]
        if level and here:
            for node in _decoded(sorted(there), read_base):
                old[level - 1].update(_children(node))
        for ids in batched(prune(sorted(here)), RUN):
            run = Run(level, ids, list(_decoded(ids, read)))
            _check_levels(run)
            if level:
                for node in run.nodes:
                    new[level - 1].update(_children(node))
            yield run


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to ``size`` items."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _by_level(roots: set[bytes], read: ReadMany) -> dict[int, set[bytes]]:
    levels: dict[int, set[bytes]] = defaultdict(set)
    ids = sorted(roots)
    for oid, node in zip(ids, _decoded(ids, read), strict=True):
        levels[node.level if isinstance(node, Inner) else 0].add(oid)
    return levels


def _decoded(oids: Sequence[bytes], read: ReadMany) -> Iterator[Leaf | Inner]:
    for batch in batched(oids, RUN):
        yield from map(decode, read(batch))


def _check_levels(run: Run) -> None:
    # A liar's tree could go down for ever: each level must be one below its parent's.
    for oid, node in zip(run.ids, run.nodes, strict=True):
        if (node.level if isinstance(node, Inner) else 0) != run.level:
            raise CorruptError(f"tree node {oid.hex()} is of a wrong level", items=[oid.hex()])


def _children(node: Leaf | Inner) -> list[bytes]:
    return node.children() if isinstance(node, Inner) else []
