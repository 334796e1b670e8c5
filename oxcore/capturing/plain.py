"""Values of any kind as JSON: what has no form there gets the nearest one, and is told."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping

from oxcore.errors import InvalidError

_LONGEST = 2000  # characters of a repr
_DEEPEST = 64

Problem = str


def nearest(value: object) -> object:
    """What the encoder takes in place of ``value``; ``TypeError`` if there is nothing near."""
    for name in ("tolist", "item", "model_dump", "isoformat", "to_dict"):
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, type):
            return method()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if type(value).__name__ in ("Decimal", "UUID"):
        return str(value)
    raise TypeError(f"{type(value).__module__}.{type(value).__qualname__}")


_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, default=nearest, separators=(",", ":")
)
_SAFE = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def dumps(value: object) -> bytes:
    """The JSON bytes; ``InvalidError`` for what has no form in JSON."""
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError, AttributeError) as error:
        raise InvalidError(f"not JSON: {error}", hint="dicts, lists, text and numbers") from error


def dumps_any(value: object) -> tuple[bytes, Problem]:
    """The JSON bytes of ``value`` whatever it is, and what had to be changed for it."""
    try:
        return _ENCODER.encode(value).encode(), ""
    except Exception as error:  # noqa: BLE001 -- methods of the caller's objects raise anything
        return _SAFE.encode(_tame(value, _DEEPEST)).encode(), _said(error)


def _said(error: Exception) -> Problem:
    return f"{type(error).__name__}: {error}"[:300]


def _tame(value: object, depth: int) -> object:
    """``value`` in what JSON has: no NaN, keys that are text, a repr for the rest."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth:
        if isinstance(value, Mapping):
            return {_key(key): _tame(one, depth - 1) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [_tame(one, depth - 1) for one in value]
        try:
            near = nearest(value)
        except Exception:  # noqa: BLE001 -- as above
            near = None
        if near is not None:
            return _tame(near, depth - 1)
    return {"repr": _repr(value)}


def _key(key: object) -> str:
    return key if isinstance(key, str) else _repr(key)


def _repr(value: object) -> str:
    try:
        return repr(value)[:_LONGEST]
    except Exception as error:  # noqa: BLE001 -- as above
        return f"<{type(value).__qualname__}, whose repr fails: {type(error).__name__}>"
