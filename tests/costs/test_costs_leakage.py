"""What the look for leaks costs a commit: nothing, unless it changes a promoted dataset."""

import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.insight import split
from oxcore.insight.dataset import SCHEMA
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.verbs import commit as verb

ROWS = 400


def table(name, start):
    rows = [
        dict.fromkeys(SCHEMA.names)
        | {"record_id": f"r{n}", "path": f"media/{n}", "label": "x", "split": name}
        for n in range(start, start + ROWS)
    ]
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), out)
    return out.getvalue()


@pytest.fixture
def data(tmp_path):
    """A dataset, a thousand files beside it; a way to edit and commit that gives what it cost."""
    for number in range(1000):
        place = tmp_path / "photos" / f"{number % 10}" / f"{number}.bin"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"%d" % number)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "split.json").write_bytes(split.dump(0.5))
    (tmp_path / "data" / "train.parquet").write_bytes(table("train", 0))
    (tmp_path / "data" / "test.parquet").write_bytes(table("test", ROWS))
    settings = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    with Repo.init(str(tmp_path), settings=settings) as repo:

        def cost(edits=None, make=lambda: repo.commit("edit")):
            for path, content in (edits or {}).items():
                place = tmp_path / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            repo.add()
            before = repo.counters.as_dict()
            make()
            after = repo.counters.as_dict()
            return {name: after[name] - before[name] for name in after}

        cost.repo = repo
        yield cost


@pytest.mark.parametrize(
    "edits",
    [
        {"photos/3/3.bin": b"new"},
        {"data/readme.md": b"new"},
        {"photos/media/3.bin": b"new", "photos/train.csv": b"no dataset"},
    ],
)
def test_what_changes_no_dataset_reads_no_row(data, edits):
    data()
    told = data(edits)
    assert told["rows"] == 0
    assert told["objects_read"] <= told["nodes_read"] + 2  # but commits: no file is read


def test_what_is_no_matter_of_a_dataset_costs_nothing_at_all(data):
    data()
    handle = data.repo._repo
    bare = data({"photos/3/3.bin": b"b"}, lambda: verb.commit(handle, "edit"))
    told = data({"photos/3/3.bin": b"a"})
    del bare["bytes_stored"], told["bytes_stored"]  # ids compress as they fall
    assert told == bare


def test_a_change_of_a_dataset_reads_its_rows_of_both_versions_once(data):
    assert data()["rows"] == 2 * ROWS
    assert data({"data/media/1": b"an input"})["rows"] == 4 * ROWS
