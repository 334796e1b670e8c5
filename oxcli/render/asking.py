"""Requests on the terminal, and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from oxcli.render import proof, report
from oxcli.render.text import Paint, clean, fit, iso_date, number, plural, short_id, table

if TYPE_CHECKING:
    from oxcore.api.requesting import Details, Kept, Step, Tested
    from oxcore.insight.figures import Figure
    from oxcore.insight.pinned import Relabelled
    from oxcore.insight.requests import Goal, Request

_COLOURS = {"open": "yellow", "passed": "green", "closed": "dim"}
_HEADS = ("request", "state", "owner", "asked for", "then", "now", "records", "branch")


def figure(goal: Goal, found: Figure) -> str:
    """A figure with its interval: a share in percent."""
    from oxcore.insight.requests import SHARES

    return report.percent(found) if goal.metric in SHARES else report.plain(found)


def table_of(found: Sequence[Kept], paint: Paint) -> Iterator[str]:
    """One line a request."""
    from oxcore.insight.requests import asked, shown

    rows: list[tuple[str, ...]] = [_HEADS]
    for one in found:
        request = one.request
        then, now = (
            "-" if value is None else shown(request.goal, value)
            for value in (request.figure, request.passed.get("figure"))
        )
        cells = (request.name, request.state, fit(request.owner, 20), asked(request.goal))
        rows.append((*cells, then, now, number(request.n), one.branch))
    for place, line in enumerate(table(rows, "llllrrrl")):
        yield paint(line, "dim") if place == 0 else line


def wish(request: Request, paint: Paint) -> Iterator[str]:
    """What is asked for, of whom, and how it stood."""
    from oxcore.insight.requests import asked

    whom = f" {clean(request.owner)}" if request.owner else ""
    state = paint(request.state, _COLOURS[request.state])
    yield paint(request.name, "bold") + f": {state}, asks{whom} for {asked(request.goal)}"
    split = f", those for the test at {request.split:g}" if request.split is not None else ""
    yield f"{plural(request.n, 'labelled record')} of the slice {request.slice}{split}, pinned"
    model = fit(clean(", ".join(request.model)), 40) or "the model"
    yield f"{model}: {request.metric} {figure(request.goal, request.then)}, {request.wrong:,} wrong"
    for count, why in (
        (request.unlabelled, "without a label"),
        (request.proposed, "with a label that is only proposed"),
    ):
        if count:
            yield f"{plural(count, 'record')} {why}, left out"


def lines(found: Details, paint: Paint, wide: int) -> Iterator[str]:
    """The whole request."""
    request = found.kept.request
    yield from wish(request, paint)
    place = f"{request.branch}:{request.folder}"
    yield f"from {place} at {short_id(request.commit)}; it lies on {found.kept.branch or 'it'}"
    if request.note:
        yield ""
        yield from map(clean, request.note.splitlines())
    if request.passed:
        yield ""
        yield _passed(request)
    if request.reason:
        yield ""
        yield f"closed: {clean(request.reason)}"
    yield from _drift(found.relabelled, request, paint)
    yield f"{found.inputs:,} of {plural(request.n, 'input')} kept, below {found.folder}"
    if found.failing:
        yield ""
        yield paint("failing, the surest first", "bold")
        yield from report.examples(found.failing, paint, wide)
        if request.wrong > len(found.failing):
            yield f"... and {request.wrong - len(found.failing):,} more: -n"
    yield ""
    yield from _history(found.history, paint)


def verdict(done: Tested, paint: Paint) -> Iterator[str]:
    """What a later model came to."""
    from oxcore.insight.requests import asked

    request, made, versus = done.kept.request, done.evaluation, done.comparison.versus
    goal = request.goal
    yield paint(request.name, "bold") + f": {asked(goal)}, on {plural(request.n, 'pinned record')}"
    yield from table(
        [
            (fit(versus.old, 40), f"{goal.metric} {figure(goal, request.then)}"),
            (fit(done.model, 40), f"{goal.metric} {figure(goal, done.figure)}"),
        ]
    )
    fixed = paint(f"{number(versus.fixed)} fixed", "green")
    broken = paint(f"{number(versus.broken)} broken", "red")
    yield (
        f"{fixed}, {broken}, {number(versus.both_right)} right in both, "
        f"{number(versus.both_wrong)} wrong in both; p = {versus.p:.3g} (McNemar)"
    )
    if made.missing:
        shown = ", ".join(map(clean, made.first_missing[:3]))
        yield paint(f"{number(made.missing)} without a prediction, which are wrong: {shown}", "red")
    yield from _drift(done.relabelled, request, paint)
    yield from proof.turned(versus, paint, "--head")
    yield ""
    for why in done.why:
        yield paint(f"not passed: {why}", "red")
    if done.passed:
        before = f"; it is {request.state}" if request.state != "open" and not done.commit else ""
        yield paint(f"passed{before}", "green")


def _passed(request: Request) -> str:
    from oxcore.insight.figures import Figure

    one = request.passed
    found = Figure(one.get("figure"), one.get("n", request.n), one.get("low"), one.get("high"))
    return (
        f"passed by {clean(str(one.get('model')))}: "
        f"{request.metric} {figure(request.goal, found)}, "
        f"{one.get('fixed')} fixed, {one.get('broken')} broken"
    )


def _drift(found: Sequence[Relabelled] | None, request: Request, paint: Paint) -> Iterator[str]:
    if found:
        first = found[0]
        yield paint(
            f"{plural(len(found), 'pinned record')} labelled otherwise on {request.branch} by now, "
            f"as {first.record_id}: {clean(f'{first.pinned} -> {first.now}')}; "
            "what was pinned stands",
            "yellow",
        )


def _history(steps: Sequence[Step], paint: Paint) -> Iterator[str]:
    rows = [(iso_date(one.time), one.did, one.author, short_id(one.commit)) for one in steps]
    yield paint("history", "bold")
    yield from table(rows)


def document(kept: Kept) -> dict[str, Any]:
    """A request for programs."""
    from dataclasses import asdict

    return {**asdict(kept.request), "on": kept.branch, "at": kept.commit}


def details(found: Details) -> dict[str, Any]:
    """The rest of a request."""
    return {
        "inputs_below": found.folder,
        "inputs": found.inputs,
        "failing": [one._asdict() for one in found.failing],
        "relabelled": found.relabelled,
        "history": [one._asdict() for one in found.history],
    }


def tested(done: Tested) -> dict[str, Any]:
    """What a later model came to, for programs."""
    return {
        "name": done.kept.request.name,
        "state": done.kept.request.state,
        "model": done.model,
        "passed": done.passed,
        "why": done.why,
        "metric": done.kept.request.metric,
        "figure": done.figure,
        "then": done.kept.request.then,
        "missing": done.evaluation.missing,
        "versus": done.comparison.versus,
        "relabelled": done.relabelled,
        "commit": done.commit,
        "on": done.kept.branch,
    }
