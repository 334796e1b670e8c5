"""How far two images differ, pixel by pixel, by Pillow alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from oxcore.media.facts import BROKEN, BROKEN_TOO, MAX_PIXELS, opened

if TYPE_CHECKING:
    from PIL.Image import Image

_GREY = {"1", "L"}


class PixelDiff(NamedTuple):
    """The difference of the first frames of two images.

    If ``same_size`` is False nothing was compared and the rest is zero. Else: ``changed`` pixels
    of ``total``; ``max_delta``, the largest difference in any channel (0 to 255); ``mean_delta``,
    the mean absolute difference over all pixels and channels; ``box``, the smallest rectangle
    (left, top, right, bottom; right and bottom just outside) round the changed pixels.
    """

    same_size: bool
    total: int
    changed: int
    max_delta: int
    mean_delta: float
    box: tuple[int, int, int, int] | None

    @property
    def share(self) -> float:
        """Changed pixels over all pixels, 0 to 1."""
        return self.changed / self.total if self.total else 0.0


def pixel_diff(a: bytes, b: bytes, *, max_pixels: int = MAX_PIXELS) -> PixelDiff | None:
    """Compare two images given as file bytes; None if one is broken or has over ``max_pixels``.

    Both are compared as grey if both are grey, else as RGB, with alpha if one has it. Colour
    under an alpha of zero counts: it is data. Of grey with 16 bits, every bit counts for
    ``changed`` and the upper 8 for the deltas. Images of 32 bits a channel (modes I and F) are
    not compared: None.
    """
    try:
        with opened(io.BytesIO(a)) as one, opened(io.BytesIO(b)) as two:
            if one.size != two.size:
                return PixelDiff(False, 0, 0, 0, 0.0, None)
            if one.width * one.height > max_pixels:
                return None
            if not {one.mode, two.mode}.isdisjoint({"I", "F"}):
                return None
            return _compare(one, two)
    except (*BROKEN, *BROKEN_TOO):
        return None


def _compare(one: Image, two: Image) -> PixelDiff:
    bands = _differences(one, two)
    union = _union(bands)
    values = bands[-1:] if _is_deep(one) and _is_deep(two) else bands
    total = one.width * one.height
    levels = [band.histogram() for band in values]
    summed = sum(level * n for band in levels for level, n in enumerate(band))
    return PixelDiff(
        True,
        total,
        total - union.histogram()[0],
        max(level for band in levels for level, n in enumerate(band) if n or not level),
        summed / (total * len(values)),
        union.getbbox(),
    )


def _differences(one: Image, two: Image) -> list[Image]:
    """The absolute difference of each channel, 8 bits; of 16 bits: lower byte, upper byte."""
    from PIL import ImageChops

    if _is_deep(one) and _is_deep(two):
        first, second = _split_deep(one), _split_deep(two)
    else:
        mode = _common_mode(one, two)
        first, second = one.convert(mode).split(), two.convert(mode).split()
    return [ImageChops.difference(a, b) for a, b in zip(first, second, strict=True)]


def _common_mode(one: Image, two: Image) -> str:
    if one.mode in _GREY and two.mode in _GREY:
        return "L"
    return "RGBA" if one.has_transparency_data or two.has_transparency_data else "RGB"


def _union(bands: list[Image]) -> Image:
    from PIL import ImageChops

    union = bands[0]
    for band in bands[1:]:
        union = ImageChops.lighter(union, band)
    return union


def _is_deep(image: Image) -> bool:
    return image.mode.startswith("I;16")


def _split_deep(image: Image) -> tuple[Image, ...]:
    """Lower and upper byte of each pixel of a grey image with 16 bits, as two grey images."""
    from PIL.Image import frombytes

    return frombytes("LA", image.size, image.tobytes("raw", "I;16")).split()
