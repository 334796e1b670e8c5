"""Rules that propose labels, said by people who know the field, in files of the repository.

A rule is ``rules/NAME.yaml``. It proposes one label for the records for which its SQL holds, or
what a function in a file of the repository says::

    about: pictures taken at night come out as fox
    where: hour(ts) < 6 and prediction = 'fox'     # SQL over the columns of examples
    label: cat

    about: almost no bright pixel
    python: rules/dark.py:dark                     # dark(record) -> a label, or None; True: `label`
    label: night

``record`` is a mapping of the columns of examples; ``record["input"]`` reads the bytes of the
input. Code of the repository runs only where it is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from traceback import walk_tb
from typing import Any, NamedTuple

import pyarrow as pa

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.insight.chosen import PROPOSING
from oxcore.insight.examples import ASKED, COLUMNS, Examples, checked
from oxcore.insight.figures import Figure, Weighted, proportion
from oxcore.insight.slices import check_name, read_yaml
from oxcore.tables.engine import Engine, literal

FOLDER = b"rules"
GOLD = ("gold", "expert", "human")
"""Sources of labels that rules are measured by."""
_FIELDS = ("about", "where", "python", "label")
_PYTHON = re.compile(r"([^:\n]+\.py):([A-Za-z_]\w*)")

Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """``name``, what it is ``about``, its condition ``where`` or its function ``python``, and the
    ``label`` that it proposes ("" where the function says it)."""

    name: str
    about: str = ""
    where: str = ""
    python: str = ""
    label: str = ""


class Tried(NamedTuple):
    """What a rule does: ``records`` that it proposes a label for, their share (``coverage``), of
    which other rules propose the same (``agreeing``) or another (``conflicts``), and the share that
    is right where a person said the label (``precision``)."""

    name: str
    about: str
    records: int
    coverage: float
    agreeing: int
    conflicts: int
    precision: Figure


class Proposal(NamedTuple):
    """A label for a record that no person labelled, by the rules that agree on it."""

    record_id: str
    label: str
    rules: tuple[str, ...]


class Proposals(NamedTuple):
    """``new`` proposals; records whose rules disagree (``conflicts``), and counts of those that a
    person labelled (``known``) and of those that were proposed so before (``same``)."""

    new: list[Proposal]
    conflicts: list[str]
    known: int
    same: int


class Record(dict[str, Any]):
    """A record as a function sees it: its columns, and ``input``, read when it is asked for."""

    def __init__(self, columns: Mapping[str, Any], read: Read) -> None:
        super().__init__(columns)
        self._read = read

    def __missing__(self, name: str) -> bytes:
        if name != "input":
            raise KeyError(name)
        path = self["input_path"]
        self[name] = found = (self._read(path) if path else None) or b""
        return found


def path_of(name: str) -> bytes:
    """The file of a rule."""
    try:
        return FOLDER + b"/" + check_name(name).encode() + b".yaml"
    except InvalidError as error:
        raise InvalidError(f"{name!r} names no rule", hint=error.hint) from None


def parse(name: str, text: bytes) -> Rule:
    """A rule from its file; ``InvalidError`` names file and line of what is wrong."""
    file = path_of(name).decode()
    record = read_yaml(file, text)
    if not isinstance(record, dict):
        raise InvalidError(f"{file}: a rule has where: and label:, or python:")
    for field, value in record.items():
        if field not in _FIELDS:
            hint = f"there are: {', '.join(_FIELDS)}"
            raise InvalidError(f"{file}: {field!r} is nothing that a rule says", hint=hint)
        if not isinstance(value, str | int | float):
            raise InvalidError(f"{file}: {field} must be text or a number")
    return _sound(file, Rule(name, **{field: _text(value) for field, value in record.items()}))


def _sound(file: str, rule: Rule) -> Rule:
    if bool(rule.where) == bool(rule.python):
        raise InvalidError(f"{file}: a rule has where: or python:, one of them")
    if rule.where and not rule.label:
        raise InvalidError(f"{file}: label: is missing", hint="what the rule proposes")
    if rule.python and not _PYTHON.fullmatch(rule.python):
        hint = "FILE.py:FUNCTION, as in rules/dark.py:dark"
        raise InvalidError(f"{file}: python: {rule.python} names no function", hint=hint)
    return rule


def dump(rule: Rule) -> bytes:
    """The file of a rule."""
    import yaml

    given = {field: getattr(rule, field) for field in _FIELDS if getattr(rule, field)}
    text: str = yaml.safe_dump(given, sort_keys=False, allow_unicode=True, width=100)
    if yaml.safe_load(text) != given:  # odd white space: in quotes, escaped
        text = yaml.safe_dump(given, sort_keys=False, default_style='"', width=1 << 30)
    return text.encode()


def chosen(known: Mapping[str, Rule], names: Sequence[str], *, python: bool) -> list[Rule]:
    """The rules of these names, or all; ``UsageError`` for code that nobody asked to run."""
    for name in names:
        if name not in known:
            hint = f"there are: {', '.join(sorted(known))}" if known else "make one: ox rule add"
            raise NotFoundError(f"no rule is called {name!r}", hint=hint)
    rules = [known[name] for name in dict.fromkeys(names or sorted(known))]
    if not rules:
        raise NotFoundError("there is no rule", hint="make one: ox rule add NAME --where SQL")
    code = [rule.name for rule in rules if rule.python]
    if code and not python:
        raise UsageError(
            f"{', '.join(code)}: code of the repository, which would run here",
            hint="look at it, then say --allow-python; or name other rules",
        )
    return rules


def texts(rules: Iterable[Rule]) -> Iterator[str]:
    """All SQL that the rules ask, for ``examples``."""
    yield "truth_source"
    for rule in rules:
        yield " ".join(ASKED) if rule.python else rule.where


def propose(
    found: Examples, rules: Sequence[Rule], code: Mapping[str, bytes | None], read: Read
) -> None:
    """Make the table ``proposed`` of the engine: ``record_id``, ``rule``, ``label``.

    ``code``: the files that functions are in, by path; ``read`` gives the input at a path. Raises
    ``InvalidError`` for SQL that makes no sense, and for functions that fail, with the record.
    """
    sql = found.sql
    sql.run("CREATE TEMP TABLE proposed (record_id TEXT, rule TEXT, label TEXT)")
    for rule in rules:
        if rule.where:
            where = checked(sql, rule.where, path_of(rule.name).decode())
            sql.run(
                f"INSERT INTO proposed SELECT record_id, {literal(rule.name)}, "
                f"{literal(rule.label)} FROM examples WHERE {where}"
            )
    code_rules = [rule for rule in rules if rule.python]
    if code_rules:
        _run(sql, [(rule, _function(rule, code)) for rule in code_rules], read)


def tried(sql: Engine, rules: Sequence[Rule]) -> list[Tried]:
    """What each of the rules does, of the table ``proposed``."""
    total = sql.rows("SELECT count(*) FROM examples")[0][0]
    by_rule = {row[0]: row[1:] for row in sql.rows(_TRIED.format(gold=_listed(GOLD)))}
    made = []
    for rule in rules:
        n, agreeing, conflicts, gold, right = by_rule.get(rule.name, (0, 0, 0, 0, 0))
        precision = proportion(float(right), Weighted(gold, float(gold), float(gold)))
        share = n / total if total else 0.0
        made.append(Tried(rule.name, rule.about, n, share, agreeing, conflicts, precision))
    return made


def proposals(sql: Engine) -> Proposals:
    """What the table ``proposed`` comes to: where rules agree, and nobody knows better."""
    new: list[Proposal] = []
    conflicts: list[str] = []
    known = same = 0
    for record, labels, names, by_person, truth in sql.rows(
        _PROPOSALS.format(doubt=_listed(PROPOSING))
    ):
        if by_person:
            known += 1
        elif len(labels) > 1:
            conflicts.append(record)
        elif truth == labels[0]:
            same += 1
        else:
            new.append(Proposal(record, labels[0], tuple(names)))
    return Proposals(new, conflicts, known, same)


_TRIED = """
WITH heads AS (SELECT record_id, count(*) AS rules, count(DISTINCT label) AS labels
    FROM proposed GROUP BY record_id)
SELECT rule, count(*), count(*) FILTER (rules > 1 AND labels = 1), count(*) FILTER (labels > 1),
    count(*) FILTER (x.truth_source IN ({gold})),
    count(*) FILTER (x.truth_source IN ({gold}) AND x.truth = p.label)
FROM proposed p JOIN heads USING (record_id) JOIN examples x USING (record_id) GROUP BY rule
"""
_PROPOSALS = """
SELECT record_id, list(DISTINCT label ORDER BY label), list(rule ORDER BY rule),
    bool_or(truth IS NOT NULL AND NOT coalesce(truth_source IN ({doubt}), false)),
    any_value(truth) FILTER (truth_source = 'rule')
FROM proposed JOIN examples USING (record_id) GROUP BY record_id ORDER BY record_id
"""


def _run(sql: Engine, rules: Sequence[tuple[Rule, Callable[..., object]]], read: Read) -> None:
    columns = ", ".join(COLUMNS)
    rows: list[dict[str, str]] = []
    for batch in sql.batches(f"SELECT {columns} FROM examples ORDER BY record_id"):
        for given in batch.to_pylist():
            record = Record(given, read)
            for rule, function in rules:
                label = _called(rule, function, record)
                if label is not None:
                    rows.append(
                        {"record_id": given["record_id"], "rule": rule.name, "label": label}
                    )
    schema = pa.schema([(name, pa.string()) for name in ("record_id", "rule", "label")])
    sql.put("by code", pa.Table.from_pylist(rows, schema))
    sql.run('INSERT INTO proposed SELECT * FROM "by code"')


def _called(rule: Rule, function: Callable[..., object], record: Record) -> str | None:
    try:
        said = function(record)
    except Exception as error:  # the user's code raises anything
        raise InvalidError(
            f"rule {rule.name}: {rule.python} fails on record {record['record_id']}"
            f"{_line(error, rule)}: {type(error).__name__}: {error}"
        ) from error
    if said is None or said is False:
        return None
    if said is True and rule.label:
        return rule.label
    if isinstance(said, str | int | float) and said is not True:
        return _text(said)
    raise InvalidError(
        f"rule {rule.name}: {rule.python} says {said!r} of record {record['record_id']}",
        hint="a label (text or a number), None for nothing, or True where the rule has label:",
    )


def _line(error: Exception, rule: Rule) -> str:
    """Where in the file of the rule it failed."""
    file = rule.python.rpartition(":")[0]
    frames = [at for frame, at in walk_tb(error.__traceback__) if frame.f_code.co_filename == file]
    return f", line {frames[-1]}" if frames else ""


def _function(rule: Rule, code: Mapping[str, bytes | None]) -> Callable[..., object]:
    file, name = rule.python.rsplit(":", 1)
    source = code.get(file)
    if source is None:
        raise NotFoundError(f"rule {rule.name}: {file} is not staged", hint="ox add it")
    space: dict[str, Any] = {"__name__": f"rule_{rule.name}", "__file__": file}
    try:
        exec(compile(source, file, "exec"), space)  # noqa: S102 -- asked for, by --allow-python
    except Exception as error:  # the user's code raises anything
        raise InvalidError(f"{file}: {type(error).__name__}: {error}") from error
    function = space.get(name)
    if not callable(function):
        raise NotFoundError(f"rule {rule.name}: {file} has no function {name}")
    found: Callable[..., object] = function
    return found


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(literal, words))
