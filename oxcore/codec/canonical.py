"""Canonical JSON: one value, one byte string.

The rules are those of RFC 8785 for the values that ox allows (null, booleans, integers
within 2**53 - 1, strings that are valid Unicode, lists, objects with string keys), except
that keys are sorted by code point: the encoding has no white space and no escapes beyond
the ones that JSON demands, in the short form where there is one.
"""

from __future__ import annotations

import json
from typing import NoReturn

from oxcore.errors import CorruptError, InvalidError
from oxcore.model.commits import Json

MAX_INT = 2**53 - 1


def dumps(value: Json) -> bytes:
    """The canonical bytes of ``value``; ``InvalidError`` for floats, huge integers and lone
    surrogates."""
    _check(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidError("text that is not valid Unicode cannot be stored") from error


def loads(data: bytes, what: str) -> Json:
    """The value of canonical bytes; ``CorruptError`` naming ``what`` unless ``data`` is exactly
    what ``dumps`` gives for it."""
    try:
        value: Json = json.loads(data, parse_float=_refuse, parse_constant=_refuse)
        canonical = dumps(value)
    except (ValueError, RecursionError, InvalidError) as error:
        raise CorruptError(f"{what} is not canonical JSON: {error}") from error
    if canonical != data:
        raise CorruptError(f"{what} is JSON, but not in its canonical form")
    return value


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no integer")


def _check(value: Json) -> None:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise InvalidError(f"the integer {value} is beyond 2**53 - 1; store it as text")
    elif isinstance(value, list):
        for item in value:
            _check(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidError(f"the key {key!r} is not text")
            _check(item)
    else:
        raise InvalidError(f"{type(value).__name__} values cannot be stored; use text")
