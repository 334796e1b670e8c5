"""Records of JSON with new values: only what is replaced changes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pyarrow as pa
from pyarrow import types

from oxcore.errors import InvalidError, UsageError
from oxcore.tables.reading import JSON_TEXT
from oxcore.tables.rewrite.edits import ABSENT, Edits, Layout, Raw
from oxcore.tables.rewrite.objects import Member, joined, parted, style_of, without
from oxcore.tables.rewrite.texts import plainly, wrong_value
from oxcore.tables.shape import to_json
from oxcore.tables.source import Source


class Records:
    """How records change; ``shown`` are the first ones, whose style new ones get.

    Where each of them has every column, a new one has it too, if only with a null.
    """

    def __init__(
        self, source: Source, schema: pa.Schema, edits: Edits, shown: Sequence[str]
    ) -> None:
        self.layout = layout = Layout(schema.names, edits)
        self.style = style_of(shown)
        self._source, self._schema = source, schema
        self._dropped = set(edits.dropped)
        self._renamed = {layout.old[place]: name for place, name in layout.renamed.items()}
        kept = len(layout.kept)
        self._full = all({one.name for one in parted(text)} >= set(layout.old) for text in shown)
        self._defaults = {
            place: self._text(place, value)
            for place, (_, _, value) in enumerate(edits.added, kept)
            if value is not ABSENT
        }
        self.every = bool(edits.dropped or self._defaults or layout.renamed)

    def changed(self, row: int, text: str, cells: Mapping[int, object]) -> str:
        """A record, from bracket to bracket, with new values by the place of their column."""
        try:
            old = parted(text)
        except (ValueError, RecursionError) as error:
            raise self._source.broken(f"not JSON: {error}", row=row + 1) from None
        members = self._renamed_in(without(old, self._dropped))
        new = self._defaults | {at: self._text(at, value, row) for at, value in cells.items()}
        names = [member.name for member in members] if new else []
        for place, value in new.items():
            name = self.layout.names[place]
            if name in names:
                at = len(names) - 1 - names[::-1].index(name)  # of two, the last counts
                members[at] = members[at]._replace(text=value)
            else:
                members = self.style.added(members, self.style.json(name), value)
        return text if members == old else joined(members)

    def made(self, values: Mapping[int, object]) -> str:
        """A new record."""
        new = self._defaults | {at: self._text(at, value) for at, value in values.items()}
        if self._full:
            new = dict.fromkeys(range(len(self.layout.kept)), "null") | new
        members: list[Member] = []
        for place in sorted(new):
            key = self.style.json(self.layout.names[place])
            members = self.style.added(members, key, new[place])
        return joined(members)

    def _renamed_in(self, members: list[Member]) -> list[Member]:
        if not self._renamed:
            return members
        new = [self._renamed.get(member.name, member.name) for member in members]
        return [
            member if member.name == name else member._replace(key=self.style.json(name))
            for member, name in zip(members, new, strict=True)
        ]

    def _text(self, place: int, value: object, row: int | None = None) -> str:
        """A value as JSON."""
        if isinstance(value, Raw):
            return _raw(value)
        try:
            made = _jsonly(value, self._field(place))
            to_json(made).encode()
        except (InvalidError, UnicodeEncodeError) as error:
            number = None if row is None else row + 1
            raise wrong_value(self._source, error, number, self.layout.names[place]) from None
        return self.style.json(made)

    def _field(self, place: int) -> pa.Field | None:
        kept = self.layout.kept
        return self._schema.field(kept[place]) if place < len(kept) else None


def _raw(value: Raw) -> str:
    try:
        json.loads(value.text)
    except (ValueError, RecursionError):
        raise UsageError(f"{value.text!r} is no JSON") from None
    return value.text.strip()


def _jsonly(value: object, field: pa.Field | None) -> object:
    """The value as ``json`` writes it; a column that reads as JSON text takes such text."""
    if isinstance(value, pa.Scalar):
        exact = types.is_decimal(value.type) or types.is_nested(value.type)
        value = value.as_py() if exact else plainly(value)
    if isinstance(value, Decimal) and value.is_finite() and value == int(value):
        return int(value)
    if field is None:
        return plainly(value)
    if isinstance(value, str) and (field.metadata or {}).items() >= JSON_TEXT.items():
        return _parsed(value)
    if isinstance(value, (list, tuple)) and types.is_list(field.type):
        return [_jsonly(one, field.type.value_field) for one in value]
    if isinstance(value, dict) and types.is_struct(field.type):
        inner = {one.name: one for one in field.type}
        return {name: _jsonly(one, inner.get(name)) for name, one in value.items()}
    return plainly(value)


def _parsed(text: str) -> object:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found
