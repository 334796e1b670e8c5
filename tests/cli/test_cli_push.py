"""``ox push`` as typed."""

import re

import pytest
from support.hubs import serving

from oxcore.remote import HubClient


@pytest.fixture
def bare(ox, repo, tmp_path):
    """A bare repository that ``repo`` knows as origin."""
    folder = tmp_path.parent / f"{tmp_path.name}-bare"
    ox("init", "--bare", folder)
    ox("remote", "add", "origin", folder)
    return folder


def refs(ox, folder):
    return {one["ref"]: one["commit"] for one in ox("branch", "--json", cwd=folder).json}


def test_lines_and_counts(ox, repo, bare, write, tmp_path, golden):
    out = ox("push").out
    write({"a.txt": "changed\n"})
    ox("commit", "-am", "second")
    out += ox("push").out
    out += ox("push").out
    ox("tag", "v1")
    out += ox("push", "origin", "v1", "main:topic").out
    out += ox("push", "origin", "--delete", "topic").out
    ox("reset", "--hard", "HEAD~1")
    write({"a.txt": "other\n"})
    ox("commit", "-am", "other")
    out += ox("push", "--force-with-lease").out
    out = out.replace(str(tmp_path.parent), "ABOVE").replace(tmp_path.name, "ROOT")
    golden("push", re.sub(r"\d+ B", "SOME B", out))  # as much as this zstd makes of it
    assert ox("-q", "push").out == ""


def test_json(ox, repo, bare):
    told = ox("push", "--json").json
    head = ox("show", "--json").json["id"]
    assert told["refs"] == [
        {
            "ref": "refs/heads/main",
            "source": "refs/heads/main",
            "old": None,
            "new": head,
            "kind": "new",
        }
    ]
    assert (told["remote"], told["upstream"], told["created"]) == ("origin", "origin/main", False)
    assert told["sent"]["commits"] == 1
    assert told["sent"]["objects"] == 5
    assert told["not_sent_again"] == {"objects": 0, "bytes": 0}


def test_a_hub_makes_the_repository(ox, repo, tmp_path, monkeypatch):
    with serving(tmp_path.parent / f"{tmp_path.name}-hub") as hub:
        monkeypatch.setenv("OX_TOKEN", hub.create_token("ann", "write", ["pets"]).secret)
        url = f"{hub.url}/pets/cats"
        ox("remote", "add", "origin", url)
        result = ox("push")
        assert result.lines[0] == f"made the repository {url}"
        assert " * [new branch] main -> main" in result.lines
        assert hub.repos() == ["pets/cats"]
        denied = ox.fails("push", f"{hub.url}/dogs/rex", "main")
        assert (denied.code, "dogs" in denied.err) == (17, True)
        assert hub.repos() == ["pets/cats"]
        monkeypatch.setenv("OX_TOKEN", hub.create_token("bob", "read").secret)
        denied = ox.fails("push", "origin", "main:new")
        assert (denied.code, "bob may not write" in denied.err) == (17, True)


def test_a_remote_that_moved_on(ox, repo, bare, write, tmp_path):
    ox("push")
    b = tmp_path.parent / f"{tmp_path.name}-b"
    ox("clone", bare, b)
    write({"new.txt": "theirs\n"}, b)
    ox("add", ".", cwd=b)
    ox("commit", "-m", "theirs", cwd=b)
    ox("push", cwd=b)
    write({"a.txt": "mine\n"})
    ox("commit", "-am", "mine")
    before = refs(ox, bare)
    result = ox.fails("push")
    assert result.code == 15
    assert "ox pull, then push again" in result.err
    lease = ox.fails("push", "--force-with-lease")
    assert (lease.code, "ox fetch" in lease.err) == (15, True)
    assert refs(ox, bare) == before
    ox("pull")
    ox("push")
    assert refs(ox, bare) == refs(ox, repo)


def test_a_branch_that_is_checked_out_there(ox, repo, write, tmp_path):
    b = tmp_path.parent / f"{tmp_path.name}-b"
    ox("clone", repo, b)
    write({"a.txt": "mine\n"}, b)
    ox("commit", "-am", "mine", cwd=b)
    result = ox.fails("push", cwd=b)
    assert (result.code, "checked out" in result.err) == (15, True)
    assert "another branch" in result.err
    assert (repo / "a.txt").read_text() == "one\ntwo\n"
    ox("push", "origin", "main:review", cwd=b)
    assert "review" in ox("branch").out


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("nope",), 5, "ox remote add nope"),
        (("origin", "nope"), 5, "ox branch"),
        (("origin", "main:a b"), 3, "a b"),
        (("origin", "--delete"), 2, "--delete BRANCH"),
        (("origin", "--delete", "nope"), 5, "nope"),
        (("http://127.0.0.1:9", "main"), 3, "NS/NAME"),
        (("http://127.0.0.1:9/pets/cats", "main"), 16, "check the address"),
        (("../nowhere", "main"), 5, "ox init --bare"),
    ],
)
def test_what_is_refused_changes_nothing(ox, repo, bare, monkeypatch, args, code, told):
    monkeypatch.setattr(HubClient, "pause", lambda *_: None)
    before = ox("config", "--list").out, refs(ox, repo)
    result = ox.fails("push", *args)
    assert (result.code, told in result.err) == (code, True), result.err
    assert before == (ox("config", "--list").out, refs(ox, repo))
    assert refs(ox, bare) == {}
