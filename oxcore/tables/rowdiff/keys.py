"""Which columns tell rows apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.errors import InvalidError
from oxcore.tables import gather, values
from oxcore.tables.reading import Reader
from oxcore.tables.rowdiff.keyed import Doubled
from oxcore.tables.rowdiff.model import Pair

_LIKELY = (
    re.compile(r"(?i)id"),
    re.compile(r"(?i)uu?id|key|index|idx|_?rowid|.*[_ .-](?:id|uuid|key)|.*[a-z](?:Id|ID|Key)"),
)


def candidates(readers: tuple[Reader, Reader], pairs: Sequence[Pair]) -> Iterator[int]:
    """Columns that may be a key, the likely ones first: names like ``id``, then as they stand,
    doubles last. Those that the first rows rule out are left out."""
    starts = [_start(reader) for reader in readers]
    ranked = sorted(range(len(pairs)), key=lambda number: _rank(pairs[number], readers[1]))
    for number in ranked:
        pair = pairs[number]
        if all(
            _apart(start, at) for start, at in zip(starts, (pair.old_at, pair.new_at), strict=True)
        ):
            yield number


def _start(reader: Reader) -> pa.RecordBatch | None:
    """The first rows, as the format has them."""
    for piece in reader.pieces():
        for batch in piece.load():
            return batch
    return None


def _apart(batch: pa.RecordBatch | None, at: int) -> bool:
    if batch is None:
        return True
    column = batch.column(at)
    if column.null_count or types.is_nested(column.type) or types.is_boolean(column.type):
        return False
    try:
        return bool(pc.count_distinct(column).as_py() == len(column))
    except pa.ArrowNotImplementedError:
        return False


def _rank(pair: Pair, reader: Reader) -> tuple[int, int]:
    for rank, form in enumerate(_LIKELY):
        if form.fullmatch(pair.new):
            return rank, pair.new_at
    whole = not types.is_floating(reader.schema.types[pair.new_at])
    return len(_LIKELY) + (not whole), pair.new_at


def refuse(
    name: str, reader: Reader, found: Doubled, pairs: Sequence[Pair], keys: Sequence[int]
) -> InvalidError:
    """The error for a key that does not tell rows apart: file, row, column, and the way out."""
    head = 2 if hasattr(reader, "delimiter") else 1
    told = [found.at] if found.first is None else list(keys)
    old = found.side == "old"
    names = [pairs[at].old if old else pairs[at].new for at in told]
    place = f"{name}, row {found.row + head:,}, column {', '.join(map(repr, names))}"
    hint = "other columns as the key: --keys"
    if found.first is None:
        return InvalidError(f"{place}: the key is null", hint=hint)
    value = _value(
        reader, found.row, [pairs[at].old_at if old else pairs[at].new_at for at in told]
    )
    first = f"row {found.first + head:,}"
    return InvalidError(f"{place}: the key {value} is that of {first} as well", hint=hint)


def _value(reader: Reader, row: int, columns: Sequence[int]) -> str:
    batch = next(iter(gather.ascending(reader, [[row]], columns)))
    return ", ".join(values.text(values.plain(column)[0]) for column in batch.columns)
