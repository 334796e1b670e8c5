"""Facts about images: true files of many formats, broken ones, and ones that claim too much."""

import io
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from oxcore.media import ImageFacts, facts, is_image_name


def encoded(image, format="PNG", **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def png_header(width, height):
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk


@pytest.mark.parametrize(
    ("format", "mode"),
    [
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "L"),
        ("PNG", "P"),
        ("PNG", "I;16"),
        ("JPEG", "RGB"),
        ("JPEG", "L"),
        ("JPEG", "CMYK"),
        ("GIF", "P"),
        ("BMP", "RGB"),
        ("TIFF", "RGB"),
        ("WEBP", "RGB"),
    ],
)
def test_header_of_each_format(format, mode):
    data = encoded(Image.new(mode, (31, 17)), format)
    assert facts(data) == ImageFacts(format, 31, 17, mode, 1, 1)


def test_frames_of_an_animation_are_counted():
    frames = [Image.new("L", (5, 5), shade) for shade in (0, 90, 250)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert facts(data).frames == 3


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_read_from_exif(format):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.new("RGB", (8, 4)), format, exif=exif)
    assert facts(data).orientation == 6


def test_orientation_out_of_range_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 77
    assert facts(encoded(Image.new("RGB", (8, 4)), "JPEG", exif=exif)).orientation == 1


def test_only_the_header_is_read():
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size=-1):
            data = super().read(size)
            self.taken += len(data)
            return data

    data = encoded(Image.effect_noise((1500, 1500), 90))
    source = Counting(data)
    assert facts(source).width == 1500
    assert source.taken < len(data) / 10


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe0"]
)
def test_what_is_no_image_has_no_facts(data):
    assert facts(data) is None


def test_every_truncation_gives_facts_or_none():
    exif = Image.Exif()
    exif[0x0112] = 3
    for format in ("JPEG", "PNG", "TIFF", "GIF", "WEBP"):
        data = encoded(Image.new("RGB", (9, 9), (7, 8, 9)), format, exif=exif)
        for end in range(len(data)):
            found = facts(data[:end])
            assert found is None or (found.width, found.height) == (9, 9)


def test_a_bomb_is_not_decoded():
    assert facts(png_header(60000, 60000)) is None  # Pillow refuses over twice its limit


def test_a_name_that_is_no_image_is_not_looked_at():
    data = encoded(Image.new("RGB", (3, 3)))
    assert facts(data, "table.csv") is None
    assert facts(data, b"photo.PNG") is not None


def test_image_names():
    assert is_image_name("a/b.JPG")
    assert is_image_name(b"caf\xe9.webp")
    assert not is_image_name("png")
    assert not is_image_name(".png")
    assert not is_image_name("a.png.gz")


def test_pillow_is_loaded_only_when_asked():
    code = "import sys, oxcore.media; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
