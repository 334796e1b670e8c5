"""Types by name, as Arrow writes them: ``int64``, ``timestamp[us, tz=UTC]``, ``list<item: int32>``.

Names of fields that would not be told from what is around them stand in quotes, as JSON has them:
``struct<"a, b": int8>``. An extension type goes by the type that it is stored as.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

import pyarrow as pa
from pyarrow import types

from oxcore.errors import InvalidError

_DEEPEST = 64
_SAFE = re.compile(r"[\w.\-]([\w.\- ]*[\w.\-])?")
_SIMPLE = {
    str(one): one
    for one in (
        *(pa.null(), pa.bool_(), pa.float16(), pa.float32(), pa.float64()),
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        *(pa.string(), pa.large_string(), pa.string_view()),
        *(pa.binary(), pa.large_binary(), pa.binary_view()),
        *(pa.date32(), pa.date64(), pa.month_day_nano_interval()),
        *(pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
        *(pa.duration(unit) for unit in ("s", "ms", "us", "ns")),
    )
}
_ALSO = {
    "float16": pa.float16(),
    "float32": pa.float32(),
    "float64": pa.float64(),
    "date32": pa.date32(),
    "date64": pa.date64(),
    "utf8": pa.string(),
    "boolean": pa.bool_(),
}
_DECIMALS = {
    "decimal32": pa.decimal32,
    "decimal64": pa.decimal64,
    "decimal128": pa.decimal128,
    "decimal256": pa.decimal256,
}
_LISTS: dict[str, Callable[[pa.Field], pa.DataType]] = {
    "list": pa.list_,
    "large_list": pa.large_list,
    "list_view": pa.list_view,
    "large_list_view": pa.large_list_view,
}
_FIXED = "fixed_size_list"
_UNIONS = {"sparse_union": pa.sparse_union, "dense_union": pa.dense_union}
_HINT = (
    "as in int64, double, string, bool, date32[day], timestamp[us, tz=UTC], decimal128(10, 2), "
    "list<item: int32>, struct<x: float, y: float>"
)


def type_name(type_: pa.DataType) -> str:
    """The name of a type; ``parse_type`` gives the type of it again."""
    if isinstance(type_, pa.BaseExtensionType):
        return type_name(type_.storage_type)
    for word, test in _KINDS:
        if test(type_):
            return _nested(word, type_)
    return str(type_)


def parse_type(text: str) -> pa.DataType:
    """The type of this name; ``InvalidError`` says where it makes no sense."""
    parser = _Parser(text)
    made = parser.type()
    parser.end()
    return made


def logical(type_: pa.DataType) -> pa.DataType:
    """What values a type holds, however they are laid out: without views, 64-bit offsets,
    dictionaries and runs; the fields in it may all be null, and items are called ``item``."""
    if isinstance(type_, pa.BaseExtensionType):
        return logical(type_.storage_type)
    if types.is_dictionary(type_) or types.is_run_end_encoded(type_):
        return logical(type_.value_type)
    if types.is_large_string(type_) or types.is_string_view(type_):
        return pa.string()
    if types.is_large_binary(type_) or types.is_binary_view(type_):
        return pa.binary()
    return _logical_nested(type_) if types.is_nested(type_) else type_


def _logical_nested(type_: pa.DataType) -> pa.DataType:
    if types.is_map(type_):
        key = logical(type_.key_type)
        key = type_.key_type if types.is_null(key) else key  # keys may not be null
        return pa.map_(key, logical(type_.item_type))
    if types.is_fixed_size_list(type_):
        return pa.list_(logical(type_.value_type), type_.list_size)
    if types.is_struct(type_):
        return pa.struct([(field.name, logical(field.type)) for field in type_])
    return type_ if types.is_union(type_) else pa.list_(logical(type_.value_type))


_KINDS: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
    ("map", types.is_map),
    ("fixed_size_list", types.is_fixed_size_list),
    ("list", types.is_list),
    ("large_list", types.is_large_list),
    ("list_view", types.is_list_view),
    ("large_list_view", types.is_large_list_view),
    ("struct", types.is_struct),
    ("dictionary", types.is_dictionary),
    ("run_end_encoded", types.is_run_end_encoded),
    ("sparse_union", lambda one: types.is_union(one) and one.mode == "sparse"),
    ("dense_union", lambda one: types.is_union(one) and one.mode == "dense"),
)


def _nested(word: str, type_: pa.DataType) -> str:
    if word == "map":
        last = ", keys_sorted" if type_.keys_sorted else ""
        return f"map<{type_name(type_.key_type)}, {type_name(type_.item_type)}{last}>"
    if word == "dictionary":
        values, indices = type_name(type_.value_type), type_name(type_.index_type)
        return f"dictionary<values={values}, indices={indices}, ordered={int(type_.ordered)}>"
    if word == "run_end_encoded":
        ends, values = type_name(type_.run_end_type), type_name(type_.value_type)
        return f"run_end_encoded<run_ends: {ends}, values: {values}>"
    if word in _UNIONS:
        pairs = zip(type_, type_.type_codes, strict=True)
        return f"{word}<{', '.join(f'{_field(field)}={code}' for field, code in pairs)}>"
    fields: Iterable[pa.Field] = type_ if word == "struct" else [type_.value_field]
    size = f"[{type_.list_size}]" if word == "fixed_size_list" else ""
    return f"{word}<{', '.join(map(_field, fields))}>{size}"


def _field(field: pa.Field) -> str:
    name = field.name if _SAFE.fullmatch(field.name) else json.dumps(field.name, ensure_ascii=False)
    return f"{name}: {type_name(field.type)}{'' if field.nullable else ' not null'}"


class _Parser:
    """Reads one name from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def type(self) -> pa.DataType:
        """The type whose name starts here."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong(f"types nest deeper than {_DEEPEST}")
        start = self._at
        word = self._match(r"[a-z][a-z0-9_]*") or ""
        made = self._made(word, start)
        self._depth -= 1
        return made

    def end(self) -> None:
        """Raise if something follows."""
        if self._at < len(self._text):
            raise self._wrong(f"{self._text[self._at :][:80]!r} does not belong to it")

    def _made(self, word: str, start: int) -> pa.DataType:
        if word in _DECIMALS:
            return self._decimal(word)
        if word == "fixed_size_binary":
            return pa.binary(self._number(r"\[(\d{1,9})\]"))
        if word == "timestamp":
            return self._timestamp()
        if self._take("<"):
            made = self._inner(word, start)
            self._need(">")
            return pa.list_(made, self._number(r"\[(\d{1,9})\]")) if word == _FIXED else made
        whole = word + (self._match(r"\[[a-z]*\]") or "")
        found = _SIMPLE.get(whole) or _ALSO.get(whole)
        if found is None:
            self._at = start
            raise self._wrong(f"no type is called {whole or self._text[start:]!r}")
        return found

    def _inner(self, word: str, start: int) -> pa.DataType | pa.Field:
        """What stands between the angles, as the type that ``word`` makes of it; the item of a
        list of fixed size, whose number comes behind."""
        if word == _FIXED:
            return self._one_field()
        if word in _LISTS:
            return _LISTS[word](self._one_field())
        if word in _UNIONS:
            fields, codes = self._fields(lambda: self._number(r"=(\d{1,3})"))
            return self._built(lambda: _UNIONS[word](fields, codes))
        known = {
            "struct": lambda: pa.struct(self._fields(lambda: None)[0]),
            "map": self._map,
            "dictionary": self._dictionary,
            "run_end_encoded": self._runs,
        }
        if word not in known:
            self._at = start
            raise self._wrong(f"no type is called {word!r}")
        return known[word]()

    def _one_field(self) -> pa.Field:
        """The item of a list; ``list<int32>`` is taken as well."""
        if re.compile(r'"|[^:<>,"\[(]*: ').match(self._text, self._at):
            return self._named()
        return pa.field("item", self.type())

    def _fields(self, after: Callable[[], int | None]) -> tuple[list[pa.Field], list[int]]:
        fields: list[pa.Field] = []
        codes: list[int] = []
        while self._text[self._at : self._at + 1] != ">":
            if fields:
                self._need(", ")
            fields.append(self._named())
            code = after()
            codes += [] if code is None else [code]
        return fields, codes

    def _named(self) -> pa.Field:
        name = self._name()
        self._need(": ")
        type_, nullable = self.type(), not self._take(" not null")
        return self._built(lambda: pa.field(name, type_, nullable=nullable))

    def _name(self) -> str:
        quoted = self._match(r'"([^"\\]|\\.)*"')
        if quoted is None:
            return self._match(r'[^:<>,"]*') or ""
        try:
            return str(json.loads(quoted))
        except ValueError:
            raise self._wrong(f"{quoted} is no name in quotes") from None

    def _map(self) -> pa.DataType:
        key = self.type()
        self._need(", ")
        item, ordered = self.type(), self._take(", keys_sorted")
        return self._built(lambda: pa.map_(key, item, keys_sorted=ordered))

    def _dictionary(self) -> pa.DataType:
        self._need("values=")
        values = self.type()
        self._need(", indices=")
        indices = self.type()
        ordered = self._number(r", ordered=([01])") == 1
        return self._built(lambda: pa.dictionary(indices, values, ordered=ordered))

    def _runs(self) -> pa.DataType:
        self._need("run_ends: ")
        ends = self.type()
        self._need(", values: ")
        values = self.type()
        return self._built(lambda: pa.run_end_encoded(ends, values))

    def _decimal(self, word: str) -> pa.DataType:
        found = re.compile(r"\((\d{1,3}),? ?(-?\d{1,3})\)").match(self._text, self._at)
        if found is None:
            raise self._wrong(f"{word} takes digits and those behind the point, as in (10, 2)")
        self._at = found.end()
        return self._built(lambda: _DECIMALS[word](int(found[1]), int(found[2])))

    def _timestamp(self) -> pa.DataType:
        found = re.compile(r"\[(s|ms|us|ns)(?:, ?(?:tz=)?([^\]]+))?\]").match(self._text, self._at)
        if found is None:
            raise self._wrong("a timestamp is in s, ms, us or ns, as in timestamp[us, tz=UTC]")
        self._at = found.end()
        return pa.timestamp(found[1], found[2])

    def _built(self, build: Callable[[], pa.DataType | pa.Field]) -> pa.DataType | pa.Field:
        try:
            return build()
        except (pa.ArrowException, ValueError, TypeError) as error:
            raise self._wrong(str(error)) from None

    def _number(self, pattern: str) -> int:
        found = re.compile(pattern).match(self._text, self._at)
        if found is None:
            raise self._wrong("a number is missing")
        self._at = found.end()
        return int(found[1])

    def _match(self, pattern: str) -> str | None:
        found = re.compile(pattern).match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found[0]

    def _take(self, text: str) -> bool:
        taken = self._text.startswith(text, self._at)
        self._at += len(text) if taken else 0
        return taken

    def _need(self, text: str) -> None:
        if not (self._take(text) or (text == ", " and self._take(","))):
            raise self._wrong(f"{text.strip()!r} is missing")

    def _wrong(self, why: str) -> InvalidError:
        where = f" at character {self._at + 1}" if self._at else ""
        return InvalidError(f"not a type: {self._text[:80]!r}{where}: {why}", hint=_HINT)
