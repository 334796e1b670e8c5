"""``ox pull`` as typed."""

import re

import pytest


@pytest.fixture
def two(ox, repo, tmp_path):
    """``repo`` pushed to a bare one, of which ``b`` is a clone; gives the folder of b."""
    bare, b = tmp_path.parent / f"{tmp_path.name}-bare", tmp_path.parent / f"{tmp_path.name}-b"
    ox("init", "--bare", bare)
    ox("remote", "add", "origin", bare)
    ox("push")
    ox("clone", bare, b)
    return b


@pytest.fixture
def change(ox, write):
    """``change(folder, path, text)`` edits a file and commits it."""

    def make(folder, path, text):
        write({path: text}, folder)
        ox("add", ".", cwd=folder)
        ox("commit", "-m", f"{path} changed", cwd=folder)

    return make


def test_forward_merged_and_idle(ox, two, repo, change, golden):
    change(repo, "a.txt", "theirs\n")
    ox("push")
    out = ox("pull", cwd=two).out
    out += ox("pull", cwd=two).out
    change(repo, "a.txt", "again\n")
    ox("push")
    change(two, "new.txt", "mine\n")
    out += ox("pull", cwd=two).out
    golden("pull", re.sub(r"\d+ B", "SOME B", out))  # as much as this zstd makes of it
    assert (two / "a.txt").read_text() == "again\n"
    assert ox("status", "--json", cwd=two).json["clean"]


def test_conflicts_wait(ox, two, repo, change):
    change(repo, "a.txt", "theirs\n")
    ox("push")
    change(two, "a.txt", "mine\n")
    result = ox.fails("pull", cwd=two)
    assert result.code == 9
    assert "a.txt  (both changed it)" in result.err
    assert "ox resolve" in result.err
    assert (two / "a.txt").read_text() == "mine\n"
    ox("resolve", "--theirs", "a.txt", cwd=two)
    ox("commit", "-m", "settled", cwd=two)
    ox("push", cwd=two)
    ox("pull")
    assert (repo / "a.txt").read_text() == "theirs\n"


def test_json(ox, two, repo, change):
    change(repo, "a.txt", "theirs\n")
    ox("push")
    told = ox("pull", "--json", cwd=two).json
    assert (told["result"], told["branch"]) == ("fast-forward", "main")
    assert told["commit"] == ox("show", "--json").json["id"]
    assert told["moved"]["written"] == 1
    assert told["fetched"]["received"]["commits"] == 1
    change(repo, "a.txt", "more\n")
    ox("push")
    change(two, "a.txt", "mine\n")
    result = ox.fails("pull", "--json", cwd=two)
    assert (result.code, result.json["result"]) == (9, "conflicts")
    assert result.json["conflicts"][0]["path"] == "a.txt"


def test_forward_only_refuses_a_merge(ox, two, repo, change):
    change(repo, "a.txt", "theirs\n")
    ox("push")
    change(two, "new.txt", "mine\n")
    head = ox("show", "--json", cwd=two).json["id"]
    assert ox.fails("pull", "--ff-only", cwd=two).code == 15
    assert ox("show", "--json", cwd=two).json["id"] == head
    assert (two / "a.txt").read_text() == "one\ntwo\n"
    assert ox.fails("pull", "--ff-only", "--no-ff", cwd=two).code == 2
    assert "merged" in ox("pull", "--no-ff", cwd=two).out


def test_unsaved_work_stays(ox, two, repo, change, write):
    change(repo, "a.txt", "theirs\n")
    ox("push")
    write({"a.txt": "precious\n"}, two)
    result = ox.fails("pull", cwd=two)
    assert (result.code, "a.txt" in result.err) == (8, True)
    assert (two / "a.txt").read_text() == "precious\n"


def test_nothing_to_pull_from(ox, tmp_path, repo):
    result = ox.fails("pull")
    assert (result.code, "ox remote add origin" in result.err) == (5, True)
    empty = tmp_path.parent / f"{tmp_path.name}-empty"
    ox("init", "--bare", empty)
    result = ox.fails("pull", empty, "main")
    assert (result.code, "empty" in result.err) == (5, True)
