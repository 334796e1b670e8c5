"""What is handed to save comes out of the branch: every kind of input, every field."""

import datetime as dt
import io
import json
import math
import os
import re
from array import array
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.captures import gaps, records, shards

import oxcore as ox
from oxcore.capturing.detach import detach
from oxcore.capturing.ids import is_id, new_id, tag_in, tag_of
from oxcore.errors import InvalidError, NotARepoError, UsageError


def put(repo, value, output=None, **more):
    """Save one record, send it, and give the row of it."""
    made = ox.save(repo, "deployed", "wild", value, output, **more)
    ox.flush()
    return next(row for row in records(repo) if row["record_id"] == made)


def content(repo, row):
    return repo.read(f"wild/{row['input']['path']}", "deployed")


def test_a_record_has_all_that_was_told_of_it(repo):
    row = put(
        repo,
        b"\x89PNG\r\n\x1a\nrest",
        {"label": "cat", "scores": {"cat": 0.61, "dog": 0.39}},
        model={"name": "resnet", "version": "3f2c", "weights_hash": "ab"},
        latency_ms=41.2,
        params={"crop": True},
        session_id="s1",
        group_key="g1",
        tags=["night"],
        licence="CC0",
        origin="human",
        ts_start=1_700_000_000.5,
        temperature=0.2,
    )
    assert is_id(row.pop("record_id"))
    assert re.fullmatch("[0-9a-f]{20}", row.pop("writer_id"))
    oid = blake3(b"\x89PNG\r\n\x1a\nrest").hexdigest()
    assert row == {
        "seq": 1,
        "ts_start": dt.datetime(2023, 11, 14, 22, 13, 20, 500000, dt.UTC),
        "latency_ms": 41.2,
        "status": "ok",
        "error": None,
        "model": {"name": "resnet", "version": "3f2c", "weights_hash": "ab"},
        "input": {
            "hash": oid,
            "mime": "image/png",
            "size": 12,
            "path": f"media/{oid[:2]}/{oid}.png",
        },
        "params": '{"crop":true,"temperature":0.2}',
        "output": '{"label":"cat","scores":{"cat":0.61,"dog":0.39}}',
        "scores": [("cat", 0.61), ("dog", 0.39)],
        "confidence": 0.61,
        "session_id": "s1",
        "group_key": "g1",
        "tags": ["night"],
        "sample_rate": 1.0,
        "redactions": [],
        "origin": "human",
        "licence": "CC0",
        "schema_version": 1,
    }
    [shard] = [path for path, _ in repo.walk("deployed") if path.endswith(b".parquet")]
    assert shard.startswith(b"wild/dt=2023-11-14/")


def test_the_files_of_the_user_stay_as_they_are(repo):
    Path(repo.path, "mine.txt").write_text("mine", encoding="utf-8")
    repo.add()
    repo.commit("mine")
    Path(repo.path, "mine.txt").write_text("mine, and not staged", encoding="utf-8")
    before = (repo.refs()["refs/heads/main"], list(repo.walk("main")))
    put(repo, b"x")
    assert (repo.refs()["refs/heads/main"], list(repo.walk("main"))) == before
    assert sorted(os.listdir(repo.path)) == [".ox", "mine.txt"]
    assert [change.path for change in repo.diff()] == [b"mine.txt"]


def test_files_follow_where_the_branch_is_checked_out(repo):
    made = ox.save(repo, "main", "wild", b"x", {})
    ox.flush()
    assert repo.status().clean
    assert [row["record_id"] for row in records(repo, "main")] == [made]
    assert Path(repo.path, "wild").is_dir()


@pytest.mark.parametrize(
    ("value", "mime", "data"),
    [
        (b"plain", "application/octet-stream", b"plain"),
        (bytearray(b"GIF89a"), "image/gif", b"GIF89a"),
        (memoryview(b"RIFF1234WAVE"), "audio/wav", b"RIFF1234WAVE"),
        ("grüße\ud800", "text/plain", b"gr\xc3\xbc\xc3\x9fe\\ud800"),
        ({"a": [1, 2.5]}, "application/json", b'{"a":[1,2.5]}'),
        ([1, None], "application/json", b"[1,null]"),
        (3.5, "application/json", b"3.5"),
        (io.BytesIO(b"%PDF-1"), "application/pdf", b"%PDF-1"),
    ],
)
def test_inputs_of_any_kind(repo, value, mime, data):
    row = put(repo, value)
    assert (row["input"]["mime"], content(repo, row)) == (mime, data)
    assert row["input"]["hash"] == blake3(data).hexdigest()


def test_a_path_is_read(repo, tmp_path):
    (tmp_path / "a.JPEG").write_bytes(b"bytes")
    row = put(repo, tmp_path / "a.JPEG")
    assert (row["input"]["mime"], content(repo, row)) == ("image/jpeg", b"bytes")


def test_what_the_caller_says_of_the_type_counts(repo):
    row = put(repo, b"bytes", mime="audio/wav")
    assert row["input"]["mime"] == "audio/wav"
    assert row["input"]["path"].endswith(".wav")


def test_an_image_becomes_a_png_with_the_same_pixels(repo):
    image = Image.frombytes("RGB", (5, 3), bytes(range(45)))
    row = put(repo, image)
    back = Image.open(io.BytesIO(content(repo, row)))
    assert (back.format, back.mode, back.tobytes()) == ("PNG", "RGB", image.tobytes())
    assert row["input"]["hash"] == blake3(content(repo, row)).hexdigest()
    palette = put(repo, image.convert("P"))
    assert Image.open(io.BytesIO(content(repo, palette))).mode == "RGB"


def test_an_array_is_kept_as_it_is(repo):
    values = array("d", [1.5, -2.0, math.pi])
    row = put(repo, values)
    data = content(repo, row)
    assert row["input"]["mime"] == "application/x-npy"
    size = int.from_bytes(data[8:10], "little")
    assert (10 + size) % 64 == 0
    head = eval(data[10 : 10 + size])  # the header of .npy is a Python literal
    assert head == {"descr": "<f8", "fortran_order": False, "shape": (3,)}
    assert data[10 + size :] == values.tobytes()


def test_arrays_and_pictures_of_numpy(repo):
    np = pytest.importorskip("numpy")
    for value in (
        np.arange(12, dtype=">i2").reshape(3, 4).T,
        np.zeros((2, 0), dtype="?"),
        np.float32(2.5),
        np.ones(3, dtype="c16"),
    ):
        row = put(repo, value)
        back = np.load(io.BytesIO(content(repo, row)))
        assert back.dtype == value.dtype
        assert back.shape == value.shape
        assert (back == value).all()
    picture = np.arange(24, dtype="u1").reshape(2, 4, 3)
    row = put(repo, picture, {"scores": np.array([0.25, 0.75]), "n": np.int64(3)})
    assert row["input"]["mime"] == "image/png"
    assert (np.asarray(Image.open(io.BytesIO(content(repo, row)))) == picture).all()
    assert json.loads(row["output"]) == {"scores": [0.25, 0.75], "n": 3}
    assert row["scores"] == [("0", 0.25), ("1", 0.75)]


def test_a_buffer_is_copied_before_save_returns(repo):
    data = bytearray(b"before")
    made = ox.save(repo, "deployed", "wild", data, None)
    data[:] = b"after!"
    ox.flush()
    [row] = records(repo)
    assert (row["record_id"], content(repo, row)) == (made, b"before")


def test_the_same_input_is_kept_once(repo):
    rows = [put(repo, b"same") for _ in range(3)]
    assert len({row["input"]["path"] for row in rows}) == 1
    assert len({row["record_id"] for row in rows}) == 3


def test_no_input_is_fine(repo):
    assert put(repo, None, "text")["input"] is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), inner
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(st.tuples(json_values, st.binary(max_size=300)), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_any_output_and_any_bytes_come_back(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("any")
    with ox.Repo.init(str(folder), bare=True) as repo:
        ids = [ox.save(repo, "b", "d", data, output) for output, data in pairs]
        ox.flush()
        rows = {row["record_id"]: row for row in records(repo, "b", "d")}
        assert list(rows) == ids  # in the order of seq
        for made, (output, data) in zip(ids, pairs, strict=True):
            row = rows[made]
            found = None if row["output"] is None else json.loads(row["output"])
            assert found == output
            assert repo.read(f"d/{row['input']['path']}", "b") == data


# -- what is no JSON, no input, no place


class Odd:
    def __repr__(self):
        return "an odd one"


def test_an_output_that_is_no_json_is_kept_as_near_as_can_be(repo):
    row = put(repo, b"x", {"nan": float("nan"), "odd": Odd(), (1, 2): "key", "set": {2, 1}})
    assert json.loads(row["output"]) == {
        "nan": "nan",
        "odd": {"repr": "an odd one"},
        "(1, 2)": "key",
        "set": [1, 2],
    }
    with pytest.raises(InvalidError, match="not JSON"):
        ox.save(repo, "deployed", "wild", b"x", Odd(), strict=True)


def test_an_input_of_an_unknown_type_is_left_out_and_the_rest_is_kept(repo):
    row = put(repo, Odd(), {"label": "cat"})
    assert row["input"] is None
    assert json.loads(row["output"]) == {"label": "cat"}
    with pytest.raises(InvalidError, match="Odd cannot be kept"):
        ox.save(repo, "deployed", "wild", Odd(), {}, strict=True)


def test_fields_that_cannot_be_are_left_out(repo):
    row = put(repo, b"x", {}, model=3, status="fine", latency_ms="long", ts_start=None)
    assert (row["model"], row["status"], row["latency_ms"]) == (None, "ok", None)
    with pytest.raises(InvalidError, match="not a model"):
        ox.save(repo, "deployed", "wild", b"x", {}, model=3, strict=True)


@pytest.mark.parametrize("directory", ["../out", "", "a//b", "/", "/etc", ".ox/x", "a/../b"])
def test_a_folder_outside_of_the_repository_takes_nothing(repo, directory, tmp_path):
    assert is_id(ox.save(repo, "deployed", directory, b"x", {}))
    with pytest.raises(InvalidError):
        ox.save(repo, "deployed", directory, b"x", {}, strict=True)
    said = (tmp_path / "state" / "capture" / "trouble.jsonl").read_text(encoding="utf-8")
    assert json.loads(said.splitlines()[0])["kind"] == "invalid"
    assert "refs/heads/deployed" not in repo.refs()


@pytest.mark.parametrize("directory", ["notes", "notes/wild"])
def test_a_file_in_the_place_of_the_folder_stays(repo, directory):
    Path(repo.path, "notes").write_text("mine")
    repo.add()
    repo.commit("notes")
    ox.save(repo.path, "main", directory, b"x", {})
    with pytest.raises(InvalidError, match="notes is a file of main"):
        ox.flush()
    with pytest.raises(InvalidError, match="takes nothing, so records wait: notes is a file"):
        ox.save(repo.path, "main", directory, b"y", {}, strict=True)
    assert repo.read("notes", "main") == b"mine"
    assert Path(repo.path, "notes").read_text() == "mine"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"latency_ms": "fast"}, "latency_ms is a number, not 'fast'"),
        ({"confidence": "high"}, "confidence is a number, not 'high'"),
        ({"ts_start": "yesterday"}, "ts_start is no time in seconds since 1970: 'yesterday'"),
        ({"ts_start": -1}, "ts_start is no time"),
    ],
)
def test_numbers_that_are_none_are_left_out_and_told(repo, more, message):
    [name] = more
    row = put(repo, b"x", {}, **more)
    assert row[name] is None or name == "ts_start"
    spools = os.path.join(repo.folder, "capture")
    [spool] = os.listdir(spools)
    with open(os.path.join(spools, spool, "trouble.jsonl"), encoding="utf-8") as file:
        assert message in json.loads(file.readline())["message"]
    with pytest.raises(InvalidError, match=re.escape(message)):
        ox.save(repo, "deployed", "wild", b"x", {}, strict=True, **more)


def test_feedback_whose_confidence_is_no_number(repo):
    made = ox.save(repo, "deployed", "wild", b"x", {})
    ox.feedback(made, "label", "cat", confidence="sure")
    with pytest.raises(InvalidError, match="confidence is a number, not 'sure'"):
        ox.feedback(made, "label", "cat", confidence="sure", strict=True)
    ox.flush()
    [row] = shards(repo, "deployed", "wild", "feedback/")
    assert (row["value"], row["confidence"]) == ('"cat"', None)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, None, "a repository is a URL, a path or an open Repo, not None"),
        (0, [1], "a repository is"),
        (1, 5, "a branch is text, not 5"),
        (2, ["wild"], "a directory is text"),
    ],
)
def test_places_of_a_wrong_type(repo, at, value, message):
    place = [repo, "deployed", "wild"]
    place[at] = value
    assert is_id(ox.save(*place, b"x", {}))
    with pytest.raises(InvalidError, match=re.escape(message)):
        ox.save(*place, b"x", {}, strict=True)


def test_a_place_that_is_no_repository(tmp_path):
    assert is_id(ox.save(str(tmp_path / "none"), "b", "d", b"x", {}))
    with pytest.raises(NotARepoError):
        ox.save(str(tmp_path / "none"), "b", "d", b"x", {}, strict=True)


# -- ids


@given(st.integers(0, 2**12 - 1), st.integers(0, 2**47 * 10**6))
def test_an_id_is_a_uuid_of_version_7_and_carries_its_tag(tag, now):
    import uuid

    made = new_id(tag, now)
    parsed = uuid.UUID(made)
    assert (parsed.version, parsed.variant, str(parsed)) == (7, uuid.RFC_4122, made)
    assert parsed.int >> 80 == now // 10**6
    assert tag_in(made) == tag
    assert is_id(made)


def test_ids_ascend_with_time():
    made = [new_id(7, at) for at in range(10**15, 10**15 + 3 * 10**6, 1013)]
    assert made == sorted(made)
    assert 0 <= tag_of("any") < 2**12


# -- feedback


def test_feedback_finds_its_record(repo, tmp_path):
    with ox.Repo.init(str(tmp_path / "other"), author="Ann") as other:
        made = ox.save(repo, "deployed", "wild", b"x", {"label": "cat"})
        ox.save(other, "deployed", "wild", b"x", {"label": "cat"})
        event = ox.feedback(made, "correction", {"label": "dog"}, source="review", author="Bo")
        ox.flush()
        [row] = shards(repo, "deployed", "wild", "feedback/")
        assert shards(other, "deployed", "wild", "feedback/") == []
    assert (row["event_id"], row["record_id"], row["kind"]) == (event, made, "correction")
    assert (row["value"], row["source"], row["author"]) == ('{"label":"dog"}', "review", "Bo")
    assert row["schema_version"] == 1


def test_feedback_may_come_before_its_record(repo):
    to_come = new_id(0)
    place = {"repo": repo, "branch": "deployed", "directory": "wild"}
    ox.feedback(to_come, "vote", 1, confidence=0.5, **place)
    ox.flush()
    [row] = shards(repo, "deployed", "wild", "feedback/")
    assert (row["record_id"], row["value"], row["confidence"]) == (to_come, "1", 0.5)


def test_feedback_that_belongs_nowhere(repo):
    assert is_id(ox.feedback(new_id(5), "vote", 1))
    with pytest.raises(UsageError, match="nobody here knows"):
        ox.feedback(new_id(5), "vote", 1, strict=True)
    made = ox.save(repo, "deployed", "wild", b"x", {})
    with pytest.raises(InvalidError, match="kind of feedback"):
        ox.feedback(made, "", 1, strict=True)


# -- sampling and redaction


def test_sampling_keeps_every_error_and_what_the_model_was_unsure_of(repo):
    names = {"sample": 0.2, "low_confidence": 0.5}
    for n in range(600):
        ox.save(repo, "deployed", "wild", None, {"n": n, "score": 0.9}, **names)
        if n % 6 == 0:
            ox.save(repo, "deployed", "wild", None, {"score": 0.9}, error=ValueError("bad"))
            ox.save(repo, "deployed", "wild", None, {"score": 0.49})
    ox.flush()
    rows = records(repo)
    errors = [row for row in rows if row["status"] == "error"]
    unsure = [row for row in rows if row["confidence"] == 0.49]
    rest = [row for row in rows if row["status"] == "ok" and row["confidence"] == 0.9]
    assert (len(errors), len(unsure)) == (100, 100)
    assert {row["sample_rate"] for row in errors + unsure} == {1.0}
    assert {row["error"] for row in errors} == {"ValueError: bad"}
    assert {row["sample_rate"] for row in rest} == {0.2}
    assert 70 < len(rest) < 180  # six standard deviations round 120
    assert gaps(repo) == []


def test_what_is_to_be_redacted_is_never_written(repo):
    rules = ["email", re.compile(r"\d{3}-\d{4}"), drop_name]
    asked = {"email": "ann@example.org", "text": "call 555-1234", "name": "Ann"}
    told = {"answer": "555-9999", "user": {"EMAIL": "x"}}
    row = put(repo, asked, told, redact=rules, who={"email": "y"})
    assert json.loads(content(repo, row)) == {
        "email": "[redacted]",
        "text": "call [redacted]",
    }
    assert json.loads(row["output"]) == {"answer": "[redacted]", "user": {"EMAIL": "[redacted]"}}
    assert row["redactions"] == [
        "function drop_name",
        "input.email",
        r"input.text /\d{3}-\d{4}/",
        "params.who.email",
        r"output.answer /\d{3}-\d{4}/",
        "output.user.EMAIL",
    ]
    assert asked["email"] == "ann@example.org"


def drop_name(value):
    return {key: one for key, one in value.items() if key != "name"}


def test_where_redaction_fails_nothing_is_kept_that_it_would_have_taken(repo):
    row = put(repo, b"no dict", {"secret": 1}, redact=[drop_name])
    assert (row["input"], row["output"], row["params"]) == (None, None, None)
    assert row["redactions"] == ["failed: input, params and output left out"]


def test_detaching_takes_nothing_of_a_type():
    with pytest.raises(InvalidError, match=r"type builtins\.type cannot"):
        detach(int)


def test_a_relative_path_is_meant_from_where_the_process_is(tmp_path, monkeypatch):
    """And a decorator means the folder in which it was made."""
    for name in ("one", "two"):
        ox.Repo.init(str(tmp_path / name / "data"), author="Ann <ann@example.org>").close()
    monkeypatch.chdir(tmp_path / "one")
    taken = ox.capture("data", "deployed", "calls")(str.upper)
    ox.save("data", "deployed", "wild", "first", 1)
    monkeypatch.chdir(tmp_path / "two")
    ox.save(Path("data"), "deployed", "wild", "second", 2)
    ox.save("data", "deployed", "wild", "third", 3)
    assert taken("a") == "A"
    ox.flush()
    outputs = {}
    for name in ("one", "two"):
        with ox.Repo.open(str(tmp_path / name / "data")) as repo:
            rows = records(repo) + records(repo, directory="calls")
            outputs[name] = sorted(row["output"] for row in rows)
    assert outputs == {"one": ['"A"', "1"], "two": ["2", "3"]}
