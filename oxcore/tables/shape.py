"""The type of a column of JSON, from all of its values.

Where values of several kinds meet that no type holds without loss, the column is text whose values
are JSON (``reading.JSON_TEXT`` in its metadata): ``1`` and ``"1"`` stay apart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import Self

import pyarrow as pa

from oxcore.tables.infer import SAFE
from oxcore.tables.reading import JSON_TEXT

DEEPEST = 60  # lists and objects in each other: Arrow hands on no more than 64
_FIELDS = 1000  # of an object; more, and its names are data
_WORDS: dict[type, str] = {
    bool: "bool",
    float: "real",
    str: "text",
    list: "list",
    dict: "object",
}
_PLAIN = {"bool": pa.bool_(), "real": pa.float64(), "text": pa.string()}


class TooDeep(Exception):
    """Lists and objects stand in each other deeper than Arrow's types may."""


def levels_of(value: object) -> int:
    """How deep lists and objects stand in each other: 0 for none."""
    level, inner = 0, [value]
    while within := [one for one in inner if isinstance(one, list | dict)]:
        level += 1
        inner = []
        for one in within:
            inner += one.values() if isinstance(one, dict) else one
    return level


@dataclass(slots=True)
class Shape:
    """What values a column holds: ``kinds`` among bool, int, long, huge, beyond, real, text, list
    and object; ``item`` of its lists, ``fields`` of its objects."""

    kinds: set[str] = field(default_factory=set)
    item: Shape | None = None
    fields: dict[str, Shape] = field(default_factory=dict)

    def look(self, values: Sequence[object], levels: int = DEEPEST) -> None:
        """Learn of more values, as ``json`` gives them; ``TooDeep`` if lists and objects stand
        in each other more than ``levels`` deep."""
        types = set(map(type, values)) - {type(None)}
        if int in types:
            self._look_at_integers([value for value in values if type(value) is int])
        self.kinds |= {_WORDS[kind] for kind in types if kind is not int}
        if levels == 0 and types & {list, dict}:
            raise TooDeep
        if list in types:
            self.item = self.item or Shape()
            inner = list(chain.from_iterable(v for v in values if isinstance(v, list)))
            self.item.look(inner, levels - 1)
        if dict in types:
            self._look_at_objects([value for value in values if isinstance(value, dict)], levels)

    def _look_at_integers(self, values: Sequence[int]) -> None:
        low, high = min(values), max(values)
        for number in (low, high):
            size = abs(number)
            inside = -(1 << 63) <= number < 1 << 63
            wide = "long" if inside else "huge" if size < 10**38 else "beyond"
            self.kinds.add("int" if size <= SAFE else wide)

    def _look_at_objects(self, values: Sequence[dict[str, object]], levels: int) -> None:
        for name in dict.fromkeys(chain.from_iterable(values)):
            self.fields.setdefault(name, Shape()).look(
                [v[name] for v in values if name in v], levels - 1
            )
            if len(self.fields) > _FIELDS:
                return

    def joined(self, other: Shape) -> Shape:
        """The shape of the values of both."""
        items = [shape.item for shape in (self, other) if shape.item is not None]
        made = Shape(self.kinds | other.kinds, items[0] if items else None, dict(self.fields))
        if len(items) > 1:
            made.item = items[0].joined(items[1])
        for name, shape in other.fields.items():
            own = made.fields.get(name)
            made.fields[name] = shape if own is None else own.joined(shape)
        return made

    @property
    def mixed(self) -> bool:
        """Whether no type holds all values, so that they stay JSON."""
        numbers = {"int", "long", "huge", "beyond", "real"}
        kinds = self.kinds
        if kinds <= numbers:
            return "beyond" in kinds or ("real" in kinds and not kinds <= {"int", "real"})
        if kinds == {"object"}:
            return not 0 < len(self.fields) <= _FIELDS
        return len(kinds) > 1

    @property
    def type(self) -> pa.DataType:
        """The Arrow type."""
        kinds = self.kinds
        if self.mixed or not kinds:
            return pa.string()
        if self.item is not None:
            return pa.list_(pa.field("item", self.item.type, metadata=self.item.metadata))
        if self.fields:
            return pa.struct([shape.field(name) for name, shape in self.fields.items()])
        if "real" in kinds:
            return pa.float64()
        if kinds <= {"int", "long"}:
            return pa.int64()
        return pa.decimal128(38, 0) if kinds <= {"int", "long", "huge"} else _PLAIN[min(kinds)]

    @property
    def metadata(self) -> dict[bytes, bytes] | None:
        """What says that the text is JSON."""
        return JSON_TEXT if self.mixed else None

    def field(self, name: str) -> pa.Field:
        """The column as a part of a schema."""
        return pa.field(name, self.type, metadata=self.metadata)

    def plain(self) -> list[object]:
        """The shape in lists, texts and null, as ``of`` takes it."""
        inner = None if self.item is None else self.item.plain()
        fields = [[name, shape.plain()] for name, shape in self.fields.items()]
        return [sorted(self.kinds), inner, fields]

    @classmethod
    def of(cls, plain: object) -> Self:
        """What ``plain`` was made of; ``ValueError`` or ``TypeError`` for anything else."""
        if not isinstance(plain, list):
            raise TypeError("no shape")
        kinds, inner, fields = plain
        item = None if inner is None else cls.of(inner)
        return cls(set(kinds), item, {name: cls.of(shape) for name, shape in fields})

    def values(self, values: Sequence[object]) -> Sequence[object]:
        """The values as ``pa.array`` takes them for ``type``."""
        if self.mixed:
            return [None if value is None else to_json(value) for value in values]
        if "huge" in self.kinds:
            return [None if value is None else Decimal(str(value)) for value in values]
        if self.item is not None and self.item.converts:
            item = self.item
            return [item.values(v) if isinstance(v, list) else None for v in values]
        if self.fields and self.converts:
            return [self._object(v) if isinstance(v, dict) else None for v in values]
        return values

    @property
    def converts(self) -> bool:
        """Whether some value within is not taken as it is."""
        if self.mixed or "huge" in self.kinds:
            return True
        inner = [*self.fields.values(), *([self.item] if self.item else [])]
        return any(shape.converts for shape in inner)

    def _object(self, value: dict[str, object]) -> dict[str, object]:
        return {name: self.fields[name].values([inner])[0] for name, inner in value.items()}


def to_json(value: object) -> str:
    """A value as JSON text on one line, characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
