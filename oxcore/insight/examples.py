"""Records with what is known of them: one row a record, the table ``examples`` of an engine.

The label of a record is a view, as of a time: of its events of the kinds ``label`` and
``correction`` the one of the first source in the order of trust, then the latest. An opinion (a
vote) is counted beside, and no label is no label: ``correct`` is null then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from oxcore.errors import UsageError
from oxcore.insight.records import EVENTS, RECORDS, Captured
from oxcore.tables.engine import Engine, engine, literal

TRUST = ("gold", "expert", "import", "human", "user", "rule", "model")
"""Sources of labels, the most trusted first; others stand behind these."""
FIELDS = ("label", "class", "prediction", "predicted", "answer", "text", "value")
"""Where a prediction is looked for in an output that is an object; the first that is there."""
COLUMNS = tuple(
    "record_id ts latency_ms status error model input_hash input_path mime prediction truth "  # noqa: SIM905
    "truth_source truth_author truth_ts correct confidence weight group_key session_id tags params "
    "output origin up down".split()
)
"""The columns of ``examples``, which slices and conditions may name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How records are read. ``prediction``: the field of an output that is it, as in ``label`` or
    ``choices[0].text``; ``trust``: the order of sources; ``as_of``: microseconds since the epoch,
    later records and events are left out."""

    prediction: str = ""
    trust: tuple[str, ...] = TRUST
    as_of: int | None = None


@contextmanager
def examples(
    captured: Captured, reading: Reading | None = None, memory: str = "768MiB"
) -> Iterator[Engine]:
    """An engine with the tables ``examples`` (``COLUMNS``), ``gaps`` and ``events``."""
    chosen = reading or Reading()
    with engine({"r": captured.records, "e": captured.events}, memory) as sql:
        build(sql, chosen)
        yield sql


def checked(sql: Engine, where: str) -> str:
    """The condition in brackets; ``InvalidError`` with the place in it unless it makes sense."""
    sql.check(f"SELECT 1 FROM examples WHERE (\n{where}\n)", 1)
    return f"(\n{where}\n)"


def build(sql: Engine, reading: Reading) -> None:
    """Make the tables of ``examples`` from the views ``r`` (records) and ``e`` (events)."""
    until = "" if reading.as_of is None else f"make_timestamptz({reading.as_of})"
    sql.run(_events(until))
    sql.run(_raw(until, reading.prediction))
    sql.run(_gaps())
    sql.run(_once())
    sql.run(_labels(reading.trust, reading.prediction))
    sql.run(_votes())
    sql.run(_joined())
    for name in ("raw", "labels", "votes"):
        sql.run(f"DROP TABLE {name}")


def _events(until: str) -> str:
    late = f" WHERE ts <= {until}" if until else ""
    listed = ", ".join(EVENTS.names)
    return (
        f"CREATE TEMP TABLE events AS SELECT {listed} FROM e{late}"
        " QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY ts) = 1"
    )


def _raw(until: str, prediction: str) -> str:
    late = f" WHERE ts_start <= {until}" if until else ""
    kept = [name for name in RECORDS.names if name not in {"model", "input"}]
    model = "nullif(concat_ws('@', model.name, model.version), '')"
    return (
        f"CREATE TEMP TABLE raw AS SELECT {', '.join(kept)}, {model} AS model, "
        "input.hash AS input_hash, input.path AS input_path, input.mime AS mime, "
        f"{_value('output', prediction)} AS prediction FROM r{late}"
    )


def _gaps() -> str:
    return (
        "CREATE TEMP TABLE gaps AS SELECT ts_start AS ts, writer_id, "
        "coalesce(TRY_CAST(params->>'$.dropped' AS BIGINT), 0) AS dropped, "
        "params->>'$.reason' AS reason FROM raw WHERE status = 'gap'"
    )


def _once() -> str:
    """Every record once: a record that was shipped twice has the same id."""
    return (
        "CREATE TEMP TABLE records AS SELECT * FROM raw WHERE status <> 'gap' "
        "QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY writer_id, seq) = 1"
    )


def _labels(trust: Sequence[str], prediction: str) -> str:
    ranks = " ".join(f"WHEN {literal(name)} THEN {rank}" for rank, name in enumerate(trust))
    rank = f"CASE source {ranks} ELSE {len(trust)} END" if trust else "0"
    return (
        "CREATE TEMP TABLE labels AS SELECT record_id, "
        f"{_value('value', prediction)} AS truth, source, author, ts FROM events "
        "WHERE kind IN ('label', 'correction') QUALIFY row_number() OVER "
        f"(PARTITION BY record_id ORDER BY {rank}, ts DESC, event_id DESC) = 1"
    )


def _votes() -> str:
    up = "value->>'$' IN ('up', 'true', '1', 'good', 'yes')"
    down = "value->>'$' IN ('down', 'false', '-1', '0', 'bad', 'no')"
    return (
        f"CREATE TEMP TABLE votes AS SELECT record_id, count(*) FILTER ({up}) AS up, "
        f"count(*) FILTER ({down}) AS down FROM events WHERE kind = 'vote' GROUP BY record_id"
    )


def _joined() -> str:
    correct = (
        "CASE WHEN truth IS NULL THEN NULL WHEN status = 'error' THEN false "
        "ELSE coalesce(prediction = truth, false) END"
    )
    own = {
        "ts": "ts_start",
        "weight": "1 / coalesce(nullif(sample_rate, 0), 1)",
        "correct": correct,
        "truth_source": "source",
        "truth_author": "author",
        "truth_ts": "l.ts",
        "confidence": "r.confidence",
        "up": "coalesce(up, 0)",
        "down": "coalesce(down, 0)",
        "record_id": "r.record_id",
    }
    listed = ", ".join(f"{own.get(name, name)} AS {name}" for name in COLUMNS)
    return (
        f"CREATE TEMP TABLE examples AS SELECT {listed} FROM records r "
        "LEFT JOIN labels l USING (record_id) LEFT JOIN votes v USING (record_id) "
        "ORDER BY ts, record_id"
    )


def _value(column: str, field: str) -> str:
    """SQL for the text that JSON in ``column`` stands for: of an object the field."""
    whole = f"CASE WHEN json_type({column}) IN ('OBJECT', 'NULL') THEN NULL ELSE {column}->>'$' END"
    if field:
        return f"coalesce({column}->>{literal(_path(field))}, {whole})"
    fields = ", ".join(f"{column}->>'$.{name}'" for name in FIELDS)
    inner = f"CASE WHEN json_type({column}) = 'OBJECT' THEN coalesce({fields}) END"
    return f"coalesce({inner}, {whole})"


def _path(field: str) -> str:
    if not field.replace("_", "a").replace(".", "a").replace("[", "a").replace("]", "a").isalnum():
        raise UsageError(
            f"{field!r} names no field of an output", hint="as in label, or choices[0].text"
        )
    return f"$.{field}"
