"""Prove a tree: every node there, in order, with the right sums, cut where the rule says."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple

from oxcore.codec.node import Inner, Leaf, validate
from oxcore.errors import CorruptError, MissingError
from oxcore.model.entries import show_path
from oxcore.tree import rule
from oxcore.tree.clash import clashes_within
from oxcore.tree.nodes import Nodes, Source, keys_of, level_of, nodes_of


class Facts(NamedTuple):
    """What a node was found to hold, all levels below included.

    ``full``: the rule ends it after its last entry, and so its last child; only the last node
    of a level may be without that. ``whole``: everything below it could be read.
    """

    level: int
    first: bytes
    last: bytes
    files: int
    size: int
    full: bool
    whole: bool


def check(reader: Source, root: bytes, seen: dict[bytes, Facts] | None = None) -> Iterator[str]:
    """What is wrong with the tree ``root``, in words; nothing if it is what ``build`` makes.

    Reads every node: present, decodable, paths allowed and ascending across nodes, sums and
    levels right, cuts canonical, no path both a file and a folder. Files are not looked at.
    ``seen`` is filled with the nodes that were checked; hand the same one in for further trees
    and only what they do not share is read (a clash between two shared nodes that first meet
    in a later tree is then not looked for).
    """
    nodes = nodes_of(reader)
    known = seen if seen is not None else {}
    facts = yield from _check(nodes, root, root, known)
    if facts.level and facts.whole:
        top = nodes.read(root)
        if isinstance(top, Inner) and len(top.keys) == 1:
            yield f"tree {root.hex()}: the root has a single child"


def _check(
    nodes: Nodes, root: bytes, oid: bytes, seen: dict[bytes, Facts]
) -> Generator[str, None, Facts]:
    if oid in seen:
        return seen[oid]
    try:
        node = nodes.read(oid)
        validate(node)
    except (MissingError, CorruptError) as error:
        yield f"tree node {oid.hex()}: {error}"
        seen[oid] = Facts(-1, b"", b"", 0, 0, full=True, whole=False)
        return seen[oid]
    ends = rule.cuts(keys_of(node), level_of(node))
    if ends and ends[0] != len(keys_of(node)):
        yield f"tree node {oid.hex()}: it goes on past the entry where the rule ends it"
    full = ends[-1:] == [len(keys_of(node))]
    if isinstance(node, Leaf):
        seen[oid] = yield from _check_leaf(nodes, root, node, full=full)
    else:
        seen[oid] = yield from _check_inner(nodes, root, oid, node, full, seen)
    return seen[oid]


def _check_leaf(
    nodes: Nodes, root: bytes, leaf: Leaf, *, full: bool
) -> Generator[str, None, Facts]:
    paths = leaf.paths
    try:
        for path in clashes_within(nodes, root, paths):
            yield f"tree {root.hex()}: both a file and a folder: {show_path(path)!r}"
    except (MissingError, CorruptError):
        pass  # reported where the node that cannot be read is checked
    first, last = (paths[0], paths[-1]) if paths else (b"", b"")
    return Facts(0, first, last, len(paths), sum(leaf.sizes), full, whole=True)


def _check_inner(
    nodes: Nodes, root: bytes, oid: bytes, node: Inner, full: bool, seen: dict[bytes, Facts]
) -> Generator[str, None, Facts]:
    found: list[Facts] = []
    for at, child in enumerate(node.children()):
        facts = yield from _check(nodes, root, child, seen)
        for problem in _problems(node, at, facts, found[-1] if found else None):
            yield f"tree node {oid.hex()}: child {at} ({child.hex()}) {problem}"
        found.append(facts)
    return Facts(
        node.level,
        found[0].first,
        node.keys[-1],
        sum(node.counts),
        sum(node.sizes),
        full and found[-1].full,
        all(facts.whole for facts in found),
    )


def _problems(node: Inner, at: int, facts: Facts, before: Facts | None) -> Iterator[str]:
    if facts.level < 0:
        return
    if facts.level != node.level - 1:
        yield f"is of level {facts.level} below one of level {node.level}"
    if facts.last != node.keys[at]:
        yield f"ends with {show_path(facts.last)!r}, not {show_path(node.keys[at])!r}"
    if before is not None and facts.first <= before.last:
        yield f"starts with {show_path(facts.first)!r}, not after the child before it"
    if (facts.files, facts.size) != (node.counts[at], node.sizes[at]):
        yield f"has {facts.files} files of {facts.size} bytes, which is not what is noted"
    if at < len(node.keys) - 1 and not facts.full:
        yield "ends before the rule ends it"
