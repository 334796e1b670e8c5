"""Inputs that are the same to a model, though their bytes differ."""

from __future__ import annotations

import io
import re
import struct
import unicodedata
import warnings
from collections.abc import Mapping

from blake3 import blake3

from oxcore.model.entries import Entry
from oxcore.repo import Repository
from oxcore.store import content

_SPACE = re.compile(r"\s+")
_TEXTS = ("text/", "application/json", "application/jsonl")
_FACT = "alike 1"  # another where what ``likeness`` finds changes
_LOOKED = 256 << 20  # bytes of an input whose likeness is looked for
_MOST = 1 << 26  # pixels of a picture that is decoded: a quarter of a gigabyte
_DEEP = ("I", "F", "I;16", "I;16B", "I;16L")  # modes of more than eight bits a pixel


def kind_of(mime: str | None) -> str:
    """How inputs of a type are compared: as ``pixels``, as ``text``, or by their bytes alone."""
    kind = (mime or "").lower()
    if kind.startswith("image/"):
        return "pixels"
    return "text" if kind.startswith(_TEXTS) else ""


def likeness(data: bytes, kind: str) -> str | None:
    """What inputs that are alike have in common: ``pixels:HEX`` of a picture, whatever its format,
    ``text:HEX`` of a text without regard to case and white space; None of anything else."""
    if kind == "pixels":
        return _pixels(data)
    return _text(data) if kind == "text" else None


def likenesses(
    repo: Repository, wanted: Mapping[tuple[bytes, str], Entry]
) -> dict[tuple[bytes, str], str | None]:
    """``likeness`` of files of the store by id and kind, each found once ever: it is kept by the id
    of the content."""
    found: dict[tuple[bytes, str], str | None] = {}
    for kind in ("pixels", "text", ""):
        entries = [entry for (_, one), entry in wanted.items() if one == kind]
        oids = [entry.id for entry in entries]
        known = repo.index.facts.get_many(oids, f"{_FACT} {kind}") if kind else [b""] * len(oids)
        new: list[tuple[bytes, bytes]] = []
        for entry, fact in zip(entries, known, strict=True):
            if fact is None:
                fact = (_of_file(repo, entry, kind) or "").encode()
                new.append((entry.id, fact))
            found[entry.id, kind] = fact.decode() or None
        repo.index.facts.put_many(f"{_FACT} {kind}", new)
    return found


def _of_file(repo: Repository, entry: Entry, kind: str) -> str | None:
    if entry.size > _LOOKED:
        return None
    return likeness(b"".join(content.read(repo.store, entry.id)), kind)


def _text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return f"text:{blake3(_SPACE.sub(' ', plain).strip().encode()).hexdigest()}"


def _pixels(data: bytes) -> str | None:
    """The hash of a picture as it is shown: of all frames, turned as its EXIF says."""
    from PIL import Image, ImageOps, ImageSequence

    digest = blake3()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                if image.width * image.height > _MOST:
                    return None
                for frame in ImageSequence.Iterator(image):
                    shown = ImageOps.exif_transpose(frame)
                    pixels = shown if shown.mode in _DEEP else shown.convert("RGBA")
                    digest.update(f"{pixels.mode} {pixels.width} {pixels.height}\n".encode())
                    digest.update(pixels.tobytes())
    except (ValueError, OSError, SyntaxError, struct.error, Image.DecompressionBombError):
        return None
    return f"pixels:{digest.hexdigest()}"
