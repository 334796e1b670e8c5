"""What must not be kept is taken out before anything is written down.

All is looked at as the JSON or the text that it would be kept as: objects as their fields, bytes
and files that are text as that text, JSON or a form within a text as what it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode

from oxcore.capturing.detach import Blob
from oxcore.errors import InvalidError

Rule = str | re.Pattern[str] | Callable[[object], object]
"""A name of keys, a pattern in text, or a function from the input to what may be kept of it."""

MARK = "[redacted]"
_DEEPEST = 64
_FORM = re.compile(r"[^\s=&]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*")
_FIELDS = ("error", "session_id", "group_key", "tags", "scores")
WALKED = ("params", "output", *_FIELDS)
"""The fields of a record that are looked at; a model has a name that is nobody's."""

Done = dict[str, None]  # what was found where, in order


class Redactor:
    """Applies rules. ``InvalidError`` for a rule that is none. What a rule of the user raises is
    raised; what is handed over stays as it is."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._keys = frozenset(rule.lower() for rule in rules if isinstance(rule, str))
        self._patterns = [rule for rule in rules if isinstance(rule, re.Pattern)]
        self._functions = [
            rule for rule in rules if callable(rule) and not isinstance(rule, str | re.Pattern)
        ]
        names = sum(isinstance(rule, str) for rule in rules)
        if names + len(self._patterns) + len(self._functions) != len(rules):
            raise InvalidError(
                "a rule of redaction is a name, a compiled pattern of text, or a function"
            )

    def called(self, value: object, done: Done) -> object:
        """What the functions leave of an input."""
        for function in self._functions:
            value = function(value)
            done[f"function {getattr(function, '__name__', 'unnamed')}"] = None
        return value

    def blob(self, blob: Blob, done: Done) -> Blob:
        """An input without what names and patterns find; as it is where it is no text."""
        if blob.pixels is not None:
            return blob
        try:
            text = blob.data.decode()
        except UnicodeDecodeError:
            return blob
        found: Done = {}
        left = self._text(text, "input", found, _DEEPEST)
        done.update(found)
        return blob._replace(data=left.encode("utf-8", "backslashreplace")) if found else blob

    def fields(self, told: Mapping[str, object], done: Done) -> dict[str, object]:
        """Those of ``WALKED``, which are of JSON's types."""
        left: dict[str, object] = {}
        for name, value in told.items():
            if name in _FIELDS and name in self._keys:
                done[name] = None
                left[name] = None
            else:
                left[name] = self.walk(value, name, done)
        return left

    def walk(self, value: object, where: str, done: Done, depth: int = _DEEPEST) -> object:
        """A value of JSON's types; what is nested deeper than anything sane goes as a whole."""
        if isinstance(value, str):
            return self._text(value, where, done, depth)
        if not isinstance(value, dict | list):
            return value
        if not depth:
            done[where] = None
            return MARK
        if isinstance(value, list):
            return [self.walk(one, f"{where}[]", done, depth - 1) for one in value]
        left: dict[str, object] = {}
        for key, one in value.items():
            name = self._plain(key, where, done)
            left[name] = self._member(name, one, f"{where}.{name}", done, depth)
        return left

    def _member(self, key: str, value: object, where: str, done: Done, depth: int) -> object:
        if key.lower() in self._keys:
            done[where] = None
            return MARK
        return self.walk(value, where, done, depth - 1)

    def _text(self, text: str, where: str, done: Done, depth: int) -> str:
        found: Done = {}
        if depth and text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
            with suppress(ValueError):
                left = self.walk(json.loads(text.lstrip("\ufeff")), where, found, depth - 1)
                done.update(found)
                return _json(left) if found else text
        if self._keys and _FORM.fullmatch(text):
            pairs = parse_qsl(text, keep_blank_values=True, errors="backslashreplace")
            told = [(k, self._member(k, v, f"{where}.{k}", found, 1)) for k, v in pairs]
            done.update(found)
            return urlencode(told) if found else self._plain(text, where, done)
        return self._plain(text, where, done)

    def _plain(self, text: str, where: str, done: Done) -> str:
        for pattern in self._patterns:
            text, count = pattern.subn(MARK, text)
            if count:
                done[f"{where} /{pattern.pattern}/"] = None
        return text


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
