"""A report: what happened on a branch, in figures, by slice, over time, and the worst examples.

It is made of the records of one commit (and the labels as of a time), holds nothing of the moment
or of the machine, and so comes out the same, byte for byte, whenever it is made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from oxcore.errors import InvalidError
from oxcore.insight.cube import GUESS, OFF, Confusion
from oxcore.insight.examples import Examples, bracketed
from oxcore.insight.figures import ClassFigures, Figure, Weighted, by_class, proportion
from oxcore.insight.metrics import (
    Bin,
    Measures,
    calibration,
    counted,
    measures,
    task_of,
)
from oxcore.insight.records import Row
from oxcore.tables.engine import Engine, literal, quoted

_CELL = 20  # examples that a cell of the confusion matrix opens
_WORST = 20
_ALL = "true"  # the condition of all records
_POINTS = 60  # of the plot over time, at most
DOCUMENTS = ("params", "output")
"""Columns of examples whose fields groups may be made of."""
_GROUPS = 50  # values of a column that are shown; the most frequent
_STEPS = (60, 300, 900, 3600, 10_800, 43_200, 86_400, 604_800, 2_592_000, 31_536_000)  # seconds


class Group(NamedTuple):
    """A slice, or a value of a column.

    ``change``: its accuracy (for numbers: its mean absolute error) minus that of all;
    ``share``: of all wrong records, how many are in it; ``recoverable``: how many of its wrong
    records would be right, were it as accurate as the rest.
    """

    name: str
    about: str
    measures: Measures
    change: float | None
    share: float | None
    recoverable: float


class Cell(NamedTuple):
    """Records of one truth and one prediction, and the ids of the first of them."""

    truth: str
    prediction: str
    n: int
    records: tuple[str, ...]


class Point(NamedTuple):
    """Records from ``start`` (microseconds since the epoch) for the step of the plot."""

    start: int
    n: int
    labelled: int
    error_rate: Figure
    accuracy: Figure
    p50: float | None
    models: tuple[str, ...]


class Mark(NamedTuple):
    """A commit of the branch: when (microseconds since the epoch), its id and its title."""

    time: int
    commit: str
    title: str


class Example(NamedTuple):
    """One record, to look at."""

    record_id: str
    ts: int
    status: str
    error: str | None
    model: str | None
    prediction: str | None
    truth: str | None
    correct: bool | None
    confidence: float | None
    input_path: str | None
    mime: str | None
    output: str | None


class Report(NamedTuple):
    """All of it. ``commit``: the version that it is of; ``step``: seconds between the ``points``;
    ``lost``: records that gaps tell of; ``orphans``: events of records that are not there;
    ``delay``: the median of hours from a record to its label; ``commits``: those of the branch
    between the first point and the last; ``slices``: the version that the slices are of, "" where
    it is the commit itself."""

    branch: str
    folder: str
    commit: str
    as_of: int | None
    task: str
    whole: Measures
    lost: int
    orphans: int
    delay: float | None
    groups: tuple[Group, ...]
    classes: tuple[ClassFigures, ...]
    cells: tuple[Cell, ...]
    calibration: tuple[Bin, ...]
    step: int
    points: tuple[Point, ...]
    commits: tuple[Mark, ...]
    worst: tuple[Example, ...]
    slices: str = ""


class Cut(NamedTuple):
    """A group to report on: its name, what it is about, and its condition."""

    name: str
    about: str
    where: str


def marks_of(slices: Iterable[str]) -> tuple[str, ...]:
    """The conditions of a report by these slices, of which its examples had better be marked."""
    return _ALL, *map(bracketed, slices)


def report(
    found: Examples,
    branch: str,
    folder: str,
    history: Sequence[Mark],
    cuts: Sequence[Cut],
    as_of: int | None,
) -> Report:
    """The report of what ``insight.examples`` opened; ``history``: the commit that it is of, and
    others before."""
    sql = found.sql
    task = task_of(sql)
    conditions = (_ALL, *(cut.where for cut in cuts))
    tallies = counted(sql, conditions, task, marked=found.marked == conditions)
    whole, *measured = map(measures, tallies)
    pairs = tallies[0].confusion
    groups = [_group(cut, one, whole, task) for cut, one in zip(cuts, measured, strict=True)]
    step, points = over_time(sql)
    lost, orphans, delay = sql.rows(_FEEDBACK)[0]
    return Report(
        branch,
        folder,
        history[0].commit,
        as_of,
        task,
        whole,
        int(lost),
        orphans,
        delay,
        tuple(sorted(groups, key=lambda one: (-one.recoverable, -one.measures.wrong, one.name))),
        tuple(by_class(pairs)),
        tuple(cells(sql, pairs)),
        tuple(calibration(tallies[0])),
        step,
        points,
        _during(history, points, step),
        tuple(failures(found, sort="worst" if task == "classes" else "farthest")),
    )


def _during(history: Sequence[Mark], points: Sequence[Point], step: int) -> tuple[Mark, ...]:
    if not points:
        return ()
    first, end = points[0].start, points[-1].start + step * 1_000_000
    return tuple(mark for mark in reversed(history) if first <= mark.time <= end)


_FEEDBACK = """
SELECT (SELECT coalesce(sum(dropped), 0) FROM gaps),
       (SELECT n FROM orphans),
       (SELECT quantile_disc(epoch_us(truth_ts) - epoch_us(ts), 0.5) / 3.6e9 FROM examples)
"""


def by_column(sql: Engine, column: str, documents: Sequence[str] = ()) -> list[Cut]:
    """A group for each value of a column (of ``tags``: each tag), the most frequent first; or of a
    field of a column that is one of ``documents``, as in ``params.camera``."""
    value = _checked_column(sql, column, documents)
    if column == "tags":
        found = sql.rows(
            "SELECT tag, count(*) FROM (SELECT unnest(tags) AS tag FROM examples) "
            f"GROUP BY tag ORDER BY 2 DESC, 1 LIMIT {_GROUPS}"
        )
        return [Cut(tag, "", f"list_contains(tags, {literal(tag)})") for tag, _ in found]
    text = f"CAST({value} AS VARCHAR)"
    found = sql.rows(
        f"SELECT {text}, count(*) FROM examples GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_GROUPS}"
    )
    return [
        Cut(f"{column} = {one}", "", f"{text} = {literal(one)}")
        if one is not None
        else Cut(f"no {column}", "", f"{value} IS NULL")
        for one, _ in found
    ]


def _checked_column(sql: Engine, column: str, documents: Sequence[str]) -> str:
    """The SQL of a column, or of a field of one that is JSON; ``InvalidError`` if there is none."""
    value, (whole, _, path) = quoted(column), column.partition(".")
    if path and whole in documents:
        steps = "".join(f'."{step}"' for step in path.replace('"', "").split("."))
        value = f"({whole} ->> {literal('$' + steps)})"
    try:
        sql.check(f"SELECT {value} FROM examples")
    except InvalidError as error:
        hint = f"fields of {documents[0]} are {documents[0]}.NAME" if documents else ""
        raise InvalidError(error.message, hint=error.hint or hint) from error
    return value


def _group(cut: Cut, own: Measures, whole: Measures, task: str) -> Group:
    name = "accuracy" if task == "classes" else "mae"
    mine, all_ = getattr(own, name).value, getattr(whole, name).value
    change = None if mine is None or all_ is None else mine - all_
    share = own.wrong / whole.wrong if whole.wrong else None
    return Group(cut.name, cut.about, own, change, share, _recoverable(own, whole))


def _recoverable(own: Measures, whole: Measures) -> float:
    """Wrong records of the group beyond what the rest's share of wrong ones would give."""
    others = whole.labelled - own.labelled
    if not own.labelled or not others:
        return 0.0
    expected = own.labelled * (whole.wrong - own.wrong) / others
    return max(0.0, own.wrong - expected)


def cells(sql: Engine, pairs: Confusion) -> list[Cell]:
    """The confusion matrix, each cell with the ids of its first records."""
    if not pairs:
        return []
    found = sql.rows(
        f"SELECT truth, {GUESS} AS guess, min(record_id, {_CELL}) FROM examples "
        "WHERE truth IS NOT NULL GROUP BY 1, 2"
    )
    shown = {(truth, guess): tuple(records) for truth, guess, records in found}
    return [Cell(*pair, weighted.n, shown[pair]) for pair, weighted in pairs.items()]


def over_time(sql: Engine) -> tuple[int, tuple[Point, ...]]:
    """The step in seconds, and figures for each step that has records."""
    first, last, alike = sql.rows(
        "SELECT epoch(min(ts)), epoch(max(ts)), min(weight) = 1 AND max(weight) = 1 FROM examples"
    )[0]
    if first is None:
        return _STEPS[0], ()
    step = next((one for one in _STEPS if (last - first) / one <= _POINTS), _STEPS[-1])
    weight = "count(*)" if alike else "fsum(weight)"
    square = "count(*)" if alike else "fsum(weight * weight)"
    found = sql.rows(
        f"SELECT floor(epoch(ts) / {step})::BIGINT AS place, count(*), {weight}, {square}, "
        f"{weight} FILTER (status = 'error'), count(truth), {weight} FILTER (truth IS NOT NULL), "
        f"{square} FILTER (truth IS NOT NULL), {weight} FILTER (correct), "
        "quantile_disc(latency_ms, 0.5), list_sort(list(DISTINCT model)) "
        "FROM examples GROUP BY place ORDER BY place"
    )
    points = [
        Point(
            place * step * 1_000_000,
            n,
            known,
            proportion(failed or 0.0, Weighted(n, w, w2)),
            proportion(right or 0.0, Weighted(known, lw or 0.0, lw2 or 0.0)),
            p50,
            tuple(one for one in models if one is not None),
        )
        for place, n, w, w2, failed, known, lw, lw2, right, p50, models in found
    ]
    return step, tuple(points)


SORTS: Mapping[str, str] = {
    "worst": "correct NULLS LAST, status <> 'error', confidence DESC NULLS LAST",
    "farthest": f"abs({OFF}) DESC NULLS FIRST",
    "uncertainty": "confidence NULLS LAST",
    "newest": "ts DESC",
    "oldest": "ts",
    "slowest": "latency_ms DESC NULLS LAST",
}
"""How failures may be ordered: ``worst`` is wrong ones first, the surest of them at the top;
``farthest`` is of numbers."""
WRONG = "(status = 'error' OR coalesce(NOT correct, false) OR down > 0)"
"""A failure: a call that failed, a wrong answer, or one that somebody voted down."""


def failures(
    found: Examples, where: str = WRONG, sort: str = "worst", limit: int = _WORST
) -> list[Example]:
    """Records for which ``where`` holds, ``limit`` of them in the order that ``SORTS`` names."""
    rows = found.sql.rows(
        f"SELECT record_id, epoch_us(ts), {', '.join(_SHOWN)} FROM examples WHERE ({where}) "
        f"ORDER BY {SORTS[sort]}, record_id LIMIT {limit}"
    )
    whole = _rest(found, [row[0] for row in rows])
    return [_example(row, whole.get(row[0], {})) for row in rows]


def _rest(found: Examples, ids: Sequence[str]) -> dict[str, Row]:
    """What is shown of records besides."""
    listed = ", ".join(map(literal, ids))
    query = f"SELECT record_id, error, output, {', '.join(_INPUT.values())} FROM r"
    rows = found.sql.rows(f"{query} WHERE record_id IN ({listed})") if ids else []
    if len(rows) > len(ids):  # shipped twice: the first counts
        return found.records.find(ids, ("error", "output", "input"))
    return {
        row[0]: {
            "error": row[1],
            "output": row[2],
            "input": dict(zip(_INPUT, row[3:], strict=True)),
        }
        for row in rows
    }


_INPUT = {"path": "input.path", "mime": "input.mime"}
_SHOWN = ("status", "model", "prediction", "truth", "correct", "confidence")


def _example(row: tuple[Any, ...], whole: dict[str, Any]) -> Example:
    source = whole.get("input") or {}
    return Example(
        record_id=row[0],
        ts=row[1],
        **dict(zip(_SHOWN, row[2:], strict=True)),
        error=whole.get("error"),
        input_path=source.get("path"),
        mime=source.get("mime"),
        output=whole.get("output"),
    )
