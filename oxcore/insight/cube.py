"""Counting for many groups in one pass.

Each record is marked with the set of groups that it is in, as bits of a number; the engine adds up
by these marks and by what is known of a record, and each group is the sum of the marks that have
its bit. So twenty slices cost about what one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oxcore.insight.examples import finite
from oxcore.insight.figures import Weighted, added
from oxcore.insight.quantiles import Latency, latencies
from oxcore.tables.engine import Engine

BINS = 10  # of the calibration, of equal width
CLASSES = 200  # of a confusion matrix; more, and its figures are left out
_BITS = 60
_MARKS = 1024  # sets of groups that occur; more, and the groups are counted in two halves

Confusion = dict[tuple[str, str], Weighted]
GUESS = "CASE WHEN status = 'error' THEN '' ELSE coalesce(prediction, '') END"
"""What a record predicts; a failed call predicts ''."""


class Part(NamedTuple):
    """Sums over records that are alike: whether the call ``failed``, whether the record is
    labelled (``known``) and ``correct``, and the ``bin`` of its confidence (None: it has none).

    ``n``, ``weight`` and ``squares`` of all; the same of those with a ``price`` and with a
    difference of numbers (``off``), with the sums of the first, second (and fourth) powers;
    ``sure``, ``brier``: sums of confidence, and of squares and fourth powers of its error.
    """

    mark: int
    failed: bool
    known: bool
    correct: bool | None
    bin: int | None
    n: int
    weight: float
    squares: float
    sure: float
    brier: float
    brier2: float
    first: int
    last: int
    price_n: int
    price_weight: float
    price_squares: float
    price: float
    price2: float
    off_n: int
    off_weight: float
    off_squares: float
    off: float
    off2: float
    off4: float
    up: int
    down: int


class Tally(NamedTuple):
    """What was counted of a group: its ``parts``, its ``confusion`` (empty where there are more
    than 200 truths) and the quantiles 0.5, 0.95 and 0.99 of its latencies."""

    parts: list[Part]
    confusion: Confusion
    latency: Latency


def tally(sql: Engine, groups: Sequence[str], *, few: bool) -> Iterator[Tally]:
    """The tally of each group, which is a condition on examples. ``few``: whether the truths are
    few enough for a confusion matrix."""
    if not groups:
        return
    if len(groups) > 1 and (len(groups) > _BITS or _marks(sql, groups) > _MARKS):
        half = len(groups) // 2
        yield from tally(sql, groups[:half], few=few)
        yield from tally(sql, groups[half:], few=few)
        return
    marked = f"(SELECT *, {_mark(groups)} AS mark FROM examples)"
    off = OFF if _numbers(sql) else "CAST(NULL AS DOUBLE)"
    parts = [Part(*row) for row in sql.rows(_PARTS.format(marked=marked, off=off))]
    pairs = sql.rows(_PAIRS.format(marked=marked)) if few else []
    times = latencies(sql, marked, len(groups), len({part.mark for part in parts}))
    for bit, latency in enumerate(times):
        yield Tally(
            [part for part in parts if part.mark >> bit & 1],
            _confusion(pairs, bit),
            latency,
        )


def few_truths(sql: Engine) -> bool:
    """Whether there are at most 200 truths: then they are classes."""
    found: int = sql.rows("SELECT count(DISTINCT truth) FROM examples")[0][0]
    return found <= CLASSES


def _numbers(sql: Engine) -> bool:
    """Whether any truth is a number: to try each prediction is dear."""
    distinct = "SELECT DISTINCT truth FROM examples WHERE truth IS NOT NULL"
    return bool(sql.rows(f"SELECT count(TRY_CAST(truth AS DOUBLE)) FROM ({distinct})")[0][0])


def _marks(sql: Engine, groups: Sequence[str]) -> int:
    found: int = sql.rows(f"SELECT count(DISTINCT {_mark(groups)}) FROM examples")[0][0]
    return found


def _mark(groups: Sequence[str]) -> str:
    bits = (f"CASE WHEN {where} THEN {1 << bit} ELSE 0 END" for bit, where in enumerate(groups))
    return f"CAST({' + '.join(bits)} AS BIGINT)"


def _confusion(pairs: Sequence[tuple[int, str, str, int, float, float]], bit: int) -> Confusion:
    found: dict[tuple[str, str], list[Weighted]] = {}
    for mark, truth, guess, n, weight, squares in pairs:
        if mark >> bit & 1:
            found.setdefault((truth, guess), []).append(Weighted(n, weight, squares))
    return {pair: added(parts) for pair, parts in sorted(found.items())}


OFF = finite("(TRY_CAST(prediction AS DOUBLE) - TRY_CAST(truth AS DOUBLE))")
"""How far a prediction that is a number is off."""
_PARTS = f"""
SELECT mark, failed, known, correct, bin, count(*), fsum(weight), fsum(weight * weight),
    coalesce(fsum(weight * confidence), 0), coalesce(fsum(weight * power(miss, 2)), 0),
    coalesce(fsum(weight * power(miss, 4)), 0), epoch_us(min(ts)), epoch_us(max(ts)),
    count(price), coalesce(fsum(weight * (price - price + 1)), 0),
    coalesce(fsum(weight * weight * (price - price + 1)), 0),
    coalesce(fsum(weight * price), 0), coalesce(fsum(weight * price * price), 0),
    count(off), coalesce(fsum(weight * (off - off + 1)), 0),
    coalesce(fsum(weight * weight * (off - off + 1)), 0),
    coalesce(fsum(weight * abs(off)), 0), coalesce(fsum(weight * off * off), 0),
    coalesce(fsum(weight * power(off, 4)), 0), sum(up)::BIGINT, sum(down)::BIGINT
FROM (SELECT mark, status = 'error' AS failed, truth IS NOT NULL AS known, correct, weight, ts,
    price, confidence, up, down, confidence - CAST(correct AS INT) AS miss,
    CASE WHEN status <> 'error' AND truth IS NOT NULL THEN {{off}} END AS off,
    CASE WHEN confidence IS NOT NULL  -- for least and greatest pass over nulls
        THEN CAST(least({BINS - 1}, greatest(0, floor(confidence * {BINS}))) AS INT) END AS bin
    FROM {{marked}} WHERE mark <> 0)
GROUP BY ALL ORDER BY ALL
"""
_PAIRS = f"""
SELECT mark, truth, {GUESS}, count(*), fsum(weight), fsum(weight * weight)
FROM {{marked}} WHERE truth IS NOT NULL AND mark <> 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
