"""Text compared line by line, as a unified diff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

CONTEXT = 3  # lines round each change


class Hunk(NamedTuple):
    """A run of lines: each starts with ' ' (both have it), '-' (old) or '+' (new). Lines count
    from 1; a side without lines starts at the line before, as in POSIX diff -u."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    lines: tuple[str, ...]

    @property
    def head(self) -> str:
        """``@@ -1,3 +1,4 @@``."""
        old = _span(self.old_start, self.old_count)
        return f"@@ -{old} +{_span(self.new_start, self.new_count)} @@"


class TextDiff(NamedTuple):
    """Lines ``added`` and ``removed``, and the ``hunks`` that hold them."""

    added: int
    removed: int
    hunks: tuple[Hunk, ...]


def compare(old: bytes, new: bytes) -> TextDiff:
    r"""The unified diff of two texts; bytes that are not UTF-8 become surrogates.

    A last line without a line break is followed by the line ``\ No newline at end of file``.
    """
    a, b = split(old), split(new)
    hunks = tuple(_hunks(a, b))
    every = [line[0] for hunk in hunks for line in hunk.lines]
    return TextDiff(every.count("+"), every.count("-"), hunks)


def split(data: bytes) -> list[str]:
    """The lines of a text, each with its line break."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _hunks(a: Sequence[str], b: Sequence[str]) -> list[Hunk]:
    from difflib import SequenceMatcher

    start, end = _alike(a, b)
    middle = a[start : len(a) - end], b[start : len(b) - end]
    matcher = SequenceMatcher(None, *middle)
    return [
        _hunk(group, *middle, start)
        for group in matcher.get_grouped_opcodes(CONTEXT)
        if any(code[0] != "equal" for code in group)
    ]


def _alike(a: Sequence[str], b: Sequence[str]) -> tuple[int, int]:
    """How many lines at the start and at the end both have, less the context.

    The search is quadratic in what differs, so it is spared what does not.
    """
    least = min(len(a), len(b))
    start = 0
    while start < least and a[start] == b[start]:
        start += 1
    end = 0
    while end < least - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return max(0, start - CONTEXT), max(0, end - CONTEXT)


_Code = tuple[str, int, int, int, int]


def _hunk(group: Sequence[_Code], a: Sequence[str], b: Sequence[str], offset: int) -> Hunk:
    lines: list[str] = []
    for what, a_from, a_to, b_from, b_to in group:
        if what == "equal":
            lines += _marked(" ", a[a_from:a_to])
        else:
            lines += _marked("-", a[a_from:a_to]) + _marked("+", b[b_from:b_to])
    olds, news = group[-1][2] - group[0][1], group[-1][4] - group[0][3]
    return Hunk(
        group[0][1] + offset + (olds > 0),
        olds,
        group[0][3] + offset + (news > 0),
        news,
        tuple(lines),
    )


def _marked(mark: str, lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        found.append(mark + line.removesuffix("\n"))
        if not line.endswith("\n"):
            found.append("\\ No newline at end of file")
    return found


def _span(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"
