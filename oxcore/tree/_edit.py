"""Change some entries of a tree: what the change does not touch is neither read nor written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from oxcore.codec.node import Inner
from oxcore.model.entries import Entry
from oxcore.model.protocols import Sink
from oxcore.tree._build import Tower, build
from oxcore.tree._empty import EMPTY
from oxcore.tree.clash import clashes
from oxcore.tree.columns import Columns, Cutter, Row, Value
from oxcore.tree.nodes import (
    Nodes,
    Source,
    keys_of,
    level_of,
    locate,
    nodes_of,
    put_empty,
)
from oxcore.tree.order import Guard, check_ascending, check_entries, clash_error

Changes = Sequence[tuple[bytes, Value | None]]


def edit(
    reader: Source,
    sink: Sink,
    root: bytes,
    changes: Iterable[tuple[bytes, Entry | None]],
    *,
    replace: bool = False,
) -> bytes:
    """The tree ``root`` with ``changes``; gives the root that ``build`` would give.

    ``changes`` ascend by path, each once; None takes a path out (that it is absent is fine).
    Reads and writes O(len(changes) * log n) nodes. Where a new file is where a folder was, or
    below what was a file: with ``replace`` the old paths go, without it ``InvalidError`` lists
    them. ``InvalidError`` too for changes out of order and for paths or entries not allowed.
    """
    if root == EMPTY:
        return build(sink, ((path, entry) for path, entry in changes if entry is not None))
    nodes = nodes_of(reader)
    rows: Changes = _settled(nodes, root, list(changes), replace)
    top = level_of(nodes.read(root))
    only: dict[bytes, bytes | None] = {}
    for level in range(top + 1):
        cutter = Cutter(sink, level)
        rows = _edit_level(nodes, root, cutter, rows)
        only |= cutter.only
        if not rows:
            return root
    made = [(key, value) for key, value in rows if value is not None]
    if len(made) == 1:
        return _lowered(nodes, made[0][1][2], top, only)
    if not made:
        return put_empty(sink)
    tower = Tower(sink, top + 1)
    tower.feed(Columns(top + 1, made))
    return tower.finish()


def _edit_level(nodes: Nodes, root: bytes, cutter: Cutter, rows: Changes) -> Changes:
    """Cut one level anew where ``rows`` change it; gives the changes of the level above."""
    above: dict[bytes, Value | None] = {}
    start = 0
    while start < len(rows):
        start = _run(nodes, root, cutter, rows, start, above)
    return sorted(above.items())


def _run(
    nodes: Nodes,
    root: bytes,
    cutter: Cutter,
    rows: Changes,
    start: int,
    above: dict[bytes, Value | None],
) -> int:
    """Cut anew from the node of ``rows[start]`` until a cut falls on an old one."""
    key, last = rows[start][0], False
    old: dict[bytes, bytes] = {}
    made: list[Row] = []
    while not last and (not old or len(cutter.held)):
        oid, last = locate(nodes, root, key, cutter.level)
        node = nodes.read(oid)
        keys = keys_of(node)
        end = keys[-1] if keys else b""
        stop = len(rows) if last else bisect_right(rows, end, start, key=_key)
        columns = Columns.of(node)
        columns.apply(rows[start:stop])
        old[end], start, key = oid, stop, end + b"\0"
        cutter.known.add(oid)
        made += cutter.feed(columns)
    if last:
        made += cutter.flush()
    above.update(dict.fromkeys(old))
    for end, value in made:
        above[end] = value
        if old.get(end) == value[2]:
            del above[end]
    return start


def _key(row: tuple[bytes, Value | None]) -> bytes:
    return row[0]


def _lowered(nodes: Nodes, root: bytes, level: int, only: dict[bytes, bytes | None]) -> bytes:
    """The root without the levels above it that have a single node."""
    for _ in range(level):
        if root in only:
            child = only[root]
        else:
            node = nodes.read(root)
            child = node.child(0) if isinstance(node, Inner) and len(node.keys) == 1 else None
        if child is None:
            break
        root = child
    return root


def _settled(
    nodes: Nodes, root: bytes, changes: list[tuple[bytes, Entry | None]], replace: bool
) -> list[tuple[bytes, Entry | None]]:
    """The changes, checked, with the removal of what clashes."""
    if not changes:
        return changes
    check_ascending([path for path, _ in changes])
    adds = [(path, entry) for path, entry in changes if entry is not None]
    Guard().check([path for path, _ in adds])
    check_entries([entry for _, entry in adds])
    named = {path for path, _ in changes}
    clashing = {
        path for path in clashes(nodes, root, [path for path, _ in adds]) if path not in named
    }
    if clashing and not replace:
        raise clash_error(sorted(clashing))
    if clashing:
        changes = sorted([*changes, *((path, None) for path in clashing)], key=_path)
    return changes


def _path(change: tuple[bytes, Entry | None]) -> bytes:
    return change[0]
