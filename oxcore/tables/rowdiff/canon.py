"""Values of any type brought to where they can be compared: see ``rowdiff.meet``."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.tables import values as shown

Convert = Callable[[pa.Array], pa.Array]
_PLAIN = r"^-?(?:[1-9][0-9]*|0)(?:\.[0-9]*[1-9])?$"
_NUMBER = r"^-?(?:0|[1-9][0-9]*|)(?:\.[0-9]+|\.)?(?:[eE][+-]?[0-9]+)?$"
_ODD = {"nan": "NaN", "inf": "Infinity", "+inf": "Infinity", "-inf": "-Infinity"}
_ODD |= {"infinity": "Infinity", "+infinity": "Infinity", "-infinity": "-Infinity"}
_MOST = 400  # digits before or behind the point that are written out; doubles have 324


def storage(array: pa.Array) -> pa.Array:
    """The values beneath extensions, dictionaries and runs."""
    while True:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        elif types.is_dictionary(array.type):
            array = array.cast(array.type.value_type)
        elif types.is_run_end_encoded(array.type):
            array = pc.run_end_decode(array)
        else:
            return array


def cast(array: pa.Array, target: pa.DataType) -> pa.Array:
    """To a type that holds all of the values."""
    values = storage(array)
    return values if values.type == target else pc.cast(values, target)


def nulls(target: pa.DataType) -> Convert:
    """As many nulls of a type."""
    return lambda array: pa.nulls(len(array), target)


def count(array: pa.Array) -> pa.Array:
    """Moments, days, times and lengths of time as the count of their unit."""
    values = storage(array)
    if types.is_date32(values.type) or types.is_time32(values.type):
        values = pc.cast(values, pa.int32())
    return pc.cast(values, pa.int64())


def scaled(factor: int) -> Convert:
    """Counts of a unit as those of one that is ``factor`` times finer."""
    digits = pa.decimal128(len(str(factor)), 0)
    times = pa.scalar(Decimal(factor), digits)

    def convert(array: pa.Array) -> pa.Array:
        whole = pc.cast(count(array), pa.decimal128(19, 0))
        return pc.cast(pc.multiply(whole, times), pa.decimal128(38, 0))

    return convert


def number_text(array: pa.Array) -> pa.Array:
    """Numbers as decimal text with all digits, and none that says nothing; a double as the
    shortest text that gives it."""
    values = storage(array)
    if types.is_float16(values.type):
        values = pc.cast(values, pa.float32())
    text = pc.cast(values, pa.string())
    if types.is_integer(values.type):
        return text
    if types.is_decimal(values.type) and values.type.scale > 0:
        text = pc.replace_substring_regex(text, r"(\.[0-9]*?)0+$", r"\1")
        text = pc.replace_substring_regex(text, r"\.$", "")
    return _mended(text, pc.invert(pc.match_substring_regex(text, _PLAIN)), _exact)


def text_number(array: pa.Array) -> pa.Array:
    """Texts; those that are numbers as ``number_text`` writes these."""
    text = cast(array, pa.string())
    number = pc.and_(
        pc.match_substring_regex(text, _NUMBER), pc.match_substring_regex(text, "[0-9]")
    )
    odd = pc.is_in(pc.utf8_lower(text), pa.array(_ODD))
    return _mended(text, pc.or_(number, odd), _exact)


def text_bool(array: pa.Array) -> pa.Array:
    """Texts; ``True`` and ``TRUE`` as ``true``."""
    text = cast(array, pa.string())
    odd = pc.is_in(text, pa.array(["True", "TRUE", "False", "FALSE"]))
    return _mended(text, odd, str.lower)


def moment_text(array: pa.Array) -> pa.Array:
    """Moments as the text of the count of their unit."""
    return pc.cast(count(array), pa.string())


def text_moment(type_: pa.DataType) -> Convert:
    """Texts; those that are moments of a type as ``moment_text`` writes these."""

    def convert(array: pa.Array) -> pa.Array:
        text = cast(array, pa.string()).dictionary_encode()
        found = text.dictionary
        try:
            made = moment_text(pc.cast(found, type_))
        except pa.ArrowInvalid:
            made = pa.array([_moment(one, type_) for one in found], pa.string())
        return made.take(text.indices)

    return convert


def texts(array: pa.Array) -> pa.Array:
    """Values of any type as they are written as text."""
    values = storage(array)
    if types.is_string(values.type):
        return values
    if types.is_union(values.type):
        return pa.array([None if v is None else repr(v) for v in values.to_pylist()], pa.string())
    return pa.array(shown.texts(values), pa.string())


def labelled(kind: str) -> Convert:
    """Texts of values that are never equal to those of another kind."""
    return lambda array: pc.binary_join_element_wise(kind, texts(array), ":")


def json_text(array: pa.Array) -> pa.Array:
    """Values of any type as JSON, the names in objects sorted."""
    return pa.array([_written(value) for value in shown.plain(storage(array))], pa.string())


def text_json(array: pa.Array) -> pa.Array:
    """Texts that are JSON as ``json_text`` writes these values; others as they are."""
    return pa.array([_read(one) for one in cast(array, pa.string()).to_pylist()], pa.string())


def _mended(text: pa.Array, odd: pa.Array, mend: Callable[[str], str]) -> pa.Array:
    """The texts, those that are odd mended one by one."""
    odd = pc.fill_null(odd, False)
    if not pc.any(odd).as_py():
        return text
    rest = pa.array(map(mend, text.filter(odd).to_pylist()), text.type)
    return pc.replace_with_mask(text, odd, rest)


def _exact(text: str) -> str:
    odd = _ODD.get(text.lower().replace("-nan", "nan"))
    if odd is not None:
        return odd
    number = Decimal(text)
    sign, digits, exponent = number.as_tuple()
    if not any(digits):
        return "0"
    if not isinstance(exponent, int) or abs(number.adjusted()) > _MOST:
        whole = "".join(map(str, digits)).strip("0")
        return f"{'-' * sign}{whole}e{number.adjusted()}"
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _moment(text: pa.Scalar, type_: pa.DataType) -> str | None:
    try:
        found: str = moment_text(pc.cast(pa.array([text.as_py()]), type_))[0].as_py()
    except pa.ArrowInvalid:
        own: str | None = text.as_py()
        return None if own is None else f"text:{own}"
    return found


def _written(value: object) -> str | None:
    return None if value is None else json.dumps(_by_value(value), sort_keys=True)


def _by_value(value: object) -> object:
    if isinstance(value, list):
        return [_by_value(one) for one in value]
    if isinstance(value, dict):
        return {name: _by_value(one) for name, one in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _read(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return _written(json.loads(text)) or "null"
    except (ValueError, RecursionError):
        return f"text:{text}"
