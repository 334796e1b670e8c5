"""A diff applied: the new table out of the old one and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from oxcore.tables.gather import take
from oxcore.tables.rowdiff import canon
from oxcore.tables.rowdiff.places import Rows

if TYPE_CHECKING:
    from oxcore.tables.rowdiff.model import Opened
    from oxcore.tables.rowdiff.result import RowDiff


def apply(old: Opened, diff: RowDiff) -> pa.Table:
    """The rows of the new table, by its schema, all in memory; ``old`` is the table that was
    compared. Rows that did not change stand in the order of the old one, in the places that the
    others leave. The values of an added column are looked up by the key; without one they are
    null in rows that are the same otherwise."""
    rows = old.to_arrow()
    if diff.sides is None:
        return rows
    gone, placed, parts = _told(diff)
    stay = [at for at in range(len(rows)) if at not in gone]
    kept = _by_schema(take(rows, stay), stay, diff)
    free = [at for at in range(len(stay) + len(placed)) if at not in set(placed)]
    whole = pa.concat_tables([kept, *parts])
    order = pc.sort_indices(pa.array([*free, *placed], pa.int64()))
    return take(whole, order)


def _told(diff: RowDiff) -> tuple[set[int], list[int], list[pa.Table]]:
    """The old places that change or go, the new places of rows that are told, and those rows."""
    gone: set[int] = set()
    placed: list[int] = []
    parts: list[pa.Table] = []
    for run in diff.runs():
        gone.update(at for at in run.old_rows if at is not None)
        filled = [at for at, row in enumerate(run.new_rows) if row is not None]
        placed.extend(row for row in run.new_rows if row is not None)
        parts.append(take(run.new, filled))
    return gone, placed, parts


def _by_schema(rows: pa.Table, places: list[int], diff: RowDiff) -> pa.Table:
    """Rows of the old table with the columns of the new one."""
    schema = diff.readers[1].schema
    before = {pair.new_at: pair.old_at for pair in diff.pairs}
    added = _partners(places, diff) if len(before) < len(schema) else rows
    columns = [
        _as(rows.column(before[at]), field.type) if at in before else added.column(at)
        for at, field in enumerate(schema)
    ]
    return pa.table(columns, schema=schema)


def _as(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    if column.type == type_:
        return column
    chunks = [_cast(canon.storage(chunk), type_) for chunk in column.chunks]
    return pa.chunked_array(chunks, type_)


def _cast(values: pa.Array, type_: pa.DataType) -> pa.Array:
    if pa.types.is_null(type_):
        return pa.nulls(len(values))
    try:
        return pc.cast(values, type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pc.cast(canon.texts(values), type_)


def _partners(places: list[int], diff: RowDiff) -> pa.Table:
    """The new rows of old ones, by key; nulls without a key."""
    schema = diff.readers[1].schema
    if diff.by != "key" or diff.sides is None:
        return pa.table([pa.nulls(len(places), type_) for type_ in schema.types], schema)
    keys = [at for at, pair in enumerate(diff.pairs) if pair.new in diff.keys]
    equal = " AND ".join(f"old.c{at} = new.c{at}" for at in keys)
    text = f"SELECT old.row AS o, new.row AS n FROM old JOIN new ON {equal} ORDER BY n"
    found = diff.sides.sql.table(text)
    known = dict(zip(found["o"].to_pylist(), found["n"].to_pylist(), strict=True))
    with Rows(diff.readers[1]) as rows:
        rows.load(found["n"])
        return rows.take(pa.array([known[at] for at in places], pa.int64()))
