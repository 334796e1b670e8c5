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

from oxcore.errors import InvalidError, UsageError
from oxcore.insight.records import EVENTS, RECORDS, Captured, Shards
from oxcore.tables.engine import Engine, engine, literal

TRUST = ("gold", "expert", "import", "human", "user", "rule", "model")
"""Sources of labels, the most trusted first; others stand behind these."""
FIELDS = ("label", "class", "prediction", "predicted", "answer", "text", "value", "content")
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
_BLANKS = "E' \\t\\n\\r'"  # of JSON
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
    """``sql``: an engine with the tables ``examples`` (``COLUMNS``), ``gaps``, ``orphans`` (``n``:
    events of records that are not there), and ``e``, the events; ``records``: where the rest of a
    record is found."""

    sql: Engine
    records: Shards


@contextmanager
def examples(
    captured: Captured,
    reading: Reading | None = None,
    texts: Iterable[str] = LAZY,
    memory: str = "640MiB",
    *,
    ordered: bool = True,
) -> Iterator[Examples]:
    """The examples of a folder, while the block lasts.

    ``texts``: all SQL that will be asked; of the ``LAZY`` columns those are there that it names.
    ``ordered``: whether rows come in the order of the shards where a query names none.
    """
    words = set(re.findall(r"\w+", " ".join(texts)))
    lazy = [name for name in LAZY if name in words]
    own = {LAZY[name].split(".")[0] for name in lazy}
    records = captured.records.only(_READ | own)
    with engine({"r": records, "e": captured.events}, memory, ordered=ordered) as sql:
        try:
            _build(sql, reading or Reading(), lazy)
        except InvalidError:
            records.check()
            captured.events.check()
            raise
        yield Examples(sql, captured.records)


_READ = frozenset(
    "record_id ts_start latency_ms status model output params confidence sample_rate".split()  # noqa: SIM905
)


def checked(sql: Engine, where: str, source: str = "") -> str:
    """The condition in brackets; ``InvalidError`` with the place in it, and in ``source``, the file
    that it is of, unless it makes sense."""
    try:
        sql.check(f"SELECT 1 FROM examples WHERE (\n{where}\n)", 1)
    except InvalidError as error:
        if not source:
            raise
        raise InvalidError(f"{source}: {error.message}", hint=error.hint) from error
    return f"(\n{where}\n)"


def check_condition(where: str, source: str) -> None:
    """Raise ``InvalidError`` for a condition that makes sense of no records, whatever they are."""
    nothing = Captured(Shards([], RECORDS), Shards([], EVENTS))
    with examples(nothing, texts=(where,)) as found:
        checked(found.sql, where, source)


def _build(sql: Engine, reading: Reading, lazy: Sequence[str]) -> None:
    until = None if reading.as_of is None else f"make_timestamptz({reading.as_of})"
    sql.run(_events(until, reading))
    sql.run(f"CREATE TEMP VIEW labels AS {_LABELS}")
    kept = (
        _FIRST.format("rank, truth_ts DESC, event_id DESC, truth") if _twice(sql, "labels") else ""
    )
    kind = "TABLE" if kept else "VIEW"
    sql.run(f"CREATE TEMP {kind} said AS SELECT * FROM labels{kept}")
    sql.run(_VOTES)
    tagged = "tags" in lazy and _retagged(sql, until)
    sql.run(_told(until, reading.prediction, lazy, tagged=tagged))
    if _twice(sql, "told"):
        kept = _FIRST.format("ts, status, prediction, confidence, latency_ms, hash(told)")
        sql.run(f"CREATE OR REPLACE TEMP TABLE told AS SELECT * FROM told{kept}")
    sql.run(_GAPS)
    sql.run("CREATE TEMP VIEW examples AS SELECT * EXCLUDE (gap) FROM told WHERE gap IS NULL")
    sql.run(f"CREATE TEMP TABLE orphans AS {_ORPHANS if _lonely(sql) else 'SELECT 0 AS n'}")
    for what in (f"{kind} said", "VIEW labels", "TABLE votes", "TABLE events"):
        sql.run(f"DROP {what}")


def _events(until: str | None, reading: Reading) -> str:
    """All feedback: there is one pass over its shards."""
    ranks = " ".join(f"WHEN {literal(name)} THEN {at}" for at, name in enumerate(reading.trust))
    rank = f"CASE source {ranks} ELSE {len(reading.trust)} END" if ranks else "0"
    late = f" WHERE ts <= {until}" if until else ""
    return (
        "CREATE TEMP TABLE events AS SELECT record_id, event_id, ts, kind, source, author, "
        f"{rank} AS rank, {_chosen(reading.prediction)} AS truth, plain FROM "
        f"(SELECT *, {_found('value', reading.prediction)} FROM e{late})"
    )


_LABELS = """
SELECT record_id, event_id, rank, truth, source AS truth_source,
    author AS truth_author, ts AS truth_ts FROM events WHERE kind IN ('label', 'correction')
"""
_UP = "('up', 'true', '1', 'good', 'yes')"
_DOWN = "('down', 'false', '-1', '0', 'bad', 'no')"
_VOTES = f"""
CREATE TEMP TABLE votes AS SELECT record_id, count(*) FILTER (plain IN {_UP}) AS up,
    count(*) FILTER (plain IN {_DOWN}) AS down
FROM (SELECT DISTINCT event_id, record_id, plain FROM events WHERE kind = 'vote')
GROUP BY record_id
"""
_TAGGED = """
CREATE TEMP TABLE tagged AS SELECT record_id, coalesce(list(tag) FILTER (kind = 'tag'), []) AS more,
    coalesce(list(tag) FILTER (kind = 'untag'), []) AS less
FROM (SELECT * FROM
    (SELECT record_id, event_id, ts, kind, unnest(CASE WHEN json_type(value) = 'ARRAY'
        THEN json_extract_string(value, '$[*]') ELSE [value->>'$'] END) AS tag
        FROM e WHERE kind IN ('tag', 'untag'){})
    WHERE tag IS NOT NULL QUALIFY
        row_number() OVER (PARTITION BY record_id, tag ORDER BY ts DESC, event_id DESC, kind) = 1)
GROUP BY record_id
"""
_TAGS = """
CASE WHEN more IS NULL THEN tags ELSE list_sort(list_distinct(list_concat(
    [tag FOR tag IN coalesce(tags, []) IF NOT list_contains(less, tag)], more))) END AS tags
"""
_GAPS = """
CREATE TEMP TABLE gaps AS SELECT ts, coalesce(TRY_CAST(gap->>'$.dropped' AS BIGINT), 0) AS dropped,
    gap->>'$.reason' AS reason FROM told WHERE gap IS NOT NULL
"""
_ORPHANS = """
SELECT count(DISTINCT event_id) AS n FROM events ANTI JOIN examples x USING (record_id)
"""


_PRICE = "TRY_CAST(coalesce(params->>'$.cost', found[1]) AS DOUBLE)"


def finite(number: str) -> str:
    """SQL for a number that is one: neither infinite nor "not a number", which spoil any mean."""
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _retagged(sql: Engine, until: str | None) -> bool:
    """Whether tags were given or taken by feedback: of each the last event counts."""
    if not sql.rows("SELECT count(*) FROM events WHERE kind IN ('tag', 'untag')")[0][0]:
        return False
    sql.run(_TAGGED.format(f" AND ts <= {until}" if until else ""))
    return True


def _told(until: str | None, prediction: str, lazy: Sequence[str], *, tagged: bool) -> str:
    """Records with their labels; ``gap``: what one that stands for a gap says, else null."""
    picked = "".join(f", {_TAGS if tagged and name == 'tags' else name}" for name in lazy)
    found = "".join(f", {LAZY[name]} AS {name}" for name in lazy)
    late = f" WHERE ts_start <= {until}" if until else ""
    # Kept as text where it is asked for, the output is taken apart once in any case.
    return (
        f"CREATE TEMP TABLE told AS SELECT {', '.join(COUNTED)}, weight, price, truth, "
        "truth_source, truth_author, truth_ts, "
        "CASE WHEN truth IS NULL THEN NULL WHEN status = 'error' THEN false "
        "ELSE coalesce(prediction = truth, false) END AS correct, "
        f"coalesce(up, 0) AS up, coalesce(down, 0) AS down{picked}, gap FROM "
        f"(SELECT record_id, ts_start AS ts, {finite('latency_ms')} AS latency_ms, status, "
        "nullif(concat_ws('@', model.name, model.version), '') AS model, "
        f"{finite('confidence')} AS confidence, "
        "CASE WHEN isfinite(sample_rate) AND sample_rate > 0 THEN 1 / sample_rate ELSE 1.0::DOUBLE "
        "END AS weight, "
        f"{finite(_PRICE)} AS price, "
        "CASE WHEN status = 'gap' THEN coalesce(params, '{}') END AS gap, "
        f"{_chosen(prediction)} AS prediction{found} FROM "
        f"(SELECT *, {_found('output', prediction)} FROM r{late})) "
        "LEFT JOIN said USING (record_id) LEFT JOIN votes USING (record_id)"
        f"{' LEFT JOIN tagged USING (record_id)' if tagged else ''}"
    )


def _twice(sql: Engine, table: str) -> bool:
    """Whether there are several rows of a record: to look is cheap, a window is not."""
    apart, total = sql.rows(
        f"SELECT count(DISTINCT hash(record_id)), count(record_id) FROM {table}"
    )[0]
    return bool(apart != total)


_FIRST = " QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY {}) = 1"


def _lonely(sql: Engine) -> bool:
    """Whether an event may be of a record that is not there: to count is cheaper than a join."""
    events, labels, votes = sql.rows(
        "SELECT count(*) FILTER (kind IS NULL OR kind NOT IN ('label', 'correction', 'vote')), "
        "(SELECT count(*) FROM said), (SELECT count(*) FROM votes) FROM events"
    )[0]
    if events or votes:
        return True
    return bool(sql.rows("SELECT count(truth_ts) FROM examples")[0][0] != labels)


def _found(column: str, field: str) -> str:
    """What JSON holds, taken apart once: ``found`` (its cost, then the fields) of an object, and
    ``plain`` of what is none. To parse is dear, so an object is known by its brace."""
    fields = [field] if field else FIELDS
    paths = ", ".join(literal(_path(name)) for name in ("cost", *fields))
    inside = f"starts_with(ltrim({column}, {_BLANKS}), '{{')"
    return (
        f"CASE WHEN {inside} THEN json_extract_string({column}, [{paths}]) END AS found, "
        f"CASE WHEN NOT {inside} THEN {column}->>'$' END AS plain"
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
