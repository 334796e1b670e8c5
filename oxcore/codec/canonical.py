"""Canonical JSON: one value, one byte string.

The rules are those of RFC 8785 for the values that ox allows (null, booleans, integers
within 2**53 - 1, strings that are valid Unicode, lists, objects with string keys), except
that keys are sorted by code point: the encoding has no white space and no escapes beyond
the ones that JSON demands, in the short form where there is one. Values nest at most
``MAX_DEPTH`` deep, so that every reader can follow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NoReturn

from oxcore.errors import CorruptError, InvalidError
from oxcore.model.commits import Json

MAX_INT = 2**53 - 1
MAX_DEPTH = 64


def dumps(value: Json) -> bytes:
    """The canonical bytes of ``value``; ``InvalidError`` for floats, huge integers, lone
    surrogates, keys that are not text and nesting beyond ``MAX_DEPTH``."""
    _check(value, MAX_DEPTH)
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


def _check(value: Json, depth: int) -> None:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INT:
            raise InvalidError("an integer is beyond 2**53 - 1; store it as text")
    elif depth == 0:
        raise InvalidError(f"values nest deeper than {MAX_DEPTH}")
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)
    elif isinstance(value, dict):
        _check_keys(value)
        for item in value.values():
            _check(item, depth - 1)
    else:
        raise InvalidError(f"{type(value).__name__} values cannot be stored; use text")


def _check_keys(keys: Iterable[object]) -> None:
    for key in keys:
        if not isinstance(key, str):
            raise InvalidError(f"the key {key!r} is not text")
