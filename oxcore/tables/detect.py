"""Which format a file has: by its first bytes; the name only settles what these leave open."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from oxcore.tables.source import Source, head

HEAD = 64 << 10  # bytes that are looked at
_PACKED = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_BINARY = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow-stream"))
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # UTF-16 and UTF-32
_RECORD = re.compile(rb'\{\s*(?:"|\}|\Z)')
_RECORDS = re.compile(rb"\[\s*(?:\{|\]|\Z)")
_TEXTS = (".csv", ".tsv")


class Form(NamedTuple):
    """``format``: csv (tsv as well), jsonl, json, parquet, arrow or arrow-stream;
    ``compression``: gzip, zstd or nothing; ``head``: the first bytes, uncompressed."""

    format: str
    compression: str
    head: bytes


def detect(source: Source) -> Form:
    """The form of a file; ``InvalidError`` if it is no table."""
    start = head(source, "", HEAD)
    packed = next((name for magic, name in _PACKED if start.startswith(magic)), "")
    if packed:
        start = head(source, packed, HEAD)
    found = _format(source, start)
    if packed and found in {"parquet", "arrow", "arrow-stream"}:
        raise source.broken(f"{found} inside of {packed}", hint=f"unpack it first: {packed} -d")
    return Form(found, packed, start)


def _format(source: Source, start: bytes) -> str:
    for magic, name in _BINARY:
        if start.startswith(magic):
            return name
    if not start:
        raise source.broken("it is empty, so it has no columns")
    if start.startswith(b"FEA1"):
        raise source.broken("Feather of the first version", hint="write it again as Feather 2")
    if start.startswith(_WIDE):
        raise source.broken("text in UTF-16", hint="write it again in UTF-8: iconv -f utf-16")
    if b"\0" in start:
        raise source.broken("not a table", hint="tables: CSV, TSV, JSON, Parquet, Arrow")
    return _text_format(source.name, start)


def _text_format(name: str, start: bytes) -> str:
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not first:
        return "csv"
    called = any(suffix in name.lower() for suffix in _TEXTS)
    if _RECORD.match(first) and (not called or _holds_record(first)):
        return "jsonl"
    if _RECORDS.match(first) and (not called or _holds_record(first[1:].lstrip())):
        return "json"
    return "csv"


def _holds_record(start: bytes) -> bool:
    """Whether it starts with a whole object of JSON, which no first row of CSV does."""
    try:
        found, _ = json.JSONDecoder().raw_decode(start.decode("utf-8", "replace"))
    except ValueError:
        return False
    return isinstance(found, dict) and bool(found)
