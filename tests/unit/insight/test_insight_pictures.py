"""Inputs to look at: what can be shown is, and bytes of anybody's never stop a report."""

import base64
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from oxcore.insight.pictures import Shown, shown


def npy(array):
    numpy = pytest.importorskip("numpy")
    file = io.BytesIO()
    numpy.save(file, array)
    return file.getvalue()


def opened(found):
    return Image.open(io.BytesIO(base64.b64decode(found.picture.partition(",")[2])))


KINDS = ["u1", "i1", "?", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_all_numbers_are_pictures(kind):
    numpy = pytest.importorskip("numpy")
    image = opened(shown(npy(numpy.eye(4).astype(kind)), "application/x-npy"))
    assert (image.size, image.mode) == ((160, 160), "L")
    assert [image.getpixel((20, y)) for y in (20, 60)] == [255, 0]


@pytest.mark.parametrize(
    ("shape", "mode"),
    [
        ((4, 4), "L"),
        ((4, 4, 1), "L"),
        ((1, 4, 4), "L"),
        ((16,), "L"),
        ((4, 4, 3), "RGB"),
        ((3, 5, 5), "RGB"),
        ((1, 3, 5, 6), "RGB"),
        ((4, 5, 4), "RGBA"),
    ],
)
def test_channels_may_be_first_or_last(shape, mode):
    numpy = pytest.importorskip("numpy")
    assert opened(shown(npy(numpy.random.rand(*shape)), None)).mode == mode


def test_channels_that_are_first_are_those_of_the_picture():
    numpy = pytest.importorskip("numpy")
    last = numpy.random.rand(6, 5, 3)
    assert shown(npy(last), None) == shown(npy(last.transpose(2, 0, 1).copy()), None)


def test_a_large_array_is_looked_at_here_and_there():
    numpy = pytest.importorskip("numpy")
    assert max(opened(shown(npy(numpy.ones((1000, 2000), "u1")), None)).size) == 160


def test_what_cannot_be_shown_is_nothing():
    numpy = pytest.importorskip("numpy")
    large = io.BytesIO()
    Image.new("1", (20_000, 10_000)).save(large, "PNG")
    arrays = [numpy.ones((2, 2), complex), numpy.full((2, 2), numpy.inf), numpy.ones((0, 0))]
    for data in (b"\x93NUMPY", large.getvalue(), *map(npy, arrays)):
        assert shown(data, "image/png") == Shown()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"\x89PNG\r\n\x1a\n"]))
def test_any_bytes_are_shown_or_not(data, start):
    shown(start + data, "image/png" if start else "text/plain")
