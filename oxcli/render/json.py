"""JSON for programs: one document, indented by two on a terminal and on one line elsewhere.

Besides what JSON has: a ``bytes`` value under the key ``path`` or ending in ``_path`` or
``name`` is text with surrogate escapes, and, if it is not UTF-8, accompanied by the same key with
``_hex`` appended; any other ``bytes`` value is hex (ids). A ``Moment`` becomes ISO 8601 text,
a ``Person`` name and email, a NamedTuple, a dataclass or another
object with fields an object.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import TextIO

from oxcore.model.commits import Moment, Person


def write(stream: TextIO, document: object) -> None:
    """Write ``document`` and a line break."""
    stream.write(dumps(document, indent=2 if stream.isatty() else None) + "\n")


def write_list(stream: TextIO, items: Iterable[object]) -> None:
    """Write a list, one item a line, without holding it in memory."""
    before = "[\n"
    for item in items:
        stream.write(before)
        stream.writelines(pieces(item))
        before = ",\n"
    stream.write("[]\n" if before == "[\n" else "\n]\n")


def pieces(document: object) -> Iterator[str]:
    """``document`` as JSON; what an iterator in it gives is written as it comes."""
    if isinstance(document, Iterator):
        mark = "["
        for item in document:
            yield mark + dumps(item)
            mark = ", "
        yield "]" if mark == ", " else "[]"
    elif isinstance(document, dict) and any(map(_is_made, document.values())):
        mark = "{"
        for key, value in document.items():
            yield f"{mark}{dumps(key)}: " if _is_made(value) else mark + dumps({key: value})[1:-1]
            yield from pieces(value) if _is_made(value) else ()
            mark = ", "
        yield "}"
    else:
        yield dumps(document)


def _is_made(value: object) -> bool:
    """Whether an iterator is in it."""
    return isinstance(value, Iterator) or (
        isinstance(value, dict) and any(map(_is_made, value.values()))
    )


def dumps(document: object, indent: int | None = None) -> str:
    """``document`` as JSON; names that are no Unicode are written with escapes only."""
    plain = to_plain(document)
    text = json.dumps(plain, indent=indent, ensure_ascii=False)
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(plain, indent=indent)
    return text


def to_plain(value: object) -> object:
    """``value`` in the types that JSON has."""
    if isinstance(value, Enum):
        return value.name.lower()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Moment):
        return value.iso()
    if isinstance(value, Person):
        return {"name": value.name, "email": value.email}
    return _container(value)


def path_fields(path: bytes, key: str = "path") -> dict[str, str]:
    """``path`` as the fields of an object: text, and hex if it is not UTF-8."""
    text = path.decode("utf-8", "surrogateescape")
    return {key: text} if _is_utf8(path) else {key: text, f"{key}_hex": path.hex()}


def _container(value: object) -> object:
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _object(value._asdict())
    if hasattr(value, "__dataclass_fields__"):
        return _object({name: getattr(value, name) for name in value.__dataclass_fields__})
    if isinstance(value, Iterable):
        return [to_plain(item) for item in value]
    if hasattr(value, "__dict__"):
        return _object(dict(vars(value)))
    raise TypeError(f"not for JSON: {type(value).__name__}")


def _object(pairs: Mapping[str, object] | Mapping[object, object]) -> dict[str, object]:
    made: dict[str, object] = {}
    for key, value in pairs.items():
        name = str(key)
        if isinstance(value, bytes) and name.endswith(("path", "name")):
            made.update(path_fields(value, name))
        else:
            made[name] = to_plain(value)
    return made


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
