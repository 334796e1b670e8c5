"""Look things up in a tree: one path, many, a folder, all; and count without looking."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from oxcore.codec.node import Inner, Leaf
from oxcore.errors import CorruptError
from oxcore.model.entries import Entry
from oxcore.model.ids import ID_LEN
from oxcore.tree.nodes import Nodes, Source, locate, nodes_of, ranges, span


def get(reader: Source, root: bytes, path: bytes) -> Entry | None:
    """The entry at ``path``, or None."""
    return get_many(reader, root, [path])[0]


def get_many(reader: Source, root: bytes, paths: Sequence[bytes]) -> list[Entry | None]:
    """For each of the ``paths``, which ascend, its entry or None. Reads each leaf once."""
    nodes = nodes_of(reader)
    found: list[Entry | None] = []
    while len(found) < len(paths):
        start = len(found)
        oid, last = locate(nodes, root, paths[start])
        leaf = leaf_of(nodes, oid)
        keys = leaf.paths
        stop = len(paths) if last else max(start + 1, bisect_right(paths, keys[-1], start))
        for path in paths[start:stop]:
            at = bisect_left(keys, path)
            here = at < len(keys) and keys[at] == path
            found.append(leaf.entry(at) if here else None)
    return found


def walk(reader: Source, root: bytes, prefix: bytes = b"") -> Iterator[tuple[bytes, Entry]]:
    """Every path and entry of the file or folder ``prefix`` (b"" is all), in order of paths.

    A ``prefix`` that ends in b"/" means the folder only. One that is not there gives nothing.
    """
    for leaf in walk_leaves(reader, root, prefix):
        yield from leaf.entries()


def walk_leaves(reader: Source, root: bytes, prefix: bytes = b"") -> Iterator[Leaf]:
    """The same in columns, for hot paths: whole leaves, clipped at the ends of ``prefix``."""
    nodes = nodes_of(reader)
    for low, high in ranges(prefix):
        yield from _leaves(nodes, root, low, high)


def paths_in(reader: Source, root: bytes, prefix: bytes) -> Iterator[bytes]:
    """The paths that ``walk`` would give."""
    for leaf in walk_leaves(reader, root, prefix):
        yield from leaf.paths


def summary(reader: Source, root: bytes, prefix: bytes = b"") -> tuple[int, int]:
    """How many files, and how many bytes in them, the file or folder ``prefix`` has.

    Reads O(log n) nodes: inner nodes carry the sums of what is below them.
    """
    nodes = nodes_of(reader)
    parts = [total(nodes, root, low, high) for low, high in ranges(prefix)]
    return sum(files for files, _ in parts), sum(size for _, size in parts)


def exists_folder(reader: Source, root: bytes, folder: bytes) -> bool:
    """Whether any file is below ``folder``; b"" always exists."""
    path = folder.rstrip(b"/") + b"/"
    return path == b"/" or next(paths_in(reader, root, path), None) is not None


def total(nodes: Nodes, oid: bytes, low: bytes, high: bytes | None) -> tuple[int, int]:
    """Files and bytes with keys from ``low`` on and below ``high``."""
    node = nodes.read(oid)
    start, stop = span(node, low, high)
    if isinstance(node, Leaf):
        return stop - start, sum(node.sizes[start:stop])
    # Only the first and the last child can lie across an end of the range.
    first = start if low else start - 1
    last = stop - 1 if high is not None else stop
    inside = slice(first + 1, max(first + 1, last))
    files, size = sum(node.counts[inside]), sum(node.sizes[inside])
    for at in {first, last} & set(range(start, stop)):
        below = total(nodes, node.child(at), low, high)
        files, size = files + below[0], size + below[1]
    return files, size


def _leaves(nodes: Nodes, oid: bytes, low: bytes, high: bytes | None) -> Iterator[Leaf]:
    node = nodes.read(oid)
    start, stop = span(node, low, high)
    if isinstance(node, Inner):
        for at in range(start, stop):
            yield from _leaves(nodes, node.child(at), low, high)
    elif stop - start == len(node.paths):
        yield node
    elif start < stop:
        yield _clipped(node, start, stop)


def _clipped(leaf: Leaf, start: int, stop: int) -> Leaf:
    return Leaf(
        leaf.paths[start:stop],
        leaf.ids[start * ID_LEN : stop * ID_LEN],
        leaf.sizes[start:stop],
        leaf.modes[start:stop],
    )


def leaf_of(nodes: Nodes, oid: bytes) -> Leaf:
    """The leaf with the id ``oid``; ``CorruptError`` if it is none."""
    node = nodes.read(oid)
    if isinstance(node, Inner):
        raise CorruptError("a tree node has children of a wrong level", items=[oid.hex()])
    return node
