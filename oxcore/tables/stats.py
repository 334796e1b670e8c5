"""Statistics of columns, exact: counts, extremes, quantiles, frequent values, a histogram.

The engine groups each column by value; all else comes from that table of values and counts, which
it spills where it does not fit in memory. NaN is counted on its own and is no value of the
extremes, the mean, the quantiles and the histogram; the infinities are none of the mean's and the
histogram's. A quantile q of n values is the least value that at least q * n of them do not exceed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pyarrow as pa
from pyarrow import types

from oxcore.tables.asking import Query, places_of
from oxcore.tables.engine import Engine, engine, quoted
from oxcore.tables.pick import check, text_of
from oxcore.tables.reading import Reader
from oxcore.tables.sketch import LETTERS, STEPS, VALUES, Bin, ColumnStats, Sketch
from oxcore.tables.values import Plain, plain

QUANTILES = ("0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99")
_TOP = 5
_BINS = 10
_MEAN_DIGITS = 12  # those that do not depend on the order in which threads add
_BASE = '"ox base"'
_GROUPS = '"ox groups"'
_STEPS = '"ox steps"'


def stats(reader: Reader, query: Query) -> list[ColumnStats]:
    """The statistics of every column of what ``query`` gives; of its columns that SQL knows."""
    return [one.stats for one in sketches(reader, query)]


def sketches(reader: Reader, query: Query) -> list[Sketch]:
    """The same with the distributions."""
    with engine({"t": reader}) as sql:
        check(sql, query)
        known = sql.names["t"]
        wanted = places_of(query.columns, reader.schema.names) if query.columns else sorted(known)
        taken = [index for index in wanted if index in known]
        text = text_of([known[index] for index in taken], query)
        sql.run(f"CREATE TEMP TABLE {_BASE} AS\n{text}", 1)
        schema = sql.table(f"SELECT * FROM {_BASE} LIMIT 0").schema
        if query.sql:
            return [_column(sql, each, each.name, each.type) for each in schema]
        own = [reader.schema.field(index) for index in taken]
        return [_column(sql, each, f.name, f.type) for each, f in zip(schema, own, strict=True)]


def _column(sql: Engine, column: pa.Field, name: str, type_: pa.DataType) -> Sketch:
    sql.run(
        f"CREATE OR REPLACE TEMP TABLE {_GROUPS} AS SELECT {quoted(column.name)} AS v,"
        f" count(*) AS n FROM {_BASE} GROUP BY ALL"
    )
    real = types.is_floating(column.type)
    good = "v IS NOT NULL AND NOT isnan(v)" if real else "v IS NOT NULL"
    total, nulls, good_count, distinct = sql.rows(
        "SELECT coalesce(sum(n), 0)::BIGINT, coalesce(sum(n) FILTER (v IS NULL), 0)::BIGINT,"
        f" coalesce(sum(n) FILTER ({good}), 0)::BIGINT, count(v) FROM {_GROUPS}"
    )[0]
    values = _Values(sql, column.type, good, good_count)
    least, most = values.extremes()
    whole = distinct <= VALUES and values.letters() <= LETTERS
    frequent = values.frequent(VALUES if whole else _TOP)
    steps = values.steps()
    found = ColumnStats(
        name=name,
        type=str(type_),
        count=total - nulls,
        nulls=nulls,
        nans=total - nulls - good_count,
        distinct=distinct,
        min=least,
        max=most,
        mean=values.mean(),
        quantiles=values.quantiles(steps),
        top=frequent[:_TOP],
        histogram=values.histogram(),
    )
    kind = values.kind
    line = tuple((x, count) for _, x, count in steps) if kind else ()
    return Sketch(found, frequent if whole else None, line, kind)


@dataclass(frozen=True, slots=True)
class _Values:
    """The table of values ``v`` and counts ``n``, of which ``count`` fulfil ``good``."""

    sql: Engine
    type: pa.DataType
    good: str
    count: int

    def extremes(self) -> tuple[Plain, Plain]:
        if not self.count or types.is_nested(self.type):
            return None, None
        found = self._plain(f"SELECT min(v), max(v) FROM {_GROUPS} WHERE {self.good}")
        return found[0][0], found[1][0]

    def mean(self) -> float | None:
        if not self.count or not _is_number(self.type):
            return None
        if types.is_integer(self.type):
            sums = f"SELECT sum(v::HUGEINT * n) FROM {_GROUPS} WHERE v IS NOT NULL"
            return float(Fraction(int(self.sql.rows(sums)[0][0]), self.count))
        finite = f"{self.good} AND isfinite(v::DOUBLE)"
        total, count = self.sql.rows(
            f"SELECT fsum(v::DOUBLE * n), sum(n) FROM {_GROUPS} WHERE {finite}"
        )[0]
        if not count or not math.isfinite(total):  # none is finite; the sum is not
            return None
        return float(f"{total / int(count):.{_MEAN_DIGITS}g}")

    def steps(self) -> list[tuple[Plain, Any, int]]:
        """Values, as numbers too, with how many do not exceed them: see ``Sketch``."""
        if not self.count or not (_is_number(self.type) or types.is_temporal(self.type)):
            return []
        running = f"SELECT v, n, sum(n) OVER (ORDER BY v) AS c FROM {_GROUPS} WHERE {self.good}"
        number = self._as_number() or "NULL"
        self.sql.run(
            f"CREATE OR REPLACE TEMP TABLE {_STEPS} AS"
            f" SELECT v, {number} AS x, c::BIGINT AS c FROM ({running})"
            f" WHERE c = n OR c * {STEPS} // {self.count} > (c - n) * {STEPS} // {self.count}"
        )
        (values,) = self._plain(f"SELECT v FROM {_STEPS} ORDER BY c")
        numbers = self.sql.rows(f"SELECT x, c FROM {_STEPS} ORDER BY c")
        return [(value, x, count) for value, (x, count) in zip(values, numbers, strict=True)]

    def quantiles(self, steps: list[tuple[Plain, Any, int]]) -> dict[str, Plain]:
        """They are among the steps, since each q is a multiple of 1/``STEPS``."""
        if not steps:
            return {}
        ranks = {q: Fraction(q) * self.count for q in QUANTILES}
        return {
            q: next(value for value, _, count in steps if count >= rank)
            for q, rank in ranks.items()
        }

    def letters(self) -> int:
        """What the distinct values take as text, in characters."""
        text = f"SELECT coalesce(sum(length(v::VARCHAR)), 0)::BIGINT FROM {_GROUPS}"
        return int(self.sql.rows(text)[0][0])

    def frequent(self, most: int) -> tuple[tuple[Plain, int], ...]:
        order = "" if types.is_nested(self.type) else ", v"
        values, counts = self._plain(
            f"SELECT v, n FROM {_GROUPS} WHERE v IS NOT NULL ORDER BY n DESC{order} LIMIT {most}"
        )
        return tuple((value, int(str(n))) for value, n in zip(values, counts, strict=True))

    @property
    def kind(self) -> str:
        """What the steps are: ``number``, ``time``, or nothing."""
        if not self._as_number():
            return ""
        return "number" if _is_number(self.type) else "time"

    def histogram(self) -> tuple[Bin, ...]:
        number = self._as_number()
        if not self.count or not number:
            return ()
        source = f"(SELECT {number} AS x, n FROM {_GROUPS} WHERE {self.good})"
        finite = f"FROM {source}" + ("" if self._whole() else " WHERE isfinite(x)")
        low, high = self.sql.rows(f"SELECT min(x), max(x) {finite}")[0]
        if low is None:
            return ()
        edges = _edges(low, high)
        below = [f"coalesce(sum(n) FILTER (x < {edge!r}), 0)::BIGINT" for edge in edges[1:-1]]
        counts = self.sql.rows(f"SELECT {', '.join([*below, 'sum(n)::BIGINT'])} {finite}")[0]
        starts = (0, *counts[:-1])
        rows = zip(edges[:-1], edges[1:], starts, counts, strict=True)
        return tuple(Bin(a, b, int(to - since)) for a, b, since, to in rows)

    def _as_number(self) -> str:
        if _is_number(self.type):
            return "v::HUGEINT" if self._whole() else "v::DOUBLE"
        if types.is_timestamp(self.type) or types.is_date(self.type):
            zoned = types.is_timestamp(self.type) and self.type.tz
            return f"epoch_us(v::{'TIMESTAMPTZ' if zoned else 'TIMESTAMP'})::HUGEINT"
        return ""

    def _whole(self) -> bool:
        return bool(types.is_integer(self.type) or types.is_temporal(self.type))

    def _plain(self, text: str) -> list[list[Plain]]:
        table = self.sql.table(text)
        return [[v for chunk in column.chunks for v in plain(chunk)] for column in table.columns]


def _edges(low: Any, high: Any) -> list[float | int]:  # noqa: ANN401 -- both int or both float
    """The edges of ten bins of equal width; of one where all values are the same.

    Of integers there are no more bins than numbers, and an edge that is none is rounded up, which
    parts them in the same way.
    """
    if low == high:
        return [low, high]
    whole = isinstance(low, int)
    span = Fraction(high) - Fraction(low) + whole
    bins = min(_BINS, int(span)) if whole else _BINS
    inner = [Fraction(low) + span * step / bins for step in range(1, bins)]
    made: Sequence[float | int] = [math.ceil(e) if whole else float(e) for e in inner]
    return [low, *made, high]


def _is_number(type_: pa.DataType) -> bool:
    return bool(types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_))
