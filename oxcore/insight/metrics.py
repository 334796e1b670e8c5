"""The figures of some of the examples: counts by the engine, formulas here.

Every figure says how many records it rests on. Weights are one over the rate at which a record was
sampled (Horvitz and Thompson, JASA 47, 1952). Latencies are quantiles of what was measured.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from oxcore.insight.figures import (
    ClassFigures,
    Figure,
    Weighted,
    by_class,
    macro,
    mean,
    proportion,
)
from oxcore.tables.engine import Engine

BINS = 10  # of the calibration, of equal width
_MANY = 50  # distinct truths that are numbers: more are measured, fewer are classes
_CLASSES = 200  # of a confusion matrix; more, and its figures are left out

Confusion = dict[tuple[str, str], Weighted]


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
    ``rate``: records an hour, from the first to the last. ``cost`` as the records tell it. ``up``,
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
    latency: tuple[float | None, float | None, float | None]
    rate: float | None
    cost: Figure
    up: int
    down: int


def task_of(sql: Engine) -> str:
    """``numbers`` if all truths are numbers and they are many or have fractions, else
    ``classes``."""
    seen = "WHERE truth IS NOT NULL"
    number = "TRY_CAST(truth AS DOUBLE)"
    total, numbers, distinct, broken = sql.rows(
        f"SELECT count(*), count({number}), count(DISTINCT truth), "
        f"count(*) FILTER ({number} <> round({number})) FROM examples {seen}"
    )[0]
    measured = total and numbers == total and (broken or distinct > _MANY)
    return "numbers" if measured else "classes"


def measure(sql: Engine, where: str = "true", task: str = "classes") -> Measures:
    """The figures of the examples for which ``where`` holds."""
    row = _counted(sql, where)
    whole = Weighted(row["n"], row["w"], row["w2"])
    known = Weighted(row["ln"], row["lw"], row["lw2"])
    classes = by_class(confusion(sql, where)) if task == "classes" else []
    shown = macro(classes) if classes else (Figure(None, known.n),) * 3
    numbers = _numbers(sql, where) if task == "numbers" else (Figure(None, 0),) * 2
    sure = Weighted(row["cn"], row["cw"], row["cw2"])
    hours = (row["span"] or 0) / 3.6e9
    return Measures(
        n=whole.n,
        labelled=known.n,
        wrong=row["wrong"],
        coverage=proportion(known.weight, whole),
        error_rate=proportion(row["failed"], whole),
        accuracy=proportion(row["right"], known),
        precision=shown[0],
        recall=shown[1],
        f1=shown[2],
        mae=numbers[0],
        rmse=numbers[1],
        ece=_ece(calibration(sql, where)),
        brier=mean(row["brier"], row["brier2"], sure),
        latency=tuple(row["latency"] or (None, None, None)),
        rate=whole.n / hours if hours else None,
        cost=mean(row["cost"], row["cost2"], Weighted(row["kn"], row["kw"], row["kw2"])),
        up=row["up"],
        down=row["down"],
    )


def confusion(sql: Engine, where: str = "true") -> Confusion:
    """Pairs (truth, prediction) of labelled records, and how many; a failed call predicts ''.

    Empty where there are more than 200 truths: then they are no classes.
    """
    found = sql.rows(
        "SELECT truth, CASE WHEN status = 'error' THEN '' ELSE coalesce(prediction, '') END, "
        "count(*), fsum(weight), fsum(weight * weight) FROM examples "
        f"WHERE truth IS NOT NULL AND ({where}) GROUP BY 1, 2 ORDER BY 1, 2"
    )
    if len({truth for truth, *_ in found}) > _CLASSES:
        return {}
    return {(truth, guess): Weighted(n, w, w2) for truth, guess, n, w, w2 in found}


def classes(sql: Engine, where: str = "true") -> list[ClassFigures]:
    """Precision, recall and F1 of each class."""
    return by_class(confusion(sql, where))


def calibration(sql: Engine, where: str = "true") -> list[Bin]:
    """The bins of confidence that hold labelled records."""
    place = f"least({BINS - 1}, greatest(0, floor(confidence * {BINS})))::INT"
    found = sql.rows(
        f"SELECT {place}, count(*), fsum(weight), fsum(weight * confidence), "
        "fsum(weight) FILTER (correct) FROM examples WHERE truth IS NOT NULL "
        f"AND confidence IS NOT NULL AND ({where}) GROUP BY 1 ORDER BY 1"
    )
    return [
        Bin(at / BINS, (at + 1) / BINS, n, sure / weight, (right or 0.0) / weight)
        for at, n, weight, sure, right in found
    ]


def _ece(bins: list[Bin]) -> Figure:
    n = sum(one.n for one in bins)
    apart = math.fsum(one.n * abs(one.accuracy - one.confidence) for one in bins)
    return Figure(apart / n if n else None, n)


_COUNTS = {
    "n": "count(*)",
    "w": "fsum(weight)",
    "w2": "fsum(weight * weight)",
    "ln": "count(truth)",
    "lw": "fsum(weight) FILTER (truth IS NOT NULL)",
    "lw2": "fsum(weight * weight) FILTER (truth IS NOT NULL)",
    "wrong": "count(*) FILTER (NOT correct)",
    "right": "fsum(weight) FILTER (correct)",
    "failed": "fsum(weight) FILTER (status = 'error')",
    "cn": "count(*) FILTER (sure)",
    "cw": "fsum(weight) FILTER (sure)",
    "cw2": "fsum(weight * weight) FILTER (sure)",
    "brier": "fsum(weight * power(confidence - correct::INT, 2)) FILTER (sure)",
    "brier2": "fsum(weight * power(confidence - correct::INT, 4)) FILTER (sure)",
    "latency": "quantile_disc(latency_ms, [0.5, 0.95, 0.99])",
    "span": "epoch_us(max(ts)) - epoch_us(min(ts))",
    "kn": "count(price)",
    "kw": "fsum(weight) FILTER (price IS NOT NULL)",
    "kw2": "fsum(weight * weight) FILTER (price IS NOT NULL)",
    "cost": "fsum(weight * price)",
    "cost2": "fsum(weight * price * price)",
    "up": "sum(up)",
    "down": "sum(down)",
}


def _counted(sql: Engine, where: str) -> dict[str, Any]:
    listed = ", ".join(f"{text} AS {name}" for name, text in _COUNTS.items())
    source = (
        "SELECT *, truth IS NOT NULL AND confidence IS NOT NULL AS sure "
        f"FROM examples WHERE ({where})"
    )
    row = sql.rows(f"SELECT {listed} FROM ({source})")[0]
    optional = {"latency", "span"}
    pairs = zip(_COUNTS, row, strict=True)
    return {name: value if name in optional else (value or 0) for name, value in pairs}


def _numbers(sql: Engine, where: str) -> tuple[Figure, Figure]:
    """Mean absolute and root mean squared error."""
    off = "TRY_CAST(prediction AS DOUBLE) - TRY_CAST(truth AS DOUBLE)"
    n, w, w2, first, second, fourth = sql.rows(
        "SELECT count(*), coalesce(fsum(weight), 0), coalesce(fsum(weight * weight), 0), "
        "coalesce(fsum(weight * abs(off)), 0), coalesce(fsum(weight * off * off), 0), "
        f"coalesce(fsum(weight * power(off, 4)), 0) FROM (SELECT weight, {off} AS off "
        f"FROM examples WHERE truth IS NOT NULL AND status <> 'error' AND ({where})) "
        "WHERE off IS NOT NULL"
    )[0]
    whole = Weighted(n, w, w2)
    squared = mean(second, fourth, whole)
    return mean(first, second, whole), Figure(*_rooted(squared))


def _rooted(figure: Figure) -> tuple[float | None, int, float | None, float | None]:
    value, low, high = (
        None if x is None else math.sqrt(max(0.0, x)) for x in (figure.value, *figure[2:])
    )
    return value, figure.n, low, high
