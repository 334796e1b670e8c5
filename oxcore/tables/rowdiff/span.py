"""Two files cut at places that belong together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

Bounds = tuple[int, int]
"""Where a part of a file starts and ends: in bytes, or in row groups."""


class Span(NamedTuple):
    """A part of two files."""

    old: Bounds
    new: Bounds


Cut = Callable[[float], tuple[int, int] | None]


def cut_up(ends: tuple[int, int], count: int, cut: Cut) -> Sequence[Span | None]:
    """Two files, which end there, in ``count`` spans or fewer; None is the whole of them.

    ``cut``: where to cut both near a share of the first (0 to 1), if there is a place."""
    places = [(0, 0)]
    for part in range(1, count):
        found = cut(part / count)
        if found is not None and all(a < b for a, b in zip(places[-1], found, strict=True)):
            places.append(found)
    if len(places) == 1:
        return [None]
    return [Span((a, c), (b, d)) for (a, b), (c, d) in pairwise([*places, ends])]
