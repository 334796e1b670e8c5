"""Values for JSON and for people, exact in both.

For JSON: numbers, texts, truth values, null, lists and objects are themselves. Not a number and
the infinities are the texts ``NaN``, ``Infinity``, ``-Infinity``; decimals are texts with all
digits; bytes hex digits; dates, times and timestamps ISO 8601 (with the zone's offset where there
is a zone); durations a count with its unit (``5 us``); maps lists of pairs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.tables.shape import to_json

Plain = object  # None, bool, int, float, str, list, dict
_OFFSET = re.compile(r"([+-]\d\d):?(\d\d)$")
_ZEROS = re.compile(r"(:\d\d)\.0+(?=$|[Z+-])|(\.\d*?[1-9])0+(?=$|[Z+-])")


def plain(array: pa.Array) -> list[Plain]:
    """The values of an array as JSON has them."""
    type_ = array.type
    if isinstance(array, pa.ExtensionArray):
        return plain(array.storage)
    if types.is_dictionary(type_):
        return plain(array.cast(type_.value_type))
    if types.is_struct(type_):
        return _objects(array)
    if types.is_map(type_):
        return _pairs(array)
    if types.is_list(type_) or types.is_large_list(type_) or types.is_fixed_size_list(type_):
        return _lists(array)
    return _simple(array)


def texts(array: pa.Array) -> list[str | None]:
    """The values of an array on one line each; None for null."""
    return [None if value is None else text(value) for value in plain(array)]


def text(value: Plain) -> str:
    """A plain value for people; text as it is, anything within another value as JSON."""
    if isinstance(value, str):
        return value
    return to_json(value)


def _simple(array: pa.Array) -> list[Plain]:
    type_ = array.type
    if types.is_floating(type_):
        return [_number(value) for value in _shortest(array)]
    if types.is_timestamp(type_) or types.is_time(type_):
        return [None if one is None else _iso(one) for one in _stamps(array)]
    if types.is_duration(type_):
        return [
            None if n is None else f"{n} {type_.unit}" for n in array.cast(pa.int64()).to_pylist()
        ]
    values: list[Plain] = array.to_pylist()
    if types.is_boolean(type_) or types.is_integer(type_) or types.is_null(type_):
        return values
    return [_other(value) for value in values]


def _other(value: Plain) -> Plain:
    if isinstance(value, bytes):
        return value.hex()
    return None if value is None else str(value)


def _shortest(array: pa.Array) -> Sequence[float | None]:
    """Doubles; narrower floats by the shortest text that gives them, so that 0.1 stays 0.1."""
    if array.type == pa.float64():
        values: Sequence[float | None] = array.to_pylist()
        return values
    narrow = pc.cast(pc.cast(array, pa.float32()), pa.string()).to_pylist()
    return [None if one is None else float(one) for one in narrow]


def _number(value: float | None) -> Plain:
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _stamps(array: pa.Array) -> list[str | None]:
    try:
        found: list[str | None] = pc.cast(array, pa.string()).to_pylist()
    except pa.ArrowInvalid:  # a zone that this machine does not know: the same moments in UTC
        unit = array.type.unit
        found = pc.cast(array.cast(pa.timestamp(unit, "UTC")), pa.string()).to_pylist()
    return found


def _iso(stamp: str) -> str:
    stamp = _ZEROS.sub(lambda found: found[1] or found[2], stamp.replace(" ", "T", 1))
    return _OFFSET.sub(r"\1:\2", stamp) if "T" in stamp and ":" in stamp else stamp


def _objects(array: pa.StructArray) -> list[Plain]:
    names = [field.name for field in array.type]
    if not names:
        return [None if null else {} for null in array.is_null().to_pylist()]
    rows = zip(*(plain(child) for child in array.flatten()), strict=True)
    made: list[Plain] = [dict(zip(names, row, strict=True)) for row in rows]
    return _nulled(array, made)


def _lists(array: pa.ListArray) -> list[Plain]:
    lengths = [length or 0 for length in pc.list_value_length(array).to_pylist()]
    return _nulled(array, _parted(plain(pc.list_flatten(array)), lengths))


def _pairs(array: pa.MapArray) -> list[Plain]:
    ends = array.offsets.to_pylist()
    keys, items = plain(array.keys), plain(array.items)
    pairs = [[key, item] for key, item in zip(keys, items, strict=True)]
    first = ends[0]
    return _nulled(array, [pairs[a - first : b - first] for a, b in pairwise(ends)])


def _parted(values: list[Plain], lengths: Sequence[int]) -> list[Plain]:
    made: list[Plain] = []
    at = 0
    for length in lengths:
        made.append(values[at : at + length])
        at += length
    return made


def _nulled(array: pa.Array, values: list[Plain]) -> list[Plain]:
    nulls = array.is_null().to_pylist() if array.null_count else ()
    return [None if null else v for v, null in zip(values, nulls, strict=True)] if nulls else values
