"""Requests to the owner of a model: do better on these records, by this much.

A request is a folder, ``requests/NAME/``::

    request.yaml     what is asked of whom, how it stood, where it came from, how it ended
    rows.parquet     the pinned records: labels, answers, inputs; columns: ``pinned.SCHEMA``
    media/...        their inputs, as captured
    passed.parquet   what the model said that passed, as the table of an evaluation

``request.yaml`` has one field a line, always in the same order, and neither time nor person: those
are the commits'. So the same records and the same answers give the same bytes, whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from oxcore.errors import InvalidError, UsageError
from oxcore.insight.evaluation import Evaluation
from oxcore.insight.figures import Figure, plain
from oxcore.insight.slices import read_yaml

FOLDER = b"requests"
STATES = ("open", "passed", "closed")
"""``passed``: a model met it; ``closed``: nobody will, for the ``reason`` that is given."""
SHARES = ("accuracy", "precision", "recall", "f1")
"""Metrics of classes, of which more is better."""
METRICS = (*SHARES, "mae", "rmse", "ece", "brier")
"""What may be asked for; of those that are no shares less is better."""
_NUMBERS = ("mae", "rmse")
_COUNTED = ("accuracy", "recall", "f1")  # which a missing answer lowers
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Goal(NamedTuple):
    """What is asked for: ``metric`` at least, or at most, so much; ``within``: how far off a number
    is still right. Shares are at least so much, the other metrics at most."""

    metric: str = "accuracy"
    at_least: float | None = None
    at_most: float | None = None
    within: float = 0.0

    @property
    def bar(self) -> float:
        """The number that is asked for."""
        return (self.at_least if self.at_most is None else self.at_most) or 0.0

    def met_by(self, value: float) -> bool:
        """Whether a figure meets it, with the nine digits that are told of it."""
        told = float(f"{value:.9g}")
        return told >= self.bar if self.metric in SHARES else told <= self.bar


@dataclass(frozen=True, slots=True)
class Request:
    """``request.yaml``: what is asked for and of whom, then how it was met, or why it was given up.

    ``model``: those that answered, ``name@version``; ``n`` pinned records, ``wrong`` of them, and
    the ``figure`` of the metric with its interval (``low``, ``high``); ``unlabelled`` and
    ``proposed`` records of the slice are not among them. ``branch``, ``folder`` and ``commit``:
    where the records came from; ``slices``: the version of the slice, if that is another.
    ``split``: only what is for the test was pinned, by this share. ``rows``: BLAKE3 of
    ``rows.parquet``. ``passed``: model, predictions and figures that met it.
    """

    name: str
    state: str
    owner: str
    note: str
    slice: str
    metric: str
    at_least: float | None
    at_most: float | None
    within: float
    model: tuple[str, ...]
    n: int
    wrong: int
    figure: float | None
    low: float | None
    high: float | None
    unlabelled: int
    proposed: int
    split: float | None
    prediction: str
    trust: tuple[str, ...]
    branch: str
    folder: str
    commit: str
    slices: str
    rows: str
    reason: str = ""
    passed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def goal(self) -> Goal:
        """What is asked for."""
        return Goal(self.metric, self.at_least, self.at_most, self.within)

    def moved(
        self, state: str, *, reason: str = "", passed: Mapping[str, Any] | None = None
    ) -> Request:
        """The same request in another state."""
        return replace(self, state=state, reason=reason, passed=passed or {})

    @property
    def then(self) -> Figure:
        """The figure when it was opened."""
        return Figure(self.figure, self.n, self.low, self.high)


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "float | None": (int, float),
    "tuple[str, ...]": list,
    "Mapping[str, Any]": dict,
}
_EMPTY: Mapping[str, Any] = {
    "str": "",
    "int": 0,
    "float": 0.0,
    "float | None": None,
    "tuple[str, ...]": (),
    "Mapping[str, Any]": {},
}
_NEEDED = ("state", "slice", "metric", "n", "branch", "commit", "rows")


def check_name(name: str) -> str:
    """The name, if it may be one of a request; ``InvalidError``."""
    if not _NAME.fullmatch(name) or ".." in name or name.endswith((".", ".lock")):
        raise InvalidError(
            f"{name!r} names no request", hint="letters, digits, dot, dash and underscore"
        )
    return name


def folder_of(name: str) -> bytes:
    """The folder of a request."""
    return FOLDER + b"/" + check_name(name).encode()


def path_of(name: str) -> bytes:
    """The file that says what is asked for."""
    return folder_of(name) + b"/request.yaml"


def rows_of(name: str) -> bytes:
    """The table of the pinned records."""
    return folder_of(name) + b"/rows.parquet"


def passed_of(name: str) -> bytes:
    """The table of the answers that passed."""
    return folder_of(name) + b"/passed.parquet"


def checked(goal: Goal) -> Goal:
    """The goal, if it makes sense; ``UsageError`` or ``InvalidError``."""
    if goal.metric not in METRICS:
        known = ", ".join(METRICS)
        raise InvalidError(f"{goal.metric!r} is no metric", hint=f"there are: {known}")
    more = goal.metric in SHARES
    wanted, other = (goal.at_least, goal.at_most) if more else (goal.at_most, goal.at_least)
    option = "--at-least" if more else "--at-most"
    if wanted is None or other is not None:
        better = "more" if more else "less"
        raise UsageError(
            f"how much {goal.metric} is asked for? {better} of it is better",
            hint=f"{option} {'0.9' if more else '0.5'}",
        )
    if not wanted >= 0 or (more and wanted > 1):  # nor is it ever NaN
        hint = "from 0 to 1, as in 0.9" if more else "0 or more"
        raise InvalidError(f"{goal.metric} is never {wanted:g}", hint=hint)
    return goal


def fitting(goal: Goal, made: Evaluation) -> None:
    """``InvalidError`` if a metric says nothing of labels as these are."""
    metric, numbers = goal.metric, made.task == "numbers"
    if metric in _NUMBERS and not numbers:
        raise InvalidError(
            f"{metric} is of numbers, and these labels are classes",
            hint=f"ask for one of {', '.join(SHARES)}: --metric accuracy --at-least 0.9",
        )
    if numbers and (metric in SHARES[1:] or (metric == "accuracy" and not goal.within)):
        raise InvalidError(
            f"{metric} is of classes, and these labels are numbers",
            hint="--metric mae --at-most X, or --metric accuracy --within X",
        )
    if figure_of(goal, made).value is None and metric not in _NUMBERS:
        why = "more than 200 labels" if metric in SHARES else "no record says how sure the model is"
        raise InvalidError(f"there is no figure of {metric}: {why}", hint="--metric accuracy")


def figure_of(goal: Goal, made: Evaluation) -> Figure:
    """The figure that is asked for, with the nine digits that are told of it."""
    found: Figure = getattr(made.whole, goal.metric)
    told = (None if x is None else float(f"{x:.9g}") for x in (found.value, *found[2:]))
    value, low, high = told
    return Figure(value, found.n, low, high)


def standing(goal: Goal, made: Evaluation) -> dict[str, Any]:
    """How an evaluation stands: ``figure`` with ``low`` and ``high``, ``n``, and how many were
    ``wrong``."""
    value, _, low, high = figure_of(goal, made)
    whole = made.whole
    return {"figure": value, "low": low, "high": high, "n": whole.n, "wrong": whole.wrong}


def lacking(goal: Goal, made: Evaluation) -> tuple[str, ...]:
    """Why an evaluation does not meet a goal, in words; nothing if it does.

    Where a missing answer would not lower the figure, none may be missing: else a model would gain
    by refusing what is hard.
    """
    found, n = figure_of(goal, made), made.whole.n
    why = []
    answers = round((made.answered.value or 0.0) * n)
    told = answers if goal.metric in SHARES else min(answers, found.n)
    if goal.metric not in _COUNTED and told < n:
        why.append(f"{n - told:,} of {n:,} have no answer that {goal.metric} can count")
    if found.value is None or not goal.met_by(found.value):
        least = "least" if goal.metric in SHARES else "most"
        known = "not known" if found.value is None else shown(goal, found.value)
        why.append(f"{goal.metric} is {known}, and at {least} {shown(goal, goal.bar)} is asked for")
    return tuple(why)


def shown(goal: Goal, value: float) -> str:
    """A value of the metric: a share in percent."""
    return f"{value:.4g}" if goal.metric not in SHARES else f"{value:.1%}"


def asked(goal: Goal) -> str:
    """What is asked for, in words."""
    least = "least" if goal.metric in SHARES else "most"
    within = f" (right within {goal.within:g})" if goal.within else ""
    return f"{goal.metric} of at {least} {shown(goal, goal.bar)}{within}"


def dump(request: Request) -> bytes:
    """The file of a request: one field a line, those that say nothing left out."""
    import yaml

    class Lines(yaml.SafeDumper):
        """Text stays on one line: its line breaks are escaped."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        style = None if value.isprintable() else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Lines.add_representer(str, text)
    given = {one.name: getattr(request, one.name) for one in fields(Request)[1:]}
    lines = []
    for name, value in given.items():
        if value in _NOTHING or (name in _ZERO and not value):
            continue
        flow = isinstance(value, tuple | Mapping)
        told = yaml.dump(
            _listed(plain(value)) if flow else {name: plain(value)},
            Dumper=Lines,
            default_flow_style=flow,
            sort_keys=False,
            allow_unicode=True,
            width=float("inf"),
        )
        lines.append(f"{name}: {told}" if flow else told)
    return "".join(lines).encode()


_NOTHING: tuple[object, ...] = (None, "", (), {})
_ZERO = ("within", "unlabelled", "proposed")


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def parse(name: str, text: bytes) -> Request:
    """A request from its file; ``InvalidError`` names file and field of what is wrong."""
    file = path_of(name).decode()
    record = read_yaml(file, text)
    if not isinstance(record, dict):
        raise InvalidError(f"{file}: a request has fields, as in metric: accuracy")
    kinds = {one.name: str(one.type) for one in fields(Request)[1:]}
    _check(file, record, kinds)
    given: dict[str, Any] = {
        key: _read(kind, record[key]) if key in record else _EMPTY[kind]
        for key, kind in kinds.items()
    }
    made = Request(name, **given)
    try:
        checked(made.goal)
    except (InvalidError, UsageError) as error:
        raise InvalidError(f"{file}: {error.message}", hint=error.hint) from None
    return made


def _read(kind: str, value: Any) -> Any:  # noqa: ANN401 -- what YAML holds
    if kind.startswith("tuple"):
        return tuple(map(str, value))
    return float(value) if kind.startswith("float") else value


def _check(file: str, record: Mapping[object, object], kinds: Mapping[str, str]) -> None:
    for key, value in record.items():
        if key not in kinds:
            known = ", ".join(kinds)
            raise InvalidError(f"{file}: {key!r} is no field", hint=f"there are: {known}")
        kind = kinds[str(key)]
        if isinstance(value, bool) or not isinstance(value, _TYPES[kind]):
            raise InvalidError(f"{file}: {key} cannot be {value!r}")
    for key in _NEEDED:
        if key not in record:
            raise InvalidError(f"{file}: it says no {key}")
    if record["state"] not in STATES:
        raise InvalidError(
            f"{file}: {record['state']!r} is no state", hint=f"one of {', '.join(STATES)}"
        )
