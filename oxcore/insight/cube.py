"""Counting for many groups in one pass.

Each record is marked with the set of groups that it is in, as bits of a number; the engine adds up
by these marks and by what is known of a record, and each group is the sum of the marks that have
its bit. So twenty slices cost about what one does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oxcore.insight.examples import BITS, MARK, finite, mark_of
from oxcore.insight.figures import Weighted, added
from oxcore.insight.quantiles import Latency, latencies
from oxcore.tables.engine import Engine

BINS = 10  # of the calibration, of equal width
CLASSES = 200  # of a confusion matrix; more, and its figures are left out
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


class _Shape(NamedTuple):
    """What examples have: weights that are not 1, prices, numbers for truths, votes, and few enough
    truths for a matrix. What they do not have is not added up."""

    weighted: bool
    priced: bool
    numbers: bool
    voted: bool
    few: bool

    def lacking(self) -> dict[str, str]:
        """The columns that are not needed, or all of whose values are the one given as SQL."""
        values = {
            "weight": (self.weighted, "1::DOUBLE"),
            "price": (self.priced, "CAST(NULL AS DOUBLE)"),
            "off": (self.numbers, "CAST(NULL AS DOUBLE)"),
            "up": (self.voted, "0"),
            "down": (self.voted, "0"),
            "truth": (self.few, "NULL"),
            "guess": (self.few, "NULL"),
        }
        return {name: value for name, (there, value) in values.items() if not there}


def tally(
    sql: Engine, groups: Sequence[str], *, matrix: bool = True, marked: bool = False
) -> Iterator[Tally]:
    """The tally of each group, which is a condition on examples. ``matrix``: whether a confusion
    matrix makes sense; there is none of many truths. ``marked``: whether examples are marked with
    these conditions."""
    if groups:
        found = truths(sql)
        shape = _shape(sql, found.numbers, few=matrix and found.few)
        yield from _tally(sql, groups, shape, marked=marked)


def _tally(
    sql: Engine, groups: Sequence[str], shape: _Shape, *, marked: bool = False
) -> Iterator[Tally]:
    if len(groups) > BITS or (_mark(sql, groups, shape, marked=marked) > _MARKS and groups[1:]):
        half = len(groups) // 2
        yield from _tally(sql, groups[:half], shape)
        yield from _tally(sql, groups[half:], shape)
        return
    same = "".join(f", {value} AS {name}" for name, value in shape.lacking().items())
    rows = f"(SELECT *{same} FROM marked WHERE mark <> 0)"
    sums = "fsum(weight), fsum(weight * weight)"
    sums = sums if shape.weighted else "count(*)::DOUBLE, count(*)::DOUBLE"
    parts = [Part(*row) for row in sql.rows(_parts(shape, sums, rows))]
    pairs = sql.rows(_PAIRS.format(sums=sums, marked=rows)) if shape.few else []
    marks = len({part.mark for part in parts})
    times = latencies(sql, "marked", len(groups), marks, weighted=shape.weighted)
    sql.run("DROP VIEW marked")
    sql.run("DROP TABLE IF EXISTS marks")
    for bit, latency in enumerate(times):
        yield Tally(
            [part for part in parts if part.mark >> bit & 1],
            _confusion(pairs, bit),
            latency,
        )


class Truths(NamedTuple):
    """The ``distinct`` truths, and how many of them are numbers."""

    distinct: int
    numbers: int

    @property
    def few(self) -> bool:
        """Whether there are at most 200: then they are classes."""
        return self.distinct <= CLASSES


def truths(sql: Engine) -> Truths:
    """What truths there are."""
    distinct = "SELECT DISTINCT truth FROM examples WHERE truth IS NOT NULL"
    return Truths(
        *sql.rows(f"SELECT count(*), count(TRY_CAST(truth AS DOUBLE)) FROM ({distinct})")[0]
    )


def _shape(sql: Engine, numbers: int, *, few: bool) -> _Shape:
    weights, priced, voted = sql.rows(
        "SELECT min(weight) = 1 AND max(weight) = 1, count(price), max(up) > 0 OR max(down) > 0 "
        "FROM examples"
    )[0]
    return _Shape(not weights, bool(priced), bool(numbers), bool(voted), few)


def _mark(sql: Engine, groups: Sequence[str], shape: _Shape, *, marked: bool) -> int:
    """Make the view ``marked``: the examples with the set of groups that each is in as bits of
    ``mark``; gives how many sets there are. Unless they are ``marked``, they are so once, in the
    table ``marks``."""
    columns = {"mark": MARK if marked else mark_of(groups), **_MARKED}
    made = (f"{sql} AS {name}" for name, sql in columns.items() if name not in shape.lacking())
    rows = f"SELECT {', '.join(made)} FROM examples"
    if not marked:
        sql.run(f"CREATE OR REPLACE TEMP TABLE marks AS {rows}")
        rows = "FROM marks"
    sql.run(f"CREATE OR REPLACE TEMP VIEW marked AS {rows}")
    found: int = sql.rows("SELECT count(DISTINCT mark) FROM marked")[0][0]
    return found


def _parts(shape: _Shape, sums: str, marked: str) -> str:
    nothing = "CAST(0 AS DOUBLE)"
    price = _PRICES if shape.priced else ", ".join(["0", *[nothing] * 4])
    off = _OFFS if shape.numbers else ", ".join(["0", *[nothing] * 5])
    return _PARTS.format(sums=sums, price=price, off=off, marked=marked)


def _confusion(pairs: Sequence[tuple[int, str, str, int, float, float]], bit: int) -> Confusion:
    found: dict[tuple[str, str], list[Weighted]] = {}
    for mark, truth, guess, n, weight, squares in pairs:
        if mark >> bit & 1:
            found.setdefault((truth, guess), []).append(Weighted(n, weight, squares))
    return {pair: added(parts) for pair, parts in sorted(found.items())}


OFF = finite("(TRY_CAST(prediction AS DOUBLE) - TRY_CAST(truth AS DOUBLE))")
"""How far a prediction that is a number is off."""
_MARKED = {
    "failed": "status = 'error'",
    "known": "truth IS NOT NULL",
    "truth": "truth",
    "guess": f"{GUESS}",
    "correct": "correct",
    "ts": "ts",
    "confidence": "confidence",
    "bin": "CASE WHEN confidence IS NOT NULL THEN "  # for least and greatest pass over nulls
    f"CAST(least({BINS - 1}, greatest(0, floor(confidence * {BINS}))) AS INT) END",
    "latency_ms": "latency_ms",
    "weight": "weight",
    "price": "price",
    "off": f"CASE WHEN status <> 'error' AND truth IS NOT NULL THEN {OFF} END",
    "up": "up",
    "down": "down",
}
_PARTS = """
SELECT mark, failed, known, correct, bin, count(*), {sums},
    coalesce(fsum(weight * confidence), 0), coalesce(fsum(weight * miss2), 0),
    coalesce(fsum(weight * miss2 * miss2), 0), epoch_us(min(ts)), epoch_us(max(ts)),
    {price}, {off}, sum(up)::BIGINT, sum(down)::BIGINT
FROM (SELECT *, miss * miss AS miss2 FROM
    (SELECT *, confidence - CAST(correct AS INT) AS miss FROM {marked}))
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""
_PRICES = """
    count(price), coalesce(fsum(weight * (price - price + 1)), 0),
    coalesce(fsum(weight * weight * (price - price + 1)), 0),
    coalesce(fsum(weight * price), 0), coalesce(fsum(weight * price * price), 0)
"""
_OFFS = """
    count(off), coalesce(fsum(weight * (off - off + 1)), 0),
    coalesce(fsum(weight * weight * (off - off + 1)), 0),
    coalesce(fsum(weight * abs(off)), 0), coalesce(fsum(weight * off * off), 0),
    coalesce(fsum(weight * power(off, 4)), 0)
"""
_PAIRS = """
SELECT mark, truth, guess, count(*), {sums}
FROM {marked} WHERE known GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
