"""What is kept of a column to compare it with another version of it, and how it is kept.

A sketch is a function of the bytes of the table alone: the same in whatever order its rows come.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from oxcore.tables.about import DAMAGE, kind_of, packed, unpacked
from oxcore.tables.source import Source
from oxcore.tables.values import Plain

VALUES = 1000  # distinct values of which all are kept; of more, none
LETTERS = 1 << 16  # characters of these together; of more, none
STEPS = 200  # parts of a distribution of numbers or times
_STATS = "stats 1"  # another where the fields below, or what they mean, change


@dataclass(frozen=True, slots=True)
class Bin:
    """Values from ``low`` up to, and not with, ``high`` (with it in the last), and how many."""

    low: float | int
    high: float | int
    count: int


@dataclass(frozen=True, slots=True)
class ColumnStats:
    """One column: ``count`` of values that are not null, ``nulls``, ``nans`` among the values,
    ``distinct`` values; ``min`` and ``max``; ``mean`` to 12 digits; ``quantiles`` by their q;
    ``top``, the most frequent values with how often, the lesser first among equals; ``histogram``
    of ten bins of equal width, dates and times in microseconds since 1970.

    Values are as ``tables.values`` has them for JSON; None or empty where a type has no such thing.
    """

    name: str
    type: str
    count: int
    nulls: int
    nans: int
    distinct: int
    min: Plain
    max: Plain
    mean: float | None
    quantiles: dict[str, Plain]
    top: tuple[tuple[Plain, int], ...]
    histogram: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Sketch:
    """The statistics of a column, and its distribution.

    ``values``: each distinct value with how often it comes, the most frequent first; None if there
    are more than ``VALUES``, or they take more than ``LETTERS``. ``steps``: numbers, or times in
    microseconds since 1970, ascending, each with how many values do not exceed it: the least, and
    those that reach a further multiple of 1/``STEPS`` of all, so that the share of values up to any
    point is known to less than that.
    ``kind`` says what the steps are: ``number``, ``time``, or nothing.
    """

    stats: ColumnStats
    values: tuple[tuple[Plain, int], ...] | None
    steps: tuple[tuple[float | int, int], ...]
    kind: str


def recall_sketches(source: Source) -> list[Sketch] | None:
    """The sketches that were kept of a table's columns; None if there are none to be read."""
    data = None if source.memo is None else source.memo.get(kind_of(_STATS, source.name))
    try:
        found: Any = None if data is None else unpacked(data)
        return None if found is None else [_sketch(*one) for one in found]
    except DAMAGE:
        return None


def keep_sketches(source: Source, sketches: list[Sketch]) -> None:
    """Keep them, if they can be written down."""
    if source.memo is not None:
        data = packed([_record(one) for one in sketches])
        if data is not None:
            source.memo.put(kind_of(_STATS, source.name), data)


def _record(one: Sketch) -> list[object]:
    steps = [[value if math.isfinite(value) else str(value), count] for value, count in one.steps]
    return [asdict(one.stats), one.values, steps, one.kind]


def _sketch(stats: Any, values: Any, steps: Any, kind: Any) -> Sketch:  # noqa: ANN401 -- JSON
    top = tuple((value, int(count)) for value, count in stats["top"])
    bins = tuple(Bin(**one) for one in stats["histogram"])
    return Sketch(
        ColumnStats(**{**stats, "top": top, "histogram": bins}),
        None if values is None else tuple((value, int(count)) for value, count in values),
        tuple((float(x) if isinstance(x, str) else x, int(count)) for x, count in steps),
        str(kind),
    )
