"""What people hold of a table: types, key, which column names images, and what it all means.

One JSON file a table, which people may read, edit and merge: docs/schema.md has its form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn, TypeVar

import pyarrow as pa

from oxcore.errors import InvalidError
from oxcore.tables.typenames import parse_type, type_name

HOLDS = ("image", "audio", "video", "file", "text", "label")
"""What a column may hold; the first four are paths of files."""
PATHS = HOLDS[:4]
VERSION = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ColumnSchema:
    """What is kept of one column: its ``type`` (None: any), what it ``holds`` (one of ``HOLDS``,
    or nothing), and a ``description``."""

    type: pa.DataType | None = None
    holds: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        if self.holds and self.holds not in HOLDS:
            raise InvalidError(
                f"a column does not hold {self.holds!r}", hint=f"one of: {', '.join(HOLDS)}"
            )


@dataclass(frozen=True, slots=True)
class TableSchema:
    """``columns`` that must be there, by name; the ``key``, columns that tell the rows apart; a
    ``description``. A table may have more columns than these."""

    columns: Mapping[str, ColumnSchema] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        if len(set(self.key)) < len(self.key):
            raise InvalidError(f"a column stands twice in the key: {', '.join(self.key)}")


def encode(schema: TableSchema) -> bytes:
    """The file of a schema: one schema, one byte string. ``InvalidError`` for broken Unicode."""
    columns = {name: _record(column) for name, column in sorted(schema.columns.items())}
    record: dict[str, object] = {"version": VERSION, "description": schema.description}
    record |= {"key": list(schema.key), "columns": columns}
    kept = {name: value for name, value in record.items() if value not in ("", [])}
    try:
        return f"{json.dumps(kept, indent=2, ensure_ascii=False)}\n".encode()
    except UnicodeEncodeError:
        raise InvalidError("a schema cannot hold text that is not valid Unicode") from None


def _record(column: ColumnSchema) -> dict[str, str]:
    type_ = "" if column.type is None else type_name(column.type)
    record = {"type": type_, "holds": column.holds, "description": column.description}
    return {name: value for name, value in record.items() if value}


def parse(data: bytes, name: str) -> TableSchema:
    """The schema in a file; ``InvalidError`` names the file (``name``) and the place in it."""
    try:
        value: object = json.loads(data.decode("utf-8"), object_pairs_hook=_Object)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _wrong(name, f"line {line} is not UTF-8") from None
    except json.JSONDecodeError as error:
        why = f"line {error.lineno}, character {error.colno}: {error.msg}"
        raise _wrong(name, f"not JSON, {why}") from None
    except RecursionError:
        raise _wrong(name, "values nest too deep") from None
    return _Reading(name).table(value)


class _Object(dict[str, object]):
    """An object of JSON that knows which names came twice."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = (
            next((one for one in names if names.count(one) > 1), None)
            if (len(self) < len(pairs))
            else None
        )


class _Reading:
    """Turns JSON values into a schema; errors tell the file and the place."""

    def __init__(self, name: str) -> None:
        self._name = name

    def table(self, value: object) -> TableSchema:
        """The whole file."""
        record = self._object(value, "", ("version", "description", "key", "columns"))
        version = record.get("version")
        if version != VERSION or isinstance(version, bool):
            self._fail("version", f"is {json.dumps(version)}, and this ox knows {VERSION}")
        listed = self._object(record.get("columns", _Object([])), "columns")
        columns = {name: self._column(one, f"columns.{name}") for name, one in listed.items()}
        key, text = self._key(record.get("key", [])), self._text(record, "description", "")
        return self._made("key", lambda: TableSchema(columns, key, text))

    def _column(self, value: object, place: str) -> ColumnSchema:
        record = self._object(value, place, ("type", "holds", "description"))
        text = self._text(record, "type", place)
        type_ = self._made(f"{place}.type", lambda: parse_type(text)) if text else None
        holds, about = self._text(record, "holds", place), self._text(record, "description", place)
        return self._made(f"{place}.holds", lambda: ColumnSchema(type_, holds, about))

    def _object(self, value: object, place: str, names: tuple[str, ...] = ()) -> _Object:
        if not isinstance(value, _Object):
            self._fail(place, "is no object")
        if value.twice is not None:
            self._fail(place, f"has {value.twice!r} twice")
        odd = next((name for name in value if names and name not in names), None)
        if odd is not None:
            self._fail(place, f"knows no {odd!r}, only {', '.join(names)}")
        return value

    def _key(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._fail("key", "is no list of names of columns")
        return tuple(value)

    def _text(self, record: _Object, name: str, place: str) -> str:
        value = record.get(name, "")
        if not isinstance(value, str):
            self._fail(f"{place}.{name}".lstrip("."), "is no text")
        return value

    def _made(self, place: str, make: Callable[[], T]) -> T:
        try:
            return make()
        except InvalidError as error:
            raise _wrong(self._name, f"{place}: {error.message}", error.hint) from None

    def _fail(self, place: str, why: str) -> NoReturn:
        raise _wrong(self._name, f"{place or 'the whole'} {why}")


def _wrong(name: str, why: str, hint: str = "") -> InvalidError:
    return InvalidError(f"{name}: {why}", hint=hint or "correct the file, or: ox restore it")


def merge(base: TableSchema | None, ours: TableSchema, theirs: TableSchema) -> TableSchema | None:
    """What both sides made of ``base`` (None: both made it anew), or None where they disagree.

    They may change different columns, and different sayings about one column.
    """
    base = base or TableSchema()
    columns: dict[str, ColumnSchema] = {}
    try:
        for name in sorted({*ours.columns, *theirs.columns}):
            sides = (base.columns.get(name), ours.columns.get(name), theirs.columns.get(name))
            column = _merged_column(*sides)
            if column is not None:
                columns[name] = column
        key = _merged(base.key, ours.key, theirs.key)
        description = _merged(base.description, ours.description, theirs.description)
    except _ApartError:
        return None
    return TableSchema(columns, key, description)


class _ApartError(Exception):
    """Both sides changed the same thing in different ways."""


def _merged_column(
    base: ColumnSchema | None, ours: ColumnSchema | None, theirs: ColumnSchema | None
) -> ColumnSchema | None:
    if ours is None or theirs is None:
        return _merged(base, ours, theirs)
    base = base or ColumnSchema()
    return ColumnSchema(
        _merged(base.type, ours.type, theirs.type),
        _merged(base.holds, ours.holds, theirs.holds),
        _merged(base.description, ours.description, theirs.description),
    )


def _merged(base: T, ours: T, theirs: T) -> T:
    if ours in (base, theirs):
        return theirs
    if theirs == base:
        return ours
    raise _ApartError
