"""``ox clone`` as typed."""

import os
import re

import pytest
from support.hubs import serving

from oxcore.remote import HubClient


@pytest.fixture
def source(ox, write, tmp_path):
    """A repository in ``source`` with two commits, a branch and a tag."""
    folder = tmp_path / "source"
    ox("init", "source")
    write({"a.txt": "one\n", "data/b.bin": bytes(1000)}, folder)
    ox("add", ".", cwd=folder)
    ox("commit", "-m", "first", cwd=folder)
    ox("tag", "v1", cwd=folder)
    ox("branch", "topic", cwd=folder)
    write({"a.txt": "two\n"}, folder)
    ox("commit", "-am", "second", cwd=folder)
    return folder


def test_of_a_path(ox, source, tmp_path, golden):
    result = ox("clone", "source", "copy")
    golden("clone-path", re.sub(r"\d+ B", "SOME B", result.out))  # as this zstd makes of it
    assert (tmp_path / "copy" / "a.txt").read_text() == "two\n"
    assert ox("status", "--json", cwd=tmp_path / "copy").json["clean"]
    assert ox("-q", "clone", "source", "quiet").out == ""


def test_of_a_hub(ox, source, tmp_path, monkeypatch):
    with serving(tmp_path / "hub") as hub:
        monkeypatch.setenv("OX_TOKEN", hub.create_token("ann").secret)
        url = f"{hub.url}/pets/cats"
        ox("push", url, "main", cwd=source)
        result = ox("clone", url)
        assert result.lines[0] == f"cloned {url} into {tmp_path / 'cats'}"
        assert result.lines[1].startswith("received 2 commits, 7 objects, ")
        assert result.lines[2] == "2 files, 1.0 KiB, on branch main"
        assert ox("log", "--oneline", cwd=tmp_path / "cats").out.count("\n") == 2
        told = ox("clone", "--depth", "1", "--json", url, "shallow").json
        assert (told["received"]["commits"], told["shallow"]) == (1, [told["commit"]])
        stats = ox("--stats", "clone", url, "counted").err
        assert "requests" in stats
        assert "objects received" in stats


def test_json(ox, source, tmp_path):
    told = ox("clone", "source", "copy", "-b", "topic", "--json").json
    head = ox("show", "--json", "topic", cwd=source).json["id"]
    assert told["path"] == str(tmp_path / "copy")
    assert (told["url"], told["bare"]) == (str(source), False)
    assert (told["branch"], told["commit"]) == ("topic", head)
    assert (told["files"], told["bytes"]) == (2, 1004)
    assert (told["resumed"], told["shallow"]) == (False, [])


def test_a_tag_and_a_bare_one(ox, source, tmp_path):
    assert "on no branch" in ox("clone", "source", "tagged", "-b", "v1").out
    assert (tmp_path / "tagged" / "a.txt").read_text() == "one\n"
    ox("clone", "--bare", "source", "bare")
    assert not (tmp_path / "bare" / "a.txt").exists()
    assert "topic" in ox("branch", cwd=tmp_path / "bare").out


def test_an_empty_one(ox, tmp_path):
    ox("init", "--bare", "empty")
    result = ox("clone", "empty", "copy")
    assert result.err == "warning: the repository is empty\n"
    assert os.listdir(tmp_path / "copy") == [".ox"]


def test_an_interrupted_one_goes_on(ox, source, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("oxcore.verbs.clone._check_out", _interrupt)
        assert ox.fails("clone", "source", "copy").code == 130
    assert "(went on with an interrupted clone)" in ox("clone", "source", "copy").out
    assert (tmp_path / "copy" / "a.txt").read_text() == "two\n"


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("nowhere",), 5, "ox init --bare"),
        (("source", "new", "-b", "nope"), 5, "main"),
        (("source", "full"), 7, "full"),
        (("source", "source"), 7, "ox pull"),
        (("source", "new", "--depth", "0"), 3, "at least 1"),
        (("http://127.0.0.1:9",), 3, "NS/NAME"),
        (("http://127.0.0.1:9/pets", "new"), 3, "NS/NAME"),
        (("http://127.0.0.1:9/pets/cats",), 16, "check the address"),
        (("ftp://host/x", "new"), 3, "http://"),
        (("/",), 3, "ox clone URL FOLDER"),
        ((), 2, "--help"),
    ],
)
def test_what_is_refused_leaves_nothing(ox, source, tmp_path, monkeypatch, args, code, told):
    monkeypatch.setattr(HubClient, "pause", lambda *_: None)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("precious")
    before = sorted(os.listdir(tmp_path))
    result = ox.fails("clone", *args)
    assert (result.code, told in result.err) == (code, True), result.err
    assert sorted(os.listdir(tmp_path)) == before
    assert os.listdir(tmp_path / "full") == ["mine"]


@pytest.mark.parametrize(("token", "path"), [(None, "a/b"), ("ox_wrong", "a/b")])
def test_a_hub_that_says_no(ox, tmp_path, monkeypatch, token, path):
    with serving(tmp_path / "hub") as hub:
        if token:
            monkeypatch.setenv("OX_TOKEN", token)
        result = ox.fails("clone", f"{hub.url}/{path}")
        way_out = "OX_TOKEN is set" if token else f"ox login {hub.url}\n"
        assert (result.code, way_out in result.err) == (17, True)
    assert os.listdir(tmp_path) == ["hub"]


def test_a_repository_that_is_not_on_the_hub(ox, tmp_path, monkeypatch):
    with serving(tmp_path / "hub") as hub:
        monkeypatch.setenv("OX_TOKEN", hub.create_token("ann").secret)
        result = ox.fails("clone", f"{hub.url}/pets/cats")
        assert (result.code, "no repository pets/cats" in result.err) == (5, True)
    assert os.listdir(tmp_path) == ["hub"]


def _interrupt(*_):
    raise KeyboardInterrupt
