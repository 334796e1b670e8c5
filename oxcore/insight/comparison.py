"""Two evaluations of the same truth: what was fixed, what broke, and whether that is a regression.

Records are the same where their keys are. A record whose truth the two do not agree on proves
nothing about the models: it is left out, and told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from oxcore.errors import InvalidError
from oxcore.insight.evaluation import COLUMNS, once
from oxcore.insight.versus import Turn, Versus, judged
from oxcore.tables.engine import Engine, quoted

ALPHA = 0.05
_GROUPS = 50  # values of a column


class Bar(NamedTuple):
    """What counts as a regression; of the bars that are set, any.

    ``alpha``: more broke than was fixed, and McNemar's exact p is below it; ``max_broken``: more
    broke than so many, whatever was fixed; ``tolerance``: accuracy fell by more than this. If none
    is set, ``alpha`` is 0.05.
    """

    alpha: float | None = None
    max_broken: int | None = None
    tolerance: float | None = None

    def passed_by(self, found: Versus) -> list[str]:
        """Why the new one is worse, in words; nothing if it is not."""
        alpha = ALPHA if self == Bar() else self.alpha
        why = []
        if alpha is not None and found.worse and found.p < alpha:
            why.append(
                f"{found.broken:,} broke and {found.fixed:,} were fixed: "
                f"p = {found.p:.3g} < {alpha:g}"
            )
        if self.max_broken is not None and found.broken > self.max_broken:
            why.append(f"{found.broken:,} broke: more than {self.max_broken:,}")
        drop = (found.broken - found.fixed) / found.n if found.n else 0.0
        if self.tolerance is not None and drop > self.tolerance:
            why.append(f"accuracy fell by {drop:.4f}: more than {self.tolerance:g}")
        return why


class Comparison(NamedTuple):
    """``versus``: the records that both have, with the same truth; ``groups``: the same by column
    and value. ``only_old``, ``only_new``: keys that the other has not; ``other_truth``: keys of
    which the two say otherwise what is true. ``why``: what makes it a regression."""

    versus: Versus
    groups: tuple[tuple[str, Versus], ...]
    only_old: int
    only_new: int
    other_truth: int
    why: tuple[str, ...]

    @property
    def regression(self) -> bool:
        """Whether the new one is worse, by the bar that was set."""
        return bool(self.why)


def check(name: str, schema: pa.Schema) -> None:
    """``InvalidError`` unless a table is that of an evaluation."""
    lacking = [column for column in COLUMNS if column not in schema.names]
    if lacking:
        raise InvalidError(
            f"{name} is no evaluation: it has no column {lacking[0]!r}",
            hint="ox eval makes one: evals/NAME.parquet",
        )


def compare(
    sql: Engine, names: tuple[str, str], schemas: Mapping[str, pa.Schema], bar: Bar, limit: int
) -> Comparison:
    """Compare the tables ``a``, the old one, and ``b`` of an engine; ``limit`` records of each kind
    are listed. ``InvalidError`` where they have no key in common."""
    for table, name in zip("ab", names, strict=True):
        check(name, schemas[table])
    extra = [
        name for name in schemas["a"].names if name not in COLUMNS and name in schemas["b"].names
    ]
    _pair(sql, extra, names)
    both, only_old, only_new, other = sql.rows(_KEYS)[0]
    if not both:
        raise InvalidError(f"{names[0]} and {names[1]} have no key in common", hint=_HINT)
    sql.run("DELETE FROM pairs WHERE NOT (old AND new) OR truth IS DISTINCT FROM other")
    turns = {fixed: _turns(sql, fixed, limit) for fixed in (True, False)}
    counted = sql.rows("SELECT was, now, count(*) FROM pairs GROUP BY ALL")
    whole = judged(*names, {(a, b): n for a, b, n in counted}, turns[True], turns[False])
    groups = [one for column in extra for one in _groups(sql, column, names)]
    return Comparison(whole, tuple(groups), only_old, only_new, other, tuple(bar.passed_by(whole)))


_HINT = "compare evaluations of the same truth: ox eval --on REV:PATH"
_KEYS = """
SELECT count(*) FILTER (old AND new), count(*) FILTER (NOT new), count(*) FILTER (NOT old),
       count(*) FILTER (old AND new AND truth IS DISTINCT FROM other)
FROM pairs
"""


def _pair(sql: Engine, extra: Sequence[str], names: tuple[str, str]) -> None:
    """Both side by side, as the table ``pairs``; ``old`` and ``new`` say which have a key."""
    listed = "".join(f", a.{quoted(name)}" for name in extra)
    sql.run(
        "CREATE TEMP TABLE pairs AS SELECT key, "
        "a.key IS NOT NULL AS old, b.key IS NOT NULL AS new, "
        "a.truth AS truth, b.truth AS other, a.prediction AS before, b.prediction AS after, "
        "coalesce(a.correct, false) AS was, coalesce(b.correct, false) AS now"
        f"{listed} FROM a FULL JOIN b USING (key)"
    )
    if sql.rows("SELECT count(key) <> count(DISTINCT key) FROM pairs")[0][0]:
        for table, name in zip("ab", names, strict=True):
            once(sql, table, name)


def _turns(sql: Engine, fixed: bool, limit: int) -> list[Turn]:
    """The first records that were fixed, or that broke."""
    rows = sql.rows(
        "SELECT key, key, truth, before, after FROM pairs "
        f"WHERE was <> now AND now = {fixed} ORDER BY key LIMIT {limit}"
    )
    return [Turn(*row) for row in rows]


def _groups(sql: Engine, column: str, names: tuple[str, str]) -> list[tuple[str, Versus]]:
    """The most frequent values of a column, each compared."""
    found: dict[str, dict[tuple[bool, bool], int]] = {}
    for value, was, now, n in sql.rows(
        f"SELECT coalesce({quoted(column)}, ''), was, now, count(*) FROM pairs GROUP BY ALL"
    ):
        found.setdefault(value, {})[was, now] = n
    most = sorted(found, key=lambda value: (-sum(found[value].values()), value))[:_GROUPS]
    return [
        (f"{column} = {value}" if value else f"no {column}", judged(*names, found[value], (), ()))
        for value in most
    ]
