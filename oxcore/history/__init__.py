"""History: which commits, in which order, and what people call them.

Functions take ``read``, which gives a commit by its id, and ``shallow``, the commits whose
parents a shallow clone left out; those for names take ``Names``, look-ups in a repository.
"""

from oxcore.history.bases import is_ancestor, merge_base, merge_bases
from oxcore.history.graph import Drawn, graph
from oxcore.history.missing import missing
from oxcore.history.names import Names, Range, Revision
from oxcore.history.parse import parse_range, parse_time
from oxcore.history.region import Read
from oxcore.history.resolve import find_ref, resolve
from oxcore.history.select import Filter, Selection, select
from oxcore.history.walk import Order, walk

__all__ = [
    "Drawn",
    "Filter",
    "Names",
    "Order",
    "Range",
    "Read",
    "Revision",
    "Selection",
    "find_ref",
    "graph",
    "is_ancestor",
    "merge_base",
    "merge_bases",
    "missing",
    "parse_range",
    "parse_time",
    "resolve",
    "select",
    "walk",
]
