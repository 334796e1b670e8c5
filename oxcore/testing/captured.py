"""Captured records and events made up, as shards: a branch as ``ox.save`` leaves it."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from oxcore.insight.records import EVENTS, RECORDS

START = 1_700_000_000_000_000
"""Microseconds: when the first record was made."""

Row = dict[str, Any]


def record(n: int, **given: Any) -> Row:  # noqa: ANN401 -- any JSON
    """The ``n``-th record, a second after the one before; ``given`` takes the place of what is
    made up, ``output`` and ``params`` as values."""
    row: Row = dict.fromkeys(RECORDS.names)
    row.update(
        record_id=f"r{n:06}",
        writer_id="w",
        seq=n + 1,
        ts_start=START + n * 1_000_000,
        latency_ms=float(10 + n % 90),
        status="ok",
        tags=[],
        origin="model",
    )
    for name in ("output", "params"):
        if name in given:
            given[name] = json.dumps(given[name])
    return {**row, **given}


def event(n: object, **given: Any) -> Row:  # noqa: ANN401 -- any JSON
    """A label by a person, an hour after ``START``; as ``record``, with ``value`` as a value."""
    row: Row = dict.fromkeys(EVENTS.names)
    row.update(event_id=f"e{n}", ts=START + 3_600_000_000, kind="label", source="human")
    given["value"] = json.dumps(given["value"])
    return {**row, **given}


def shard(rows: list[Row], schema: pa.Schema) -> bytes:
    """The rows as a shard: the bytes of a Parquet file."""
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), out)
    return out.getvalue()


def files(number: int, folder: str, records: list[Row], events: list[Row]) -> dict[str, bytes]:
    """The shards of one commit, by path: records and events as ``record`` and ``event`` take
    them."""
    made: dict[str, bytes] = {}
    if records:
        rows = [record(n, **one) for n, one in enumerate(records)]
        made[f"{folder}/dt=2023-11-14/w-{number:06}.parquet"] = shard(rows, RECORDS)
    if events:
        rows = [event(f"{number}-{n}", **one) for n, one in enumerate(events)]
        name = f"{folder}/feedback/dt=2023-11-14/w-{number:06}.parquet"
        made[name] = shard(rows, EVENTS)
    return made
