"""Quantiles of latencies for many groups: a histogram first, then only the bins they fall into.

They are exact: values that were measured, of rank ``ceil(q n)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oxcore.tables.engine import Engine

_PERCENTS = (50, 95, 99)
_BINS = 2048  # of all sets of groups together, for each doubling of the latency
_FAR = 1_000_000_000  # the bin of what has no place
Latency = tuple[float | None, float | None, float | None]


class _Place(NamedTuple):
    """Where a quantile lies: the ``rank``-th value of a group (from 0) in a bin."""

    group: int
    bin: int
    rank: int


def latencies(sql: Engine, marked: str, count: int, marks: int) -> list[Latency]:
    """The quantiles 0.5, 0.95 and 0.99 of each of ``count`` groups; None of one without any.

    ``marked``: a query for ``mark``, whose bits say which groups a row is in, and ``latency_ms``;
    there are ``marks`` distinct ones.
    """
    binned = _binned(marked, max(2, _BINS // max(1, marks)))
    sums = ", ".join(f"sum(n) FILTER (mark & {1 << bit} <> 0)::BIGINT" for bit in range(count))
    counts = f"SELECT mark, bin, count(*) AS n FROM {binned} GROUP BY ALL"
    found = sql.rows(f"SELECT bin, {sums} FROM ({counts}) GROUP BY bin ORDER BY bin")
    places = [
        list(_places([(row[0], row[group + 1]) for row in found], group)) for group in range(count)
    ]
    wanted = {place.bin for each in places for place in each}
    values: dict[int, list[tuple[int, float]]] = {at: [] for at in wanted}
    if wanted:
        listed = ", ".join(map(str, sorted(wanted)))
        query = f"SELECT bin, mark, latency_ms FROM {binned} WHERE bin IN ({listed}) ORDER BY 3"
        for at, mark, value in sql.rows(query):
            values[at].append((mark, value))
    return [_latency(values, each) for each in places]


def _binned(marked: str, fine: int) -> str:
    """A bin grows with the latency; those too small for a logarithm, and infinite, have their
    own."""
    place = (
        f"CASE WHEN NOT isfinite(latency_ms) THEN {_FAR} WHEN latency_ms < 1e-6 THEN -{_FAR} "
        f"ELSE CAST(floor(log2(latency_ms) * {fine}) AS INT) END"
    )
    return f"(SELECT mark, latency_ms, {place} AS bin FROM {marked} WHERE latency_ms IS NOT NULL)"


def _places(counts: Sequence[tuple[int, int | None]], group: int) -> Iterator[_Place]:
    """Of the counts by bin, in their order."""
    total = sum(n or 0 for _, n in counts)
    for percent in _PERCENTS if total else ():
        rank = max(1, -(-total * percent // 100)) - 1
        for at, n in counts:
            if rank < (n or 0):
                yield _Place(group, at, rank)
                break
            rank -= n or 0


def _latency(values: dict[int, list[tuple[int, float]]], places: Sequence[_Place]) -> Latency:
    if not places:
        return None, None, None
    own = {
        place.bin: [value for mark, value in values[place.bin] if mark >> place.group & 1]
        for place in places
    }
    low, middle, high = (own[place.bin][place.rank] for place in places)
    return low, middle, high
