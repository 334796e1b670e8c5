"""What a person has to say of a table: one cell, one row or one column, and its line of JSON."""

from __future__ import annotations

import json
from typing import NamedTuple

from oxcore.errors import CorruptError
from oxcore.tables.shape import to_json

Record = dict[str, object]
KINDS = ("cell", "added", "deleted", "dropped", "renamed")


class CellConflict(NamedTuple):
    """Something that both sides changed, apart.

    ``key``: the row, by column; empty where it is a whole column. ``column``: None where it is a
    whole row. ``base``, ``ours``, ``theirs``: the values as JSON has them (``tables.values``); of a
    row all of it by column, of a column its name, None where there is none.
    ``kind``: "cell" (both changed it), "added" (of a row that both added), "deleted" (one side
    deleted the row, the other changed it), "dropped" (likewise a column) or "renamed" (both
    renamed the column). ``row``: where it is in the merged table, counted from 0; where the row is
    not there, before which row it would stand. ``source``: the row of theirs.
    """

    key: Record
    column: str | None
    base: object
    ours: object
    theirs: object
    kind: str
    row: int | None = None
    source: int | None = None


def encode(conflict: CellConflict) -> bytes:
    """A line, with its end."""
    return (to_json(list(conflict)) + "\n").encode()


def decode(line: bytes) -> CellConflict:
    """The inverse of ``encode``; ``CorruptError`` for anything else."""
    try:
        found = CellConflict(*json.loads(line))
    except (ValueError, TypeError, RecursionError):
        found = None
    if found is None or found.kind not in KINDS or not isinstance(found.key, dict):
        raise CorruptError("the open cells of a merge break the format")
    return found
