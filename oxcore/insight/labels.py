"""Ground truth that arrives as a table: which records it is of, and what it says anew."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from oxcore.errors import InvalidError
from oxcore.insight.evaluation import TRUTHS, Named, as_text, keys_of, once
from oxcore.tables.engine import Engine, literal

_FIRST = 20  # keys that are listed


class Given(NamedTuple):
    """The ``rows`` of a table as key and value (JSON), and how many others lack one: ``empty``."""

    rows: pa.Table
    empty: int


class Matched(NamedTuple):
    """``labels``: (record, value as JSON) that are new. ``known``: records that this source has
    labelled so already; ``unmatched``: keys that no record has, ``first`` of them."""

    labels: list[tuple[str, str]]
    known: int
    unmatched: int
    first: tuple[str, ...]


class Imported(NamedTuple):
    """What an import of labels came to: events ``added``, and the rest as in ``Matched`` and
    ``Given``; ``commit`` is its id, None if nothing was new."""

    added: int
    known: int
    unmatched: int
    first: tuple[str, ...]
    empty: int
    commit: bytes | None


def given(sql: Engine, schema: pa.Schema, key: str, value: str) -> Given:
    """Keys and values of the table ``t`` of an engine.

    ``NotFoundError`` for a column that is not there, ``InvalidError`` for a key with two values.
    """
    table = Named(sql, "t", schema)
    name = table.need("key", key, ("key", "record_id", "id"))
    label = table.need("label", value, TRUTHS)
    both = f"{as_text((table, name))[0]} AS k, {_json(table, label)} AS v"
    sql.run(
        f"CREATE TEMP TABLE given AS SELECT DISTINCT k AS key, v AS value FROM (SELECT {both} "
        "FROM t) WHERE k IS NOT NULL AND v IS NOT NULL"
    )
    once(sql, "given", "labels that contradict each other")
    empty = f"SELECT count(*) FROM (SELECT {both} FROM t) WHERE k IS NULL OR v IS NULL"
    return Given(sql.table("SELECT key, value FROM given"), sql.rows(empty)[0][0])


def match(sql: Engine, found: Given, column: str, source: str) -> Matched:
    """What is new to the records of ``examples``, whose key is ``column`` (SQL), else record id or
    hash of the input. A record whose last label of this ``source`` says the same learns nothing.

    ``InvalidError`` if two keys label one record otherwise.
    """
    sql.put("given", found.rows)
    keys = " UNION ".join(
        f"SELECT record_id, CAST({one} AS VARCHAR) AS key FROM examples"
        for one in keys_of(sql, column)
    )
    sql.run(
        "CREATE TEMP TABLE meant AS SELECT DISTINCT record_id, value "
        f"FROM given JOIN ({keys}) USING (key)"
    )
    twice = sql.rows(
        "SELECT record_id FROM meant GROUP BY record_id HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
    )
    if twice:
        raise InvalidError(f"two keys label the record {twice[0][0]} otherwise")
    sql.run(
        "CREATE TEMP TABLE before AS SELECT record_id, value AS old FROM e "
        f"WHERE kind = 'label' AND source = {literal(source)} QUALIFY row_number() "
        "OVER (PARTITION BY record_id ORDER BY ts DESC, event_id DESC) = 1"
    )
    same = "old IS NOT NULL AND (old = value OR old->>'$' = value->>'$')"
    joined = "FROM meant LEFT JOIN before USING (record_id)"
    new = sql.rows(f"SELECT record_id, value {joined} WHERE NOT ({same}) ORDER BY record_id")
    missing = f"FROM given ANTI JOIN ({keys}) USING (key)"
    first = sql.rows(f"SELECT key {missing} ORDER BY key LIMIT {_FIRST}")
    return Matched(
        [(record, value) for record, value in new],
        sql.rows(f"SELECT count(*) {joined} WHERE {same}")[0][0],
        sql.rows(f"SELECT count(*) {missing}")[0][0],
        tuple(row[0] for row in first),
    )


def _json(table: Named, name: str) -> str:
    """SQL for a column as JSON: a number that is whole is written so, one that is none is left
    out."""
    if table.kind(name):
        text = as_text((table, name))[0]
        return f"CASE WHEN isfinite(CAST({text} AS DOUBLE)) THEN {text} END"
    column = table.column(name)
    return f"CASE WHEN {column} IS NOT NULL THEN CAST(to_json({column}) AS VARCHAR) END"
