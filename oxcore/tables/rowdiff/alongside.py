"""Rows of two tables side by side: how far their keys go together, and which cells differ then.

A column of text that has few values may come coded (``pa.DictionaryArray``): codes of one
dictionary are compared as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

_FEW = 4  # cells of a column that differ, looked for one by one
_LEAST = 512  # rows whose keys are compared at once, then four times as many, and so on


def together(one: pa.RecordBatch, two: pa.RecordBatch, keys: Sequence[int]) -> int:
    """How many rows go by until the keys differ: looked for in longer and longer strides."""
    pairs = [(one.column(at), two.column(at)) for at in keys]
    together, stride = 0, _LEAST
    while together < len(one):
        same = min(_same(x.slice(together, stride), y.slice(together, stride)) for x, y in pairs)
        together += same
        if same < stride:
            break
        stride *= 4
    return together


def _same(one: pa.Array, two: pa.Array) -> int:
    """How many values go by until they differ: halved until found, since ``equals`` is quick and
    keeps Python's lock, for which a kernel would queue with the threads that read ahead."""
    if one.equals(two):
        return len(one)
    low, high = 0, len(one)  # the first ``low`` are equal, the first ``high`` are not
    while high - low > 1:
        middle = (low + high) // 2
        if one.slice(low, middle - low).equals(two.slice(low, middle - low)):
            low = middle
        else:
            high = middle
    return low


def apart(pairs: Iterable[tuple[pa.Array, pa.Array]]) -> list[int]:
    """The rows in which these columns differ, or may differ (NaN)."""
    found = set[int]()
    for pair in pairs:
        one, two = matched(*pair)
        if not one.equals(two):
            found.update(_unlike(one, two))
    return sorted(found)


def _unlike(one: pa.Array, two: pa.Array) -> Iterator[int]:
    """The places of values that differ: some are looked for one by one, more together."""
    at = 0
    for _ in range(_FEW):
        at += _same(one.slice(at), two.slice(at))
        if at == len(one):
            return
        yield at
        at += 1
    for place in pc.indices_nonzero(_unequal(one.slice(at), two.slice(at))).to_pylist():
        yield at + place


def _unequal(one: pa.Array, two: pa.Array) -> pa.Array:
    try:
        unequal = pc.not_equal(one, two)
    except pa.ArrowNotImplementedError:
        pairs = zip(one, two, strict=True)
        return pa.array([not a.equals(b) for a, b in pairs], pa.bool_())
    if unequal.null_count:
        unequal = pc.if_else(unequal.is_null(), pc.xor(one.is_null(), two.is_null()), unequal)
    return unequal


def plain(values: pa.Array) -> pa.Array:
    """The values, not coded."""
    return values.dictionary_decode() if isinstance(values, pa.DictionaryArray) else values


def as_said(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows, not coded where ``schema`` does not say so."""
    if rows.schema.types == schema.types:
        return rows
    pairs = zip(rows.columns, schema.types, strict=True)
    columns = [one if one.type == type_ else pc.cast(one, type_) for one, type_ in pairs]
    return pa.Table.from_arrays(columns, schema=schema)


def matched(one: pa.Array, two: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Both as arrays that are equal where the values are: their codes, if these mean the same."""
    coded = isinstance(one, pa.DictionaryArray) and isinstance(two, pa.DictionaryArray)
    if coded and one.dictionary.equals(two.dictionary):
        return one.indices, two.indices
    return plain(one), plain(two)
