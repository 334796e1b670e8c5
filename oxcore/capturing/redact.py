"""What must not be kept is taken out before anything is written down."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from oxcore.capturing.detach import Held
from oxcore.errors import InvalidError

Rule = str | re.Pattern[str] | Callable[[object], object]
"""A name of keys, a pattern in text, or a function from the input to what may be kept of it."""

MARK = "[redacted]"
_DEEPEST = 64


class Redacted(NamedTuple):
    """The same three, without what the rules name; ``done`` says which of them found something."""

    value: object
    params: object
    output: object
    done: list[str]


class Redactor:
    """Applies rules. ``InvalidError`` for a rule that is none."""

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

    def __call__(self, value: object, params: object, output: object) -> Redacted:
        """Copies without what the rules name; what is handed over stays as it is. What a rule of
        the user raises is raised."""
        done: dict[str, None] = {}
        if not isinstance(value, Held):  # which was redacted when it was taken
            for function in self._functions:
                value = function(value)
                done[f"function {getattr(function, '__name__', 'unnamed')}"] = None
            value = self._walk(value, "input", done, _DEEPEST)
        params = self._walk(params, "params", done, _DEEPEST)
        output = self._walk(output, "output", done, _DEEPEST)
        return Redacted(value, params, output, list(done))

    def _walk(self, value: object, where: str, done: dict[str, None], depth: int) -> object:
        if isinstance(value, str):
            return self._text(value, where, done)
        if not depth:
            return value
        if isinstance(value, Mapping):
            return {
                key: self._member(key, one, f"{where}.{key}", done, depth)
                for key, one in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._walk(one, f"{where}[]", done, depth - 1) for one in value]
        return value

    def _member(
        self, key: object, value: object, where: str, done: dict[str, None], depth: int
    ) -> object:
        if isinstance(key, str) and key.lower() in self._keys:
            done[where] = None
            return MARK
        return self._walk(value, where, done, depth - 1)

    def _text(self, text: str, where: str, done: dict[str, None]) -> str:
        for pattern in self._patterns:
            text, count = pattern.subn(MARK, text)
            if count:
                done[f"{where} /{pattern.pattern}/"] = None
        return text
