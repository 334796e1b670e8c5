"""Trees: all files of one version, by path, in nodes that versions share.

A tree is a Merkle search tree whose nodes end where the content says (``rule``): the same
entries give the same root, an edit writes O(log n) nodes, and a comparison costs what differs.
Every function takes a ``Reader`` or, where many calls go to one tree, ``Nodes`` over it.
"""

from oxcore.tree.build import build
from oxcore.tree.check import Facts, check
from oxcore.tree.diff import diff
from oxcore.tree.edit import edit
from oxcore.tree.fresh import diff_nodes, new_nodes
from oxcore.tree.listing import Item, listing
from oxcore.tree.merge import Conflict, Merge, merge
from oxcore.tree.nodes import EMPTY, Node, Nodes, Source
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
    "Conflict",
    "Facts",
    "Item",
    "Merge",
    "Node",
    "Nodes",
    "Source",
    "build",
    "check",
    "diff",
    "diff_nodes",
    "edit",
    "exists_folder",
    "get",
    "get_many",
    "listing",
    "merge",
    "new_nodes",
    "summary",
    "walk",
    "walk_leaves",
]
