"""The records that a request is about, pinned: labels, answers and inputs as they were.

Nothing that happens to the branch later moves them. What a later model says of them is measured as
``evaluate`` measures, and compared with the answers that were pinned.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from oxcore.errors import InvalidError
from oxcore.insight import split
from oxcore.insight.chosen import Chosen, Picked
from oxcore.insight.comparison import Bar, Comparison, compare
from oxcore.insight.evaluation import Columns, Evaluation, Named, as_text, evaluate, once
from oxcore.insight.examples import FIELDS, Examples
from oxcore.insight.report import Example
from oxcore.model.entries import Entry
from oxcore.tables.engine import Engine, engine, quoted

_TEXT = pa.string()
_TEXTS = pa.list_(_TEXT)
SCHEMA = pa.schema(
    [
        ("key", _TEXT),
        ("truth", _TEXT),
        ("prediction", _TEXT),
        ("correct", pa.bool_()),
        ("confidence", pa.float64()),
        ("input_hash", _TEXT),
        ("path", _TEXT),
        ("mime", _TEXT),
        ("value", _TEXT),
        ("label_source", _TEXT),
        ("label_author", _TEXT),
        ("ts", pa.timestamp("us", "UTC")),
        ("status", _TEXT),
        ("error", _TEXT),
        ("model", _TEXT),
        ("output", _TEXT),
        ("group_key", _TEXT),
        ("tags", _TEXTS),
        ("notes", _TEXTS),
    ]
)
"""Columns of ``rows.parquet``: first those of an evaluation, so that it is one. ``key``: the id of
the record; ``truth``: the label as text, ``value`` as JSON; ``path``: of the input, from the folder
of the request; ``output`` and each of ``notes`` are JSON."""
KEYS = ("key", "record_id", "record", "id", "input_hash", "hash", "path")
"""Columns of predictions that are tried as what tells pinned records apart."""
TEXTS = ("error", "tags", "status", "truth_author")
"""What pinning reads of examples, besides ``chosen.TEXTS``."""


class Pins(NamedTuple):
    """Records to pin: ``rows`` by ``SCHEMA``, by key, and the files of their inputs by path."""

    rows: pa.Table
    inputs: Mapping[str, Entry]


class Relabelled(NamedTuple):
    """A pinned record whose label is another by now."""

    record_id: str
    pinned: str
    now: str | None


def pins(found: Examples, picked: Picked, share: float | None) -> Pins:
    """The records that were picked, with a ``share`` only those that are for the test by it."""
    rows = [one for one in picked.rows if share is None or split.side(one.key, share) == "test"]
    found.sql.put("picked", pa.table({"key": pa.array([one.record_id for one in rows], _TEXT)}))
    more = {row[0]: row[1:] for row in found.sql.rows(_MORE)}
    notes = dict(found.sql.rows(_NOTES))
    made = [_row(one, more[one.record_id], notes.get(one.record_id, [])) for one in rows]
    made.sort(key=lambda row: str(row["key"]))
    inputs = {one.media: one.entry for one in rows if one.media and one.entry}
    return Pins(pa.Table.from_pylist(made, SCHEMA), inputs)


_MORE = """
SELECT record_id, input_hash, status, error, model, confidence, truth_author, epoch_us(ts), tags
FROM examples SEMI JOIN picked ON record_id = key
"""
_NOTES = """
SELECT record_id, list(value ORDER BY ts, event_id)
FROM (SELECT DISTINCT event_id, record_id, ts, value FROM e WHERE kind = 'note')
SEMI JOIN picked ON record_id = key GROUP BY record_id
"""


def _row(one: Chosen, more: Sequence[Any], notes: list[str]) -> dict[str, Any]:
    hash_, status, error, model, confidence, author, ts, tags = more
    return {
        "key": one.record_id,
        "truth": one.label,
        "prediction": None if status == "error" else one.prediction,
        "confidence": confidence,
        "input_hash": hash_,
        "path": one.media,
        "mime": one.mime,
        "value": one.value,
        "label_source": one.source,
        "label_author": author,
        "ts": ts,
        "status": status,
        "error": error,
        "model": model,
        "output": one.output,
        "group_key": one.group_key,
        "tags": tags,
        "notes": notes,
    }


def measured(rows: pa.Table, within: float) -> tuple[pa.Table, Evaluation]:
    """The pinned records with what was ``correct``, and the figures of what was answered."""
    with engine({}) as sql:
        sql.put("t", rows)
        sql.put("p", rows.select(["key", "prediction", "confidence"]))
        made = _evaluated(sql, within)
    place = rows.schema.get_field_index("correct")
    right = parquet.read_table(io.BytesIO(made.rows)).column("correct")
    return rows.set_column(place, SCHEMA.field(place), right.combine_chunks()), made


def judged(
    rows: pa.Table, answers: pa.Table, within: float, names: tuple[str, str], limit: int
) -> tuple[Evaluation, Comparison]:
    """What a later model says, key, prediction and perhaps a confidence, measured on the pinned
    records; and compared with what was answered then."""
    with engine({}) as sql:
        sql.put("t", rows)
        sql.put("p", answers)
        made = _evaluated(sql, within)
    after = parquet.read_table(io.BytesIO(made.rows))
    before = rows.select(after.column_names)
    with engine({}) as sql:
        sql.put("a", before)
        sql.put("b", after)
        schemas = {"a": before.schema, "b": after.schema}
        return made, compare(sql, names, schemas, Bar(), limit)


def _evaluated(sql: Engine, within: float) -> Evaluation:
    schemas = {name: sql.table(f"SELECT * FROM {name} LIMIT 0").schema for name in "tp"}
    columns = Columns("key", "truth", "prediction", (), within)
    return evaluate(sql, schemas, "request", columns, {})


def answers_of(
    sql: Engine, rows: pa.Table, schema: pa.Schema, key: str, prediction: str
) -> pa.Table:
    """What the table ``q`` of an engine predicts of the pinned records: its key is a record's id,
    or else the hash or the path of an input.

    ``NotFoundError`` for a column that is not there, ``InvalidError`` for a key that occurs twice,
    or where none is that of a pinned record.
    """
    said = Named(sql, "q", schema)
    name = said.need("key", key, KEYS)
    guess = said.need("prediction", prediction, ("prediction", *FIELDS))
    sure = said.find("confidence")
    confidence = "NULL" if sure is None else f"TRY_CAST({said.column(sure)} AS DOUBLE)"
    sql.run(
        f"CREATE TEMP TABLE told AS SELECT {as_text((said, name))[0]} AS key, "
        f"{said.column(guess)} AS prediction, CAST({confidence} AS DOUBLE) AS confidence FROM q"
    )
    once(sql, "told", "the predictions")
    sql.put("pinned", rows.select(["key", "input_hash", "path"]))
    ways = " UNION ALL ".join(
        f"SELECT p.key, prediction, confidence, {at} AS way FROM pinned p "
        f"JOIN told q ON q.key = p.{quoted(column)}"
        for at, column in enumerate(("key", "input_hash", "path"))
    )
    found = sql.table(
        f"SELECT key, prediction, confidence FROM ({ways}) "
        "QUALIFY row_number() OVER (PARTITION BY key ORDER BY way) = 1 ORDER BY key"
    )
    if not len(found):
        theirs = sql.rows("SELECT min(key) FROM told")[0][0]
        raise _apart(rows, f"the predictions have keys like {theirs!r}")
    return found


def captured_answers(found: Examples, rows: pa.Table, where: str) -> tuple[pa.Table, list[str]]:
    """What captured records for which ``where`` holds say of the same inputs, the latest of each;
    and their models. The pinned records themselves are left out: they are what failed.

    ``InvalidError`` where no input is that of a pinned record.
    """
    sql = found.sql
    sql.put("pinned", rows.select(["key", "input_hash"]))
    sql.run(
        "CREATE TEMP TABLE answers AS SELECT p.key, "
        "CASE WHEN status <> 'error' THEN prediction END AS prediction, confidence, "
        "coalesce(model, '') AS model FROM pinned p JOIN ("
        "SELECT * FROM examples WHERE input_hash IS NOT NULL AND "
        f"record_id NOT IN (SELECT key FROM pinned) AND ({where}) QUALIFY row_number() OVER "
        "(PARTITION BY input_hash ORDER BY ts DESC, record_id) = 1) USING (input_hash)"
    )
    models = sql.rows("SELECT DISTINCT model FROM answers ORDER BY 1")
    if not models:
        raise _apart(rows, "no other record there is of the same input")
    return (
        sql.table("SELECT key, prediction, confidence FROM answers ORDER BY key"),
        [row[0] for row in models],
    )


def _apart(rows: pa.Table, other: str) -> InvalidError:
    first = rows.slice(0, 1).to_pylist()[0]
    shown = ", ".join(f"{name} {first[name]!r}" for name in ("key", "input_hash") if first[name])
    return InvalidError(
        "no pinned record has a prediction", hint=f"the first of them: {shown}; {other}"
    )


def relabelled(found: Examples, rows: pa.Table) -> list[Relabelled]:
    """The pinned records that are there and have another label by now, by id."""
    found.sql.put("pinned", rows.select(["key", "truth"]))
    return [
        Relabelled(*row)
        for row in found.sql.rows(
            "SELECT key, p.truth, x.truth FROM pinned p JOIN examples x ON record_id = key "
            "WHERE p.truth IS DISTINCT FROM x.truth ORDER BY key"
        )
    ]


def dump(rows: pa.Table) -> bytes:
    """The file of pinned records."""
    out = io.BytesIO()
    parquet.write_table(rows.replace_schema_metadata(), out, compression="zstd")
    return out.getvalue()


def load(name: str, data: bytes) -> pa.Table:
    """Pinned records from their file, which ``name`` calls; ``InvalidError``."""
    try:
        rows = parquet.read_table(io.BytesIO(data))
        return rows.select(SCHEMA.names).cast(SCHEMA)
    except (pa.ArrowException, KeyError, OSError) as error:
        raise InvalidError(f"{name}: no table of pinned records: {error}") from error


def failing(rows: pa.Table, limit: int) -> list[Example]:
    """The first of the pinned records that were wrong, the surest first."""
    place = rows.schema.get_field_index("ts")
    plain = rows.set_column(place, "ts", rows.column("ts").cast(pa.int64()))
    wrong = plain.filter(pc.invert(rows.column("correct"))).to_pylist()
    wrong.sort(key=lambda row: (row["status"] == "error", -(row["confidence"] or 0.0), row["key"]))
    return [
        Example(
            record_id=row["key"],
            input_path=row["path"],
            **{name: row[name] for name in _SHOWN},
        )
        for row in wrong[:limit]
    ]


_SHOWN = (
    "ts",
    "status",
    "error",
    "model",
    "prediction",
    "truth",
    "correct",
    "confidence",
    "mime",
    "output",
)
