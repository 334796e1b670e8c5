"""Paths are shown as seen from the folder that one stands in: they can be typed again there."""

import json


def test_rm_mv_and_add_in_a_folder(ox, repo, write):
    data = repo / "data"
    assert ox("mv", "b.bin", "../b.bin", cwd=data).out == "b.bin -> ../b.bin\n"
    assert ox("rm", "c.csv", cwd=data).out == "rm c.csv\n"
    write({"data/new": "1"})
    assert "add new\n" in ox("add", "-n", ".", cwd=data).out


def test_refusals_in_a_folder(ox, repo, write):
    data = repo / "data"
    ox("switch", "-c", "topic")
    write({"a.txt": "topic", "data/c.csv": "topic"})
    ox("commit", "-am", "topic")
    write({"a.txt": "unsaved", "data/c.csv": "unsaved"})
    for args in (("switch", "main"), ("rm", "../a.txt", "c.csv")):
        refused = ox.fails(*args, cwd=data)
        assert refused.code == 8
        assert "\n  ../a.txt\n  c.csv\n" in refused.err


def test_json_tells_paths_from_the_top(ox, repo, write):
    write({"data/c.csv": "staged"})
    ox("switch", "-c", "topic")
    ox("commit", "-am", "topic")
    write({"data/c.csv": "unsaved"})
    refused = ox.fails("switch", "main", "--json", cwd=repo / "data")
    assert json.loads(refused.err)["error"]["items"] == ["data/c.csv"]


def test_conflicts_in_a_folder(ox, repo, write):
    data = repo / "data"
    ox("switch", "-c", "topic")
    write({"data/c.csv": "theirs"})
    ox("commit", "-am", "topic")
    ox("switch", "main")
    write({"data/c.csv": "ours"})
    ox("commit", "-am", "main")
    stopped = ox.fails("merge", "topic", cwd=data)
    assert "\n  c.csv  (both changed it; its rows are not merged: " in stopped.err
    assert "\n  c.csv\n" in ox.fails("commit", "-m", "x", cwd=data).err
    assert ox("resolve", "--list", cwd=data).out.startswith("c.csv  (both changed it; ")
    assert "settled with ours: c.csv\n" in ox("resolve", "--ours", "c.csv", cwd=data).out
    ox("commit", "-m", "merged", cwd=data)
    write({"data/c.csv": "later"})
    ox("stash", cwd=data)
    assert ox("stash", "show", cwd=data).out == "M  c.csv\n"
