"""Where the schema of a table lies: ``.oxschema/<path of the table>.json``, a file as any other."""

from __future__ import annotations

from collections.abc import Iterable

from oxcore import tree
from oxcore.model.entries import Entry
from oxcore.model.protocols import Reader

FOLDER = b".oxschema"
_END = b".json"


def file_of(table: bytes) -> bytes:
    """The path of the schema of the table at ``table``."""
    return FOLDER + b"/" + table + _END


def table_of(path: bytes) -> bytes | None:
    """The path of the table that ``path`` is the schema of; None if it is no schema."""
    inside = path.startswith(FOLDER + b"/") and path.endswith(_END)
    return (path[len(FOLDER) + 1 : -len(_END)] or None) if inside else None


def tables(reader: tree.Source, root: bytes) -> list[bytes]:
    """The tables that have a schema in a tree, by path."""
    found = (table_of(path) for path, _ in tree.walk(reader, root, FOLDER + b"/"))
    return sorted(one for one in found if one is not None)


def tracked(reader: Reader, root: bytes, paths: Iterable[bytes]) -> dict[bytes, Entry]:
    """The schemas that a tree has of the tables at ``paths``: path of the schema -> entry."""
    nodes = tree.Nodes(reader)
    if not tree.exists_folder(nodes, root, FOLDER):
        return {}
    wanted = sorted(file_of(path) for path in paths if table_of(path) is None)
    found = zip(wanted, tree.get_many(nodes, root, wanted), strict=True)
    return {path: entry for path, entry in found if entry is not None}
