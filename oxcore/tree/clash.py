"""Find paths that would be both a file and a folder."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from oxcore.tree._walk import get_many, paths_in
from oxcore.tree.nodes import Nodes, keys_of, locate


def clashes(nodes: Nodes, root: bytes, adds: Sequence[bytes]) -> Iterator[bytes]:
    """Paths of the tree that are a folder of an added path, or below one as if it were one."""
    parents: set[bytes] = set()
    folder = b"/"
    for path, before, after in _gaps(nodes, root, adds):
        if after.startswith(path):
            yield from paths_in(nodes, root, path + b"/")
        if path.startswith(folder) and b"/" not in path[len(folder) :]:
            continue
        folder = path[: path.rfind(b"/") + 1] or b"/"
        if not (before.startswith(folder) or after.startswith(folder)):
            parents.update(_parents(path))
    yield from _files(nodes, root, parents)


def clashes_within(nodes: Nodes, root: bytes, paths: Sequence[bytes]) -> Iterator[bytes]:
    """Paths of the tree that clash with ``paths``, a run of its own paths without a gap."""
    folders = {path[: path.rfind(b"/") + 1] for path in paths}
    yield from _files(nodes, root, {parent for folder in folders for parent in _parents(folder)})
    for path, after in zip(paths, [*paths[1:], None], strict=False):
        if after is None or after.startswith(path):
            yield from paths_in(nodes, root, path + b"/")


def _files(nodes: Nodes, root: bytes, paths: set[bytes]) -> Iterator[bytes]:
    asked = sorted(paths)
    for path, entry in zip(asked, get_many(nodes, root, asked), strict=True):
        if entry is not None:
            yield path


def _gaps(
    nodes: Nodes, root: bytes, paths: Sequence[bytes]
) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Each path that is not in the tree, with its neighbours there; b"" where the leaf ends."""
    start = 0
    while start < len(paths):
        oid, last = locate(nodes, root, paths[start])
        keys = keys_of(nodes.read(oid))
        stop = len(paths) if last or not keys else bisect_right(paths, keys[-1], start)
        for path in paths[start:stop]:
            at = bisect_left(keys, path)
            after = keys[at] if at < len(keys) else b""
            if after != path:
                yield path, keys[at - 1] if at else b"", after
        start = stop


def _parents(path: bytes) -> Iterator[bytes]:
    parts = path.split(b"/")
    for count in range(1, len(parts)):
        yield b"/".join(parts[:count])
