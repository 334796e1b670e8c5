"""What is known of a whole table by its bytes alone, kept by the id of these bytes.

A record is JSON, packed, under a kind that says its version and what the name adds to the bytes
(``name_part``). One that cannot be read is made anew.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import pyarrow as pa
from pyarrow import ipc

from oxcore.tables.reading import Facts
from oxcore.tables.shape import Shape
from oxcore.tables.source import Source

_TABLE = "table 1"  # 1: what `infer` and `shape` decide; another where they decide otherwise
_SUFFIXES = ("tsv", "csv")
DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError, zlib.error)
"""What a record that cannot be read raises."""
_ARROW = (pa.ArrowInvalid, pa.ArrowNotImplementedError)


class About(NamedTuple):
    """A table: ``format`` and ``compression`` as ``Table`` has them, its schema, its rows and
    nulls; of JSON the ``shape`` as well."""

    format: str
    compression: str
    schema: pa.Schema
    facts: Facts
    shape: Shape | None = None


def remembered(source: Source, find: Callable[[], About]) -> About:
    """What is known of a table; ``find`` reads it, once a content."""
    known = recall(source)
    if known is None:
        known = find()
        keep(source, known)
    return known


def recall(source: Source) -> About | None:
    """What was kept of a table; None if nothing was, or it cannot be read."""
    data = None if source.memo is None else source.memo.get(kind_of(_TABLE, source.name))
    try:
        return None if data is None else _about(unpacked(data))
    except (*DAMAGE, *_ARROW):
        return None


def keep(source: Source, about: About) -> None:
    """Keep it, if it can be written down."""
    if source.memo is not None:
        with suppress(*_ARROW):
            data = packed(_record(about))
            if data is not None:
                source.memo.put(kind_of(_TABLE, source.name), data)


def kind_of(what: str, name: str) -> str:
    """The kind of a fact: bytes are taken in another way for another name, see ``name_part``."""
    return f"{what} {name_part(name)}".rstrip()


def name_part(name: str) -> str:
    """What a file's name has to say about its format: ``tsv``, ``csv`` or nothing.

    Two names with the same part make the same table of the same bytes (``tables.detect``, and the
    delimiter in ``tables.formats.csv``).
    """
    return next((suffix for suffix in _SUFFIXES if f".{suffix}" in name.lower()), "")


def packed(record: object) -> bytes | None:
    """A record as bytes; None for one that JSON cannot hold."""
    try:
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return zlib.compress(text.encode())
    except (ValueError, RecursionError):
        return None


def unpacked(data: bytes) -> object:
    """The record; one of the errors of ``json``, ``zlib`` and ``str`` if it is damaged."""
    record: object = json.loads(zlib.decompress(data))
    return record


def _record(about: About) -> dict[str, object]:
    return {
        "format": about.format,
        "compression": about.compression,
        "schema": b64encode(about.schema.serialize().to_pybytes()).decode(),
        "rows": about.facts.rows,
        "nulls": about.facts.nulls,
        "shape": None if about.shape is None else about.shape.plain(),
    }


def _about(record: object) -> About:
    if not isinstance(record, dict):
        raise TypeError("no record")
    schema = ipc.read_schema(pa.py_buffer(b64decode(record["schema"])))
    nulls = tuple(map(int, record["nulls"]))
    if len(nulls) != len(schema):
        raise ValueError("not as many counts as columns")
    shape = None if record["shape"] is None else Shape.of(record["shape"])
    facts = Facts(int(record["rows"]), nulls)
    return About(str(record["format"]), str(record["compression"]), schema, facts, shape)
