"""A Python value as the text of a cell."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pyarrow as pa

from oxcore.errors import InvalidError
from oxcore.tables.source import Source
from oxcore.tables.values import Plain, plain, text

_SELF = (str, int, bool, type(None))


def plainly(value: object) -> Plain:
    """The value as JSON has it (``tables.values``); ``InvalidError`` for what no table holds."""
    if type(value) in _SELF:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else plainly(float(value))
    if isinstance(value, dict):
        return {str(name): plainly(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plainly(one) for one in value]
    if isinstance(value, pa.Scalar):
        return plain(repeated(value, 1))[0]
    try:
        array = pa.array([value])
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        raise InvalidError(f"a {type(value).__name__} is no value of a table") from None
    return plain(array)[0]


def cell(value: object, *, words: tuple[str, str] = ("true", "false"), part: str = "T") -> str:
    """The value as text, none of it being null; ``words`` for true and false, and ``part`` between
    a day and its time, as the column has them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return words[not value]
    found = text(plainly(value))
    return found.replace("T", part, 1) if isinstance(value, dt.datetime) else found


def wrong_value(source: Source, error: Exception, row: int | None, column: str) -> InvalidError:
    """The error for a value that is none: file, row and column, then why."""
    why = "half of a surrogate pair, which is no text"
    told = error.message if isinstance(error, InvalidError) else why
    return source.broken(told, row=row, column=column)


def repeated(scalar: pa.Scalar, count: int) -> pa.Array:
    """A value so many times."""
    if isinstance(scalar.type, pa.BaseExtensionType):
        storage = repeated(scalar.value, count)
        return pa.ExtensionArray.from_storage(scalar.type, storage)
    return pa.repeat(scalar, count) if scalar.is_valid else pa.nulls(count, scalar.type)
