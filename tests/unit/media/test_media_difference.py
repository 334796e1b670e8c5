"""Pixel differences against a count by hand, pixel by pixel."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from oxcore.media import pixel_diff


def encoded(image, format="PNG"):
    out = io.BytesIO()
    image.save(out, format)
    return out.getvalue()


def test_equal_images():
    data = encoded(Image.new("RGB", (4, 3), (1, 2, 3)))
    found = pixel_diff(data, data)
    assert (found.same_size, found.total, found.changed, found.box) == (True, 12, 0, None)
    assert (found.max_delta, found.mean_delta, found.share) == (0, 0.0, 0.0)


def test_other_size():
    one, two = encoded(Image.new("L", (4, 3))), encoded(Image.new("L", (3, 4)))
    found = pixel_diff(one, two)
    assert not found.same_size
    assert found.share == 0.0


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_as_counted_by_hand(data):
    mode = data.draw(st.sampled_from(["L", "RGB", "RGBA"]))
    width, height = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    channels = len(mode) if mode != "L" else 1
    size = width * height * channels
    one = data.draw(st.binary(min_size=size, max_size=size))
    edits = data.draw(st.dictionaries(st.integers(0, size - 1), st.integers(0, 255), max_size=4))
    two = bytes(edits.get(i, value) for i, value in enumerate(one))
    found = pixel_diff(
        encoded(Image.frombytes(mode, (width, height), one)),
        encoded(Image.frombytes(mode, (width, height), two)),
    )
    deltas = [abs(a - b) for a, b in zip(one, two, strict=True)]
    pixels = [i for i in range(width * height) if any(deltas[i * channels : (i + 1) * channels])]
    assert found.changed == len(pixels)
    assert found.max_delta == max(deltas)
    assert found.mean_delta == pytest.approx(sum(deltas) / size)
    if pixels:
        xs, ys = [i % width for i in pixels], [i // width for i in pixels]
        assert found.box == (min(xs), min(ys), max(xs) + 1, max(ys) + 1)
    else:
        assert found.box is None


def test_a_change_of_the_alpha_channel_alone_counts():
    one = Image.new("RGBA", (5, 5), (9, 9, 9, 255))
    two = one.copy()
    two.putpixel((2, 3), (9, 9, 9, 0))
    found = pixel_diff(encoded(one), encoded(two))
    assert (found.changed, found.max_delta, found.box) == (1, 255, (2, 3, 3, 4))


def test_the_lower_byte_of_sixteen_bits_counts():
    one = Image.new("I;16", (4, 4), 300)
    two = one.copy()
    two.putpixel((1, 1), 301)
    found = pixel_diff(encoded(one), encoded(two))
    assert (found.changed, found.max_delta, found.box) == (1, 0, (1, 1, 2, 2))


@pytest.mark.parametrize("mode", ["CMYK", "P", "1", "LA"])
def test_other_modes_are_compared(mode):
    format = "TIFF" if mode == "CMYK" else "PNG"
    one, two = Image.new(mode, (4, 4)), Image.new(mode, (4, 4))
    two.putpixel((0, 0), {"CMYK": (255, 0, 0, 0), "P": 9, "1": 1, "LA": (9, 9)}[mode])
    two.putpalette([255 - i // 3 for i in range(768)]) if mode == "P" else None
    assert pixel_diff(encoded(one, format), encoded(two, format)).changed >= 1


def test_formats_and_modes_may_differ():
    one = encoded(Image.new("L", (4, 4), 9))
    two = encoded(Image.new("RGB", (4, 4), (9, 9, 9)), "BMP")
    assert pixel_diff(one, two).changed == 0


def test_none_for_broken_deep_or_too_large():
    good = encoded(Image.effect_noise((64, 64), 50))
    assert pixel_diff(good, b"junk") is None
    assert pixel_diff(good, good[: len(good) // 2]) is None
    assert pixel_diff(good, good, max_pixels=64 * 64 - 1) is None
    deep = encoded(Image.new("F", (4, 4)), "TIFF")
    assert pixel_diff(deep, deep) is None
