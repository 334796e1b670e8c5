"""What the name of a file that is to be written says of its format. Nothing is loaded for it."""

from __future__ import annotations

from pathlib import Path

from oxcore.errors import UsageError

_PACKED = {".gz": "gzip", ".zst": "zstd"}
_FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".arrows": "arrow-stream",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
}
_TEXTS = {"csv", "tsv", "jsonl", "json"}


def check_name(path: str) -> tuple[str, str]:
    """The format and the compression that a name tells, as ``Table`` calls them; ``UsageError`` if
    it tells no format that can be written."""
    found, packed = named_format(path)
    if not found or (packed and found not in _TEXTS):
        hint = f"one of {' '.join(_FORMATS)}, and .gz or .zst behind text"
        raise UsageError(f"the name {path} tells no format", hint=hint)
    return found, packed


def named_format(path: str) -> tuple[str, str]:
    """The format and the compression that a name tells; nothing if it tells none."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    packed = _PACKED.get(suffixes[-1], "") if suffixes else ""
    last = (suffixes[:-1] if packed else suffixes)[-1:]
    return (_FORMATS.get(last[0], "") if last else ""), packed


def is_separated(path: str) -> bool:
    """Whether the name tells CSV or TSV; ``UsageError`` as ``check_name``."""
    return check_name(path)[0] in {"csv", "tsv"}
