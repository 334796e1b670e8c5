"""A report on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oxcli.render.text import Paint, clean, fit, number, plural, table

if TYPE_CHECKING:
    from oxcore.insight.figures import Figure
    from oxcore.insight.report import Cell, Example, Group, Point, Report
    from oxcore.insight.versus import Versus

_RAMP = "▁▂▃▄▅▆▇█"
_PAIRS = 8


def lines(report: Report, versus: Versus | None, paint: Paint, wide: int) -> Iterator[str]:
    """The whole report."""
    whole = report.whole
    yield paint(f"{report.branch}:{report.folder}", "bold") + f" at {report.commit[:10]}"
    yield (
        f"{plural(whole.n, 'record')}, {number(whole.labelled)} labelled, "
        f"{number(whole.wrong)} of these wrong"
    )
    yield from _remarks(report, paint)
    yield ""
    yield from table(_figures(report), "lrr")
    if len(report.points) > 1:
        yield ""
        yield from _time(report.points)
    if versus is not None:
        yield ""
        yield from against(versus, paint)
    if report.groups:
        yield ""
        yield paint("where the errors are, the most recoverable first", "bold")
        yield from table(_groups(report.groups, report.task), "lrrrrrr")
    wrong = [cell for cell in report.cells if cell.truth != cell.prediction]
    if wrong:
        yield ""
        yield paint("what is taken for what", "bold")
        yield from _pairs(wrong)
    if report.worst:
        yield ""
        yield paint("the worst examples", "bold")
        yield from examples(report.worst[:_PAIRS], paint, wide)


def against(found: Versus, paint: Paint) -> Iterator[str]:
    """Two models on the same inputs."""
    names = clean(f"{found.old} against {found.new}")
    yield paint(f"{names}, on {plural(found.n, 'same input')}", "bold")
    yield f"accuracy  {percent(found.old_accuracy)}  ->  {percent(found.new_accuracy)}"
    fixed = paint(f"{number(found.fixed)} fixed", "green")
    broken = paint(f"{number(found.broken)} broken", "red")
    yield (
        f"{fixed}, {broken}, {number(found.both_right)} right in both, "
        f"{number(found.both_wrong)} wrong in both; p = {found.p:.3g} (McNemar)"
    )
    rows: list[tuple[str, ...]] = [("group", "n", "before", "after", "fixed", "broken", "p")]
    for one in found.groups:
        before, after = percent(one.old_accuracy), percent(one.new_accuracy)
        turned = (number(one.fixed), number(one.broken), f"{one.p:.3g}")
        rows.append((fit(one.name, 40), number(one.n), before, after, *turned))
    for place, line in enumerate(table(rows, "lrrrrrr") if found.groups else ()):
        yield paint(line, "dim") if place == 0 else line


def examples(found: Sequence[Example], paint: Paint, wide: int) -> Iterator[str]:
    """One line a record: id, what it says, what it is, how sure, where the input lies."""
    rows: list[tuple[str, ...]] = [("record", "says", "is", "sure", "model", "input")]
    for one in found:
        said = one.error or "failed" if one.status == "error" else one.prediction
        sure = "" if one.confidence is None else f"{one.confidence:.2f}"
        cells = (one.record_id, said or "", one.truth or "", sure, one.model or "")
        rows.append((*(fit(cell.replace("\n", " "), 40) for cell in cells), one.input_path or ""))
    for place, line in enumerate(table(rows, "lllrll")):
        yield paint(line[:wide], "dim") if place == 0 else line[:wide]


def percent(figure: Figure) -> str:
    """``91.2% (90.8 to 91.6)``."""
    if figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.1%}"
    return f"{figure.value:.1%} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def plain(figure: Figure) -> str:
    """``0.75 (0.7 to 0.8)``."""
    if figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.4g}"
    return f"{figure.value:.4g} ({figure.low:.4g} to {figure.high:.4g})"


def _remarks(report: Report, paint: Paint) -> Iterator[str]:
    if report.as_of is not None:
        yield f"as of {datetime.fromtimestamp(report.as_of / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"
    if report.lost:
        yield paint(f"{plural(report.lost, 'record')} lost: see the gaps", "red")
    if report.orphans:
        yield f"{plural(report.orphans, 'event')} of records that are not here"
    if report.delay is not None:
        yield f"labels come {report.delay:,.1f} hours later, in the median"


def _figures(report: Report) -> list[tuple[str, str, str]]:
    whole = report.whole
    shares = [("coverage", whole.coverage), ("failed calls", whole.error_rate)]
    if report.task == "classes":
        shares += [
            ("accuracy", whole.accuracy),
            ("precision", whole.precision),
            ("recall", whole.recall),
            ("F1", whole.f1),
        ]
    shares += [("calibration error", whole.ece)]
    rows = [(name, percent(one), f"n = {number(one.n)}") for name, one in shares]
    numbers = [("Brier score", whole.brier), ("cost of a call", whole.cost)]
    if report.task == "numbers":
        numbers += [("mean absolute error", whole.mae), ("root mean sq. error", whole.rmse)]
    rows += [
        (name, plain(one), f"n = {number(one.n)}") for name, one in numbers if one.value is not None
    ]
    from oxcore.insight.figures import spread

    times = zip(("p50", "p95", "p99"), whole.latency, strict=True)
    spreads = [*((f"latency in ms, {name}", one) for name, one in times)]
    spreads.append(("records an hour", whole.rate))
    rows += [
        (name, spread(one), f"n = {number(one.n)}")
        for name, one in spreads
        if one.value is not None
    ]
    if whole.up or whole.down:
        rows.append(("votes", f"{number(whole.up)} up, {number(whole.down)} down", ""))
    return rows


def _time(points: Sequence[Point]) -> Iterator[str]:
    most = max(point.n for point in points)
    counts = "".join(_RAMP[round(7 * point.n / most)] for point in points)
    known = [point.accuracy.value for point in points]
    right = "".join(" " if value is None else _RAMP[round(7 * value)] for value in known)
    first, last = (datetime.fromtimestamp(points[at].start / 1e6, UTC) for at in (0, -1))
    yield f"records   {counts}  {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    if right.strip():
        yield f"accuracy  {right}"


def _groups(groups: Sequence[Group], task: str) -> list[tuple[str, ...]]:
    name = "accuracy" if task == "classes" else "mean abs. error"
    heads = ("group", "n", "labelled", name, "against all", "of errors", "recoverable")
    rows: list[tuple[str, ...]] = [heads]
    for group in groups:
        own = group.measures
        rows.append(
            (
                fit(group.name, 40),
                number(own.n),
                number(own.labelled),
                percent(own.accuracy) if task == "classes" else plain(own.mae),
                "-" if group.change is None else f"{group.change:+.3f}",
                "-" if group.share is None else f"{group.share:.1%}",
                f"{group.recoverable:,.1f}",
            )
        )
    return rows


def _pairs(wrong: Sequence[Cell]) -> list[str]:
    most = sorted(wrong, key=lambda cell: (-cell.n, cell.truth, cell.prediction))
    rows = [(c.truth, "->", c.prediction or "no answer", number(c.n)) for c in most[:_PAIRS]]
    lines = table(rows, "lllr")
    return [*lines, f"... and {len(most) - _PAIRS:,} more"] if len(most) > _PAIRS else lines
