"""``ox promote``: captured records into a dataset."""

import pytest
from PIL import Image

import oxcore as ox_api
from oxcore.api import Repo
from oxcore.capturing import REGISTRY
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.testing import captured


@pytest.fixture
def wild(repo):
    """A branch ``deployed`` with 12 records, of which 10 are labelled."""
    inputs = [f"sentence {n}".encode() for n in range(12)]
    records, events, media = captured.labelled("wild", inputs, suffix=".txt")
    settings = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    opened = Repo.open(str(repo), settings=settings)
    with opened, opened.transaction("deployed", message="captured") as t:
        for path, data in (captured.files(1, "wild", records, events[:10]) | media).items():
            t.put(path, data)
    return repo


def test_promote_and_again(ox, wild, golden):
    call = ("promote", "deployed", "wild", "--to")
    said = [ox(*call, "train", "--split", "0.3", "--dry-run", cwd=wild).out]
    said.append(ox(*call, "train", "--split", "0.3", cwd=wild).out)
    said.append(ox(*call, "both", cwd=wild).out)
    said.append(ox(*call, "both", cwd=wild).out)
    golden("promote", "\n".join(said))
    assert "data/train.parquet" in ox("status", cwd=wild).out
    shown = ox("df", "data/train.parquet", "--columns", "label,split", "--json", cwd=wild).json
    assert shown["data"][0]["split"] == "train"


def test_json_and_onto(ox, wild):
    call = ("promote", "deployed", "wild", "--to", "both", "--into", "sets", "--onto", "made")
    made = ox(*call, "--json", cwd=wild).json
    assert sum(made["added"].values()) == 10
    assert made["left"]["no label"] == 2
    assert made["commit"] == ox("log", "made", "--json", cwd=wild).json[0]["id"]
    assert ox("status", "--json", cwd=wild).json["clean"] is True
    assert "12 records" not in ox(*call, cwd=wild).out


def test_from_within_a_folder(ox, wild):
    folder = wild / "sub"
    folder.mkdir()
    ox("promote", "deployed", "wild", "--to", "both", "--into", "here", cwd=folder)
    assert (folder / "here" / "split.json").exists()
    told = ox("promote", "deployed", "wild", "--to", "both", "--into", ".", "-n", cwd=wild)
    assert told.lines[0].startswith("train: ")


def test_what_makes_no_sense(ox, wild):
    call = ("promote", "deployed", "wild", "--to", "train")
    assert ox.fails("promote", "deployed", "wild", cwd=wild).code == 2
    assert "nothing" in ox.fails(*call, "--where", "nothing = 1", cwd=wild).err
    assert "no slice is called 'night'" in ox.fails(*call, "--slice", "night", cwd=wild).err
    assert ox.fails("promote", "deployed", "tame", "--to", "test", cwd=wild).code == 5
    assert "bad..name" in ox.fails(*call, "--onto", "bad..name", "-n", cwd=wild).err
    ox(*call, "--split", "0.25", cwd=wild)
    assert "the test's share is 0.25, and stays" in ox.fails(*call, "--split", "0.3", cwd=wild).err


def test_from_a_model_in_service_to_training_data(ox, repo, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OX_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    out = tmp_path_factory.mktemp("out")
    try:
        for n in range(8):
            shown = Image.new("RGB", (6, 4), (20 * n, 0, 0))
            record = ox_api.save(str(repo), "deployed", "wild", shown, {"label": "cat"}, tags=["t"])
            ox_api.feedback(record, "correction", {"label": "dog"}, source="human")
        ox_api.flush()
    finally:
        REGISTRY.close()
    assert len(ox("failures", "deployed", "wild", "--json", cwd=repo).json) == 8
    made = ox("promote", "deployed", "wild", "--to", "both", "--split", "0.5", "--json", cwd=repo)
    assert sum(made.json["added"].values()) == 8
    ox("commit", "-m", "corrected", cwd=repo)
    call = ("export", "main", "data", "-o", out / "made", "--format", "imagefolder")
    assert sum(ox(*call, "--json", cwd=repo).json["records"].values()) == 8
    assert len([*(out / "made").glob("*/dog/*.png")]) == 8
