"""Kinds of media: from a name or the first bytes to a MIME type, and on to the end of a name."""

from __future__ import annotations

TEXT = "text/plain"
JSON = "application/json"
BYTES = "application/octet-stream"
NPY = "application/x-npy"
PNG = "image/png"
WAV = "audio/wav"

_SUFFIXES = {
    "aac": "audio/aac",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "csv": "text/csv",
    "flac": "audio/flac",
    "gif": "image/gif",
    "html": "text/html",
    "jpg": "image/jpeg",
    "json": JSON,
    "jsonl": "application/jsonl",
    "m4a": "audio/mp4",
    "md": "text/markdown",
    "mkv": "video/x-matroska",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "npy": NPY,
    "npz": "application/x-npz",
    "ogg": "audio/ogg",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "png": PNG,
    "svg": "image/svg+xml",
    "tiff": "image/tiff",
    "txt": TEXT,
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "zip": "application/zip",
}
_ENDS = {mime: suffix for suffix, mime in _SUFFIXES.items()}
_ALIASES = {"jpeg": "jpg", "tif": "tiff", "htm": "html", "text": "txt"}
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\x93NUMPY", NPY),
    (b"PK\x03\x04", "application/zip"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"BM", "image/bmp"),
)
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}


def mime_of_name(name: str) -> str | None:
    """The MIME type that the end of a file's name tells, or None."""
    suffix = name.rpartition(".")[2].lower()
    return _SUFFIXES.get(_ALIASES.get(suffix, suffix))


def mime_of_bytes(data: bytes) -> str:
    """The MIME type that the first bytes tell."""
    for start, mime in _STARTS:
        if data.startswith(start):
            return mime
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12], BYTES)
    return "video/mp4" if data[4:8] == b"ftyp" else BYTES


def suffix_of(mime: str) -> str:
    """What a file of this type ends in, with its dot; ``.bin`` for one that is not known."""
    return f".{_ENDS.get(mime.partition(';')[0].strip().lower(), 'bin')}"
