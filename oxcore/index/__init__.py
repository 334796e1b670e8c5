"""Where objects lie in packs, what the work tree looked like, what files hold: LMDB, and a cache.

Thrown away it loses only time: locations come back from the packs, rows from the stage, facts from
the files.
"""

from oxcore.index._rows import (
    ROW_SIZE,
    STAT_SIZE,
    UNKNOWN_STAT,
    Row,
    pack_row,
    pack_stat,
    row_entry,
    unpack_row,
)
from oxcore.index.index import Index
from oxcore.index.locations import Locations
from oxcore.index.stat import StatCache

__all__ = [
    "ROW_SIZE",
    "STAT_SIZE",
    "UNKNOWN_STAT",
    "Index",
    "Locations",
    "Row",
    "StatCache",
    "pack_row",
    "pack_stat",
    "row_entry",
    "unpack_row",
]
