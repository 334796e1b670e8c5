"""History: which commits, in which order, and what people call them.

Functions take ``read``, which gives a commit by its id, and ``shallow``, the commits whose
parents a shallow clone left out.
"""

from oxcore.history.bases import is_ancestor, merge_base, merge_bases
from oxcore.history.missing import missing
from oxcore.history.walk import walk

__all__ = ["is_ancestor", "merge_base", "merge_bases", "missing", "walk"]
