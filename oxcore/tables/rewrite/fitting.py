"""Values that people write as text, by the type of their column."""

from __future__ import annotations

import json

import pyarrow as pa
from pyarrow import types

from oxcore.errors import InvalidError
from oxcore.tables.infer import classes, decide
from oxcore.tables.values import Plain

_ARROW = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError)
_WRONG = (*_ARROW, OverflowError, ValueError)
_WORDS = {"true": True, "false": False}


def read_value(text: str, type_: pa.DataType) -> object:
    """A text as a value of a type: of text columns as it is; of others ``null`` and nothing are
    null, lists and objects JSON. ``InvalidError`` if it is none."""
    if is_text(type_):
        return text
    if text in {"", "null"}:
        return None
    try:
        value = fitted(_parsed(text, type_), type_)
        if not isinstance(value, pa.Scalar):
            pa.scalar(value, type_)  # raises for one that is out of range
    except (
        OverflowError,
        ValueError,
        pa.ArrowInvalid,
        pa.ArrowNotImplementedError,
        pa.ArrowTypeError,
    ):
        raise InvalidError(f"{text!r} is no {type_}") from None
    return value


def fitted(value: Plain, type_: pa.DataType) -> object:
    """A value of JSON as one of this type, where JSON has only text for it: dates, decimals, bytes.

    Others are given back, for the writer to judge.
    """
    if not isinstance(value, str) or is_text(type_):
        return value
    if types.is_dictionary(type_):
        return fitted(value, type_.value_type)
    if types.is_binary(type_) or types.is_large_binary(type_) or types.is_fixed_size_binary(type_):
        return bytes.fromhex(value)
    if types.is_duration(type_):
        return pa.scalar(int(value.removesuffix(f" {type_.unit}")), pa.int64()).cast(type_)
    if types.is_temporal(type_) or types.is_decimal(type_):
        return _cast(value, type_)
    odd = types.is_floating(type_) and value.strip("-") in {"NaN", "Infinity", "inf"}
    return float(value) if odd else value


def inferred(text: str) -> tuple[pa.DataType, object]:
    """The type that a column of CSV with this value alone would have, and the value."""
    type_ = decide(classes(pa.array([text]))) if text else pa.string()
    return type_, read_value(text, type_)


def is_text(type_: pa.DataType) -> bool:
    """Whether a column holds text."""
    if types.is_dictionary(type_):
        return is_text(type_.value_type)
    return bool(
        types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_)
    )


def _parsed(text: str, type_: pa.DataType) -> object:
    if types.is_dictionary(type_):
        return _parsed(text, type_.value_type)
    if types.is_boolean(type_):
        return _WORDS.get(text.lower(), text)
    if types.is_integer(type_):
        return int(text)
    if types.is_floating(type_):
        return float(text)
    if types.is_nested(type_):
        return json.loads(text)
    return text


def _cast(text: str, type_: pa.DataType) -> pa.Scalar:
    zoned = types.is_timestamp(type_) and type_.tz
    if zoned and not text.endswith("Z") and "+" not in text and text.count("-") < 3:
        text += "Z"
    if types.is_time(type_):
        return pa.scalar(text).cast(pa.time64("us")).cast(type_)
    return pa.scalar(text).cast(type_)
