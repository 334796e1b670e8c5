"""Captured records into a dataset: where they go, what leaks, what is written."""

import io
import json
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.errors import InvalidError, UnsavedError
from oxcore.insight import alike, split
from oxcore.testing.captured import labelled


def captured(wild, inputs, mime="text/plain", start=0, groups=()):
    """Records with these inputs, each labelled with its number; their ids."""
    records, events, files = labelled("wild", inputs, mime, start=start, groups=groups)
    wild.commit(records, events, files)
    return [one["record_id"] for one in records]


def table(wild, name, rev=":"):
    data = wild.repo.read(f"data/{name}.parquet", rev)
    return {row["record_id"]: row for row in parquet.read_table(io.BytesIO(data)).to_pylist()}


def texts(count, start=0):
    return [f"input {n}".encode() for n in range(start, start + count)]


def test_each_record_goes_where_its_hash_says_and_stays(wild):
    ids = captured(wild, texts(40))
    made = wild.repo.promote("deployed", "wild", to="both")
    assert made.added["train"] + made.added["test"] == 40
    train, test = table(wild, "train"), table(wild, "test")
    assert sorted([*train, *test]) == ids
    commit = next(iter(wild.repo.log("deployed"))).id.hex()
    for record, row in {**train, **test}.items():
        assert row["split"] == split.side(row["input_hash"], 0.2)
        text = wild.repo.read(f"data/{row['path']}", ":")
        assert text == f"input {int(record[1:])}".encode()
        assert json.loads(row["value"]) == row["label"] == f"label {int(record[1:])}"
        assert (row["source_folder"], row["source_commit"]) == ("wild", commit)
    wild.repo.commit("data")
    captured(wild, texts(40, 40), start=40)
    made = wild.repo.promote("deployed", "wild", to="both")
    assert (sum(made.added.values()), made.same) == (40, 40)
    assert table(wild, "test").items() >= test.items()
    assert table(wild, "train").items() >= train.items()


def test_what_is_left_aside_is_counted(wild):
    captured(wild, texts(3))
    wild.commit([{"record_id": "r000900"}, {"record_id": "r000901"}])
    wild.commit(events=[{"record_id": "r000901", "value": "no input"}])
    proposed = [{"record_id": f"r{n:06}", "value": "x", "source": "rule"} for n in (10, 11)]
    captured(wild, texts(2, 10), start=10)
    wild.commit(events=proposed)
    trust = ("rule",)
    made = wild.repo.promote("deployed", "wild", split=0, trust=trust, dry_run=True)
    assert made.left == {
        "no label": 1,
        "label only proposed": 2,
        "no input": 1,
        "of the other split": 0,
        "leaking": 0,
    }
    assert made.added == {"train": 3, "test": 0}
    assert wild.repo.status().clean
    made = wild.repo.promote("deployed", "wild", split=0, trust=trust, proposed=True)
    assert made.added == {"train": 5, "test": 0}
    assert wild.repo.promote("deployed", "wild", to="test").left["of the other split"] == 5


def test_slices_and_conditions_choose(wild):
    ids = captured(wild, texts(10))
    wild.repo.add_slice("some", records=ids[:6])
    made = wild.repo.promote(
        "deployed", "wild", slice_name="some", where="record_id > 'r000003'", split=0
    )
    assert made.added == {"train": 2, "test": 0}
    assert [*table(wild, "train")] == ids[4:6]


def test_a_new_label_takes_the_place_of_the_old(wild):
    ids = captured(wild, texts(3))
    wild.repo.promote("deployed", "wild", split=0)
    before = table(wild, "train")
    wild.repo.commit("data")
    wild.commit(events=[{"record_id": ids[1], "value": {"label": "better"}, "source": "gold"}])
    made = wild.repo.promote("deployed", "wild")
    assert (made.relabelled, made.same) == ({"train": 1, "test": 0}, 2)
    after = table(wild, "train")
    assert (after[ids[1]]["label"], after[ids[1]]["label_source"]) == ("better", "gold")
    assert (after[ids[0]], after[ids[2]]) == (before[ids[0]], before[ids[2]])
    wild.repo.commit("better")
    assert wild.repo.promote("deployed", "wild").files == {}
    assert wild.repo.status().clean


def picture(form, value):
    out = io.BytesIO()
    image = Image.new("RGB", (8, 8), (value, 0, 0))
    image.putpixel((value % 8, 3), (9, 9, 9))
    image.save(out, form)
    return out.getvalue()


def pictures(n):
    return picture("PNG", n), picture("BMP", n)


def sentences(n):
    return f"Stra\u00dfe {n}".encode(), f"  STRASSE\t{n}\n".encode()


def apart(make):
    """Two inputs that are alike, of which one is for training and one for the test."""
    for n in range(250):
        pair = make(n)
        if [split.side(blake3(x).hexdigest(), 0.5) for x in pair] == ["train", "test"]:
            return pair
    raise AssertionError


@pytest.mark.parametrize(
    ("kind", "make", "mime"),
    [("text", sentences, "text/plain"), ("pixels", pictures, "image/png")],
)
def test_what_training_and_test_would_share_is_refused(wild, kind, make, mime):
    ids = captured(wild, apart(make), mime)
    captured(wild, texts(8), start=50)
    with pytest.raises(InvalidError) as error:
        wild.repo.promote("deployed", "wild", to="both", split=0.5)
    assert error.value.items == (f"{ids[0]} (train) and {ids[1]} (test): the same {kind}",)
    assert wild.repo.status().clean
    wild.repo.promote("deployed", "wild", to="train", split=0.5)
    with pytest.raises(InvalidError):  # what is there already counts
        wild.repo.promote("deployed", "wild", to="test")
    made = wild.repo.promote("deployed", "wild", to="test", drop_leaks=True)
    assert made.left["leaking"] == 1
    assert ids[1] not in table(wild, "test")
    assert ids[0] in table(wild, "train")


def test_same_bytes_in_two_groups(wild):
    groups = {split.side(f"g{n}", 0.5): f"g{n}" for n in range(20)}
    ids = captured(wild, [b"same", b"same"], groups=[groups["train"], groups["test"]])
    with pytest.raises(InvalidError) as error:
        wild.repo.promote("deployed", "wild", to="both", split=0.5)
    assert error.value.items == (f"{ids[0]} (train) and {ids[1]} (test): the same bytes",)


def test_a_group_is_on_one_side(wild):
    captured(wild, texts(30), groups=[f"g{n % 3}" for n in range(30)])
    wild.repo.promote("deployed", "wild", to="both", split=0.5)
    sides = {row["group_key"] for row in table(wild, "train").values()}
    assert sides == {f"g{n}" for n in range(3) if split.side(f"g{n}", 0.5) == "train"}


def test_no_row_moves_from_the_test_to_training(wild):
    ids = captured(wild, texts(6))
    wild.repo.promote("deployed", "wild", to="test", split=1)
    wild.repo.commit("data")
    with pytest.raises(InvalidError, match="stays"):
        wild.repo.promote("deployed", "wild", split=0)
    with open(wild.repo.path + "/data/split.json", "wb") as out:  # a person changes it by hand
        out.write(split.dump(0.0))
    wild.repo.add(["data"])
    with pytest.raises(InvalidError) as error:
        wild.repo.promote("deployed", "wild", to="train")
    assert error.value.items[0] == f"{ids[0]} would be in both"
    assert len(error.value.items) == 6


def test_a_group_that_a_changed_split_would_tear_apart(wild):
    group = next(f"g{n}" for n in range(20) if split.side(f"g{n}", 0.5) == "test")
    ids = captured(wild, texts(2), groups=[group, group])
    wild.repo.promote("deployed", "wild", where=f"record_id = '{ids[0]}'", to="test", split=0.5)
    with open(wild.repo.path + "/data/split.json", "wb") as out:
        out.write(split.dump(0.0))
    wild.repo.add(["data"])
    where = f"record_id = '{ids[1]}'"
    with pytest.raises(InvalidError) as error:
        wild.repo.promote("deployed", "wild", where=where)
    assert error.value.items == (f"{ids[1]} (train) and {ids[0]} (test): the same group {group}",)
    made = wild.repo.promote("deployed", "wild", where=where, drop_leaks=True)
    assert (made.left["leaking"], made.totals) == (1, {"train": 0, "test": 1})


def test_tables_that_are_not_staged_are_not_overwritten(wild):
    captured(wild, texts(3))
    wild.repo.promote("deployed", "wild", split=0)
    with open(wild.repo.path + "/data/train.parquet", "wb") as out:
        out.write(b"my own work")
    captured(wild, texts(3, 10), start=10)
    with pytest.raises(UnsavedError):
        wild.repo.promote("deployed", "wild")
    with open(wild.repo.path + "/data/train.parquet", "rb") as file:
        assert file.read() == b"my own work"
    wild.repo.add(["data"])
    with pytest.raises(InvalidError, match=r"data/train\.parquet is no table of promoted records"):
        wild.repo.promote("deployed", "wild")


def test_an_input_is_decoded_once_ever(wild, monkeypatch):
    seen, likeness = [], alike.likeness

    def look(data, kind):
        seen.append(data)
        return likeness(data, kind)

    monkeypatch.setattr("oxcore.insight.alike.likeness", look)
    captured(wild, [*texts(5), *texts(5)])
    wild.repo.promote("deployed", "wild", dry_run=True)
    assert sorted(seen) == texts(5)
    captured(wild, texts(8), start=20)
    wild.repo.promote("deployed", "wild", split=0)
    assert sorted(seen) == texts(8)
    assert all(row["likeness"].startswith("text:") for row in table(wild, "train").values())


def test_two_that_promote_at_once_both_arrive(wild):
    captured(wild, texts(20))

    def promote(where):
        with Repo.open(wild.repo.path, author="Ann") as repo:
            repo.promote("deployed", "wild", where=where, split=0, onto="sets")

    halves = [f"record_id {sign} 'r000010'" for sign in ("<", ">=")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(promote, halves))
    assert len(table(wild, "train", "sets")) == 20


def edited(wild, change):
    """Write the table for training anew, as a person might."""
    file = wild.repo.path + "/data/train.parquet"
    parquet.write_table(change(parquet.read_table(file)), file)
    wild.repo.add(["data"])


def test_columns_of_ones_own_stay(wild):
    ids = captured(wild, texts(3))
    wild.repo.promote("deployed", "wild", split=0)
    edited(wild, lambda table: table.append_column("note", [["a", "b", "c"]]))
    wild.commit(events=[{"record_id": ids[1], "value": "better", "source": "gold"}])
    captured(wild, texts(1, 10), start=10)
    wild.repo.promote("deployed", "wild")
    notes = [(row["note"], row["label"]) for row in table(wild, "train").values()]
    assert notes == [("a", "label 0"), ("b", "better"), ("c", "label 2"), (None, "label 10")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: pa.concat_tables([t, t]), "row 4: record_id: r000000 stands there twice"),
        (lambda t: t.set_column(1, "path", [["x", None, "z"]]), "row 2: path: missing"),
        (lambda t: t.set_column(9, "split", [["train", "test", "train"]]), "row 2: split: 'test'"),
        (lambda t: t.drop_columns(["label"]), "is no table of promoted records"),
    ],
)
def test_tables_that_were_edited_out_of_shape(wild, change, why):
    captured(wild, texts(3))
    wild.repo.promote("deployed", "wild", split=0)
    edited(wild, change)
    with pytest.raises(InvalidError, match=why):
        wild.repo.promote("deployed", "wild")


def test_undo_takes_it_back(wild):
    captured(wild, texts(3))
    wild.repo.promote("deployed", "wild", split=0)
    wild.repo.undo()
    assert wild.repo.status().clean


def test_onto_a_branch_the_work_tree_stays(wild):
    captured(wild, texts(3))
    made = wild.repo.promote("deployed", "wild", split=0, into="sets/one", onto="sets")
    assert made.commit.hex() == wild.repo.refs()["refs/heads/sets"]
    assert wild.repo.status().clean
    assert wild.repo.promote("deployed", "wild", into="sets/one", onto="sets").commit is None
    names = [path for path, _ in wild.repo.walk("sets")]
    assert names[-2:] == [b"sets/one/split.json", b"sets/one/train.parquet"]
    assert len(names) == 5


def test_the_same_records_make_the_same_table(wild):
    captured(wild, texts(5))
    wild.repo.promote("deployed", "wild", split=0, into="a")
    wild.repo.promote("deployed", "wild", where="record_id > 'r000002'", into="b", split=0)
    wild.repo.promote("deployed", "wild", into="b")
    a, b = (wild.repo.read(f"{name}/train.parquet", ":") for name in "ab")
    assert a == b


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_the_test(key, one, other):
    low, high = sorted((one, other))
    assert not (split.side(key, low) == "test" and split.side(key, high) == "train")
    assert split.side(key, 0) == "train"
    assert split.side(key, 1) == "test"


def test_the_hash_that_splits_is_frozen():
    assert [n for n in range(30) if split.side(f"group {n}", 0.3) == "test"] == [
        10,
        11,
        15,
        16,
        23,
        27,
        28,
    ]
    tests = sum(split.side(f"group {n}", 0.2) == "test" for n in range(5000))
    assert 900 < tests < 1100


@pytest.mark.parametrize(
    "data", [b"{", b"[]", b'{"version": 2, "test": 0.1}', b'{"version": 1, "test": true}']
)
def test_a_split_that_makes_no_sense(data):
    with pytest.raises(InvalidError, match=r"d/split\.json"):
        split.parse(data, b"d/split.json")
    assert split.parse(split.dump(0.25), b"x") == 0.25


def likeness(data, mime):
    return alike.likeness(data, alike.kind_of(mime))


def test_likeness():
    assert likeness(b"A  b", "text/plain") == likeness("\uff41\nB ".encode(), "text/markdown")
    assert likeness(b"a b", "text/plain") != likeness(b"ab", "text/plain")
    assert likeness(b"\xff", "text/plain") is None
    assert likeness(b"PK", "application/zip") is None
    assert likeness(b"no picture", "image/png") is None
    assert likeness(picture("PNG", 3), "image/png") == likeness(picture("TIFF", 3), "image/tiff")
    assert likeness(picture("PNG", 3), "image/png") != likeness(picture("PNG", 4), "image/png")
    saved = set()
    for mode in ("L", "RGB"):
        out = io.BytesIO()
        Image.new("L", (4, 4), 7).convert(mode).save(out, "PNG")
        saved.add(likeness(out.getvalue(), "image/png"))
    assert len(saved) == 1
