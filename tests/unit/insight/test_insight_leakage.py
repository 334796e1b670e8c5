"""Commits that would mix what a dataset has for training and for the test are refused, whole."""

import io
import os
import shutil

import pyarrow as pa
import pytest
from blake3 import blake3
from PIL import Image
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.errors import InvalidError
from oxcore.insight import split
from oxcore.insight.dataset import SCHEMA
from oxcore.testing.captured import labelled

KEPT = "allowed-leaks"


@pytest.fixture
def data(wild):
    """A dataset ``data`` of 16 records, committed."""
    records, events, files = labelled("wild", [f"input {n}".encode() for n in range(16)])
    wild.commit(records, events, files)
    wild.repo.promote("deployed", "wild", to="both", split=0.5)
    wild.repo.commit("data")
    return Data(wild.repo)


@pytest.fixture
def apart(tmp_path_factory):
    """A folder that is not within the repository."""
    return tmp_path_factory.mktemp("apart")


class Data:
    """The dataset in the work tree of a repository, edited by hand."""

    def __init__(self, repo, folder="data"):
        self.repo, self.folder = repo, folder

    def place(self, name):
        return os.path.join(self.repo.path, self.folder, name)

    def rows(self, name):
        return parquet.read_table(self.place(f"{name}.parquet")).to_pylist()

    def write(self, name, rows):
        parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), self.place(f"{name}.parquet"))

    def add_row(self, name, row, **changed):
        self.write(name, [*self.rows(name), {**row, **changed}])

    def put(self, path, data):
        os.makedirs(os.path.dirname(self.place(path)), exist_ok=True)
        with open(self.place(path), "wb") as file:
            file.write(data)

    def ids(self, name):
        return [row["record_id"] for row in self.rows(name)]

    def refused(self, call=None):
        """What the error lists; nothing but the work tree is other than before."""
        self.repo.add()
        before = dict(self.repo._repo.view())
        files = contents(self.repo)
        with pytest.raises(InvalidError, match="would not stay apart") as error:
            (call or (lambda: self.repo.commit("leak")))()
        assert dict(self.repo._repo.view()) == before
        assert contents(self.repo) == files
        return list(error.value.items)


def contents(repo):
    found = {}
    for top, folders, names in os.walk(repo.path):
        folders[:] = [one for one in folders if one != ".ox"]
        for name in names:
            with open(os.path.join(top, name), "rb") as file:
                found[os.path.join(top, name)] = file.read()
    return found


def settled(repo, message="settled", **how):
    repo.add()
    return repo.commit(message, **how)


# -- what is refused


def test_a_row_of_the_test_that_is_copied_to_training(data):
    row = data.rows("test")[2]
    data.add_row("train", row)
    assert data.refused() == [f"data: {row['record_id']} is in both"]


def test_a_row_that_moves_though_its_bytes_are_not_in_both(data):
    first, *rest = data.rows("test")
    data.write("test", rest)
    data.add_row("train", first, split="train")
    assert data.refused() == [f"data: {first['record_id']} moves from the test to train"]


def test_a_row_that_moves_under_another_id(data):
    first, *rest = data.rows("test")
    data.write("test", rest)
    data.add_row("train", first, record_id="mine")
    known = first["record_id"]
    told = f"data: mine (train) and {known} (in the test until now): the same bytes"
    assert data.refused() == [told]


def test_a_row_may_move_from_training_to_the_test(data):
    first, *rest = data.rows("train")
    data.write("train", rest)
    data.add_row("test", first, split="test")
    assert KEPT not in settled(data.repo).commit.meta


def test_an_input_that_gets_the_bytes_of_one_of_the_test(data):
    mine, theirs = data.rows("train")[1], data.rows("test")[0]
    shutil.copy(data.place(theirs["path"]), data.place(mine["path"]))
    pair = f"{mine['record_id']} (train) and {theirs['record_id']} (test)"
    assert data.refused() == [f"data: {pair}: the same bytes"]


def test_a_row_that_names_the_file_of_another(data):
    row = data.rows("test")[0]
    told = dict.fromkeys(SCHEMA.names) | {"record_id": "mine", "label": "x", "split": "train"}
    data.add_row("train", told | {"path": "./" + row["path"]})
    pair = f"mine (train) and {row['record_id']} (test)"
    assert data.refused() == [f"data: {pair}: the same bytes"]


def test_a_row_that_says_what_its_file_is_not_like(data):
    row = data.rows("test")[0]
    with open(data.place(row["path"]), "rb") as file:
        content = file.read().upper()
    data.put("media/mine.txt", content)
    told = {"record_id": "mine", "path": "media/mine.txt", "likeness": "text:00"}
    data.add_row("train", row, **told, input_hash=blake3(content).hexdigest())
    pair = f"mine (train) and {row['record_id']} (test)"
    assert data.refused() == [f"data: {pair}: the same text"]


def test_each_row_that_has_a_part_in_it_is_listed(data):
    row = data.rows("test")[0]
    data.write("train", [*data.rows("train"), *(dict(row, record_id=one) for one in "ab")])
    told = [f"data: {one} (train) and {row['record_id']} (test): the same bytes" for one in "ab"]
    assert data.refused() == told


def picture(form):
    out = io.BytesIO()
    Image.new("RGB", (5, 4), (7, 8, 9)).save(out, form)
    return out.getvalue()


@pytest.mark.parametrize(
    ("names", "inputs", "mime", "what"),
    [
        (("a.txt", "b.txt"), (b"Hello  world", b" hello\nWORLD "), None, "text"),
        (("a.bin", "b.bin"), (b"Hello  world", b" hello\nWORLD "), "text/plain", "text"),
        (("a.png", "b.bmp"), (picture("PNG"), picture("BMP")), None, "pixels"),
    ],
)
def test_inputs_that_are_alike_though_no_row_says_so(data, names, inputs, mime, what):
    for side, name, content in zip(("train", "test"), names, inputs, strict=True):
        data.put(f"media/{name}", content)
        row = dict.fromkeys(SCHEMA.names) | {"record_id": name, "label": "x", "split": side}
        data.add_row(side, row | {"path": f"media/{name}", "mime": mime})
    pair = f"{names[0]} (train) and {names[1]} (test)"
    assert data.refused() == [f"data: {pair}: the same {what}"]


def test_a_group_that_is_torn_apart(data):
    rows = [dict(row, group_key="g") for row in (data.rows("train")[0], data.rows("test")[0])]
    data.write("train", [rows[0], *data.rows("train")[1:]])
    data.write("test", [rows[1], *data.rows("test")[1:]])
    pair = f"{rows[0]['record_id']} (train) and {rows[1]['record_id']} (test)"
    assert data.refused() == [f"data: {pair}: the same group g"]


def test_one_table_in_the_place_of_the_other(data):
    shutil.copy(data.place("test.parquet"), data.place("train.parquet"))
    ids = data.ids("test")
    assert data.refused() == [f"data: {one} is in both" for one in ids]


def test_ten_are_listed_and_the_rest_is_counted(data):
    data.write("train", [*data.rows("train"), *data.rows("test")])
    more = [dict(row, record_id=f"x{n}") for n, row in enumerate(data.rows("test"))]
    data.write("test", [*data.rows("test"), *more])
    found = data.refused()
    total = 2 * len(more)
    assert len(found) == 11
    assert found[-1] == f"... and {total - 10} more"


@pytest.mark.parametrize("ending", ["csv", "jsonl", "csv.gz", "arrow"])
def test_a_table_of_another_format_counts(data, ending):
    row = data.rows("test")[0]
    data.repo.table("data/test.parquet").pick().write(data.place(f"train.{ending}"))
    assert f"data: {row['record_id']} is in both" in data.refused()


def test_a_table_that_cannot_be_read(data):
    data.put("train.parquet", b"PAR1 and then nothing")
    assert [line[:26] for line in data.refused()] == ["data: data/train.parquet: "]
    made = settled(data.repo, allow_leak=True)
    assert len(made.commit.meta[KEPT]) == 1
    data.put("media/x", b"a change")
    assert KEPT not in settled(data.repo).commit.meta  # what is there is not told again


def test_what_is_called_alike_but_is_no_dataset(data):
    os.makedirs(os.path.join(data.repo.path, "other"))
    for name, content in (("split.json", b'{"train": [1]}'), ("train.parquet", b"no table")):
        with open(os.path.join(data.repo.path, "other", name), "wb") as file:
            file.write(content)
    data.put("train.json", b'{"images": []}')
    data.put("train.txt", b"some words")
    assert KEPT not in settled(data.repo).commit.meta


def test_the_first_commit_is_looked_at(data, apart):
    place = apart / "fresh"
    shutil.copytree(data.place(""), place / "deep" / "data")
    with Repo.init(str(place), author="Ann") as repo:
        other = Data(repo, "deep/data")
        other.add_row("train", other.rows("test")[0])
        assert len(other.refused()) == 1
        repo._repo.index.stat.clear()
        with pytest.raises(InvalidError):
            repo.commit("without what the stage knows of the work tree")
        other.write("train", other.rows("train")[:-1])
        settled(repo)


def test_a_dataset_that_gets_another_name(data):
    first, *rest = data.rows("test")
    data.repo.mv(["data"], "sets")
    other = Data(data.repo, "sets")
    other.write("test", rest)
    other.add_row("train", first, split="train")
    assert other.refused() == [f"sets: {first['record_id']} moves from the test to train"]


def test_a_dataset_that_loses_its_share(data):
    os.remove(data.place("split.json"))
    data.add_row("train", data.rows("test")[0])
    assert len(data.refused()) == 1
    shutil.rmtree(data.place(""))
    settled(data.repo, "gone")


# -- what is allowed is told, and not asked again


def test_a_leak_that_is_meant_stands_in_the_commit(data):
    row = data.rows("test")[0]
    data.add_row("train", row)
    made = settled(data.repo, meta={"why": "an example"}, allow_leak=True)
    told = [f"data: {row['record_id']} is in both"]
    assert made.commit.meta == {"why": "an example", KEPT: told}
    assert data.repo.commit("worded anew", amend=True, allow_leak=True).commit.meta[KEPT] == told
    with pytest.raises(InvalidError):
        data.repo.commit("worded anew", amend=True)
    data.put("media/more", b"more")
    assert KEPT not in settled(data.repo).commit.meta
    data.add_row("train", data.rows("test")[1])
    assert data.refused() == [f"data: {data.rows('test')[1]['record_id']} is in both"]


def test_an_amended_commit_that_leaks_no_more_says_so_no_more(data):
    data.add_row("train", data.rows("test")[0])
    settled(data.repo, allow_leak=True)
    data.write("train", data.rows("train")[:-1])
    assert dict(settled(data.repo, amend=True).commit.meta) == {}


def test_all_that_is_staged_by_the_commit_is_taken_back(data):
    stage = data.repo._repo.stage()
    data.add_row("train", data.rows("test")[0])
    with pytest.raises(InvalidError):
        data.repo.commit("leak", all_tracked=True)
    assert data.repo._repo.stage() == stage
    assert data.repo.status().staged.total == 0


# -- other verbs that commit


def parted(data):
    """A branch that takes the first row of the test over, and one that edits something else."""
    row = data.rows("test")[0]
    data.repo.switch(create="other")
    data.write("test", data.rows("test")[1:])
    settled(data.repo, "less to test with")
    data.add_row("train", row, split="train")
    settled(data.repo, "a row for training")  # the parent has it no more: nothing shows
    data.repo.switch("main")
    data.put("notes.txt", b"notes")
    settled(data.repo, "notes")
    return row["record_id"]


def test_a_merge_that_moves_a_row_against_one_parent(data):
    record = parted(data)
    told = [f"data: {record} moves from the test to train"]
    assert data.refused(lambda: data.repo.merge("other")) == told
    assert data.repo.pending() is None
    done = data.repo.merge("other", allow_leak=True)
    assert data.repo._repo.commit(done.commit).meta == {KEPT: told}


def test_a_merge_that_is_moved_by_the_other_side(data):
    record = parted(data)
    data.repo.switch("other")
    told = [f"data: {record} moves from the test to train"]
    assert data.refused(lambda: data.repo.merge("main")) == told


def test_a_merge_of_two_that_add_the_same(data):
    for branch, side in (("one", "train"), ("two", "test")):
        data.repo.switch(create=branch, target="main")
        data.put(f"media/{branch}", b"the same")
        row = dict.fromkeys(SCHEMA.names) | {"record_id": branch, "label": "x", "split": side}
        data.add_row(side, row | {"path": f"media/{branch}"})
        settled(data.repo, branch)
    assert data.refused(lambda: data.repo.merge("one")) == [
        "data: one (train) and two (test): the same bytes"
    ]


def test_a_merge_that_a_person_ends(data):
    record = parted(data)
    with open(os.path.join(data.repo.path, "readme"), "w") as file:
        file.write("ours")
    settled(data.repo, "ours")
    data.repo.switch("other")
    with open(os.path.join(data.repo.path, "readme"), "w") as file:
        file.write("theirs")
    settled(data.repo, "theirs")
    assert data.repo.merge("main").kind == "conflicts"
    data.repo.resolve(["readme"], "ours")
    told = [f"data: {record} moves from the test to train"]
    assert data.refused(data.repo.commit) == told
    assert data.repo.pending() is not None
    assert data.repo.commit(allow_leak=True).commit.meta == {KEPT: told}


def test_a_pull(data, apart):
    with Repo.clone(data.repo.path, str(apart / "copy"), author="Bea") as copy:
        record = parted(data)
        other = Data(copy)
        other.put("media/z", b"z")
        settled(copy, "mine")
        told = [f"data: {record} moves from the test to train"]
        copy.fetch()
        view = dict(copy._repo.view())
        with pytest.raises(InvalidError) as error:
            copy.pull("origin", "other")
        assert list(error.value.items) == told
        assert dict(copy._repo.view()) == view
        copy.pull("origin", "other", allow_leak=True)
        assert next(iter(copy.log())).commit.meta == {KEPT: told}


def test_cherry_pick_and_revert(data):
    first = data.rows("train")[0]
    data.write("train", data.rows("train")[1:])
    settled(data.repo, "out of training")
    data.add_row("test", first, split="test")
    settled(data.repo, "into the test")
    told = [f"data: {first['record_id']} is in both"]
    assert data.refused(lambda: data.repo.revert(["HEAD~1"])) == told
    data.repo.revert(["HEAD~1"], allow_leak=True)
    assert next(iter(data.repo.log())).commit.meta == {KEPT: told}
    data.repo.reset("HEAD~1", "hard")
    data.repo.switch(create="side", target="HEAD~1")
    data.add_row("train", first)
    settled(data.repo, "back")
    data.repo.switch("main")
    assert data.refused(lambda: data.repo.cherry_pick(["side"])) == told
    data.repo.cherry_pick(["side"], allow_leak=True)
    assert next(iter(data.repo.log())).commit.meta == {KEPT: told}


def test_a_transaction(data):
    row = data.rows("test")[0]
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist([*data.rows("train"), row], SCHEMA), out)

    def put(**how):
        with data.repo.transaction("main", message="leak", **how) as t:
            t.put("data/train.parquet", out.getvalue())

    told = [f"data: {row['record_id']} is in both"]
    assert data.refused(put) == told
    put(allow_leak=True)
    assert next(iter(data.repo.log())).commit.meta == {KEPT: told}
    with (
        pytest.raises(InvalidError),
        data.repo.transaction("fresh", message="a branch of its own") as t,
    ):
        t.put("d/split.json", split.dump(0.5))
        t.put("d/train.parquet", out.getvalue())
        t.put("d/test.parquet", out.getvalue())
    assert "refs/heads/fresh" not in data.repo.refs()


# -- what is looked at


def test_what_a_parent_has_is_believed_and_each_input_is_decoded_once(data, apart, monkeypatch):
    seen = []
    monkeypatch.setattr("oxcore.insight.alike.likeness", lambda data, kind: seen.append(data))
    with Repo.clone(data.repo.path, str(apart / "copy"), author="Bea") as copy:
        other = Data(copy)
        other.put("media/new.txt", b"a new input")
        told = dict.fromkeys(SCHEMA.names) | {"record_id": "new", "label": "x", "split": "train"}
        other.add_row("train", told | {"path": "media/new.txt"})
        settled(copy)
        assert seen == [b"a new input"]
        other.put("media/other.txt", b"no row has it")
        settled(copy)
        assert seen == [b"a new input"]


def test_a_shallow_clone_amends(data, apart):
    url = f"file://{data.repo.path}"
    with Repo.clone(url, str(apart / "copy"), depth=1, author="Bea") as copy:
        assert KEPT not in copy.commit("worded anew", amend=True).commit.meta
        other = Data(copy)
        other.add_row("train", other.rows("test")[0])
        assert len(other.refused(lambda: copy.commit("leak", amend=True))) == 1
