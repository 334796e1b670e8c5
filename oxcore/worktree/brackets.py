"""Bracket expressions of git's globs (``wildmatch.c``): the set of bytes that each accepts."""

from __future__ import annotations

import re

_CLASSES = {
    b"alnum": "[0-9A-Za-z]",
    b"alpha": "[A-Za-z]",
    b"blank": "[ \t]",
    b"cntrl": "[\0-\x1f\x7f]",
    b"digit": "[0-9]",
    b"graph": "[!-~]",
    b"lower": "[a-z]",
    b"print": "[ -~]",
    b"punct": r"[!-/:-@\[-`{-~]",
    b"space": "[ \t\n\r\f\v]",
    b"upper": "[A-Z]",
    b"xdigit": "[0-9A-Fa-f]",
}


def byte_at(glob: bytes, i: int) -> int:
    """``glob[i]``; ``ValueError`` where the glob ends too early: git lets it match nothing."""
    if i >= len(glob):
        raise ValueError("the glob ends within a bracket, or after a backslash")
    return glob[i]


def parse_set(glob: bytes, i: int) -> tuple[frozenset[int], int]:
    """The bytes that the bracket expression with its inside at ``i`` accepts, and its end.

    '/' is never among them. ``ValueError`` if git would let the glob match nothing.
    """
    negated = glob[i : i + 1] in (b"!", b"^")
    i += negated
    accepted: set[int] = set()
    first, low = True, -1
    while first or byte_at(glob, i) != 0x5D:
        first = False
        known = _parse_class(glob, i) if glob[i : i + 2] == b"[:" else None
        if known is None:
            members, low, i = _parse_member(glob, i, low)
        else:
            members, low, i = known[0], -1, known[1]
        accepted |= members
    result = frozenset(range(1, 256)) - accepted if negated else frozenset(accepted)
    return result - {0x2F}, i + 1


def _parse_member(glob: bytes, i: int, low: int) -> tuple[frozenset[int], int, int]:
    """One byte, or the rest of a range from ``low`` (-1: none): bytes, new low, next place."""
    is_range = byte_at(glob, i) == 0x2D and low >= 0 and byte_at(glob, i + 1) != 0x5D
    i += is_range
    i += byte_at(glob, i) == 0x5C
    byte = byte_at(glob, i)
    if is_range:
        return frozenset(range(low, byte + 1)), -1, i + 1
    return frozenset({byte}), byte, i + 1


def _parse_class(glob: bytes, i: int) -> tuple[frozenset[int], int] | None:
    """The bytes of a class like ``[:digit:]`` and its end; None if it is no class after all."""
    end = glob.find(b"]", i + 2)
    if end >= 0 and (end - 1 < i + 2 or glob[end - 1] != 0x3A):
        return None
    expression = _CLASSES.get(glob[i + 2 : end - 1])
    if end < 0 or expression is None:
        raise ValueError("an unclosed or unknown class of characters")
    return frozenset(i for i in range(128) if re.fullmatch(expression, chr(i))), end + 1
