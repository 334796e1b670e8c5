"""An evaluation: predictions beside the truth, one row a key, and figures of how they agree.

Every row of the truth that says something is a row of the evaluation. One without an answer is
wrong, whatever the reason: else a model would gain by refusing what is hard.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
from pyarrow import parquet

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.insight.examples import FIELDS
from oxcore.insight.figures import ClassFigures, Figure, Weighted, by_class, plain, proportion
from oxcore.insight.metrics import Measures, confusion, measure, task_of
from oxcore.insight.report import by_column
from oxcore.tables.engine import Engine, quoted

FOLDER = b"evals"
COLUMNS = ("key", "truth", "prediction", "correct", "confidence")
"""The columns of an evaluation's table, before those that it is cut by."""
TRUTHS = ("truth", "label", "class", "target", "answer", "value")
"""Where the truth is looked for; the first of them that the table has."""
_FIGURES = ("accuracy", "precision", "recall", "f1", "mae", "rmse", "ece", "brier")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_RECORD = "ox record"  # the record that a prediction is of: it may have several keys
_FIRST = 20  # keys that are listed
_WHOLE = 9e15  # numbers beyond it are not exact as doubles


class Columns(NamedTuple):
    """What is what: names of columns, ``""`` where the first that fits is taken; ``by``: columns
    of the truth that groups are made of; ``within``: how far off a number is still right."""

    key: str = ""
    truth: str = ""
    prediction: str = ""
    by: tuple[str, ...] = ()
    within: float = 0.0


class Part(NamedTuple):
    """A group of an evaluation: its name and its figures."""

    name: str
    measures: Measures


class Evaluation(NamedTuple):
    """What was measured.

    ``missing``: keys of the truth that have no prediction, and ``first_missing`` of them; they are
    wrong. ``extra``: predictions, or records, whose key the truth has not; ``unlabelled``: keys
    without a truth: both are left out. ``answered``: the share with a prediction. ``rows``: the
    table, as Parquet; ``note``: where all came from, and the figures, as JSON.
    """

    name: str
    task: str
    whole: Measures
    answered: Figure
    missing: int
    first_missing: tuple[str, ...]
    extra: int
    unlabelled: int
    classes: tuple[ClassFigures, ...]
    groups: tuple[Part, ...]
    rows: bytes
    note: bytes


def check_name(name: str) -> str:
    """The name, if it may be one of an evaluation; ``InvalidError``."""
    if not _NAME.fullmatch(name) or name.endswith((".parquet", ".json")):
        hint = "letters, digits, dot, dash and underscore: --name NAME"
        raise InvalidError(f"{name!r} names no evaluation", hint=hint)
    return name


def paths_of(name: str) -> tuple[bytes, bytes]:
    """The two files of an evaluation: table and note."""
    stem = FOLDER + b"/" + check_name(name).encode()
    return stem + b".parquet", stem + b".json"


def evaluate(
    sql: Engine,
    schemas: Mapping[str, pa.Schema],
    name: str,
    columns: Columns,
    origin: Mapping[str, object],
) -> Evaluation:
    """Join the tables ``t``, the truth, and ``p``, predictions, of an engine, and measure.

    ``schemas``: of both; ``origin``: what the note is to tell of where they came from. Raises
    ``NotFoundError`` for a column that is not there, ``InvalidError`` for a key that occurs twice,
    and where no key of one is in the other.
    """
    truths, said = (Named(sql, table, schemas[table]) for table in ("t", "p"))
    _join(sql, truths, said, columns)
    missing, extra, unlabelled = sql.rows(_COUNTS)[0]
    if not sql.rows("SELECT count(*) FROM joined WHERE found")[0][0]:
        raise _apart(sql)
    task = task_of(sql)
    cuts = [cut for column in columns.by for cut in by_column(sql, column)]
    whole, *measured = measure(sql, ["true", *(cut.where for cut in cuts)], task)
    first = sql.rows(f"SELECT key FROM joined WHERE NOT found ORDER BY key LIMIT {_FIRST}")
    answers = sql.rows("SELECT count(prediction) FROM joined")[0][0]
    made = Evaluation(
        check_name(name),
        task,
        whole,
        proportion(answers, Weighted(whole.n, float(whole.n), float(whole.n))),
        missing,
        tuple(row[0] for row in first),
        extra,
        unlabelled,
        tuple(by_class(confusion(sql))) if task == "classes" else (),
        tuple(Part(cut.name, one) for cut, one in zip(cuts, measured, strict=True)),
        _rows(sql, columns.by),
        b"",
    )
    return made._replace(note=_note(made, origin))


def said_by_records(sql: Engine, match: str = "") -> pa.Table:
    """What the records of ``examples`` predict, by ``match``, or by record id and by
    hash of the input; the latest of those that have the same key."""
    parts = [
        f"(SELECT CAST({key} AS VARCHAR) AS key, record_id AS {quoted(_RECORD)}, "
        "CASE WHEN status <> 'error' THEN prediction END AS prediction, confidence "
        f"FROM examples WHERE {key} IS NOT NULL QUALIFY row_number() "
        f"OVER (PARTITION BY {key} ORDER BY ts DESC, record_id) = 1)"
        for key in keys_of(sql, match)
    ]
    return sql.table(" UNION ALL ".join(parts))


def keys_of(sql: Engine, match: str) -> list[str]:
    """What the key of a record is, as SQL: ``match``, a column or an expression over the columns of
    ``examples``, or else record id and hash of the input. ``InvalidError``."""
    if not match:
        return ["record_id", "input_hash"]
    sql.check(f"SELECT (\n{match}\n) FROM examples", 1)
    return [f"(\n{match}\n)"]


class Named:
    """A table of an engine, and what SQL calls its columns."""

    def __init__(self, sql: Engine, table: str, schema: pa.Schema) -> None:
        self.table = table
        self._sql = sql
        self._schema = schema
        self._names = sql.names.get(table)

    def find(self, name: str, otherwise: Sequence[str] = ()) -> str | None:
        """The column ``name``, or the first of ``otherwise`` that is there."""
        found = [one for one in ([name] if name else otherwise) if one in self._schema.names]
        return found[0] if found else None

    def need(self, what: str, name: str, otherwise: Sequence[str] = ()) -> str:
        """``find``, or ``NotFoundError``."""
        found = self.find(name, otherwise)
        if found is None:
            side = "the truth" if self.table == "t" else "the predictions"
            wanted = repr(name) if name else f"that is the {what} ({', '.join(otherwise)})"
            columns = ", ".join(self._schema.names)
            raise NotFoundError(f"{side}: no column {wanted}", hint=f"there are: {columns}")
        return found

    def column(self, name: str) -> str:
        """What SQL calls a column."""
        place = self._schema.names.index(name)
        return quoted(name if self._names is None else self._names[place])

    def kind(self, name: str) -> str:
        """``whole`` numbers by type, ``number``, or neither."""
        type_ = self._schema.field(self._schema.names.index(name)).type
        if pa.types.is_integer(type_):
            return "whole"
        number = pa.types.is_floating(type_) or pa.types.is_decimal(type_)
        return "number" if number else ""

    def whole(self, name: str) -> bool:
        """Whether all numbers of a column are whole."""
        number = f"CAST({self.column(name)} AS DOUBLE)"
        fits = f"isnan({number}) OR (abs({number}) < {_WHOLE} AND {number} = round({number}))"
        return bool(
            self._sql.rows(f"SELECT coalesce(bool_and({fits}), true) FROM {self.table}")[0][0]
        )


def as_text(*columns: tuple[Named, str]) -> list[str]:
    """SQL for columns as text that can be compared: 7 and 7.0 are the same, and NaN is nothing."""
    kinds = [table.kind(name) for table, name in columns]
    if len(columns) > 1 and not all(kinds):
        return [text for one in columns for text in as_text(one)]
    plain = [table.column(name) for table, name in columns]
    if set(kinds) <= {"whole"} or not all(kinds):
        return [f"CAST({column} AS VARCHAR)" for column in plain]
    whole = all(table.whole(name) for table, name in columns)
    numbers = [f"nullif(CAST({column} AS DOUBLE), 'NaN'::DOUBLE)" for column in plain]
    return [f"CAST({f'CAST({one} AS BIGINT)' if whole else one} AS VARCHAR)" for one in numbers]


def _join(sql: Engine, truths: Named, said: Named, columns: Columns) -> None:
    """Make ``joined``, and of it ``examples``, which the figures are counted of."""
    for column in columns.by:
        truths.need("group", column)
        if column.casefold() in _OWN:
            raise UsageError(f"groups cannot be made of {column!r}: an evaluation has its own")
    key = truths.need("key", columns.key, ("key", "record_id", "id"))
    truth = truths.need("truth", columns.truth, TRUTHS)
    prediction = said.need("prediction", columns.prediction, ("prediction", *FIELDS))
    other = said.need("key", "", (columns.key, "key", "record_id", "id"))
    keys, values = (
        as_text((truths, key), (said, other)),
        as_text((truths, truth), (said, prediction)),
    )
    groups = "".join(
        f", CAST({truths.column(one)} AS VARCHAR) AS {quoted(one)}" for one in columns.by
    )
    sql.run(
        f"CREATE TEMP TABLE truths AS SELECT {keys[0]} AS key, {values[0]} AS truth{groups} FROM t"
    )
    sure = said.find("confidence")
    confidence = "NULL" if sure is None else said.column(sure)
    sql.run(
        f"CREATE TEMP TABLE said AS SELECT {keys[1]} AS key, {values[1]} AS prediction, "
        f"TRY_CAST({confidence} AS DOUBLE) AS confidence, "
        f"{keys[1] if said.find(_RECORD) is None else quoted(_RECORD)} AS record "
        f"FROM p WHERE {keys[1]} IS NOT NULL"
    )
    for table, what in (("truths", "the truth"), ("said", "the predictions")):
        once(sql, table, what)
    listed = "".join(f", {quoted(one)}" for one in columns.by)
    sql.run(
        "CREATE TEMP TABLE joined AS SELECT t.key, truth, prediction, "
        f"{_right(columns.within)} AS correct, confidence, s.key IS NOT NULL AS found{listed} "
        "FROM truths t LEFT JOIN said s USING (key) WHERE truth IS NOT NULL AND t.key IS NOT NULL"
    )
    sql.run(f"CREATE TEMP VIEW examples AS SELECT *, {_CONSTANT_SQL} FROM joined")


_CONSTANT = {
    "record_id": "key",
    "ts": "make_timestamptz(0)",
    "status": "'ok'",
    "weight": "1.0::DOUBLE",
    "price": "NULL::DOUBLE",
    "latency_ms": "NULL::DOUBLE",
    "up": "0",
    "down": "0",
}
_CONSTANT_SQL = ", ".join(f"{value} AS {name}" for name, value in _CONSTANT.items())
_OWN = frozenset(
    {*COLUMNS, *_CONSTANT, "found", "tags", "other", "before", "after", "was", "now", "old", "new"}
)
_COUNTS = """
SELECT (SELECT count(*) FROM joined WHERE NOT found),
       (SELECT count(DISTINCT record) FROM said) -
       (SELECT count(DISTINCT record) FROM said SEMI JOIN truths USING (key)),
       (SELECT count(*) FROM truths WHERE truth IS NULL)
"""


def _right(within: float) -> str:
    same = "prediction = truth"
    if not within:
        return f"coalesce({same}, false)"
    off = "abs(TRY_CAST(prediction AS DOUBLE) - TRY_CAST(truth AS DOUBLE))"
    return f"coalesce({off} <= {float(within)!r}, {same}, false)"


def once(sql: Engine, table: str, what: str) -> None:
    """``InvalidError`` with the first key that a table has twice."""
    twice = sql.rows(
        f"SELECT key, count(*) FROM {table} WHERE key IS NOT NULL GROUP BY key "
        "HAVING count(*) > 1 ORDER BY key LIMIT 1"
    )
    if twice:
        key, count = twice[0]
        raise InvalidError(
            f"{what}: the key {key!r} is there {count:,} times",
            hint="name the column that tells rows apart: --key COLUMN",
        )


def _apart(sql: Engine) -> InvalidError:
    """The error for tables that have no key in common, with a key of each."""
    shown = [sql.rows(f"SELECT min(key) FROM {table}")[0][0] for table in ("truths", "said")]
    return InvalidError(
        "no key of the truth has a prediction",
        hint=f"the truth has keys like {shown[0]!r}, the predictions like {shown[1]!r}",
    )


def _rows(sql: Engine, by: Sequence[str]) -> bytes:
    listed = ", ".join(map(quoted, (*COLUMNS, *by)))
    out = io.BytesIO()
    found = sql.table(f"SELECT {listed} FROM joined ORDER BY key")
    parquet.write_table(found.replace_schema_metadata(), out, compression="zstd")
    return out.getvalue()


def _note(made: Evaluation, origin: Mapping[str, object]) -> bytes:
    """The same evaluation of the same inputs gives the same bytes."""
    told = {
        "name": made.name,
        **origin,
        "task": made.task,
        "n": made.whole.n,
        "wrong": made.whole.wrong,
        "missing": made.missing,
        "first_missing": made.first_missing,
        "extra": made.extra,
        "unlabelled": made.unlabelled,
        "figures": {"answered": made.answered, **_figures(made.whole)},
        "classes": made.classes,
        "groups": [
            {"name": part.name, "n": part.measures.n, **_figures(part.measures)}
            for part in made.groups
        ],
    }
    text = json.dumps(plain(told), ensure_ascii=False, indent=1)
    return f"{text}\n".encode("utf-8", "replace")


def same_but_commits(one: bytes, other: bytes) -> bool:
    """Whether two notes tell the same of the same tables, whichever commits these are in."""
    try:
        notes = [json.loads(text) for text in (one, other)]
        for note in notes:
            for side in ("truth", "predictions"):
                if "hash" in note[side]:
                    note[side].pop("commit", None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return bool(notes[0] == notes[1])


def _figures(measures: Measures) -> dict[str, object]:
    chosen = {name: getattr(measures, name) for name in _FIGURES}
    return {name: one for name, one in chosen.items() if one.value is not None}
