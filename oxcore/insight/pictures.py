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
_PIXELS = 1 << 26  # of a picture that is opened: some bytes may say that they are any number
_SIDE = 160  # pixels of a picture that is shown
_TEXT = 600  # characters of a text
_NPY = b"\x93NUMPY"
_DEPTHS = {"|u1": "B", "|i1": "b", "|b1": "?", "<u2": "H", "<i2": "h", "<u4": "I", "<i4": "i"}
_DEPTHS |= {"<u8": "Q", "<i8": "q", "<f2": "e", "<f4": "f", "<f8": "d"}
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


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
    except Exception:  # noqa: BLE001 -- bytes of anybody's; a decoder raises anything, and shows nothing
        return Shown()
    return Shown(text=text if len(text) <= _TEXT else f"{text[:_TEXT]}...")


def _opened(data: bytes) -> Image:
    import warnings

    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes, which are looked at here
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _PIXELS:
                raise ValueError("too large to look at")
            return ImageOps.exif_transpose(image).convert("RGB")


def _of_array(data: bytes) -> Image:
    """A picture of an array (height, width), that with 1, 3 or 4 channels last or first, a batch of
    one of these, or flat and square; of a large one every so manieth pixel.

    The format is that of ``numpy.lib.format``: magic, version, a length and a dict in Python.
    """
    from PIL import Image

    width = 2 if data[6] == 1 else 4
    length = int.from_bytes(data[8 : 8 + width], "little")
    head = ast.literal_eval(data[8 + width : 8 + width + length].decode("latin-1"))
    kind = struct.Struct(f"<{_DEPTHS[head['descr']]}")
    if head["fortran_order"]:
        raise ValueError("no picture")
    height, across, channels, steps = _laid_out(tuple(head["shape"]))
    start, every = 8 + width + length, max(1, max(height, across) // _SIDE)
    places = [range(0, height, every), range(0, across, every), range(channels)]
    values = [
        kind.unpack_from(data, start + kind.size * (y * steps[0] + x * steps[1] + c * steps[2]))[0]
        for y in places[0]
        for x in places[1]
        for c in places[2]
    ]
    least, most = min(values), max(values)
    span = (most - least) or 1
    pixels = bytes(int(255 * (value - least) / span) for value in values)
    return Image.frombytes(_MODES[channels], (len(places[1]), len(places[0])), pixels)


def _laid_out(shape: tuple[int, ...]) -> tuple[int, int, int, tuple[int, int, int]]:
    """Height, width and channels of an array that is a picture, and how many values lie between two
    rows, columns and channels. ``ValueError`` for one that is none."""
    while len(shape) > 2 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) == 1 and int(shape[0] ** 0.5) ** 2 == shape[0]:
        shape = (int(shape[0] ** 0.5),) * 2
    if len(shape) == 2:
        shape = (*shape, 1)
    if len(shape) == 3 and shape[2] in _MODES:
        return *shape, (shape[1] * shape[2], shape[2], 1)
    if len(shape) == 3 and shape[0] in _MODES:
        channels, height, width = shape
        return height, width, channels, (width, 1, height * width)
    raise ValueError("no picture")


def _address(image: Image) -> str:
    """The picture, made small, or large if it is tiny, as ``data:image/png;base64,...``."""
    from PIL import Image

    scale = _SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    out = io.BytesIO()
    image.resize(size, how).save(out, "PNG")
    return f"data:image/png;base64,{b64encode(out.getvalue()).decode()}"
