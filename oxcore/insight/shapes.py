"""The columns of shards, and what SQL and Arrow call their types.

Arrow is loaded where it is asked for: a report reads shards without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

Kind: TypeAlias = "str | list[Kind] | dict[str, Kind] | tuple[Kind, Kind]"
"""A type as SQL calls it, a list of one, a struct, or a map from one to another."""
Shape = Mapping[str, Kind]
"""Columns and their types."""
_TEXT, _WHOLE, _NUMBER, _TIME = "VARCHAR", "BIGINT", "DOUBLE", "TIMESTAMP WITH TIME ZONE"
RECORDS: Shape = {
    "record_id": _TEXT,
    "writer_id": _TEXT,
    "seq": _WHOLE,
    "ts_start": _TIME,
    "latency_ms": _NUMBER,
    "status": _TEXT,
    "error": _TEXT,
    "model": {"name": _TEXT, "version": _TEXT, "weights_hash": _TEXT},
    "input": {"hash": _TEXT, "mime": _TEXT, "size": _WHOLE, "path": _TEXT},
    "params": _TEXT,
    "output": _TEXT,
    "confidence": _NUMBER,
    "session_id": _TEXT,
    "group_key": _TEXT,
    "tags": [_TEXT],
    "sample_rate": _NUMBER,
    "origin": _TEXT,
}
"""The columns of records that figures are made of."""
ALL: Shape = {
    **RECORDS,
    "scores": (_TEXT, _NUMBER),
    "redactions": [_TEXT],
    "licence": _TEXT,
    "schema_version": _WHOLE,
}
"""All columns of records."""
EVENTS: Shape = {
    "event_id": _TEXT,
    "record_id": _TEXT,
    "ts": _TIME,
    "kind": _TEXT,
    "value": _TEXT,
    "source": _TEXT,
    "author": _TEXT,
    "confidence": _NUMBER,
}
"""The columns of feedback."""


def sql_type(kind: Kind) -> str:
    """What SQL calls a type."""
    if isinstance(kind, list):
        return f"{sql_type(kind[0])}[]"
    if isinstance(kind, tuple):
        return f"MAP({sql_type(kind[0])}, {sql_type(kind[1])})"
    if isinstance(kind, dict):
        fields = (f'"{name}" {sql_type(one)}' for name, one in kind.items())
        return f"STRUCT({', '.join(fields)})"
    return kind


def arrow_schema(shape: Shape) -> pa.Schema:
    """The columns for Arrow."""
    import pyarrow as pa

    return pa.schema([(name, _arrow_type(kind)) for name, kind in shape.items()])


def _arrow_type(kind: Kind) -> pa.DataType:
    import pyarrow as pa

    if isinstance(kind, list):
        return pa.list_(_arrow_type(kind[0]))
    if isinstance(kind, tuple):
        return pa.map_(_arrow_type(kind[0]), _arrow_type(kind[1]))
    if isinstance(kind, dict):
        return pa.struct([(name, _arrow_type(one)) for name, one in kind.items()])
    plain = {_TEXT: pa.string(), _WHOLE: pa.int64(), _NUMBER: pa.float64()}
    return plain[kind] if kind in plain else pa.timestamp("us", "UTC")
