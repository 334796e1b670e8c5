"""``ox fetch`` as typed."""

import re

import pytest


@pytest.fixture
def two(ox, repo, write, tmp_path):
    """``repo`` pushed to a bare one; ``b`` is a clone; then ``repo`` pushed more."""
    bare, b = tmp_path.parent / f"{tmp_path.name}-bare", tmp_path.parent / f"{tmp_path.name}-b"
    ox("init", "--bare", bare)
    ox("remote", "add", "origin", bare)
    ox("push")
    ox("clone", bare, b)
    write({"a.txt": "changed\n"})
    ox("commit", "-am", "second")
    ox("branch", "topic")
    ox("tag", "v1")
    ox("push", "--all", "--tags")
    return b


def test_lines_and_counts(ox, two, tmp_path, golden):
    out = ox("fetch", cwd=two).out + ox("fetch", cwd=two).out
    out = out.replace(str(tmp_path.parent), "ABOVE").replace(tmp_path.name, "ROOT")
    golden("fetch", re.sub(r"\d+ B", "SOME B", out))  # as much as this zstd makes of it
    assert ox("-q", "fetch", cwd=two).out == ""


def test_json(ox, two):
    head = ox("show", "--json").json["id"]
    told = ox("fetch", "--json", cwd=two).json
    assert told["remote"] == "origin"
    assert {one["ref"]: one["kind"] for one in told["refs"]} == {
        "refs/remotes/origin/main": "fast-forward",
        "refs/remotes/origin/topic": "new",
        "refs/tags/v1": "new",
    }
    assert all(one["new"] == head for one in told["refs"])
    assert told["received"]["commits"] == 1
    everything = ox("fetch", "--all", "--json", cwd=two).json
    assert [one["refs"] for one in everything] == [[]]


def test_options(ox, two):
    assert "topic" in ox("fetch", "origin", "topic", cwd=two).out
    assert "v1" not in ox("fetch", "--no-tags", cwd=two).out
    assert "v1" in ox("fetch", "--tags", "origin", "main", cwd=two).out
    ox("push", "origin", "--delete", "topic")
    result = ox("fetch", "--prune", cwd=two)
    assert " - [deleted] origin/topic" in result.lines


def test_a_forced_branch_and_a_tag_of_ours(ox, two, write):
    ox("tag", "v1", "HEAD~0", cwd=two)
    ox("reset", "--hard", "HEAD~1")
    write({"a.txt": "other\n"})
    ox("commit", "-am", "other")
    ox("fetch", "origin", "main", cwd=two)
    ox("push", "--force-with-lease")
    lines = ox("fetch", cwd=two).lines
    assert any(line.startswith(" + ") and line.endswith("(forced)") for line in lines)
    assert any("[refused]" in line and "another one here" in line for line in lines)


def test_deeper(ox, two, tmp_path):
    shallow = tmp_path.parent / f"{tmp_path.name}-shallow"
    bare = tmp_path.parent / f"{tmp_path.name}-bare"
    ox("clone", "--depth", "1", bare, shallow)
    assert len(ox("log", "--oneline", cwd=shallow).lines) == 1
    told = ox("fetch", "--unshallow", "--json", cwd=shallow).json
    assert (told["received"]["commits"], told["shallow"]) == (1, [])
    assert len(ox("log", "--oneline", cwd=shallow).lines) == 2


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("nope",), 5, "ox remote add nope"),
        (("origin", "nope"), 5, "main"),
        (("--all", "origin"), 2, "--all"),
        (("--depth", "0"), 3, "at least 1"),
        (("--depth", "1", "--unshallow"), 2, "exclude"),
        (("../nowhere",), 5, "no repository"),
        (("http://127.0.0.1:9/x",), 3, "NS/NAME"),
    ],
)
def test_what_is_refused_changes_nothing(ox, two, args, code, told):
    before = ox("branch", "--all", "--json", cwd=two).json
    result = ox.fails("fetch", *args, cwd=two)
    assert (result.code, told in result.err) == (code, True), result.err
    assert ox("branch", "--all", "--json", cwd=two).json == before
