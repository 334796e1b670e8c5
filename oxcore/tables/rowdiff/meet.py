"""Where the types of two columns meet, so that equal values are equal to the engine.

Values of one kind meet by value: integers of any width; numbers of different kinds as exact
decimal text (a double as the shortest text that gives it); moments as counts of the finer unit.
Values of different kinds meet as text, in the way in which tables are written as CSV
(``tables.values``); a text that a number, a date or JSON would be written as, is that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pyarrow as pa
from pyarrow import types

from oxcore.tables.reading import JSON_TEXT
from oxcore.tables.rowdiff import canon

Convert = Callable[[pa.Array], pa.Array]
_DIGITS = 38
_PER_SECOND = {"s": 0, "ms": 3, "us": 6, "ns": 9}


class Meet(NamedTuple):
    """The type of both sides, and how each gets there (None: the engine compares it as it is);
    ``number``: both hold numbers, so that a tolerance means something."""

    type: pa.DataType
    old: Convert | None
    new: Convert | None
    number: bool = False


def meet(old: pa.Field, new: pa.Field, texts: tuple[bool, bool] = (False, False)) -> Meet:
    """Where two columns meet; ``texts``: which sides come from formats of text, whose doubles are
    as good as the digits that were written."""
    a, b = _storage(old.type), _storage(new.type)
    kind, other = _kind(old, a), _kind(new, b)
    if "null" in (kind, other):
        return _with_null(old, new)
    target = _target(kind, other, a, b, texts)
    if target is not None:
        ways = [_caster(one.type, target) for one in (old, new)]
        return Meet(target, ways[0], ways[1], number=kind == "number")
    if kind == other == "number":
        return Meet(pa.string(), canon.number_text, canon.number_text, number=True)
    if {kind, other} <= {"date", "stamp"} or kind == other in {"zoned", "time", "duration"}:
        return _counts(a, b)
    return _by_text(kind, other, a, b)


def alike(old: pa.Field, new: pa.Field) -> bool:
    """Whether two columns hold values of one kind: numbers, texts, moments..."""
    return _kind(old, _storage(old.type)) == _kind(new, _storage(new.type))


def _target(
    kind: str, other: str, a: pa.DataType, b: pa.DataType, texts: tuple[bool, bool]
) -> pa.DataType | None:
    """The type that both sides are brought to and that the engine compares as we do, if any."""
    if kind != other:
        return None
    if kind == "number":
        return _number(a, b, texts)
    if a.equals(b) and kind in {"nested", "date", "stamp", "zoned"} and _simple(a):
        return a
    return _WHOLE.get(kind)


def _storage(type_: pa.DataType) -> pa.DataType:
    """The type of the values beneath extensions, dictionaries and runs."""
    if isinstance(type_, pa.BaseExtensionType):
        return _storage(type_.storage_type)
    if types.is_dictionary(type_) or types.is_run_end_encoded(type_):
        return _storage(type_.value_type)
    return type_


_KINDS: tuple[tuple[str, tuple[Callable[[pa.DataType], bool], ...]], ...] = (
    ("null", (types.is_null,)),
    ("number", (types.is_integer, types.is_floating, types.is_decimal)),
    ("text", (types.is_string, types.is_large_string, types.is_string_view)),
    ("bool", (types.is_boolean,)),
    ("date", (types.is_date,)),
    ("time", (types.is_time,)),
    ("duration", (types.is_duration,)),
    (
        "bytes",
        (
            types.is_binary,
            types.is_large_binary,
            types.is_fixed_size_binary,
            types.is_binary_view,
        ),
    ),
    ("nested", (types.is_nested,)),
)
_WHOLE = {"text": pa.string(), "bool": pa.bool_(), "bytes": pa.binary()}


def _kind(field: pa.Field, type_: pa.DataType) -> str:
    if types.is_timestamp(type_):
        return "zoned" if type_.tz else "stamp"
    if types.is_union(type_):
        return "other"
    found = next((kind for kind, tests in _KINDS if any(is_it(type_) for is_it in tests)), "other")
    marked = found == "text" and (field.metadata or {}).items() >= JSON_TEXT.items()
    return "json" if marked else found


def _with_null(old: pa.Field, new: pa.Field) -> Meet:
    """A column without a type meets any as nulls of it."""
    first = types.is_null(_storage(old.type))
    other = new if first else old
    if types.is_null(_storage(other.type)):
        return Meet(pa.int8(), canon.nulls(pa.int8()), canon.nulls(pa.int8()))
    own = meet(other, other)
    empty = canon.nulls(own.type)
    return own._replace(old=empty) if first else own._replace(new=empty)


def _caster(type_: pa.DataType, target: pa.DataType) -> Convert | None:
    """To a wider type of the same kind, also out of dictionaries and extensions."""
    if type_ == target or _NATIVE.get(target, _never)(type_):
        return None
    return partial(canon.cast, target=target)


def _never(_: pa.DataType) -> bool:
    return False


_NATIVE: dict[pa.DataType, Callable[[pa.DataType], bool]] = {
    pa.int64(): lambda type_: types.is_integer(type_) and type_ != pa.uint64(),
    pa.float64(): types.is_float32,
    pa.string(): types.is_large_string,
    pa.binary(): types.is_large_binary,
}


def _number(a: pa.DataType, b: pa.DataType, texts: tuple[bool, bool]) -> pa.DataType | None:
    if types.is_integer(a) and types.is_integer(b):
        wide = [one for one in (a, b) if one == pa.uint64()]
        return pa.int64() if not wide else pa.uint64() if a == b else pa.decimal128(20, 0)
    if types.is_floating(a) and types.is_floating(b):
        return _float(a, b, texts)
    return _decimal(a, b)


def _float(a: pa.DataType, b: pa.DataType, texts: tuple[bool, bool]) -> pa.DataType:
    """Doubles; of a text that stands for narrower floats, these: 0.1 is their 0.1."""
    narrow = [one for one, text in ((a, texts[1]), (b, texts[0])) if text and one != pa.float64()]
    return pa.float32() if pa.float32() in narrow else pa.float16() if narrow else pa.float64()


def _decimal(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """The decimal that holds both kinds of numbers, if 38 digits do."""
    if types.is_floating(a) or types.is_floating(b):
        return None
    sizes = [_size(one) for one in (a, b)]
    scale = max(0, *(one[1] for one in sizes))
    digits = max(one[0] - one[1] for one in sizes) + scale
    return pa.decimal128(digits, scale) if digits <= _DIGITS else None


def _size(type_: pa.DataType) -> tuple[int, int]:
    if types.is_decimal(type_):
        return type_.precision, type_.scale
    return (20 if type_ == pa.uint64() else 19), 0


def _counts(a: pa.DataType, b: pa.DataType) -> Meet:
    """Moments or lengths of time as counts of the finer of their units."""
    one, two = _unit(a), _unit(b)
    if one == two:
        return Meet(pa.int64(), canon.count, canon.count)
    finer = max(_PER_SECOND.get(unit, 0) for unit in (one, two))
    ways = [canon.scaled(_factor(unit, finer)) for unit in (one, two)]
    return Meet(pa.decimal128(_DIGITS, 0), ways[0], ways[1])


def _unit(type_: pa.DataType) -> str:
    return "day" if types.is_date32(type_) else "ms" if types.is_date64(type_) else type_.unit


def _factor(unit: str, finer: int) -> int:
    if unit == "day":
        return 86_400 * int("1" + "0" * finer)
    return int("1" + "0" * (finer - _PER_SECOND[unit]))


def _simple(type_: pa.DataType) -> bool:
    """Whether the engine compares values of a nested type as we do."""
    if types.is_list(type_) or types.is_large_list(type_):
        return _simple(type_.value_type)
    if types.is_struct(type_):
        names = {field.name.casefold() for field in type_}
        return len(names) == type_.num_fields > 0 and all(_simple(field.type) for field in type_)
    return (
        types.is_integer(type_)
        or types.is_boolean(type_)
        or types.is_string(type_)
        or types.is_date32(type_)
        or (types.is_timestamp(type_) and type_.unit == "us")
        or type_ in (pa.float32(), pa.float64())
    )


def _by_text(kind: str, other: str, a: pa.DataType, b: pa.DataType) -> Meet:
    """Values of different kinds, and of types that the engine does not take."""
    if {kind, other} & {"nested", "json"}:
        return Meet(pa.string(), _as_json(kind), _as_json(other))
    return Meet(pa.string(), _as_text(kind, other, b), _as_text(other, kind, a))


def _as_json(kind: str) -> Convert:
    return canon.text_json if kind in {"text", "json"} else canon.json_text


def _as_text(kind: str, other: str, type_: pa.DataType) -> Convert:
    """How values of a kind are written that meet those of another, of ``type_``."""
    if kind == other:
        return canon.texts
    if kind == "text":
        known = {"number": canon.text_number, "bool": canon.text_bool}
        return canon.text_moment(type_) if other in _MOMENTS else known.get(other, canon.texts)
    if other != "text":
        return canon.labelled(kind)
    return {"number": canon.number_text}.get(
        kind, canon.moment_text if kind in _MOMENTS else canon.texts
    )


_MOMENTS = {"date", "stamp", "zoned", "time"}
