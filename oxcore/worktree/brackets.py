"""Bracket expressions of git's globs, rewritten into the ones that pathspec reads as git does.

pathspec 1 takes POSIX classes (``[[:digit:]]``) and backslashes inside brackets literally; git
(``wildmatch.c``) does not. Here the set of bytes that git would accept is worked out and written
without either, so that every glob still goes through the library.
"""

from __future__ import annotations

import re

_CLASSES: dict[bytes, frozenset[int]] = {
    name: frozenset(i for i in range(128) if re.fullmatch(expression, chr(i)))
    for name, expression in {
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
    }.items()
}
# No path that is matched holds a newline (``ignore`` sees to it), and no line of an ignore file
# does: it can stand first in a set, so that what follows has no special meaning there.
_FILLER = b"\n"
_PLAIN = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def plain_brackets(glob: bytes) -> bytes:
    """The glob with plain sets only; ``ValueError`` if git would let it match nothing."""
    out = bytearray()
    i = 0
    if glob.startswith(b"\\/"):
        raise ValueError("a guarded '/' in front is part of the name, and no name has one")
    while i < len(glob):
        if glob[i] == 0x5C:  # a backslash and what it guards
            out += _guarded(_at(glob, i + 1))
            i += 2
        elif glob[i] == 0x5B:
            accepted, i = _parse_set(glob, i + 1)
            out += _write_set(accepted)
        else:
            out += glob[i : i + 1]
            i += 1
    plain = _keep_last_space(bytes(out))
    # A '/' in a set matches nothing, but it ties the glob to its folder like any other.
    return b"/" + plain if b"/" in glob and b"/" not in plain else plain


def _at(glob: bytes, i: int) -> int:
    if i >= len(glob):
        raise ValueError("the glob ends within a bracket, or after a backslash")
    return glob[i]


def _guarded(byte: int) -> bytes:
    """A byte that stands for itself; '/' separates even then."""
    return b"/" if byte == 0x2F else b"\\%c" % byte


def _keep_last_space(glob: bytes) -> bytes:
    """The library trims white space at the end; git only unguarded spaces, gone by now."""
    if not glob[-1:].decode("latin-1").isspace():  # as the library sees it
        return glob
    body, last = glob[:-1], glob[-1]
    slashes = len(body) - len(body.rstrip(b"\\"))
    return (body[:-1] if slashes % 2 else body) + _write_set(frozenset({last}))


def _parse_set(glob: bytes, i: int) -> tuple[frozenset[int], int]:
    """The bytes that the bracket expression with its inside at ``i`` accepts, and its end."""
    negated = glob[i : i + 1] in (b"!", b"^")
    i += negated
    accepted: set[int] = set()
    first, low = True, -1
    while first or _at(glob, i) != 0x5D:
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
    is_range = _at(glob, i) == 0x2D and low >= 0 and _at(glob, i + 1) != 0x5D
    i += is_range
    i += _at(glob, i) == 0x5C
    byte = _at(glob, i)
    if is_range:
        return frozenset(range(low, byte + 1)), -1, i + 1
    return frozenset({byte}), byte, i + 1


def _parse_class(glob: bytes, i: int) -> tuple[frozenset[int], int] | None:
    """The bytes of a class like ``[:digit:]`` and its end; None if it is no class after all."""
    end = glob.find(b"]", i + 2)
    if end >= 0 and (end - 1 < i + 2 or glob[end - 1] != 0x3A):
        return None
    members = _CLASSES.get(glob[i + 2 : end - 1])
    if end < 0 or members is None:
        raise ValueError("an unclosed or unknown class of characters")
    return members, end + 1


def _write_set(accepted: frozenset[int]) -> bytes:
    """A bracket expression for exactly these bytes, in the part of the syntax all agree on."""
    lead = b"]" if 0x5D in accepted else _FILLER
    runs = bytearray()
    members = sorted(accepted - {0x5D, 0x2D})
    start = 0
    for place, byte in enumerate(members):
        last = place + 1 == len(members)
        if last or members[place + 1] != byte + 1 or not {byte, byte + 1} <= _PLAIN | _HIGH:
            runs += _run(members[start], byte)
            start = place + 1
    return b"[" + lead + bytes(runs) + (b"-" if 0x2D in accepted else b"") + b"]"


_HIGH = frozenset(range(128, 256))


def _run(first: int, last: int) -> bytes:
    return b"%c" % first if first == last else b"%c-%c" % (first, last)
