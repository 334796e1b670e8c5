"""Reads JSON from outside: each function gives a value of one shape or raises ``InvalidError``."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from oxcore.errors import InvalidError
from oxcore.model.commits import Json
from oxcore.model.ids import parse_id

_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def parse_object(data: bytes, what: str) -> dict[str, Json]:
    """The JSON object in ``data``; floats are refused."""
    try:
        value: Json = json.loads(data, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"{what} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidError(f"{what} is not a JSON object")
    return value


def text(value: Json, what: str) -> str:
    """A string that is valid Unicode, without control characters."""
    if not isinstance(value, str) or _UNFIT.search(value):
        raise InvalidError(f"{what} is not plain text")
    return value


def text_or_none(value: Json, what: str) -> str | None:
    """A string, or None."""
    return None if value is None else text(value, what)


def whole(value: Json, what: str) -> int:
    """An integer that is not negative."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidError(f"{what} is not a whole number")
    return value


def flag(value: Json, what: str) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        raise InvalidError(f"{what} is neither true nor false")
    return value


def items(value: Json, what: str, limit: int) -> list[Json]:
    """A list of at most ``limit`` items."""
    if not isinstance(value, list):
        raise InvalidError(f"{what} is not a list")
    if len(value) > limit:
        raise InvalidError(f"{what} has {len(value)} items; at most {limit} are allowed")
    return value


def mapping(value: Json, what: str) -> dict[str, Json]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise InvalidError(f"{what} is not an object")
    return value


def id_list(value: Json, what: str, limit: int = 1 << 20) -> list[bytes]:
    """A list of ids, each 64 hex digits."""
    return [parse_id(text(item, what)) for item in items(value, what, limit)]


def hex_id(value: Json, what: str) -> str:
    """64 hex digits, in lower case."""
    return parse_id(text(value, what)).hex()


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is no integer")
