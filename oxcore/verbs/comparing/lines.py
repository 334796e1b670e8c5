"""Text compared line by line, as a unified diff."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

CONTEXT = 3  # lines round each change
_THOROUGH = 10_000_000  # pairs of lines up to which all are compared

_Run = tuple[int, int, int]


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


class _Gap(NamedTuple):
    a_from: int
    a_to: int
    b_from: int
    b_to: int


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


def _hunks(a: Sequence[str], b: Sequence[str]) -> Iterator[Hunk]:
    group: list[_Gap] = []
    for gap in _gaps(a, b):
        if group and gap.a_from - group[-1].a_to > 2 * CONTEXT:
            yield _hunk(group, a, b)
            group = []
        group.append(gap)
    if group:
        yield _hunk(group, a, b)


def _gaps(a: Sequence[str], b: Sequence[str]) -> Iterator[_Gap]:
    """Where the lines differ, between the runs that are the same."""
    i = j = 0
    for x, y, size in [*_same(a, b), (len(a), len(b), 0)]:
        if x > i or y > j:
            yield _Gap(i, x, j, y)
        i, j = x + size, y + size


def _same(a: Sequence[str], b: Sequence[str]) -> list[_Run]:
    """Runs of lines that both have, ascending: start in ``a``, start in ``b``, length."""
    start, end = _alike(a, b)
    middle = a[start : len(a) - end], b[start : len(b) - end]
    inside = _search(*middle) if middle[0] and middle[1] else []
    runs = [(x + start, y + start, size) for x, y, size in inside]
    return [(0, 0, start), *runs, (len(a) - end, len(b) - end, end)]


def _search(a: Sequence[str], b: Sequence[str]) -> Iterable[_Run]:
    """The same, by a thorough search where it is not too long."""
    from difflib import SequenceMatcher

    if len(a) * len(b) <= _THOROUGH:
        return SequenceMatcher(None, a, b).get_matching_blocks()
    return _between(a, b, _anchors(a, b))


def _between(a: Sequence[str], b: Sequence[str], anchors: Sequence[tuple[int, int]]) -> list[_Run]:
    """The runs from anchor to anchor; none at all without one."""
    runs: list[_Run] = []
    i = j = 0
    for x, y in [*anchors, (len(a), len(b))] if anchors else ():
        runs += [(i + u, j + v, size) for u, v, size in _same(a[i:x], b[j:y])]
        runs.append((x, y, 1 if x < len(a) else 0))
        i, j = x + 1, y + 1
    return runs


def _anchors(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Lines that each side has just once, as many as come in the same order in both.

    Patience diff (Bram Cohen): the longest increasing subsequence, by patience sorting.
    """
    places, count = {line: at for at, line in enumerate(b)}, (Counter(a), Counter(b))
    tops: list[int] = []
    piles: list[tuple[int, int, int]] = []  # place in a, in b, and the row before in its chain
    ends: list[int] = []
    for at, line in enumerate(a):
        if count[0][line] == count[1][line] == 1:
            pile = bisect_left(tops, places[line])
            tops[pile : pile + 1] = [places[line]]
            ends[pile : pile + 1] = [len(piles)]
            piles.append((at, places[line], ends[pile - 1] if pile else -1))
    chain: list[tuple[int, int]] = []
    row = ends[-1] if ends else -1
    while row >= 0:
        chain.append(piles[row][:2])
        row = piles[row][2]
    return chain[::-1]


def _alike(a: Sequence[str], b: Sequence[str]) -> tuple[int, int]:
    """How many lines at the start and, beyond these, at the end both have."""
    least = min(len(a), len(b))
    start = 0
    while start < least and a[start] == b[start]:
        start += 1
    end = 0
    while end < least - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return start, end


def _hunk(gaps: Sequence[_Gap], a: Sequence[str], b: Sequence[str]) -> Hunk:
    before = min(CONTEXT, gaps[0].a_from)
    start, first = gaps[0].a_from - before, gaps[0].b_from - before
    at, lines = start, list[str]()
    for gap in gaps:
        lines += _marked(" ", a[at : gap.a_from])
        lines += _marked("-", a[gap.a_from : gap.a_to]) + _marked("+", b[gap.b_from : gap.b_to])
        at = gap.a_to
    stop = min(at + CONTEXT, len(a))
    lines += _marked(" ", a[at:stop])
    olds, news = stop - start, gaps[-1].b_to + stop - at - first
    return Hunk(start + (olds > 0), olds, first + (news > 0), news, tuple(lines))


def _marked(mark: str, lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        found.append(mark + line.removesuffix("\n"))
        if not line.endswith("\n"):
            found.append("\\ No newline at end of file")
    return found


def _span(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"
