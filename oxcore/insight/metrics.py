"""The figures of some of the examples: counts by the engine, formulas here.

Every figure says how many records it rests on. Weights are one over the rate at which a record was
sampled (Horvitz and Thompson, JASA 47, 1952). Latencies are quantiles of what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from oxcore.insight.cube import BINS, Confusion, Part, Tally, tally
from oxcore.insight.examples import finite
from oxcore.insight.figures import (
    Figure,
    Weighted,
    Z,
    arrivals,
    by_class,
    macro,
    mean,
    proportion,
)
from oxcore.insight.quantiles import Latency
from oxcore.tables.engine import Engine

_MANY = 50  # distinct truths that are numbers: more are measured, fewer are classes


class Bin(NamedTuple):
    """Labelled records whose confidence lies from ``low`` to ``high``: their mean confidence, and
    the share that was right."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


class Measures(NamedTuple):
    """What is known of a set of records.

    ``n`` records, ``labelled`` of them, which are ``coverage``; ``wrong`` among these. ``accuracy``
    is of the labelled, as are ``precision``, ``recall`` and ``f1`` (means over classes), ``mae``
    and ``rmse`` (of numbers), ``ece`` (expected calibration error, 10 bins: Guo et al., ICML 2017)
    and ``brier``. ``error_rate`` is of all: calls that failed. ``latency``: p50, p95, p99 in ms.
    ``rate``: calls an hour, from the first to the last. ``cost`` as the records tell it. ``up``,
    ``down``: votes.
    """

    n: int
    labelled: int
    wrong: int
    coverage: Figure
    error_rate: Figure
    accuracy: Figure
    precision: Figure
    recall: Figure
    f1: Figure
    mae: Figure
    rmse: Figure
    ece: Figure
    brier: Figure
    latency: Latency
    rate: Figure
    cost: Figure
    up: int
    down: int


def task_of(sql: Engine) -> str:
    """``numbers`` if all truths are numbers and they are many or have fractions, else
    ``classes``."""
    number = finite("TRY_CAST(truth AS DOUBLE)")
    distinct, numbers, broken = sql.rows(
        f"SELECT count(*), count({number}), count(*) FILTER ({number} <> round({number})) "
        "FROM (SELECT DISTINCT truth FROM examples WHERE truth IS NOT NULL)"
    )[0]
    measured = distinct and numbers == distinct and (broken or distinct > _MANY)
    return "numbers" if measured else "classes"


def counted(
    sql: Engine, groups: Sequence[str], task: str = "classes", *, marked: bool = False
) -> list[Tally]:
    """What the figures of each group, which is a condition, are made of; ``marked``: whether
    examples are marked with these very conditions."""
    return list(tally(sql, groups, matrix=task == "classes", marked=marked))


def measure(sql: Engine, groups: Sequence[str], task: str = "classes") -> list[Measures]:
    """The figures of the examples of each group, which is a condition."""
    return [measures(one) for one in counted(sql, groups, task)]


def measures(found: Tally) -> Measures:
    """The figures of a group."""
    parts = found.parts
    known = [part for part in parts if part.known]
    whole, labelled = _weighed(parts), _weighed(known)
    shown = macro(by_class(found.confusion)) if found.confusion else (Figure(None, labelled.n),) * 3
    squared = mean(_sum(parts, "off2"), _sum(parts, "off4"), _weighed(parts, "off_"))
    sure = [part for part in known if part.bin is not None]
    hours = (max(p.last for p in parts) - min(p.first for p in parts)) / 3.6e9 if parts else 0.0
    return Measures(
        n=whole.n,
        labelled=labelled.n,
        wrong=sum(part.n for part in parts if part.correct is False),
        coverage=proportion(labelled.weight, whole),
        error_rate=proportion(_sum([part for part in parts if part.failed], "weight"), whole),
        accuracy=proportion(_sum([part for part in known if part.correct], "weight"), labelled),
        precision=shown[0],
        recall=shown[1],
        f1=shown[2],
        mae=mean(_sum(parts, "off"), _sum(parts, "off2"), _weighed(parts, "off_")),
        rmse=_rooted(squared),
        ece=_ece(_bins(sure)),
        brier=mean(_sum(sure, "brier"), _sum(sure, "brier2"), _weighed(sure)),
        latency=found.latency,
        rate=arrivals(whole, hours),
        cost=mean(_sum(parts, "price"), _sum(parts, "price2"), _weighed(parts, "price_")),
        up=sum(part.up for part in parts),
        down=sum(part.down for part in parts),
    )


def _weighed(parts: Iterable[Part], prefix: str = "") -> Weighted:
    listed = list(parts)
    return Weighted(
        sum(map(attrgetter(f"{prefix}n"), listed)),
        _sum(listed, f"{prefix}weight"),
        _sum(listed, f"{prefix}squares"),
    )


def _sum(parts: Iterable[Part], name: str) -> float:
    return math.fsum(map(attrgetter(name), parts))


def confusion(sql: Engine) -> Confusion:
    """Pairs (truth, prediction) of labelled records, and how many; empty where there are more
    than 200 truths: then they are no classes."""
    return next(tally(sql, ["true"])).confusion


def calibration(found: Tally) -> list[Bin]:
    """The bins of confidence that hold labelled records."""
    return _bins([part for part in found.parts if part.known and part.bin is not None])


def _bins(parts: Sequence[Part]) -> list[Bin]:
    bins = []
    for at in sorted({part.bin for part in parts if part.bin is not None}):
        own = [part for part in parts if part.bin == at]
        weight = _sum(own, "weight")
        right = _sum([part for part in own if part.correct], "weight")
        bins.append(
            Bin(
                at / BINS,
                (at + 1) / BINS,
                sum(part.n for part in own),
                _sum(own, "sure") / weight,
                right / weight,
            )
        )
    return bins


def _ece(bins: Sequence[Bin]) -> Figure:
    """Its interval is normal, with the variance of each bin's accuracy."""
    n = sum(one.n for one in bins)
    if not n:
        return Figure(None, 0)
    apart = math.fsum(one.n * abs(one.accuracy - one.confidence) for one in bins) / n
    spread = math.fsum(one.n * one.accuracy * (1 - one.accuracy) for one in bins)
    reach = Z * math.sqrt(spread) / n
    return Figure(apart, n, max(0.0, apart - reach), min(1.0, apart + reach))


def _rooted(figure: Figure) -> Figure:
    value, low, high = (
        None if x is None else math.sqrt(max(0.0, x)) for x in (figure.value, *figure[2:])
    )
    return Figure(value, figure.n, low, high)
