"""``ox export``: labelled records in the formats of trainers."""

import json
import re

import pytest

from oxcore.api import Repo
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


def test_export(ox, wild, tmp_path_factory, golden):
    out = tmp_path_factory.mktemp("out")
    said = []
    for name in ("chat", "preference", "parquet", "hf"):
        call = ("export", "deployed", "wild", "--format", name, "--split", "0.3", "-o", out / name)
        told = ox(*call, cwd=wild).out.replace(str(out), "OUT")
        said.append(re.sub(r"[\d.]+ KiB", "SIZE", told))  # pyarrow writes its version into files
    golden("export", "".join(said))
    first = (out / "chat" / "train.jsonl").read_text().splitlines()[0]
    assert json.loads(first)["messages"][0]["role"] == "user"
    assert ox.fails(*call, cwd=wild).code == 7
    assert ox("status", "--json", cwd=wild).json["clean"] is True


def test_json_and_faults(ox, wild, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    call = ("export", "deployed", "wild", "-o")
    told = ox(*call, out / "one", "--format", "chat", "--json", cwd=wild).json
    assert told["records"] == {"train": 10}
    assert told["files"]["train.jsonl"]["size"] > 0
    failed = ox.fails(*call, out / "two", "--format", "imagefolder", cwd=wild)
    assert "r000000, input: text/plain, and no picture" in failed.err
    assert not (out / "two").exists()
    assert ox.fails(*call, out / "x", "--format", "chat", "--where", "false", cwd=wild).code != 0
