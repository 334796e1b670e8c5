"""``ox du``."""

from random import Random

import pytest


@pytest.fixture
def shared(ox, repo, write):
    block = Random(1).randbytes(300_000)
    write({"data/x": block, "data/y": block, "z": block + b"more", "text": "line\n" * 50_000})
    ox("add", ".")
    ox("commit", "-m", "shared")
    return repo


def test_what_was_shared(ox, shared, golden):
    golden("du", ox("du").out)
    golden("du-depth", ox("du", "--depth", "1").out)
    golden("du-history", ox("du", "--history", "HEAD~1..").out)
    assert len(ox("du", "--all").lines) == 3


def test_json_adds_up(ox, shared):
    (whole,) = ox("du", "--json").json
    assert whole["logical"] - whole["saved_by_files"] == whole["unique"]
    assert whole["unique"] - whole["saved_by_chunks"] == whole["chunked"]
    assert whole["chunked"] - whole["saved_by_compression"] == whole["stored"]
    assert whole["saved_by_files"] == 300_000
    assert whole["saved_by_chunks"] > 100_000
    first, second = ox("du", "--history", "--json").json
    assert (first["files"], second["adds"]["unique_files"]) == (3, 3)


def test_parts_and_versions(ox, shared):
    assert ox("du", "data", "--json").json[0]["files"] == 4
    assert ox("du", "HEAD~1", "--json").json[0]["files"] == 3
    assert ox("du", "--json", cwd=shared / "data").json[0]["path"] == "data/"
    assert len(ox("du", "--history", "HEAD~1..", "--json").json) == 1
    assert ox.fails("du", "nope").code == 5
    assert ox.fails("du", "--all", "--depth", "1").code == 2
