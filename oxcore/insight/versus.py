"""Two models, or two branches, on the same inputs: what was fixed, what broke.

Records are the same where the bytes of their inputs are. What is true of an input is what either
side's labels say, the first side's first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oxcore.insight.examples import Examples
from oxcore.insight.figures import Figure, Weighted, mcnemar, proportion
from oxcore.tables.engine import literal

_SHOWN = 20  # records of each kind


class Turn(NamedTuple):
    """An input that the two judge otherwise: its records on both sides, its truth and answers."""

    before: str
    after: str
    truth: str
    old: str | None
    new: str | None


class Within(NamedTuple):
    """A slice or group of the inputs that two sides have seen; as in ``Versus``."""

    name: str
    n: int
    old_accuracy: Figure
    new_accuracy: Figure
    fixed: int
    broken: int
    p: float


class Versus(NamedTuple):
    """``old`` against ``new`` on ``n`` labelled inputs that both have seen.

    ``fixed``: old wrong and new right; ``broken``: the other way round; ``p``: how likely so
    much of a difference is by chance (McNemar's exact test). ``groups``: the same within each.
    """

    old: str
    new: str
    n: int
    both_right: int
    both_wrong: int
    fixed: int
    broken: int
    p: float
    old_accuracy: Figure
    new_accuracy: Figure
    fixes: tuple[Turn, ...]
    breaks: tuple[Turn, ...]
    groups: tuple[Within, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether more broke than was fixed."""
        return self.broken > self.fixed


Seen = dict[str, tuple[str, str | None, str | None, bool, int]]


def seen(found: Examples, where: str = "true", groups: Sequence[str] = ()) -> Seen:
    """For each input its latest record: id, prediction, truth, whether the call failed, and which
    of the ``groups``, which are conditions, it is in, as bits."""
    bits = (f"CASE WHEN {one} THEN {1 << bit} ELSE 0 END" for bit, one in enumerate(groups))
    mark = f"CAST({' + '.join(['0', *bits])} AS HUGEINT)"
    rows = found.sql.rows(
        "SELECT input_hash, record_id, prediction, truth, status = 'error', "
        f"{mark} FROM examples "
        f"WHERE input_hash IS NOT NULL AND ({where}) "
        "QUALIFY row_number() OVER (PARTITION BY input_hash "
        "ORDER BY truth IS NULL, ts DESC, record_id) = 1"
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def of_model(name: str) -> str:
    """The condition that a record is of a model: ``name``, or ``name@version``."""
    whole = f"model = {literal(name)}"
    return whole if "@" in name else f"({whole} OR starts_with(model, {literal(name + '@')}))"


GROUPS = 120
"""How many groups ``seen`` may be asked for."""
_Counts = Counter[tuple[bool, bool]]


def versus(
    old_name: str, new_name: str, old: Seen, new: Seen, groups: Sequence[str] = ()
) -> Versus:
    """Compare what two sides say of the same inputs; within ``groups`` too, which are the names of
    those that ``seen`` was asked for. An input is in a group if its record of either side is."""
    counts, within = _Counts(), [_Counts() for _ in groups]
    turns: dict[bool, list[Turn]] = {True: [], False: []}
    for key in sorted(old.keys() & new.keys()):
        before, guess, truth, failed, inside = old[key]
        after, answer, other, broke, too = new[key]
        real = truth if truth is not None else other
        if real is None:
            continue
        was, is_ = not failed and guess == real, not broke and answer == real
        counts[was, is_] += 1
        for bit, one in enumerate(within):
            one[was, is_] += (inside | too) >> bit & 1
        if was != is_:
            turns[is_].append(Turn(before, after, real, guess, answer))
    whole = judged(old_name, new_name, counts, turns[True][:_SHOWN], turns[False][:_SHOWN])
    parts = [
        _within(name, judged(old_name, new_name, one, (), ()))
        for name, one in zip(groups, within, strict=True)
    ]
    return whole._replace(groups=tuple(sorted(parts, key=lambda one: one.fixed - one.broken)))


def _within(name: str, part: Versus) -> Within:
    accuracies = (part.old_accuracy, part.new_accuracy)
    return Within(name, part.n, *accuracies, part.fixed, part.broken, part.p)


def judged(
    old_name: str,
    new_name: str,
    counts: Mapping[tuple[bool, bool], int],
    fixes: Sequence[Turn],
    breaks: Sequence[Turn],
) -> Versus:
    """Two models by how many are (right before, right after)."""
    both, neither = counts.get((True, True), 0), counts.get((False, False), 0)
    fixed, broken = counts.get((False, True), 0), counts.get((True, False), 0)
    n = both + neither + fixed + broken
    whole = Weighted(n, float(n), float(n))
    return Versus(
        old_name,
        new_name,
        n,
        both,
        neither,
        fixed,
        broken,
        mcnemar(fixed, broken),
        proportion(both + broken, whole),
        proportion(both + fixed, whole),
        tuple(fixes),
        tuple(breaks),
    )
