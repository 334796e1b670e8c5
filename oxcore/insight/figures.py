"""A measured figure with what it rests on: how many, and within what interval.

Proportions have Wilson's score interval (E. B. Wilson, "Probable inference", JASA 22, 1927), means
a normal one. Weighted counts enter with Kish's effective sample size (L. Kish, "Survey Sampling",
1965): ``(sum w)^2 / sum w^2``. All intervals hold with 95%.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

Z = 1.959963984540054  # of the standard normal, 97.5%


class Figure(NamedTuple):
    """``value`` of what was measured, None where nothing can be said; ``n`` records that it rests
    on, and the interval from ``low`` to ``high``, None where there is none."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


class Weighted(NamedTuple):
    """Records counted with weights: ``n`` of them, their ``weight`` and the sum of ``squares``."""

    n: int
    weight: float
    squares: float

    @property
    def effective(self) -> float:
        """The size of the equally weighted sample that would tell as much."""
        return self.weight * self.weight / self.squares if self.squares else 0.0


def proportion(part: float, whole: Weighted) -> Figure:
    """The share that weighs ``part`` of ``whole``, with Wilson's interval."""
    if not whole.weight:
        return Figure(None, whole.n)
    share = min(1.0, max(0.0, part / whole.weight))
    low, high = wilson(share, whole.effective)
    return Figure(share, whole.n, low, high)


def wilson(share: float, n: float) -> tuple[float, float]:
    """The interval of a proportion seen ``n`` times; ``n`` need not be whole."""
    if n <= 0:
        return 0.0, 1.0
    square = Z * Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = Z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    low = max(0.0, middle - reach) if share > 0 else 0.0  # which rounding may miss
    return low, min(1.0, middle + reach) if share < 1 else 1.0


def mean(total: float, squares: float, whole: Weighted) -> Figure:
    """The mean of values with these weighted sums of them and of their squares."""
    if not whole.weight:
        return Figure(None, whole.n)
    middle = total / whole.weight
    if whole.effective <= 1:
        return Figure(middle, whole.n)
    spread = max(0.0, squares / whole.weight - middle * middle)
    spread *= whole.effective / (whole.effective - 1)
    reach = Z * math.sqrt(spread / whole.effective)
    return Figure(middle, whole.n, middle - reach, middle + reach)


def arrivals(whole: Weighted, time: float) -> Figure:
    """How many came in one unit of ``time``, if they come by chance (Poisson): the interval is
    normal in the logarithm, whose spread is one over the root of their number."""
    if not time or not whole.weight:
        return Figure(None, whole.n)
    rate, reach = whole.weight / time, math.exp(Z / math.sqrt(whole.effective))
    return Figure(rate, whole.n, rate / reach, rate * reach)


def mapped(figure: Figure, function: Callable[[float], float]) -> Figure:
    """The figure, and its interval, through a function that grows."""
    value, low, high = (None if x is None else function(x) for x in (figure.value, *figure[2:]))
    return Figure(value, figure.n, low, high)


def plain(value: object) -> object:
    """A value for JSON, the same bytes each time: named tuples as objects, floats to 9 digits."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: plain(inner) for name, inner in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, float):  # sums differ in their last digits with the order of threads
        return float(f"{value:.9g}")
    return value


def spread(figure: Figure) -> str:
    """``41.2 (40.1 to 43)``, ``41.2 (40.1 or more)``; a dash where nothing is known."""
    if figure.value is None:
        return "-"
    low, high = (None if end is None else f"{end:,.1f}" for end in figure[2:])
    text = f"{figure.value:,.1f}"
    if low is None and high is None:
        return text
    if low is None:
        return f"{text} ({high} or less)"
    return f"{text} ({low} or more)" if high is None else f"{text} ({low} to {high})"


class ClassFigures(NamedTuple):
    """One class against the rest: of those said to be it, of those that are, and their mean."""

    label: str
    precision: Figure
    recall: Figure
    f1: Figure
    support: int


def by_class(confusion: Mapping[tuple[str, str], Weighted]) -> list[ClassFigures]:
    """Precision, recall and F1 of each class, from pairs (truth, prediction).

    ``F1 = 2J / (1 + J)`` of Jaccard's share ``J = TP / (TP + FP + FN)``, which is a proportion: its
    interval is Wilson's of J, carried over.
    """
    said: dict[str, list[Weighted]] = defaultdict(list)
    real: dict[str, list[Weighted]] = defaultdict(list)
    either: dict[str, list[Weighted]] = defaultdict(list)
    for (truth, guess), weighted in confusion.items():
        real[truth].append(weighted)
        said[guess].append(weighted)
        for label in {truth, guess}:
            either[label].append(weighted)
    nothing = Weighted(0, 0.0, 0.0)
    return [
        _one_class(
            label,
            confusion.get((label, label), nothing).weight,
            *(added(of[label]) for of in (said, real, either)),
        )
        for label in sorted(either)
        if label
    ]


def _one_class(
    label: str, both: float, said: Weighted, real: Weighted, either: Weighted
) -> ClassFigures:
    return ClassFigures(
        label,
        proportion(both, said),
        proportion(both, real),
        mapped(proportion(both, either), _f1_of_jaccard),
        real.n,
    )


def _f1_of_jaccard(share: float) -> float:
    return 2 * share / (1 + share)


def macro(classes: list[ClassFigures]) -> tuple[Figure, Figure, Figure]:
    """Precision, recall and F1, each the plain mean over the classes that are some record's truth
    or prediction; a class without a value counts as 0, as scikit-learn has it."""
    n = sum(one.support for one in classes)
    return (
        _mean_of([one.precision for one in classes], n),
        _mean_of([one.recall for one in classes], n),
        _mean_of([one.f1 for one in classes], n),
    )


def _mean_of(figures: Sequence[Figure], n: int) -> Figure:
    """Their plain mean. Its interval takes them for independent, each normal with half of its own
    interval as reach."""
    if not figures:
        return Figure(None, n)
    middle = math.fsum(one.value or 0.0 for one in figures) / len(figures)
    halves = [(one.high or 0.0) / 2 - (one.low or 0.0) / 2 for one in figures]
    reach = math.sqrt(math.fsum(half * half for half in halves)) / len(figures)
    return Figure(middle, n, max(0.0, middle - reach), min(1.0, middle + reach))


def added(parts: Iterable[Weighted]) -> Weighted:
    """All of them together."""
    listed = list(parts)
    return Weighted(
        sum(one.n for one in listed),
        math.fsum(one.weight for one in listed),
        math.fsum(one.squares for one in listed),
    )


def mcnemar(fixed: int, broken: int) -> float:
    """The two-sided exact probability that two equally good models differ so much or more.

    ``fixed``: the first is wrong and the second right; ``broken``: the other way round. McNemar's
    test in its exact form: binomial with one half (Q. McNemar, Psychometrika 12, 1947).
    """
    n, least = fixed + broken, min(fixed, broken)
    if n == 0:
        return 1.0
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2)
        for k in range(least + 1)
    ]
    return min(1.0, 2 * math.fsum(map(math.exp, logs)))
