"""Captured records and events made up, as shards: a branch as ``ox.save`` leaves it."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from blake3 import blake3
from pyarrow import parquet

from oxcore.insight.shapes import EVENTS, RECORDS, Shape, arrow_schema

START = 1_700_000_000_000_000
"""Microseconds: when the first record was made."""

Row = dict[str, Any]


def record(n: int, **given: Any) -> Row:  # noqa: ANN401 -- any JSON
    """The ``n``-th record, a second after the one before; ``given`` takes the place of what is
    made up, ``output`` and ``params`` as values."""
    row: Row = dict.fromkeys(RECORDS)
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
    row: Row = dict.fromkeys(EVENTS)
    row.update(event_id=f"e{n}", ts=START + 3_600_000_000, kind="label", source="human")
    given["value"] = json.dumps(given["value"])
    return {**row, **given}


def shard(rows: list[Row], shape: Shape) -> bytes:
    """The rows as a shard: the bytes of a Parquet file."""
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, arrow_schema(shape)), out)
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


def labelled(
    folder: str,
    inputs: Sequence[bytes],
    mime: str = "text/plain",
    *,
    start: int = 0,
    groups: Sequence[str | None] = (),
    suffix: str = ".bin",
) -> tuple[list[Row], list[Row], dict[str, bytes]]:
    """Records with these inputs, each with an event that labels it ``label N``, and the files of
    the inputs by path."""
    records: list[Row] = []
    files: dict[str, bytes] = {}
    for n, data in enumerate(inputs):
        oid = blake3(data).hexdigest()
        path = f"media/{oid[:2]}/{oid}{suffix}"
        files[f"{folder}/{path}"] = data
        records.append(
            {
                "record_id": f"r{start + n:06}",
                "input": {"hash": oid, "mime": mime, "size": len(data), "path": path},
                "output": {"label": "guess"},
                "group_key": groups[n] if groups else None,
            }
        )
    events = [
        {"record_id": one["record_id"], "value": f"label {start + n}"}
        for n, one in enumerate(records)
    ]
    return records, events, files
