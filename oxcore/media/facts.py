"""What an image's header says: format, size, mode, frames, orientation."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 64_000_000  # an image of more is described by its header, never decoded

_ORIENTATION = 0x0112  # EXIF 2.32, tag 274
_SUFFIXES = frozenset(
    b"avif bmp dib gif ico j2k jfif jp2 jpe jpeg jpg jpx pbm pcx pgm png pnm ppm tga tif tiff "
    b"webp xbm xpm".split()
)
# What Pillow's readers raise on bytes that are not what they pretend to be.
BROKEN = (OSError, ValueError, SyntaxError, EOFError, struct.error, MemoryError, OverflowError)
BROKEN_TOO = (IndexError, KeyError, TypeError, AttributeError, ZeroDivisionError, RuntimeError)


class ImageFacts(NamedTuple):
    """The header of an image.

    ``format``: Pillow's name (PNG, JPEG, ...); ``width`` and ``height`` in pixels as stored;
    ``mode``: L, RGB, RGBA, P, CMYK, ...; ``frames``: 1 unless it is animated or has pages;
    ``orientation``: 1 to 8 as in EXIF, 1 is upright and the default.
    """

    format: str
    width: int
    height: int
    mode: str
    frames: int
    orientation: int


def is_image_name(name: str | bytes) -> bool:
    """Whether the name ends as an image that ``facts`` may read; the content is not looked at."""
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    stem, dot, suffix = raw.rpartition(b".")
    return bool(stem and dot) and suffix.lower() in _SUFFIXES


def facts(data: bytes | IO[bytes], name: str | bytes = "") -> ImageFacts | None:
    """The facts of an image, from its header; None if it is none, or broken.

    ``data``: all its bytes, or a seekable binary reader, of which only the header is read
    (counting the frames of an animation walks over their headers). With ``name``, a file that
    is not called like an image is not looked at.
    """
    if name and not is_image_name(name):
        return None
    source = io.BytesIO(data) if isinstance(data, bytes) else data
    try:
        with opened(source) as image:
            return _read(image)
    except (*BROKEN, *BROKEN_TOO):
        return None


@contextmanager
def opened(source: IO[bytes]) -> Iterator[Image]:
    """The image with its header read; a size that Pillow thinks a bomb is a ``ValueError``."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(source)
        except Image.DecompressionBombError as error:
            raise ValueError(str(error)) from error
        with image:
            yield image


def _read(image: Image) -> ImageFacts:
    width, height = image.size
    return ImageFacts(
        image.format or "", width, height, image.mode, _frames(image), _orientation(image)
    )


def _frames(image: Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except (*BROKEN, *BROKEN_TOO):
        return 1  # the first frame is there, what follows is not


def _orientation(image: Image) -> int:
    """From the header alone: ``Image.getexif`` would decode a PNG to its end."""
    from PIL.Image import Exif

    try:
        tags = getattr(image, "tag_v2", None) or Exif()
        if not len(tags) and isinstance(image.info.get("exif"), bytes):
            tags.load(image.info["exif"])
        value = tags.get(_ORIENTATION, 1)
    except (*BROKEN, *BROKEN_TOO):
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
