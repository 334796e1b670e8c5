"""A dataset that was promoted, edited by hand, and committed: what leaks is refused."""

import os
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.testing import captured


@pytest.fixture
def data(ox, repo):
    """A promoted dataset, committed; its folder."""
    inputs = [f"sentence {n}".encode() for n in range(30)]
    made = captured.labelled("wild", inputs, suffix=".txt")
    settings = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    opened = Repo.open(str(repo), settings=settings)
    with opened, opened.transaction("deployed", message="captured") as t:
        for path, content in (captured.files(1, "wild", *made[:2]) | made[2]).items():
            t.put(path, content)
    ox("promote", "deployed", "wild", "--to", "both", "--split", "0.5", cwd=repo)
    ox("commit", "-m", "data", cwd=repo)
    return repo / "data"


def copy_rows(data, count):
    """Put rows of the test into the table for training as well; the id of the first."""
    train, test = (parquet.read_table(data / f"{name}.parquet") for name in ("train", "test"))
    parquet.write_table(pa.concat_tables([train, test.slice(0, count)]), data / "train.parquet")
    return test["record_id"][0].as_py()


def test_a_leak_is_refused_and_told(ox, data, golden):
    repo = data.parent
    copy_rows(data, 12)
    head = ox("log", "--json", cwd=repo).json[0]["id"]
    status = ox("status", "--json", cwd=repo).json
    result = ox.fails("commit", "-am", "more to learn from", cwd=repo)
    assert result.code == 3
    golden("leak", result.err)
    told = ox.fails("commit", "-am", "more to learn from", "--json", cwd=repo)
    assert '"kind": "invalid"' in told.err
    assert ox("log", "--json", cwd=repo).json[0]["id"] == head
    assert ox("status", "--json", cwd=repo).json == status


def test_rows_edited_by_the_command_line(ox, data):
    repo, row = data.parent, parquet.read_table(data / "test.parquet")["record_id"][0].as_py()
    parquet.write_table(
        parquet.read_table(data / "test.parquet").slice(0, 1), data.parent / "first.parquet"
    )
    ox("df", "edit", "data/train.parquet", "--from", "first.parquet", cwd=repo)
    ox("add", "data", cwd=repo)
    assert f"data: {row} is in both" in ox.fails("commit", "-m", "x", cwd=repo).err
    ox("df", "edit", "data/test.parquet", "--delete", "--row", "1", cwd=repo)
    ox("add", "data", cwd=repo)
    told = ox.fails("commit", "-m", "x", cwd=repo).err
    assert f"data: {row} moves from the test to train" in told


def test_a_leak_that_is_meant_is_shown(ox, data):
    repo, row = data.parent, copy_rows(data, 1)
    made = ox("commit", "-am", "meant", "--allow-leak", "--json", cwd=repo)
    told = [f"data: {row} is in both"]
    assert made.json["commit"]["meta"]["allowed-leaks"] == told
    assert made.err == f"warning: {told[0]}\n"
    assert told[0] in ox("show", cwd=repo).out
    ox("switch", "-c", "side", "HEAD~1", cwd=repo)
    (repo / "notes").write_text("notes")
    ox("add", "notes", cwd=repo)
    ox("commit", "-m", "notes", cwd=repo)
    ox("merge", "main", cwd=repo)  # what a parent has is not asked again


def test_cherry_pick_and_revert(ox, data):
    repo = data.parent
    copy_rows(data, 1)
    ox("switch", "-c", "leaks", cwd=repo)
    ox("commit", "-am", "leak", "--allow-leak", cwd=repo)
    ox("switch", "main", cwd=repo)
    for call in (("cherry-pick", "leaks"), ("revert", "HEAD")):
        assert "is in both" in ox.fails(*call, cwd=repo).err
        ox(*call, "--allow-leak", cwd=repo)
        assert "allowed-leaks" in ox("show", cwd=repo).out
        ox("revert", "HEAD", cwd=repo)


def test_merge_and_pull(ox, data, tmp_path_factory):
    """Two branches, of which each is right by itself."""
    repo = data.parent
    test = parquet.read_table(data / "test.parquet")
    ox("switch", "-c", "side", cwd=repo)
    parquet.write_table(test.slice(1), data / "test.parquet")
    ox("commit", "-am", "less to test with", cwd=repo)
    train = parquet.read_table(data / "train.parquet")
    parquet.write_table(pa.concat_tables([train, test.slice(0, 1)]), data / "train.parquet")
    ox("commit", "-am", "more to learn from", cwd=repo)
    ox("switch", "main", cwd=repo)
    (repo / "notes").write_text("notes")
    ox("add", "notes", cwd=repo)
    ox("commit", "-m", "notes", cwd=repo)
    copy = tmp_path_factory.mktemp("copy") / "made"
    ox("clone", repo, copy, cwd=repo)
    for where, call in ((repo, ("merge", "side")), (copy, ("pull", "origin", "side"))):
        head = ox("log", "--json", cwd=where).json[0]["id"]
        assert "moves from the test to train" in ox.fails(*call, cwd=where).err
        assert ox("log", "--json", cwd=where).json[0]["id"] == head
        ox(*call, "--allow-leak", cwd=where)
        assert "moves from the test to train" in ox("show", cwd=where).out


LOADED = """
import sys
from oxcli.main import run
code = run(sys.argv[1:])
names = ("pyarrow", "oxcore.insight", "oxcore.insight.leakage", "oxcore.insight.sides")
print(code, *(name for name in names if name in sys.modules))
"""


def loaded(ox, repo, *args):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *args],
        cwd=repo,
        env={**os.environ, "PYTHONPATH": str(ox.root)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()[-1].split()


def test_what_is_no_matter_of_a_dataset_loads_nothing(ox, data):
    repo = data.parent
    (repo / "photos").mkdir()
    (repo / "photos" / "one.jpg").write_bytes(b"one")
    (data / "readme.md").write_text("about it")
    ox("add", ".", cwd=repo)
    assert loaded(ox, repo, "commit", "-m", "photos") == ["0"]
    (repo / "photos" / "media").mkdir()
    (repo / "photos" / "media" / "one.jpg").write_bytes(b"one")
    ox("add", ".", cwd=repo)
    light = ["0", "oxcore.insight", "oxcore.insight.leakage"]
    assert loaded(ox, repo, "commit", "-m", "photos") == light
    (data / "media" / "new").write_bytes(b"new")
    ox("add", ".", cwd=repo)
    assert "pyarrow" in loaded(ox, repo, "commit", "-m", "an input")
