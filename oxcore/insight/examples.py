"""Records with what is known of them: one row a record, the table ``examples`` of an engine.

The label of a record is a view, as of a time: of its events of the kinds ``label`` and
``correction`` the one of the first source in the order of trust, then the latest. An opinion (a
vote) is counted beside, and no label is no label: ``correct`` is null then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from oxcore.errors import UsageError
from oxcore.insight.records import Captured, Shards
from oxcore.tables.engine import Engine, engine, literal

TRUST = ("gold", "expert", "import", "human", "user", "rule", "model")
"""Sources of labels, the most trusted first; others stand behind these."""
FIELDS = ("label", "class", "prediction", "predicted", "answer", "text", "value")
"""Where a prediction is looked for in an output that is an object; the first that is there."""
COUNTED = ("record_id", "ts", "latency_ms", "status", "model", "prediction", "confidence")
"""Columns of a record that every figure needs."""
KNOWN = ("truth", "truth_source", "truth_author", "truth_ts", "correct", "up", "down")
"""Columns that come of feedback."""
LAZY = {
    "writer_id": "writer_id",
    "error": "error",
    "session_id": "session_id",
    "group_key": "group_key",
    "tags": "tags",
    "params": "params",
    "output": "output",
    "origin": "origin",
    "sample_rate": "sample_rate",
    "input_hash": "input.hash",
    "input_path": "input.path",
    "input_size": "input.size",
    "mime": "input.mime",
}
"""Columns that are read where they are named, and their source in a record."""
COLUMNS = (*COUNTED, "weight", "price", *KNOWN, *LAZY)
"""The columns of ``examples``, which slices and conditions may name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How records are read. ``prediction``: the field of an output that is it, as in ``label`` or
    ``choices[0].text``; ``trust``: the order of sources; ``as_of``: microseconds since the epoch,
    later records and events are left out."""

    prediction: str = ""
    trust: tuple[str, ...] = TRUST
    as_of: int | None = None


class Examples(NamedTuple):
    """``sql``: an engine with the tables ``examples`` (``COLUMNS``), ``gaps``, and ``e``, the
    events; ``records``: where the rest of a record is found."""

    sql: Engine
    records: Shards


@contextmanager
def examples(
    captured: Captured,
    reading: Reading | None = None,
    texts: Iterable[str] = LAZY,
    memory: str = "640MiB",
) -> Iterator[Examples]:
    """The examples of a folder, while the block lasts.

    ``texts``: all SQL that will be asked; of the ``LAZY`` columns those are there that it names.
    """
    words = set(re.findall(r"\w+", " ".join(texts)))
    lazy = [name for name in LAZY if name in words]
    own = {LAZY[name].split(".")[0] for name in lazy}
    records = captured.records.only(_READ | own)
    with engine({"r": records, "e": captured.events}, memory) as sql:
        _build(sql, reading or Reading(), lazy)
        yield Examples(sql, captured.records)


_READ = frozenset(
    "record_id ts_start latency_ms status model output params confidence sample_rate seq".split()  # noqa: SIM905
)


def checked(sql: Engine, where: str) -> str:
    """The condition in brackets; ``InvalidError`` with the place in it unless it makes sense."""
    sql.check(f"SELECT 1 FROM examples WHERE (\n{where}\n)", 1)
    return f"(\n{where}\n)"


def _build(sql: Engine, reading: Reading, lazy: Sequence[str]) -> None:
    until = None if reading.as_of is None else f"make_timestamptz({reading.as_of})"
    sql.run(_records(until, reading.prediction, lazy))
    _once(sql, "raw", "record_id", "ts, record_id")
    sql.run(_gaps())
    sql.run(_events(until, reading))
    _once(sql, "said", "record_id", "rank, ts DESC, event_id DESC")
    sql.run(_votes(until))
    sql.run(_joined(lazy))
    for name in ("raw", "said", "votes"):
        sql.run(f"DROP TABLE {name}")


def _records(until: str | None, prediction: str, lazy: Sequence[str]) -> str:
    picked = "".join(f", {LAZY[name]} AS {name}" for name in lazy)
    model = "nullif(concat_ws('@', model.name, model.version), '')"
    late = f" WHERE ts_start <= {until}" if until else ""
    # Kept as text where it is asked for, the output is taken apart once in any case.
    return (
        "CREATE TEMP TABLE raw AS SELECT record_id, seq, ts_start AS ts, latency_ms, status, "
        f"{model} AS model, confidence, "
        "CAST(1 / coalesce(nullif(sample_rate, 0), 1) AS DOUBLE) AS weight, "
        "TRY_CAST(coalesce(params->>'$.cost', found[1]) AS DOUBLE) AS price, "
        "CASE WHEN status = 'gap' THEN params END AS gap, "
        f"{_chosen(prediction)} AS prediction{picked} FROM "
        f"(SELECT *, {_found('output', prediction)} FROM r{late})"
    )


def _events(until: str | None, reading: Reading) -> str:
    ranks = " ".join(f"WHEN {literal(name)} THEN {at}" for at, name in enumerate(reading.trust))
    rank = f"CASE source {ranks} ELSE {len(reading.trust)} END" if ranks else "0"
    late = f" AND ts <= {until}" if until else ""
    return (
        f"CREATE TEMP TABLE said AS SELECT record_id, event_id, ts, source, author, "
        f"{rank} AS rank, {_chosen(reading.prediction)} AS truth FROM "
        f"(SELECT *, {_found('value', reading.prediction)} FROM e "
        f"WHERE kind IN ('label', 'correction'){late})"
    )


def _once(sql: Engine, table: str, key: str, order: str) -> None:
    """Keep the first row of each key, if there are more: to look is cheap, a window is not."""
    apart, total = sql.rows(f"SELECT count(DISTINCT hash({key})), count({key}) FROM {table}")[0]
    if apart != total:
        sql.run(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM {table} "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order}) = 1"
        )


def _gaps() -> str:
    return (
        "CREATE TEMP TABLE gaps AS SELECT ts, "
        "coalesce(TRY_CAST(gap->>'$.dropped' AS BIGINT), 0) AS dropped, "
        "gap->>'$.reason' AS reason FROM raw WHERE status = 'gap'"
    )


def _votes(until: str | None) -> str:
    late = f" AND ts <= {until}" if until else ""
    up = "word IN ('up', 'true', '1', 'good', 'yes')"
    down = "word IN ('down', 'false', '-1', '0', 'bad', 'no')"
    once = (
        f"SELECT DISTINCT event_id, record_id, value->>'$' AS word FROM e WHERE kind = 'vote'{late}"
    )
    return (
        f"CREATE TEMP TABLE votes AS SELECT record_id, count(*) FILTER ({up}) AS up, "
        f"count(*) FILTER ({down}) AS down FROM ({once}) GROUP BY record_id"
    )


def _joined(lazy: Sequence[str]) -> str:
    kept = "".join(f", {name}" for name in lazy)
    listed = ", ".join(f"r.{name}" if name == "ts" else name for name in COUNTED)
    return (
        f"CREATE TEMP TABLE examples AS SELECT {listed}, weight, price, truth, "
        "source AS truth_source, author AS truth_author, l.ts AS truth_ts, "
        "CASE WHEN truth IS NULL THEN NULL WHEN status = 'error' THEN false "
        "ELSE coalesce(prediction = truth, false) END AS correct, "
        f"coalesce(up, 0) AS up, coalesce(down, 0) AS down{kept} "
        "FROM raw r LEFT JOIN said l USING (record_id) LEFT JOIN votes v USING (record_id) "
        "WHERE status <> 'gap'"
    )


def _found(column: str, field: str) -> str:
    """What JSON holds, taken apart once: ``found`` (its cost, then the fields), and ``plain``."""
    fields = [field] if field else FIELDS
    paths = ", ".join(literal(_path(name)) for name in ("cost", *fields))
    return f"json_extract_string({column}, [{paths}]) AS found, {_shape(column)}"


def _shape(column: str) -> str:
    return (
        f"CASE WHEN json_type({column}) IN ('OBJECT', 'NULL') THEN NULL ELSE {column}->>'$' END "
        "AS plain"
    )


def _chosen(field: str) -> str:
    """SQL for the text that the JSON stands for: of an object the field, else all of it."""
    count = 1 if field else len(FIELDS)
    return f"coalesce({', '.join(f'found[{at + 2}]' for at in range(count))}, plain)"


def _path(field: str) -> str:
    if not re.fullmatch(r"[\w.\[\]]+", field):
        raise UsageError(
            f"{field!r} names no field of an output", hint="as in label, or choices[0].text"
        )
    return f"$.{field}"
