"""Trees: all files of one version, by path, in nodes that versions share.

A tree is a Merkle search tree whose nodes end where the content says (``rule``): the same
entries give the same root, an edit writes O(log n) nodes, and a comparison costs what differs.
Every function takes a ``Reader`` or, where many calls go to one tree, ``Nodes`` over it.
"""

from oxcore.model.late import late
from oxcore.tree._empty import EMPTY

TYPE_CHECKING = False  # see `oxcore`
if TYPE_CHECKING:
    from oxcore.tree._build import build
    from oxcore.tree._check import Facts, check
    from oxcore.tree._diff import diff
    from oxcore.tree._edit import edit
    from oxcore.tree._listing import Item, listing
    from oxcore.tree._merge import Conflict, Merge, merge
    from oxcore.tree._walk import exists_folder, get, get_many, summary, walk, walk_leaves
    from oxcore.tree.fresh import diff_nodes, new_nodes
    from oxcore.tree.nodes import Node, Nodes, Source

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

__getattr__ = late(
    __name__,
    {
        "nodes": "Node Nodes Source",
        "_build": "build",
        "_check": "Facts check",
        "_diff": "diff",
        "_edit": "edit",
        "fresh": "diff_nodes new_nodes",
        "_listing": "Item listing",
        "_merge": "Conflict Merge merge",
        "_walk": "exists_folder get get_many summary walk walk_leaves",
    },
)
