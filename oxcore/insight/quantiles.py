"""Quantiles of latencies for many groups: a histogram first, then only the bins they fall into.

They are exact: values that were measured, the least that so much of the weight does not exceed; of
``n`` equal weights that of rank ``ceil(q n)``. Weights are counted in 2^-20, so that their sums
depend on no order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from oxcore.tables.engine import Engine

_PERCENTS = (50, 95, 99)
_BINS = 2048  # of all sets of groups together, for each doubling of the latency
_UNIT = 1 << 20  # of a weight
_FAR = 1_000_000_000  # the bin of what has no place
Latency = tuple[float | None, float | None, float | None]


class _Value(NamedTuple):
    latency: float
    mark: int
    weight: int


class _Place(NamedTuple):
    """Where a quantile lies: in a bin, at the value of a group with which the weights of its values
    there come to ``weight``."""

    group: int
    bin: int
    weight: int


def latencies(
    sql: Engine, marked: str, count: int, marks: int, *, weighted: bool = True
) -> list[Latency]:
    """The quantiles 0.5, 0.95 and 0.99 of each of ``count`` groups; None of one without any.

    ``marked``: a query for ``mark``, whose bits say which groups a row is in, ``latency_ms`` and
    ``weight`` if they are ``weighted``; there are ``marks`` distinct marks.
    """
    own = f"CAST(round(weight * {_UNIT}) AS BIGINT)" if weighted else "1::BIGINT"
    binned = _binned(marked, own, max(2, _BINS // max(1, marks)))
    sums = ", ".join(f"sum(w) FILTER (mark & {1 << bit} <> 0)::BIGINT" for bit in range(count))
    counts = f"SELECT mark, bin, sum(w) AS w FROM {binned} GROUP BY ALL"
    found = sql.rows(f"SELECT bin, {sums} FROM ({counts}) GROUP BY bin ORDER BY bin")
    places = [
        list(_places([(row[0], row[group + 1]) for row in found], group)) for group in range(count)
    ]
    wanted = {place.bin for each in places for place in each}
    values: dict[int, list[_Value]] = {at: [] for at in wanted}
    if wanted:
        listed = ", ".join(map(str, sorted(wanted)))
        query = f"SELECT bin, latency_ms, mark, w FROM {binned} WHERE bin IN ({listed}) ORDER BY 2"
        for at, *value in sql.rows(query):
            values[at].append(_Value(*value))
    return [_latency(values, each) for each in places]


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


def _places(weights: Sequence[tuple[int, int | None]], group: int) -> Iterator[_Place]:
    """Of the weights by bin, in their order."""
    total = sum(weight or 0 for _, weight in weights)
    for percent in _PERCENTS if total else ():
        left = -(-total * percent // 100)
        for at, weight in weights:
            if left <= (weight or 0):
                yield _Place(group, at, left)
                break
            left -= weight or 0


def _latency(values: Mapping[int, Sequence[_Value]], places: Sequence[_Place]) -> Latency:
    if not places:
        return None, None, None
    low, middle, high = (_value(values[place.bin], place) for place in places)
    return low, middle, high


def _value(values: Sequence[_Value], place: _Place) -> float:
    left = place.weight
    for value in values:
        if value.mark >> place.group & 1:
            left -= value.weight
            if left <= 0:
                return value.latency
    raise ValueError("a bin holds less than it was counted for")
