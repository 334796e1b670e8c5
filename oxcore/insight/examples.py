"""Records with what is known of them: one row a record, the table ``examples`` of an engine.

The label of a record is a view, as of a time: of its events of the kinds ``label`` and
``correction`` the one of the first source in the order of trust, then the latest. An opinion (a
vote) is counted beside, and no label is no label: ``correct`` is null then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from oxcore.errors import InvalidError, UsageError
from oxcore.insight.records import Captured, Shards
from oxcore.insight.shapes import EVENTS, RECORDS
from oxcore.tables.engine import Engine, engine, literal

TRUST = ("gold", "expert", "import", "human", "user", "rule", "model")
"""Sources of labels, the most trusted first; others stand behind these."""
FIELDS = ("label", "class", "prediction", "predicted", "answer", "text", "value", "content")
"""Where a prediction is looked for in an output that is an object; the first that is there."""
COUNTED = ("record_id", "ts", "latency_ms", "status", "model", "prediction", "confidence")
"""Columns of a record that every figure needs."""
KNOWN = ("truth", "truth_source", "truth_author", "truth_ts", "correct", "up", "down")
"""Columns that come of feedback."""
SAID = {"truth_source": "source", "truth_author": "author"}
"""Those of them that are read where they are named, and their source in an event."""
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
ASKED = (*LAZY, *SAID)
"""All columns that are read only where they are named."""
BITS = 60
"""Conditions that a mark has room for."""
MARK = '"ox mark"'
"""The column of examples that says which conditions hold, if they are marked."""
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
    record is found; ``marked``: the conditions that each is marked with, in ``MARK``."""

    sql: Engine
    records: Shards
    marked: tuple[str, ...] = ()


@contextmanager
def examples(
    captured: Captured,
    reading: Reading | None = None,
    texts: Iterable[str] = ASKED,
    memory: str = "640MiB",
    *,
    ordered: bool = True,
    marks: Sequence[str] = (),
) -> Iterator[Examples]:
    """The examples of a folder, while the block lasts.

    ``texts``: all SQL that will be asked; of the ``ASKED`` columns those are there that it names.
    ``ordered``: whether rows come in the order of the shards where a query names none. ``marks``:
    conditions on the columns; each example is marked with those that hold, if that can be known
    while they are read.
    """
    words = set(re.findall(r"\w+", " ".join(texts).casefold()))
    asked = [name for name in ASKED if name in words]
    own = {LAZY[name].split(".")[0] for name in asked if name in LAZY}
    records = captured.records.only(_READ | own)
    with engine({"r": records, "e": captured.events}, memory, ordered=ordered) as sql:
        try:
            marked = _build(sql, reading or Reading(), asked, marks)
        except InvalidError:
            records.check()
            captured.events.check()
            raise
        yield Examples(sql, captured.records, tuple(marks) if marked else ())


_READ = frozenset(
    "record_id ts_start latency_ms status error model input output params confidence "  # noqa: SIM905
    "sample_rate".split()
)


def checked(sql: Engine, where: str, source: str = "") -> str:
    """The condition in brackets; ``InvalidError`` with the place in it, and in ``source``, the file
    that it is of, unless it makes sense. One that is kept in a file has to say the same at any
    time: a report gives the same bytes again."""
    if source:
        _check_steady(where, source)
    try:
        sql.check(_tried(where), 1)
    except InvalidError as error:
        if not source:
            raise
        raise InvalidError(f"{source}: {error.message}", hint=error.hint) from error
    return bracketed(where)


def checked_all(sql: Engine, conditions: Mapping[str, str]) -> list[str]:
    """The same of many, by their files: tried at once, and one by one where that fails."""
    made = [bracketed(where) for where in conditions.values()]
    alone = [_tried(where) for where in conditions.values()]
    for source, where in conditions.items():
        _check_steady(where, source)
    if made and not sql.accepts(alone, f"{_TRY} {' AND '.join(made)}"):
        for source, where in conditions.items():
            checked(sql, where, source)
    return made


_TRY = "SELECT 1 FROM examples WHERE"


_QUOTED = re.compile(r"'[^']*'|--[^\n]*|/\*.*?\*/", re.DOTALL)  # texts, and what people say
_UNSTEADY = re.compile(
    r"\b(?:random|setseed|gen_random_uuid|uuid(?:v4|v7)?|nextval|now|today|transaction_timestamp|"
    r"txid_current|(?:get_)?current_(?:date|time|timestamp)|(?:current_)?local(?:time|timestamp)|"
    r"age(?=\s*\([^(),]*\))|tablesample|using\s+sample)\b",
    re.IGNORECASE,
)


def _check_steady(where: str, source: str) -> None:
    found = _UNSTEADY.search(_QUOTED.sub("''", where))
    if found is not None:
        raise InvalidError(
            f"{source}: {found[0]} is something else each time, and a report is always the same",
            hint="name a time, as in ts >= '2026-11-01'",
        )


def _tried(where: str) -> str:
    return f"{_TRY} {bracketed(where)}"


def bracketed(where: str) -> str:
    """The condition as a part of others; its lines stay lines."""
    return f"(\n{where}\n)"


def check_condition(where: str, source: str) -> None:
    """Raise ``InvalidError`` for a condition that makes sense of no records, whatever they are."""
    nothing = Captured(Shards([], RECORDS), Shards([], EVENTS))
    with examples(nothing, texts=(where,)) as found:
        checked(found.sql, where, source)


def _build(sql: Engine, reading: Reading, asked: Sequence[str], marks: Sequence[str]) -> bool:
    """Make the tables; gives whether examples are marked."""
    until = None if reading.as_of is None else f"make_timestamptz({reading.as_of})"
    events = _until("e", "ts", until)
    pairs = sql.rows(f"SELECT kind, source, count(*) FROM {events} GROUP BY ALL")
    kinds = {kind for kind, _, _ in pairs}
    labels = [count for kind, _, count in pairs if kind in _LABELS]
    alone = len(labels) == 1  # of one source, never corrected: hardly ever two of a record
    _say(sql, events, reading, asked, alone=alone)
    made = ["said"]
    if "vote" in kinds:
        sql.run(_VOTES.format(events=events, inside=_inside("value")))
        made.append("votes")
    if "tags" in asked and not kinds.isdisjoint(("tag", "untag")):
        sql.run(_TAGGED.format(events))
        made.append("tagged")
    told = _told(_until("r", "ts_start", until), reading.prediction, asked, made)
    voted = "votes" in made
    marked = _tell(sql, told, marks, voted=voted)
    twice = _twice(sql, "told")
    if twice and alone and _twice(sql, "said"):
        alone = False
        sql.run("DROP VIEW said")
        _say(sql, events, reading, asked, alone=alone)
        marked = _tell(sql, told, marks, voted=voted)
        twice = _twice(sql, "told")
    if sql.rows("SELECT 1 FROM told WHERE record_id IS NULL OR ts IS NULL LIMIT 1"):
        raise InvalidError("a record has no id, or no time")  # who reads the shards names it
    if twice:
        marked = _keep_first(sql, marked=marked)
    sql.run(_GAPS)
    sql.run(_EXAMPLES.format(", ".join([*_columns(asked, voted=voted), *[MARK] * marked])))
    lonely = not kinds <= {*_LABELS} or _unmatched(sql, sum(labels))
    count = _ORPHANS.format(events) if lonely else "SELECT 0 AS n"
    sql.run(f"CREATE TEMP TABLE orphans AS {count}")
    for name in made:
        sql.run(f"DROP {'VIEW' if alone and name == 'said' else 'TABLE'} {name}")
    return marked


def _tell(sql: Engine, told: str, marks: Sequence[str], *, voted: bool) -> bool:
    """Make the table ``told``; gives whether its rows are marked. They are not, where a condition
    makes no sense, or asks for examples, which are not there yet."""
    make = "CREATE OR REPLACE TEMP TABLE told AS"
    if 0 < len(marks) <= BITS:
        votes, left = ("", "") if voted else (", 0::BIGINT AS up, 0::BIGINT AS down", "up, down")
        listed = f"* EXCLUDE ({left})" if left else "*"
        rows = f"(SELECT *{votes} FROM ({told}))"
        with suppress(InvalidError):
            sql.run(f"{make} SELECT {listed}, {mark_of(marks)} AS {MARK} FROM {rows}")
            return True
    sql.run(f"{make} {told}")
    return False


def _keep_first(sql: Engine, *, marked: bool) -> bool:
    """Leave one row of each record, without its mark; which row does not depend on marks."""
    bare = f"(SELECT * EXCLUDE ({MARK}) FROM told) AS told" if marked else "told"
    kept = _FIRST.format("ts, status, prediction, confidence, latency_ms, hash(told)")
    sql.run(f"CREATE OR REPLACE TEMP TABLE told AS SELECT * FROM {bare}{kept}")
    return False


def mark_of(conditions: Sequence[str]) -> str:
    """SQL for which of up to ``BITS`` conditions hold, as the bits of a number."""
    bits = (f"CASE WHEN {one} THEN {1 << bit} ELSE 0 END" for bit, one in enumerate(conditions))
    return f"CAST({' + '.join(bits)} AS BIGINT)"


def _until(table: str, column: str, until: str | None) -> str:
    return table if until is None else f"(SELECT * FROM {table} WHERE {column} <= {until})"


def _say(sql: Engine, events: str, reading: Reading, asked: Sequence[str], *, alone: bool) -> None:
    """Make the table ``said``, the label of each record; where labels stand ``alone``, a view of
    them, since it is not looked whether there are two of one."""
    own = "".join(f", {source} AS {name}" for name, source in SAID.items() if name in asked)
    ranks = " ".join(f"WHEN {literal(name)} THEN {at}" for at, name in enumerate(reading.trust))
    rank = f"CASE source {ranks} ELSE {len(reading.trust)} END" if ranks else "0"
    sql.run(
        f"CREATE TEMP {'VIEW' if alone else 'TABLE'} said AS SELECT record_id, "
        f"{_chosen('value', reading.prediction)} AS truth, ts AS truth_ts{own}, event_id, "
        f"{rank} AS rank FROM {events} WHERE kind IN {_LABELS}"
    )
    if not alone and _twice(sql, "said"):
        kept = _FIRST.format("rank, truth_ts DESC, event_id DESC, truth")
        sql.run(f"CREATE OR REPLACE TEMP TABLE said AS SELECT * FROM said{kept}")


_LABELS = ("label", "correction")
_VOTES = """
CREATE TEMP TABLE votes AS SELECT record_id,
    count(*) FILTER (plain IN ('up', 'true', '1', 'good', 'yes')) AS up,
    count(*) FILTER (plain IN ('down', 'false', '-1', '0', 'bad', 'no')) AS down
FROM (SELECT DISTINCT event_id, record_id, CASE WHEN NOT {inside} THEN value->>'$' END
    AS plain FROM {events} WHERE kind = 'vote')
GROUP BY record_id
"""
_TAGGED = """
CREATE TEMP TABLE tagged AS SELECT record_id, coalesce(list(tag) FILTER (kind = 'tag'), []) AS more,
    coalesce(list(tag) FILTER (kind = 'untag'), []) AS less
FROM (SELECT * FROM
    (SELECT record_id, event_id, ts, kind, unnest(CASE WHEN json_type(value) = 'ARRAY'
        THEN json_extract_string(value, '$[*]') ELSE [value->>'$'] END) AS tag
        FROM {} WHERE kind IN ('tag', 'untag'))
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
SELECT count(DISTINCT event_id) AS n FROM (FROM {}) ANTI JOIN examples USING (record_id)
"""
_EXAMPLES = "CREATE TEMP VIEW examples AS SELECT {} FROM told WHERE gap IS NULL"


# To take an output apart is dear: it is not done for what does not stand in it.
_PRICE = (
    "TRY_CAST(coalesce(params->>'$.cost', CASE WHEN contains(output, 'cost') "
    "OR contains(output, '\\') THEN output->>'$.cost' END) AS DOUBLE)"
)


def finite(number: str) -> str:
    """SQL for a number that is one: neither infinite nor "not a number", which spoil any mean."""
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _told(records: str, prediction: str, asked: Sequence[str], made: Sequence[str]) -> str:
    """Records with the tables that were ``made`` of their events; ``gap``: what one that stands for
    a gap says, else null."""
    lazy = [name for name in LAZY if name in asked]
    own = "".join(f", {_TAGS if 'tagged' in made and name == 'tags' else name}" for name in lazy)
    said = "".join(f", {name}" for name in SAID if name in asked)
    found = "".join(f", {LAZY[name]} AS {name}" for name in lazy)
    votes = ", coalesce(up, 0) AS up, coalesce(down, 0) AS down" if "votes" in made else ""
    return (
        f"SELECT {', '.join(COUNTED)}, weight, price, truth, "
        f"truth_ts{said}, CASE WHEN truth IS NULL THEN NULL WHEN status = 'error' THEN false "
        f"ELSE coalesce(prediction = truth, false) END AS correct{votes}{own}, gap FROM "
        f"(SELECT record_id, ts_start AS ts, {finite('latency_ms')} AS latency_ms, status, "
        "nullif(concat_ws('@', model.name, model.version), '') AS model, "
        f"{finite('confidence')} AS confidence, "
        "CASE WHEN isfinite(sample_rate) AND sample_rate > 0 THEN 1 / sample_rate ELSE 1.0::DOUBLE "
        "END AS weight, "
        f"{finite(_PRICE)} AS price, "
        "CASE WHEN status = 'gap' THEN coalesce(params, '{}') END AS gap, "
        f"{_chosen('output', prediction)} AS prediction{found} FROM {records}) "
        f"{' '.join(f'LEFT JOIN {name} USING (record_id)' for name in made)}"
    )


def _columns(asked: Sequence[str], *, voted: bool) -> Iterator[str]:
    for name in COLUMNS:
        if name in {"up", "down"} and not voted:
            yield f"0::BIGINT AS {name}"
        elif name in asked or name not in ASKED:
            yield name


def _twice(sql: Engine, table: str) -> bool:
    """Whether there are several rows of a record: to look is cheap, a window is not."""
    apart, total = sql.rows(
        f"SELECT count(DISTINCT hash(record_id)), count(record_id) FROM {table}"
    )[0]
    return bool(apart != total)


_FIRST = " QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY {}) = 1"


def _unmatched(sql: Engine, labels: int) -> bool:
    """Whether one of so many labels may be of a record that is not there, or there are several of
    one: to count is cheaper than a join."""
    return bool(sql.rows("SELECT count(truth_ts) FROM examples")[0][0] != labels)


def _chosen(column: str, field: str) -> str:
    """SQL for the text that the JSON stands for: of an object the field, else all of it. To parse
    is dear, so first what is likely: of an output the first field, of a label a text, known by its
    quote; and only where that is not, all fields of an object, known by its brace, or the whole."""
    paths = [literal(_path(name)) for name in ([field] if field else FIELDS)]
    likely = f"{column}->>{paths[0]}"
    if column == "value":
        likely = "CASE WHEN starts_with(value, '\"') THEN value->>'$' END"
    fields = f"list_any_value(json_extract_string({column}, [{', '.join(paths)}]))"
    return f"coalesce({likely}, CASE WHEN {_inside(column)} THEN {fields} ELSE {column}->>'$' END)"


def _inside(column: str) -> str:
    """SQL for whether JSON is an object."""
    return f"starts_with(ltrim({column}, {_BLANKS}), '{{')"


def _path(field: str) -> str:
    if not re.fullmatch(r"[\w.\[\]]+", field):
        raise UsageError(
            f"{field!r} names no field of an output", hint="as in label, or choices[0].text"
        )
    return f"$.{field}"
