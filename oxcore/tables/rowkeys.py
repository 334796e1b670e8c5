"""Keys of rows as people write them: ``id=42``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time

from oxcore.errors import UsageError
from oxcore.tables.asking import places_of
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.table import Table

Key = Mapping[str, str | None]
"""Column -> its value as text; None is null."""

_NULL = ":null"


def names_of(table: Table) -> list[str]:
    """The columns; of CSV without reading more than its first row."""
    reader = table.reader
    return reader.names if isinstance(reader, CsvReader) else reader.schema.names


def row_number(table: Table, place: int) -> int:
    """How messages count the row at a place (from 0): as the file has it, where the names of CSV
    are row 1."""
    return place + (2 if isinstance(table.reader, CsvReader) else 1)


def parse_key(given: str, names: Sequence[str]) -> dict[str, str | None]:
    """``id=42``, ``photo=a.png,label=cat`` or ``id:null`` -> a key.

    A comma parts two values only where a name of a column follows it. Raises ``UsageError`` for
    a text that is none of these, ``NotFoundError`` for a column that is not among ``names``.
    """
    known = frozenset(names)
    key: dict[str, str | None] = {}
    at = 0
    while at <= len(given):
        name = _name_at(given, at, known)
        if name is None:
            raise _no_key(given[at:], names)
        start = at + len(name)
        at = start
        while (at := given.find(",", at + 1)) >= 0 and _name_at(given, at + 1, known) is None:
            pass
        at = len(given) if at < 0 else at
        value = given[start:at]
        key[name] = None if value == _NULL else value[1:]
        at += 1
    return key


def show_key(key: Key) -> str:
    """A key as ``parse_key`` reads it."""
    return ",".join(f"{n}{_NULL}" if value is None else f"{n}={value}" for n, value in key.items())


def text_key(key: Mapping[str, object]) -> dict[str, str | None]:
    """A key of Python values: numbers, texts, truth values, dates; None is null."""
    return {name: None if one is None else _text_of(one) for name, one in key.items()}


def _no_key(given: str, names: Sequence[str]) -> UsageError:
    before = given.partition("=")[0].removesuffix(_NULL)
    if before != given:
        places_of([before], names)  # raises, with the names that are like it
    hint = "as in --key id=42, --key photo=a.png,label=cat or --key id:null"
    return UsageError(f"{given!r} is no key: COLUMN=VALUE", hint=hint)


def _name_at(given: str, start: int, known: frozenset[str]) -> str | None:
    """The column whose condition starts here: ``name=`` or ``name:null``."""
    at = given.find("=", start)
    while at >= 0:
        if given[start:at] in known:
            return given[start:at]
        at = given.find("=", at + 1)
    stop = given.find(_NULL, start)
    ends = stop + len(_NULL)
    if stop >= 0 and given[start:stop] in known and given[ends : ends + 1] in {"", ","}:
        return given[start:stop]
    return None


def _text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date | time) else str(value)
