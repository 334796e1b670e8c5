"""Trees: all files of one version, by path, in nodes that versions share.

A tree is a Merkle search tree whose nodes end where the content says (``rule``): the same
entries give the same root, an edit writes O(log n) nodes, and a comparison costs what differs.
Every function takes a ``Reader`` or, where many calls go to one tree, ``Nodes`` over it.
"""

from oxcore.tree.build import build
from oxcore.tree.diff import diff
from oxcore.tree.edit import edit
from oxcore.tree.nodes import EMPTY, Nodes
from oxcore.tree.walk import (
    exists_folder,
    get,
    get_many,
    summary,
    walk,
    walk_leaves,
)

__all__ = [
    "EMPTY",
    "Nodes",
    "build",
    "diff",
    "edit",
    "exists_folder",
    "get",
    "get_many",
    "summary",
    "walk",
    "walk_leaves",
]
