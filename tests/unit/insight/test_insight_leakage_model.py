"""Random edits of a dataset: a commit is refused if and only if a plain model finds a leak."""

import io
from itertools import product

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.errors import InvalidError
from oxcore.insight import alike, leakage, split
from oxcore.insight.dataset import SCHEMA
from oxcore.model.commits import Commit, Moment, Person
from oxcore.model.settings import Settings

TEXTS = [b"one", b"One ", b"two", b"TWO", b"three", b"\xff"]
PLACES = ["media/a.txt", "media/b.txt", "media/c.txt", "media/d.txt"]
RECORDS = ["r1", "r2", "r3", "r4", "r5"]
ROW = st.fixed_dictionaries(
    {
        "sides": st.sets(st.sampled_from(["train", "test"])),
        "path": st.sampled_from([*PLACES, "media/none.txt"]),
        "group": st.sampled_from([None, None, None, "g", "h"]),
        "told": st.booleans(),
    }
)
VERSION = st.fixed_dictionaries(
    {
        "rows": st.fixed_dictionaries(dict.fromkeys(RECORDS, ROW)),
        "files": st.lists(st.sampled_from(TEXTS), min_size=4, max_size=4),
    }
)
EDITED = st.lists(st.tuples(st.sampled_from(RECORDS), ROW), max_size=3)
SWAPS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(TEXTS)), max_size=1)


def edited(version, rows, swaps):
    files = list(version["files"])
    for at, text in swaps:
        files[at] = text
    return {"rows": version["rows"] | dict(rows), "files": files}


def files_of(version):
    """The files of the dataset in this version."""
    held = dict(zip(PLACES, version["files"], strict=True))
    made = {f"data/{path}": data for path, data in held.items()}
    for side in ("train", "test"):
        rows = []
        for name, row in version["rows"].items():
            if side in row["sides"]:
                told = dict.fromkeys(SCHEMA.names) | {"record_id": name, "label": "x"}
                told |= {"path": row["path"], "split": side, "group_key": row["group"]}
                if row["told"] and row["path"] in held:
                    told["likeness"] = alike.likeness(held[row["path"]], "text")
                rows.append(told)
        out = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), out)
        made[f"data/{side}.parquet"] = out.getvalue()
    return made


def facts(version, name):
    """What holds of a row, by kind."""
    row = version["rows"][name]
    data = dict(zip(PLACES, version["files"], strict=True)).get(row["path"])
    plain = None if data in {None, b"\xff"} else data.decode().strip().lower()
    every = {"record": name, "bytes": data, "text": plain, "group": row["group"]}
    return {(kind, value) for kind, value in every.items() if value is not None}


def side(version, name):
    """Row -> its facts, of one side."""
    return {one: facts(version, one) for one in RECORDS if name in version["rows"][one]["sides"]}


def leaks(now, parents):
    """Whether ``now`` brings a leak that no parent has."""
    train, test = side(now, "train"), side(now, "test")
    olds = [(side(one, "train"), side(one, "test")) for one in parents]
    for (a, of_a), (b, of_b) in product(train.items(), test.items()):
        for fact in of_a & of_b:
            if not any(fact in t.get(a, ()) and fact in s.get(b, ()) for t, s in olds):
                return True
    here = set().union(*test.values())
    for old_train, old_test in olds:
        was, had = set().union(*old_test.values()), set().union(*old_train.values())
        if any((of & was) - here - had for of in train.values()):
            return True
    return False


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    made = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    with Repo.init(str(tmp_path_factory.mktemp("model")), bare=True, settings=made) as opened:
        with opened.transaction("main", message="share") as t:
            t.put("data/split.json", split.dump(0.5))
        yield opened


def put(repo, branch, version, **how):
    with repo.transaction(branch, message="edit", allow_empty=True, **how) as t:
        for path, data in files_of(version).items():
            t.put(path, data)
    return t.commit_id


@settings(max_examples=50, deadline=None)
@given(first=VERSION, rows=EDITED, swaps=SWAPS)
def test_a_commit_is_refused_if_the_model_finds_a_leak(repo, first, rows, swaps):
    before = put(repo, "main", first, allow_leak=True)
    now = edited(first, rows, swaps)
    if leaks(now, [first]):
        with pytest.raises(InvalidError) as error:
            put(repo, "main", now)
        assert error.value.items
        assert repo.refs()["refs/heads/main"] == before.hex()
        made = repo._repo.commit(put(repo, "main", now, allow_leak=True))
        assert made.meta["allowed-leaks"] == list(error.value.items)
    else:
        made = repo._repo.commit(put(repo, "main", now))
        assert made.meta == {}


@settings(max_examples=50, deadline=None)
@given(first=VERSION, edits=st.lists(st.tuples(EDITED, SWAPS), min_size=3, max_size=3))
def test_a_merge_is_held_against_both_parents(repo, first, edits):
    versions = [edited(first, *one) for one in edits]
    commits = [put(repo, "main", one, allow_leak=True) for one in versions]
    made = Commit(
        repo._repo.commit(commits[2]).tree, tuple(commits[:2]), Person("Ann"), Moment(0), ""
    )
    touched = [path.encode() for path in files_of(versions[2])]
    found = leakage.found(repo._repo, made, touched, repo._repo.store)
    assert bool(found) == leaks(versions[2], versions[:2])
