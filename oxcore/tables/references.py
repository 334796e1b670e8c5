"""Files in a query: ``'labels.csv'`` and ``'labels.csv'@'main~3'``, where SQL has a table.

A text is a file after FROM and JOIN, after a comma between tables, and wherever ``@`` and another
text follow it. FROM is no such place in ``IS DISTINCT FROM``, ``extract(... FROM ...)`` and such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
      (?P<blank>\s+ | --[^\n]* | /\*.*?\*/)
    | (?P<text>'(?:[^']|'')*')
    | (?P<other>[eE]'(?:[^'\\]|\\.|'')*' | \$(?P<mark>\w*)\$.*?\$(?P=mark)\$ | "(?:[^"]|"")*")
    | (?P<word>[^\W\d][\w$]*)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ENDS = {
    *("where", "group", "order", "having", "limit", "offset", "union", "except", "intersect"),
    *("select", "on", "using", "window", "qualify"),
}
_CALLS = {"extract", "trim", "substring", "overlay", "position"}


class Reference(NamedTuple):
    """A file that a query names from ``start`` up to ``end`` of its text; ``rev`` None: none."""

    start: int
    end: int
    file: str
    rev: str | None

    @property
    def name(self) -> str:
        """What messages and SQL call it: FILE, or FILE@REV."""
        return self.file if self.rev is None else f"{self.file}@{self.rev}"


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class _Place:
    """Where in a query we are: what each open bracket belongs to, and whether tables come here."""

    calls: list[bool] = field(default_factory=lambda: [False])
    tables: list[bool] = field(default_factory=lambda: [False])
    before: tuple[str, str] = ("", "")

    def follow(self, token: _Token) -> None:
        """Go past a token."""
        word = token.text.lower() if token.kind == "word" else token.text
        if word == "(":
            self.calls.append(self.before[1] in _CALLS)
            self.tables.append(False)
        elif word == ")" and len(self.calls) > 1:
            self.calls.pop()
            self.tables.pop()
        elif word in {"from", "join"}:
            distinct = self.before[1] == "distinct" and self.before[0] in {"is", "not"}
            self.tables[-1] = not (distinct or self.calls[-1])
        elif word in _ENDS:
            self.tables[-1] = False
        self.before = (self.before[1], word)

    def takes_table(self) -> bool:
        """Whether a table may stand here."""
        return self.tables[-1] and self.before[1] in {"from", "join", ","}


def references(sql: str) -> list[Reference]:
    """The files that a query names, in its order."""
    tokens = [token for token in _tokens(sql) if token.kind != "blank"]
    place, found, at = _Place(), [], 0
    while at < len(tokens):
        token = tokens[at]
        versioned = [
            one.text if one.kind == "sign" else one.kind for one in tokens[at + 1 : at + 3]
        ]
        if token.kind == "text" and versioned == ["@", "text"]:
            last = tokens[at + 2]
            found.append(Reference(token.start, last.end, _value(token.text), _value(last.text)))
            at += 2
        elif token.kind == "text" and place.takes_table():
            found.append(Reference(token.start, token.end, _value(token.text), None))
        place.follow(token)
        at += 1
    return found


def replaced(sql: str, names: Mapping[Reference, str]) -> str:
    """The query with each file replaced by a quoted name, padded so that nothing after it moves."""
    parts, at = [], 0
    for reference, name in sorted(names.items()):
        quoted = '"' + name.replace('"', '""') + '"'
        parts += [sql[at : reference.start], quoted.ljust(reference.end - reference.start)]
        at = reference.end
    return "".join([*parts, sql[at:]])


def _tokens(sql: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup or "sign"
        yield _Token("other" if kind == "mark" else kind, match[0], match.start(), match.end())


def _value(text: str) -> str:
    return text[1:-1].replace("''", "'")
