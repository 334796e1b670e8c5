"""Segments into what lies on the branch: a Parquet shard for each, and the inputs beside it.

The same segment gives the same bytes each time, so that sending it twice changes nothing.
"""

from __future__ import annotations

import io
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from oxcore.capturing import frames, media
from oxcore.capturing.fields import confidence_of, scores_of
from oxcore.capturing.frames import Damage, Frame, What
from oxcore.capturing.gaps import Gap
from oxcore.capturing.where import Addition
from oxcore.capturing.writer import Sealed, gap_fields

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
"""``schema_version`` of records and events."""
_DAY = 86_400_000_000  # microseconds

Row = dict[str, object]


class Packed(NamedTuple):
    """What a segment became: files for the branch, how many records and events are in them, the
    number of the last gap that it tells, and what of it could not be read."""

    files: list[Addition]
    records: int
    gap: int
    damage: list[Damage]


def pack(segment: Sealed, directory: str) -> Packed:
    """The files of a segment, below ``directory``. Raises ``OSError`` where it cannot be read."""
    days: dict[str, list[Row]] = defaultdict(list)
    inputs: dict[bytes, bytes] = {}
    damage: list[Damage] = []
    count = gap = 0
    for found in frames.read(segment.path):
        if isinstance(found, Damage):
            damage.append(found)
        elif found.what == What.EVENT:
            days[_folder("feedback/", found.fields)].append(_event(segment.writer, found))
            count += 1
        elif found.what in (What.RECORD, What.GAP):
            days[_folder("", found.fields)].append(_record(segment.writer, found, inputs))
            count += found.what == What.RECORD
            gap = max(gap, _int(found.fields.get("number")))
    name = f"{segment.writer}-{segment.number:06}"
    files = [_shard(directory, day, name, rows) for day, rows in sorted(days.items())]
    below = directory.encode() + b"/"
    media_files = [Addition(below + path, data) for path, data in sorted(inputs.items())]
    return Packed(media_files + files, count, gap, damage)


def pack_gap(writer: str, gap: Gap, directory: str) -> Addition:
    """The shard of a gap that its writer could not tell any more."""
    fields = gap_fields(writer, gap)
    row = _record(writer, Frame(What.GAP, gap.first_seq, fields, b""), {})
    return _shard(directory, _folder("", fields), f"{writer}-gap{gap.number:06}", [row])


def _folder(kind: str, fields: Mapping[str, object]) -> str:
    day = time.strftime("%Y-%m-%d", time.gmtime(_int(fields.get("ts")) // 1_000_000))
    return f"{kind}dt={day}"


def _shard(directory: str, folder: str, name: str, rows: Sequence[Row]) -> Addition:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _event_schema() if folder.startswith("feedback/") else _record_schema()
    rows = sorted(rows, key=lambda row: _int(row["seq"]))
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), out, compression="zstd")
    return Addition(f"{directory}/{folder}/{name}.parquet".encode(), out.getvalue())


def event_shard(directory: str, folder: str, name: str, rows: Sequence[Row]) -> Addition:
    """The shard of these events, ``feedback/dt=DAY`` being its folder below ``directory``."""
    return _shard(directory, folder, name, rows)


def _record(writer: str, frame: Frame, inputs: dict[bytes, bytes]) -> Row:
    told = frame.fields
    output, params = told.get("output"), told.get("params")
    return {
        "record_id": told.get("record_id"),
        "writer_id": writer,
        "seq": frame.seq,
        "ts_start": told.get("ts"),
        "latency_ms": _float(told.get("latency_ms")),
        "status": told.get("status", "ok"),
        "error": told.get("error"),
        "model": told.get("model"),
        "input": _input(frame, inputs),
        "params": None if params is None else _json(params),
        "output": None if output is None else _json(output),
        "scores": list(scores_of(told, output).items()) or None,
        "confidence": confidence_of(told, output),
        "session_id": _text(told.get("session_id")),
        "group_key": _text(told.get("group_key")),
        "tags": _texts(told.get("tags")),
        "sample_rate": _float(told.get("rate", 1.0)),
        "redactions": _texts(told.get("redactions")),
        "origin": _text(told.get("origin", "model")),
        "licence": _text(told.get("licence")),
        "schema_version": VERSION,
    }


def _event(writer: str, frame: Frame) -> Row:
    told = frame.fields
    return {
        "event_id": told.get("event_id"),
        "record_id": told.get("record_id"),
        "ts": told.get("ts"),
        "kind": told.get("kind"),
        "value": _json(told.get("value")),
        "source": _text(told.get("source")),
        "author": _text(told.get("author")),
        "confidence": _float(told.get("confidence")),
        "writer_id": writer,
        "seq": frame.seq,
        "schema_version": VERSION,
    }


def _input(frame: Frame, inputs: dict[bytes, bytes]) -> dict[str, object] | None:
    """What a record tells of its input, which goes into ``inputs`` by its path."""
    oid, mime = frame.fields.get("blob"), str(frame.fields.get("mime") or media.BYTES)
    if not isinstance(oid, str):
        return None
    data, pixels = frame.blob, frame.fields.get("pixels")
    if isinstance(pixels, list):
        data = _png(data, *pixels)
        oid = blake3(data).hexdigest()
    path = f"media/{oid[:2]}/{oid}{media.suffix_of(mime)}"
    inputs[path.encode()] = data
    return {"hash": oid, "mime": mime, "size": len(data), "path": path}


def _png(data: bytes, mode: str, width: int, height: int) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.frombytes(mode, (width, height), data).save(out, "PNG", compress_level=3)
    return out.getvalue()


def _json(value: object) -> str:
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        .encode("utf-8", "backslashreplace")
        .decode()
    )


def _text(value: object) -> str | None:
    """Text, or what stands for none of it."""
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else _json(value)
    return text.encode("utf-8", "backslashreplace").decode()


def _texts(value: object) -> list[str]:
    listed: Iterable[object] = value if isinstance(value, list) else ()
    return [text for one in listed if (text := _text(one)) is not None]


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


@cache
def _record_schema() -> pa.Schema:
    import pyarrow as pa

    text, time_us = pa.string(), pa.timestamp("us", "UTC")
    model = [("name", text), ("version", text), ("weights_hash", text)]
    found = [("hash", text), ("mime", text), ("size", pa.int64()), ("path", text)]
    return pa.schema(
        [
            ("record_id", text),
            ("writer_id", text),
            ("seq", pa.int64()),
            ("ts_start", time_us),
            ("latency_ms", pa.float64()),
            ("status", text),
            ("error", text),
            ("model", pa.struct(model)),
            ("input", pa.struct(found)),
            ("params", text),
            ("output", text),
            ("scores", pa.map_(text, pa.float64())),
            ("confidence", pa.float64()),
            ("session_id", text),
            ("group_key", text),
            ("tags", pa.list_(text)),
            ("sample_rate", pa.float64()),
            ("redactions", pa.list_(text)),
            ("origin", text),
            ("licence", text),
            ("schema_version", pa.int32()),
        ]
    )


@cache
def _event_schema() -> pa.Schema:
    import pyarrow as pa

    text = pa.string()
    return pa.schema(
        [
            ("event_id", text),
            ("record_id", text),
            ("ts", pa.timestamp("us", "UTC")),
            ("kind", text),
            ("value", text),
            ("source", text),
            ("author", text),
            ("confidence", pa.float64()),
            ("writer_id", text),
            ("seq", pa.int64()),
            ("schema_version", pa.int32()),
        ]
    )
