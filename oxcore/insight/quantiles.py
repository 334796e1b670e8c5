"""Quantiles of latencies for many groups: a histogram first, then only the bins they fall into.

They are exact: values that were measured, the least that so much of the weight does not exceed; of
``n`` equal weights that of rank ``ceil(q n)``. Weights are counted in 2^-20, so that their sums
depend on no order.

Their intervals are values that were measured as well, of the ranks between which a binomial puts
the quantile with 95% (W. J. Conover, "Practical Nonparametric Statistics", 3.2, in its normal
form), of Kish's effective number; what would lie beyond all that was measured is open.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from oxcore.insight.figures import Figure, Weighted, Z
from oxcore.tables.engine import Engine

_PERCENTS = (50, 95, 99)
_BINS = 8192  # of all sets of groups together, for each doubling of the latency
_UNIT = 1 << 20  # of a weight
_FAR = 1_000_000_000  # the bin of what has no place
Latency = tuple[Figure, Figure, Figure]


_Value = tuple[float, int, int]  # a latency, its marks, its weight


class _Place(NamedTuple):
    """Where a quantile lies: in a bin, at the value of a group with which the weights of its values
    there come to ``weight``."""

    group: int
    bin: int
    weight: int


class _Places(NamedTuple):
    """Of ``n`` values: low end, value and high end of each quantile; None for an end that is
    open."""

    n: int
    at: Sequence[_Place | None]


def latencies(
    sql: Engine, marked: str, count: int, marks: int, *, weighted: bool = True
) -> list[Latency]:
    """The quantiles 0.5, 0.95 and 0.99 of each of ``count`` groups.

    ``marked``: a query for ``mark``, whose bits say which groups a row is in, ``latency_ms`` and
    ``weight`` if they are ``weighted``; there are ``marks`` distinct marks.
    """
    own = f"CAST(round(weight * {_UNIT}) AS BIGINT)" if weighted else "1::BIGINT"
    binned = _binned(marked, own, max(2, _BINS // max(1, marks)))
    kind = "HUGEINT" if weighted else "BIGINT"
    sums = ", ".join(f"sum(w) FILTER (mark & {1 << bit} <> 0)::{kind}" for bit in range(count))
    added = "sum(w)" if weighted else "count(*)"
    counts = f"SELECT mark, bin, {added} AS w FROM {binned} GROUP BY ALL"
    found = sql.rows(f"SELECT bin, {sums} FROM ({counts}) GROUP BY bin ORDER BY bin")
    wholes = _wholes(sql, binned, count) if weighted else [None] * count
    bins = [row[0] for row in found]
    places = []
    for group, whole in enumerate(wholes):
        so_far = list(accumulate(row[group + 1] or 0 for row in found))
        total = so_far[-1] if so_far else 0
        places.append(_places(bins, so_far, group, whole or Weighted(total, total, total)))
    values = _values(sql, binned, {place.bin for each in places for place in each.at if place})
    return [_latency(values, each) for each in places]


def _wholes(sql: Engine, binned: str, count: int) -> list[Weighted]:
    """How many values each group has, their weight, and the sum of its squares."""
    parts = f"SELECT mark, count(*) AS n, sum(w) AS w, sum(w::HUGEINT * w) AS s FROM {binned}"
    parts += " GROUP BY mark"
    rows = sql.rows(f"SELECT mark, n, w, s FROM ({parts})")
    return [
        Weighted(*(sum(row[at] for row in rows if row[0] >> bit & 1) for at in (1, 2, 3)))
        for bit in range(count)
    ]


def _values(sql: Engine, binned: str, wanted: set[int]) -> dict[int, list[_Value]]:
    """What lies in some bins, in the order of the latency."""
    values: dict[int, list[_Value]] = {at: [] for at in wanted}
    if wanted:
        listed = ", ".join(map(str, sorted(wanted)))
        query = f"SELECT bin, latency_ms, mark, w FROM {binned} WHERE bin IN ({listed}) ORDER BY 2"
        for at, latency, mark, weight in sql.rows(query):
            values[at].append((latency, mark, weight))
    return values


def _binned(marked: str, own: str, fine: int) -> str:
    """A bin grows with the latency; those too small for a logarithm, and infinite, have their
    own."""
    place = (
        f"CASE WHEN NOT isfinite(latency_ms) THEN {_FAR} WHEN latency_ms < 1e-6 THEN -{_FAR} "
        f"ELSE CAST(floor(log2(latency_ms) * {fine}) AS INT) END"
    )
    return (
        f"(SELECT mark, latency_ms, {own} AS w, {place} AS bin "
        f"FROM {marked} WHERE latency_ms IS NOT NULL)"
    )


def _places(bins: Sequence[int], sums: Sequence[int], group: int, whole: Weighted) -> _Places:
    """Of the weights summed up by bin, in their order: low end, value and high end of each
    quantile."""
    total = sums[-1] if sums else 0
    found: list[_Place | None] = []
    for percent in _PERCENTS if total else ():
        share = percent / 100
        reach = Z * math.sqrt(share * (1 - share) / whole.effective)
        low, high = math.ceil((share - reach) * total), math.ceil((share + reach) * total)
        found += [
            _place(bins, sums, group, left) if 0 < left <= total else None
            for left in (low, -(-total * percent // 100), high)
        ]
    return _Places(whole.n, found)


def _place(bins: Sequence[int], sums: Sequence[int], group: int, left: int) -> _Place:
    at = bisect_left(sums, left)
    return _Place(group, bins[at], left - (sums[at - 1] if at else 0))


def _latency(values: Mapping[int, Sequence[_Value]], places: _Places) -> Latency:
    group = next((place.group for place in places.at if place), None)
    if group is None:
        return (Figure(None, 0),) * 3
    bit, bins = 1 << group, {place.bin for place in places.at if place}
    own = {at: [one for one in values[at] if one[1] & bit] for at in bins}
    sums = {at: list(accumulate(one[2] for one in own[at])) for at in bins}
    told = [
        None if place is None else own[place.bin][bisect_left(sums[place.bin], place.weight)][0]
        for place in places.at
    ]
    p50, p95, p99 = (
        Figure(told[at + 1], places.n, told[at], told[at + 2]) for at in range(0, 9, 3)
    )
    return p50, p95, p99
