"""Evaluations and comparisons on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from oxcli.render.report import percent, plain
from oxcli.render.text import Paint, clean, fit, number, plural, table

if TYPE_CHECKING:
    from oxcore.insight.comparison import Comparison
    from oxcore.insight.evaluation import Evaluation
    from oxcore.insight.versus import Turn, Versus

_WIDE = 40


def evaluation(made: Evaluation, paint: Paint) -> Iterator[str]:
    """What was measured."""
    whole = made.whole
    yield paint(made.name, "bold") + f": {plural(whole.n, 'key')}, {number(whole.wrong)} wrong"
    if made.missing:
        shown = ", ".join(fit(clean(key), _WIDE) for key in made.first_missing[:5])
        dots = ", ..." if made.missing > 5 else ""
        yield paint(
            f"{number(made.missing)} without a prediction, which are wrong: {shown}{dots}", "red"
        )
    if made.extra:
        yield f"{plural(made.extra, 'prediction')} of keys that the truth has not"
    if made.unlabelled:
        yield f"{plural(made.unlabelled, 'key')} without a truth, left out"
    yield from table(_figures(made), "lrr")
    if made.groups:
        yield ""
        rows = [
            (fit(part.name, _WIDE), number(part.measures.n), _main(made, part.measures))
            for part in made.groups
        ]
        yield from table([("group", "n", _title(made)), *rows], "lrr")


def document(made: Evaluation) -> dict[str, object]:
    """The evaluation for programs, without its bytes."""
    return {key: value for key, value in made._asdict().items() if key not in {"rows", "note"}}


def comparison(found: Comparison, paint: Paint) -> Iterator[str]:
    """What was fixed and what broke."""
    versus = found.versus
    yield paint(f"{versus.old} -> {versus.new}", "bold") + f", on {plural(versus.n, 'key')}"
    yield f"accuracy  {percent(versus.old_accuracy)}  ->  {percent(versus.new_accuracy)}"
    fixed = paint(f"{number(versus.fixed)} fixed", "green")
    broken = paint(f"{number(versus.broken)} broken", "red")
    yield (
        f"{fixed}, {broken}, {number(versus.both_right)} right in both, "
        f"{number(versus.both_wrong)} wrong in both; p = {versus.p:.3g} (McNemar)"
    )
    yield from _remarks(found, paint)
    if found.groups:
        yield ""
        yield from table(_groups(found.groups), "lrrrrrr")
    yield from turned(versus, paint)
    yield ""
    for why in found.why:
        yield paint(f"regression: {why}", "red")
    if not found.why:
        yield "no regression"


def turned(versus: Versus, paint: Paint, more: str = "-n") -> Iterator[str]:
    """The records that broke, then those that were fixed; ``more``: the option that shows more."""
    for name, turns, count in (
        ("broken", versus.breaks, versus.broken),
        ("fixed", versus.fixes, versus.fixed),
    ):
        if turns:
            yield ""
            yield paint(name, "bold")
            yield from _turns(turns, count, more)


def _remarks(found: Comparison, paint: Paint) -> Iterator[str]:
    names = found.versus
    for count, only in ((found.only_old, names.old), (found.only_new, names.new)):
        if count:
            yield paint(f"{plural(count, 'key')} only in {only}, left out", "yellow")
    if found.other_truth:
        yield paint(
            f"{plural(found.other_truth, 'key')} with another truth on each side, left out",
            "yellow",
        )


def _groups(groups: Sequence[tuple[str, Versus]]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("group", "n", "before", "after", "fixed", "broken", "p")]
    for name, one in groups:
        shares = [f"{figure.value or 0.0:.1%}" for figure in (one.old_accuracy, one.new_accuracy)]
        counts = [number(one.fixed), number(one.broken)]
        rows.append((fit(name, _WIDE), number(one.n), *shares, *counts, f"{one.p:.3g}"))
    return rows


def _turns(turns: Sequence[Turn], count: int, option: str) -> list[str]:
    rows: list[tuple[str, ...]] = [("key", "is", "before", "after")]
    for turn in turns:
        cells = (turn.before, turn.truth, turn.old or "no answer", turn.new or "no answer")
        rows.append(tuple(fit(cell.replace("\n", " "), _WIDE) for cell in cells))
    lines = table(rows, "llll")
    more = count - len(turns)
    return [*lines, f"... and {more:,} more: {option}"] if more > 0 else lines


def _figures(made: Evaluation) -> list[tuple[str, str, str]]:
    whole = made.whole
    rows = [("answered", percent(made.answered), f"n = {number(made.answered.n)}")]
    if made.task == "numbers":
        shown = [("mean absolute error", whole.mae), ("root mean sq. error", whole.rmse)]
        rows += [(name, plain(one), f"n = {number(one.n)}") for name, one in shown]
    else:
        shares = [("accuracy", whole.accuracy), ("precision", whole.precision)]
        shares += [("recall", whole.recall), ("F1", whole.f1)]
        rows += [(name, percent(one), f"n = {number(one.n)}") for name, one in shares]
    sure = [("calibration error", whole.ece)] if whole.ece.value is not None else []
    return rows + [(name, percent(one), f"n = {number(one.n)}") for name, one in sure]


def _title(made: Evaluation) -> str:
    return "mean abs. error" if made.task == "numbers" else "accuracy"


def _main(made: Evaluation, measures: object) -> str:
    figure = getattr(measures, "mae" if made.task == "numbers" else "accuracy")
    return plain(figure) if made.task == "numbers" else percent(figure)
