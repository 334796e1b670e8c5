"""Three versions of a table become one, by key and cell.

Ours is what the merge starts from: theirs' changes come into it as ``Edits``, so that rows which
nobody touched keep their bytes. What both sides changed differently stays as ours has it, and is a
``CellConflict``. docs/design/007-tables.md has the rules.
"""

from oxcore.tables.rowmerge.conflict import CellConflict, decode, encode
from oxcore.tables.rowmerge.keys import common_key
from oxcore.tables.rowmerge.merge import RowMerge, merge
from oxcore.tables.rowmerge.naming import cell_name, key_cell, key_name, key_spellings, spellings
from oxcore.tables.rowmerge.settle import Decision, Settled

__all__ = [
    "CellConflict",
    "Decision",
    "RowMerge",
    "Settled",
    "cell_name",
    "common_key",
    "decode",
    "encode",
    "key_cell",
    "key_name",
    "key_spellings",
    "merge",
    "spellings",
]
