"""Inputs that are not plain: rare pictures, arrays without a buffer, tables, recordings, and
what JSON cannot say."""

import dataclasses
import io
import json
import math
import wave
from array import array

import pytest
from PIL import Image
from support.captures import records

import oxcore as ox
from oxcore.capturing import REGISTRY
from oxcore.errors import InvalidError


def put(repo, value):
    """Save one record, send it, and give the row of it."""
    made = ox.save(repo, "deployed", "wild", value, None)
    ox.flush()
    return next(row for row in records(repo) if row["record_id"] == made)


def content(repo, row):
    """The bytes of its input."""
    return repo.read(f"wild/{row['input']['path']}", "deployed")


@pytest.mark.parametrize("mode", ["F", "I", "I;16B"])
def test_pictures_that_no_picture_file_holds_are_arrays(repo, mode):
    numpy = pytest.importorskip("numpy")
    image = Image.new(mode, (3, 2))
    for place in range(6):
        image.putpixel((place % 3, place // 3), place * 300)
    kept = numpy.load(io.BytesIO(content(repo, put(repo, image))))
    assert kept.tolist() == [[0, 300, 600], [900, 1200, 1500]]


def test_a_palette_keeps_what_is_transparent(repo):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    image.info["transparency"] = 1
    kept = Image.open(io.BytesIO(content(repo, put(repo, image))))
    assert [kept.getpixel((x, 0)) for x in (0, 1)] == [(10, 20, 30, 255), (40, 50, 60, 0)]


def test_arrays_that_have_no_buffer(repo):
    numpy = pytest.importorskip("numpy")

    class Half:
        """As a tensor of a type that NumPy has not."""

        def cpu(self):
            return self

        detach = cpu

        def numpy(self):
            raise TypeError("unsupported type")

        def tolist(self):
            return [0.5, 2]

    for value, kept in (
        (numpy.array(["a", "bc"]), b'["a","bc"]'),
        (numpy.array([1, "x", None], dtype=object), b'[1,"x",null]'),
        (numpy.array(["2026-11-22"], dtype="M8[s]"), b'["2026-11-22T00:00:00"]'),
        (numpy.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]), b"[[1,2.5]]"),
        (Half(), b"[0.5,2]"),
    ):
        assert content(repo, put(repo, value)) == kept


class Frame:
    """As a table of pandas."""

    columns = ("age", "town")

    def to_dict(self, orient):
        assert orient == "records"
        return [{"age": 3, "town": "Ulm"}]


class Rows:
    """As a table of polars."""

    def to_dicts(self):
        return [{"age": 3}]


@dataclasses.dataclass
class Question:
    text: str


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"age": math.nan, "town": "Ulm"}, {"age": "nan", "town": "Ulm"}),
        ({"what": {1, 2}, "who": object}, {"what": [1, 2], "who": {"repr": repr(object)}}),
        (math.inf, "inf"),
        ({3, 1}, [1, 3]),
        (Question("why"), {"text": "why"}),
        (Frame(), [{"age": 3, "town": "Ulm"}]),
        (Rows(), [{"age": 3}]),
    ],
)
def test_what_json_almost_says_is_kept_as_near_as_can_be(repo, value, kept):
    row = put(repo, value)
    assert (json.loads(content(repo, row)), row["input"]["mime"]) == (kept, "application/json")


def test_an_input_that_json_cannot_say_is_told(repo):
    row = put(repo, {"age": math.nan})
    [told] = REGISTRY.unlocked()[0].spool.trouble.all()
    assert row["input"]
    assert told.message.startswith("an input is not JSON as it is")
    with pytest.raises(InvalidError, match="an input is not JSON"):
        ox.save(repo, "deployed", "wild", {"age": math.nan}, None, strict=True)


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(7,), (5, 2), (0,)])
def test_recordings_are_wav_files_with_the_same_samples(repo, kind, shape):
    numpy = pytest.importorskip("numpy")
    samples = numpy.arange(math.prod(shape)).reshape(shape).astype(kind)
    for value in ((16_000, samples), {"array": samples, "sampling_rate": 16_000, "path": None}):
        row = put(repo, value)
        data = content(repo, row)
        assert (row["input"]["mime"], data[:4]) == ("audio/wav", b"RIFF")
        assert int.from_bytes(data[4:8], "little") == len(data) - 8
        size = int.from_bytes(data[40:44], "little")
        assert numpy.frombuffer(data, kind, samples.size, 44).tolist() == samples.ravel().tolist()
        assert size == samples.nbytes
    if kind in ("u1", "i2", "i4"):
        with wave.open(io.BytesIO(data)) as file:
            assert (file.getframerate(), file.getnframes()) == (16_000, shape[0])


@pytest.mark.parametrize("value", [(3, b"ab"), (0, array("h", [1])), (8000, "text"), (1, 2)])
def test_pairs_that_are_no_recordings_are_lists(repo, value):
    assert put(repo, value)["input"]["mime"] == "application/json"
