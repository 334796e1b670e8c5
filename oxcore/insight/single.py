"""One record with all that is known of it: fields, label and tags as of now, what was said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from oxcore.errors import NotFoundError
from oxcore.insight.examples import Reading, examples
from oxcore.insight.records import Captured
from oxcore.insight.shapes import ALL
from oxcore.tables.engine import literal

_NOW = ("prediction", "truth", "truth_source", "truth_author", "correct", "up", "down", "tags")


@dataclass(frozen=True, slots=True)
class Single:
    """``fields``: the record as it was saved, what is JSON as values; ``now``: prediction, truth,
    tags and votes as the reports have them; ``events``: what was said of it, the oldest first;
    ``input_path``: where its input lies in the version, None if none was kept. Times are
    microseconds since the epoch."""

    fields: dict[str, Any]
    now: dict[str, Any]
    events: list[dict[str, Any]]
    input_path: str | None


def single(captured: Captured, folder: str, record: str, reading: Reading) -> Single:
    """The record of this id; ``NotFoundError``."""
    row = captured.records.whole().find([record], ALL).get(record)
    if row is None or row["status"] == "gap":
        raise NotFoundError(
            f"no record {record} lies below {folder or 'the dataset'}",
            hint="ox failures BRANCH DIR --where true lists them",
        )
    with examples(captured, reading, _NOW) as found:
        known = found.sql.rows(
            f"SELECT {', '.join(_NOW)} FROM examples WHERE record_id = {literal(record)}"
        )
    now = dict(zip(_NOW, known[0], strict=True)) if known else {}
    source = row["input"] or {}
    path = source.get("path")
    place = "/".join(part for part in (folder, path) if part) if path else None
    return Single(_plain(row), now, _events(captured, record, reading.as_of), place)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    fields = {**row, "scores": dict(row["scores"] or ()) or None, "ts_start": _us(row["ts_start"])}
    for name in ("params", "output"):
        fields[name] = _value(row[name])
    return fields


def _events(captured: Captured, record: str, until: int | None) -> list[dict[str, Any]]:
    rows = [
        {**row, "value": _value(row["value"]), "ts": _us(row["ts"])}
        for row in captured.events.rows_of(record)
    ]
    once = {row["event_id"]: row for row in rows if until is None or row["ts"] <= until}
    return sorted(once.values(), key=lambda row: (row["ts"], row["event_id"]))


def _us(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def _value(text: str | None) -> object:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text
