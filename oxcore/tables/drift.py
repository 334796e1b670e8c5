"""How far a column, and a table, has drifted from one version to another: from sketches alone.

Of categories (texts, truth values, and numbers of at most ``FEW`` values) the distance is the
*total variation* of their shares; of other numbers and of times the *Kolmogorov-Smirnov* statistic.
Both go from 0, the same, to 1, nothing in common, and are the same seen from either side. A text of
which no value comes twice names its row: it has no distance.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Hashable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from oxcore.tables.shape import to_json
from oxcore.tables.sketch import STEPS, Sketch
from oxcore.tables.values import Plain

FEW = 50  # distinct numbers that still are labels
_BINS = 10  # of the population stability index, as is usual
_LEAST = 1e-4  # the share that stands for none in it, since a logarithm of zero is none


class Share(NamedTuple):
    """A value, and its part of all values before and after, 0 to 1."""

    value: Plain
    old: float
    new: float


class Bar(NamedTuple):
    """The parts of all values before and after, 0 to 1, above ``low`` and up to ``high``."""

    low: float
    high: float
    old: float
    new: float


class ColumnDrift(NamedTuple):
    """A column of both versions.

    ``measure``: ``total variation``, ``kolmogorov-smirnov`` or nothing, with its ``distance``;
    ``psi``: the population stability index; both None where the values cannot be compared.
    ``missing``: the part of null and NaN before and after. ``shares``: of categories, those that
    changed most first; ``bars``: of other numbers and of times, ten of equal width over both
    (times in microseconds since 1970). ``drift``: the greater of the distance and the change of
    ``missing``.
    """

    name: str
    old: Sketch
    new: Sketch
    measure: str
    distance: float | None
    psi: float | None
    missing: tuple[float, float]
    shares: tuple[Share, ...]
    bars: tuple[Bar, ...]
    drift: float


class TableDrift(NamedTuple):
    """Two versions of a table: ``rows`` before and after, names of columns ``added`` and
    ``removed``, and those of both, the one that drifted most first. ``drift``: that of this one."""

    rows: tuple[int, int]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    columns: tuple[ColumnDrift, ...]

    @property
    def drift(self) -> float:
        """The greatest drift of a column; 0 without one."""
        return max((one.drift for one in self.columns), default=0.0)


def table_drift(rows: tuple[int, int], old: Sequence[Sketch], new: Sequence[Sketch]) -> TableDrift:
    """Compare two tables by the sketches of their columns, matched by name."""
    before, after = _by_name(old), _by_name(new)
    both = [column_drift(before[name], after[name]) for name in after if name in before]
    both.sort(key=lambda one: -one.drift)
    return TableDrift(
        rows,
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
        tuple(both),
    )


def column_drift(old: Sketch, new: Sketch) -> ColumnDrift:
    """Compare two versions of a column."""
    missing = (_missing(old), _missing(new))
    gap = abs(missing[0] - missing[1])
    name = new.stats.name
    if old.values and new.values and _labels(old) and _labels(new):
        shares = tuple(sorted(_shares(old.values, new.values), key=_change))
        p, q = [one.old for one in shares], [one.new for one in shares]
        far, psi = total_variation(p, q), stability_index(p, q)
        top = max(far, gap)
        return ColumnDrift(name, old, new, "total variation", far, psi, missing, shares, (), top)
    if old.steps and new.steps and old.kind == new.kind:
        far = kolmogorov_smirnov(old, new)
        psi = stability_index(*_deciles(_Curve(old), _Curve(new)))
        bars, measure = tuple(_bars(_Curve(old), _Curve(new))), "kolmogorov-smirnov"
        return ColumnDrift(name, old, new, measure, far, psi, missing, (), bars, max(far, gap))
    return ColumnDrift(name, old, new, "", None, None, missing, (), (), gap)


def total_variation(old: Sequence[float], new: Sequence[float]) -> float:
    """Half the sum of |p - q| over all categories: the largest difference that two distributions
    make for any set of them (Levin, Peres, Wilmer: Markov Chains and Mixing Times, 4.1)."""
    return math.fsum(abs(p - q) for p, q in zip(old, new, strict=True)) / 2


def kolmogorov_smirnov(old: Sketch, new: Sketch) -> float:
    """The largest difference of the two shares of values up to a point, over all points
    (Smirnov 1948). Exact where the steps hold all values, else known to less than
    1/``sketch.STEPS`` on either side."""
    one, two = _Curve(old), _Curve(new)
    return max(abs(one.up_to(point) - two.up_to(point)) for point in {*one.points, *two.points})


def stability_index(old: Sequence[float], new: Sequence[float]) -> float:
    """The population stability index, the sum of (q - p) ln(q / p) over bins of shares p before
    and q after (Siddiqi: Credit Risk Scorecards, 2006, ch. 6); below 0.1 it is held for none,
    from 0.25 on for large. A share counts as at least 0.0001."""
    pairs = ((max(p, _LEAST), max(q, _LEAST)) for p, q in zip(old, new, strict=True))
    return math.fsum((q - p) * math.log(q / p) for p, q in pairs)


def _labels(one: Sketch) -> bool:
    """Whether the values are categories."""
    if one.kind:
        return one.stats.distinct <= FEW and one.kind == "number"
    return one.stats.distinct < one.stats.count or one.stats.distinct == 1


def _shares(old: Sequence[tuple[Plain, int]], new: Sequence[tuple[Plain, int]]) -> Iterator[Share]:
    before, after = _counts(old), _counts(new)
    totals = sum(count for _, count in old), sum(count for _, count in new)
    for key in {**after, **before}:
        value, count = after.get(key, (None, 0))
        was = before.get(key, (value, 0))
        yield Share(was[0] if key in before else value, was[1] / totals[0], count / totals[1])


def _counts(values: Sequence[tuple[Plain, int]]) -> Mapping[Hashable, tuple[Plain, int]]:
    return {_key(value): (value, count) for value, count in values}


def _key(value: Plain) -> Hashable:
    """Equal for equal values: 1 and 1.0 are, 1 and True are not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return to_json(value)
    return value


def _change(share: Share) -> tuple[float, float, str]:
    return -abs(share.old - share.new), -share.new, to_json(share.value)


class _Curve:
    """The share of values that do not exceed a point, by the steps of a sketch."""

    def __init__(self, sketch: Sketch) -> None:
        stats = sketch.stats
        self.points = [value for value, _ in sketch.steps]
        self.total = sketch.steps[-1][1]
        self._counts = [count for _, count in sketch.steps]
        self._whole = len(self.points) >= stats.distinct - bool(stats.nans)

    def up_to(self, point: float) -> float:
        """Exact at a step. Between two that lie apart, where unknown values are, it is taken to
        rise evenly, but never as far as the multiple of 1/``STEPS`` that no value reached."""
        at = bisect_right(self.points, point)
        low = self._counts[at - 1] if at else 0
        if self._whole or not 0 < at < len(self.points) or self.points[at - 1] == point:
            return low / self.total
        start, end = self.points[at - 1], self.points[at]
        if not (math.isfinite(start) and math.isfinite(end)):
            return low / self.total
        bound = Fraction((low * STEPS // self.total + 1) * self.total, STEPS)
        part = (Fraction(point) - Fraction(start)) / (Fraction(end) - Fraction(start))
        return float((low + (min(bound, Fraction(self._counts[at])) - low) * part) / self.total)

    def tenths(self) -> list[float]:
        """The values that part it in ten, each once."""
        edges = {
            next(
                value
                for value, count in zip(self.points, self._counts, strict=True)
                if count * _BINS >= part * self.total
            )
            for part in range(1, _BINS)
        }
        return sorted(edges)

    def parts(self, edges: Sequence[float]) -> list[float]:
        """The shares between these points, and beyond the outer ones."""
        reached = [0.0, *map(self.up_to, edges), 1.0]
        return [b - a for a, b in pairwise(reached)]


def _deciles(old: _Curve, new: _Curve) -> tuple[list[float], list[float]]:
    """The shares of both in bins that part ``old`` in ten; fewer where values repeat."""
    edges = old.tenths()
    return old.parts(edges), new.parts(edges)


def _bars(old: _Curve, new: _Curve) -> Iterator[Bar]:
    finite = [value for value in (*old.points, *new.points) if math.isfinite(value)]
    if finite and min(finite) < max(finite):
        low, high = Fraction(min(finite)), Fraction(max(finite))
        edges = [float(low + (high - low) * part / _BINS) for part in range(1, _BINS)]
        ends = zip((float(low), *edges), (*edges, float(high)), strict=True)
        shares = zip(old.parts(edges), new.parts(edges), strict=True)
        for (start, end), (before, after) in zip(ends, shares, strict=True):
            yield Bar(start, end, before, after)


def _missing(one: Sketch) -> float:
    total = one.stats.count + one.stats.nulls
    return (one.stats.nulls + one.stats.nans) / total if total else 0.0


def _by_name(sketches: Sequence[Sketch]) -> dict[str, Sketch]:
    found: dict[str, Sketch] = {}
    for one in sketches:
        found.setdefault(one.stats.name, one)
    return found
