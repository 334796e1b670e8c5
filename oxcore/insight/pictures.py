"""Inputs to look at: pictures as data addresses, arrays drawn as pictures, the start of texts."""

from __future__ import annotations

import ast
import io
import struct
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

MOST = 8 << 20  # bytes of an input that is looked at
_SIDE = 160  # pixels of a picture that is shown
_TEXT = 600  # characters of a text
_NPY = b"\x93NUMPY"
_DEPTHS = {"|u1": "B", "|b1": "?", "<f4": "f", "<f8": "d", "<i8": "q", "<i4": "i", "<u2": "H"}


class Shown(NamedTuple):
    """What a page shows of an input: a ``picture`` (a data address), or a ``text``."""

    picture: str | None = None
    text: str | None = None


def shown(data: bytes, mime: str | None) -> Shown:
    """An input for a page; nothing where it is neither a picture, a small array nor text."""
    try:
        if data.startswith(_NPY):
            return Shown(picture=_address(_of_array(data)))
        if (mime or "").startswith("image/"):
            return Shown(picture=_address(_opened(data)))
        text = data.decode()
    except (ValueError, OSError, SyntaxError, struct.error):
        return Shown()
    return Shown(text=text if len(text) <= _TEXT else f"{text[:_TEXT]}...")


def _opened(data: bytes) -> Image:
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _of_array(data: bytes) -> Image:
    """A picture of an array (height, width), (height, width, 3), or flat and square.

    The format is that of ``numpy.lib.format``: magic, version, a length and a dict in Python.
    """
    from PIL import Image

    width = 2 if data[6] == 1 else 4
    length = int.from_bytes(data[8 : 8 + width], "little")
    head = ast.literal_eval(data[8 + width : 8 + width + length].decode("latin-1"))
    shape, kind = tuple(head["shape"]), _DEPTHS[head["descr"]]
    if len(shape) == 1 and int(shape[0] ** 0.5) ** 2 == shape[0]:
        shape = (int(shape[0] ** 0.5),) * 2
    channels = shape[2] if len(shape) == 3 else 1
    if head["fortran_order"] or len(shape) not in {2, 3} or channels not in {1, 3}:
        raise ValueError("no picture")
    count = shape[0] * shape[1] * channels
    values = struct.unpack_from(f"<{count}{kind}", data, 8 + width + length)
    least, most = min(values), max(values)
    span = (most - least) or 1
    pixels = bytes(int(255 * (value - least) / span) for value in values)
    return Image.frombytes("RGB" if channels == 3 else "L", (shape[1], shape[0]), pixels)


def _address(image: Image) -> str:
    """The picture, made small, or large if it is tiny, as ``data:image/png;base64,...``."""
    from PIL import Image

    scale = _SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    out = io.BytesIO()
    image.resize(size, how).save(out, "PNG")
    return f"data:image/png;base64,{b64encode(out.getvalue()).decode()}"
