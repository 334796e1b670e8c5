"""The immediate children of a folder, without a scan of what is below them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Iterator
from typing import NamedTuple

from oxcore.codec.node import Leaf
from oxcore.model.entries import Entry
from oxcore.tree._walk import leaf_of, total
from oxcore.tree.nodes import Nodes, Source, locate, nodes_of


class Item(NamedTuple):
    """A child of a folder: ``name`` is its last component, ``entry`` None for a folder;
    ``files`` and ``size`` (bytes) count what is below it, or the file itself."""

    name: bytes
    entry: Entry | None
    files: int
    size: int


def listing(reader: Source, root: bytes, folder: bytes = b"") -> Iterator[Item]:
    """The files and folders right below ``folder`` (b"" is the root), in the order of paths.

    That order takes a folder's name as if it ended in b"/", as git does. A folder that reaches
    past one node is counted from the sums of inner nodes and stepped over. One that is not
    there gives nothing.
    """
    nodes = nodes_of(reader)
    path = folder.rstrip(b"/")
    low, high = (path + b"/", path + b"0") if path else (b"", None)
    at: bytes | None = low
    while at is not None:
        oid, last = locate(nodes, root, at)
        at = yield from _items(nodes, root, leaf_of(nodes, oid), last, (at, high, len(low)))


def _items(
    nodes: Nodes, root: bytes, leaf: Leaf, last: bool, bounds: tuple[bytes, bytes | None, int]
) -> Generator[Item, None, bytes | None]:
    """The items that start in one leaf; gives the key to go on from, or None at the end."""
    low, high, skip = bounds
    paths = leaf.paths
    start = bisect_left(paths, low)
    stop = len(paths) if high is None else bisect_left(paths, high, start)
    while start < stop:
        path = paths[start]
        slash = path.find(b"/", skip)
        if slash < 0:
            entry = leaf.entry(start)
            yield Item(path[skip:], entry, 1, entry.size)
            start += 1
            continue
        end = path[:slash] + b"0"
        after = bisect_left(paths, end, start, stop)
        if after == len(paths) and not last:
            yield Item(path[skip:slash], None, *total(nodes, root, path[: slash + 1], end))
            return end
        yield Item(path[skip:slash], None, after - start, sum(leaf.sizes[start:after]))
        start = after
    return None if last or stop < len(paths) else paths[-1] + b"\0"
