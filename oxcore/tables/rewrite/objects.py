"""One JSON object as text: its members taken apart and put together, each byte of it kept."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

BLANK = re.compile(r"[ \t\r\n]*")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")
decode = json.JSONDecoder().raw_decode


class Member(NamedTuple):
    """``pre`` and ``post``: what is blank around it; ``middle``: the colon and what is around it.

    ``text``: the value.
    """

    pre: str
    key: str
    middle: str
    text: str
    post: str = ""

    @property
    def name(self) -> str:
        """The name that the key spells."""
        found: str = json.loads(self.key)
        return found


class Style(NamedTuple):
    """How a file writes its objects: what is blank before a member that is not the first, the
    colon, what is blank inside of the brackets, and whether characters are escaped."""

    pre: str = ""
    middle: str = ":"
    first: str = ""
    last: str = ""
    escaped: bool = False

    def json(self, value: object) -> str:
        """A value; on one line, whatever the objects are."""
        pre = " " if self.pre else ""
        middle = ": " if self.middle.endswith(" ") else ":"
        return json.dumps(value, ensure_ascii=self.escaped, separators=("," + pre, middle))

    def added(self, members: Sequence[Member], key: str, text: str) -> list[Member]:
        """The members with one more at the end."""
        if not members:
            return [Member(self.first, key, self.middle, text, self.last)]
        last = members[-1]
        pre = last.pre if len(members) > 1 else self.pre
        before = last._replace(post=members[0].post if len(members) > 1 else "")
        return [*members[:-1], before, Member(pre, key, last.middle, text, last.post)]


def style_of(texts: Sequence[str]) -> Style:
    """The style of objects that are written alike; the first of two members shows it."""
    every = "".join(texts)
    escaped = every.isascii() and "\\u" in every
    known = [parted(text) for text in texts]
    shown = next((one for one in known if len(one) > 1), next(filter(None, known), []))
    if not shown:
        return Style(escaped=escaped)
    middle = shown[0].middle
    pre = shown[1].pre if len(shown) > 1 else " " if middle.endswith(" ") else ""
    return Style(pre, middle, shown[0].pre, shown[-1].post, escaped)


def parted(text: str) -> list[Member]:
    """The members of an object, which ``text`` is from bracket to bracket.

    ``ValueError`` or ``RecursionError`` if it is none.
    """
    members: list[Member] = []
    at = 1
    while True:
        start, at = at, _behind(text, at)
        if not members and text[at : at + 1] == "}":
            return members
        key_at, (name, at) = at, decode(text, at)
        colon = _COLON.match(text, at)
        if colon is None or not isinstance(name, str):
            raise ValueError("a member without a colon")
        _, end = decode(text, colon.end())
        after = _behind(text, end)
        key, value = text[key_at:at], text[colon.end() : end]
        members.append(Member(text[start:key_at], key, colon.group(), value, text[end:after]))
        if text[after : after + 1] != ",":
            return members
        at = after + 1


def joined(members: Sequence[Member]) -> str:
    """The object of these members."""
    return "{" + ",".join(map("".join, members)) + "}"


def without(members: Sequence[Member], names: set[str]) -> list[Member]:
    """The members but for some; what is blank inside of the brackets stays."""
    kept = [member for member in members if member.name not in names]
    if kept:
        kept[0] = kept[0]._replace(pre=members[0].pre)
        kept[-1] = kept[-1]._replace(post=members[-1].post)
    return kept


def _behind(text: str, at: int) -> int:
    found = BLANK.match(text, at)
    return found.end() if found else at
