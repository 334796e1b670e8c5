"""Where one row group of a Parquet file ends: at a row that its values tell.

Were groups cut by count, a row put in would move a row over every bound behind it; each later group
would be other bytes, to be stored and compared again. Here a group ends before the row whose value
in one column, scattered, is the least of a window: rows put in or left out move the bounds
near them, and then both versions cut at the same rows again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zlib import crc32

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

ROWS = 1 << 16  # of a group at most; half of it at least, but for the last
BYTES = 64 << 20  # that they should take in memory
_SCATTER = 0x1E3779B97F4A7C15  # odd, so that no two integers meet
_VIEWS = {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}


def row_groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows of a table, parted into row groups; holds two of them at most, and a batch."""
    held: list[pa.RecordBatch] = []
    count = size = 0
    column: int | None = None
    for batch in batches:
        held.append(batch)
        count, size = count + len(batch), size + batch.nbytes
        while count and count >= (most := _most(count, size)):
            rows = pa.Table.from_batches(held, schema)
            column = _telling(rows.slice(0, most)) if column is None else column
            end = _end(rows, most, column)
            yield rows.slice(0, end)
            rest = rows.slice(end)
            held, count, size = rest.to_batches(), len(rest), rest.nbytes
    if count:
        yield pa.Table.from_batches(held, schema)


def _most(rows: int, size: int) -> int:
    """How many such rows a group has at most, a power of two: which of two versions rarely differ
    in."""
    most = ROWS
    while most > 1 and size * most > BYTES * rows:
        most //= 2
    return most


def _telling(rows: pa.Table) -> int:
    """The first column of which most values are single; -1 if there is none."""
    return next(
        (
            at
            for at, column in enumerate(rows.columns)
            if _is_known(column.type) and 2 * pc.count_distinct(column).as_py() > len(rows)
        ),
        -1,
    )


def _end(rows: pa.Table, most: int, column: int) -> int:
    """The end of the first group."""
    least = most // 2
    if column < 0 or not least:
        return most
    marks = _marks(rows.column(column).slice(least, most - least))
    place: int = pc.index(marks, pc.min(marks)).as_py()
    return most if place < 0 else least + place


def _is_known(type_: pa.DataType) -> bool:
    return _is_text(type_) or _is_plain(type_)


def _is_text(type_: pa.DataType) -> bool:
    tests = types.is_string, types.is_large_string, types.is_binary, types.is_large_binary
    return any(test(type_) for test in tests)


def _is_plain(type_: pa.DataType) -> bool:
    tests = types.is_integer, types.is_floating, types.is_temporal
    return any(test(type_) for test in tests) and getattr(type_, "bit_width", 0) in _VIEWS


def _marks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A number of 64 bits for each value."""
    if _is_text(column.type):
        packed = column.cast(pa.large_binary()).fill_null(b"")
        numbers = [pa.array(map(crc32, one.to_pylist()), pa.int64()) for one in packed.chunks]
    else:
        view = _VIEWS[column.type.bit_width]
        numbers = [one.view(view).cast(pa.int64()) for one in column.chunks]
    return pc.multiply(pa.chunked_array(numbers, pa.int64()), pa.scalar(_SCATTER, pa.int64()))
