"""``ox stash``."""

import pytest


@pytest.fixture
def dirty(ox, repo, write):
    write({"a.txt": "unsaved", "new": "1"})
    return repo


def test_away_and_back(ox, dirty, golden):
    golden("stash-push", ox("stash").out)
    assert (dirty / "a.txt").read_text() == "one\ntwo\n"
    assert ox("stash", "show").out == "M  a.txt\n"
    golden("stash-pop", ox("stash", "pop").out)
    assert (dirty / "a.txt").read_text() == "unsaved"
    assert ox("stash", "list").out == ""
    assert ox.fails("stash", "pop").code == 5


def test_push_with_a_message_and_new_files(ox, dirty):
    assert ox("stash", "push", "-u", "-m", "half").out == "put aside as stash@{0}: half\n"
    assert not (dirty / "new").exists()
    assert ox("stash", "apply", "stash@{0}").out == "took back 2 files\n"
    assert ox("stash", "drop", "0").out == "dropped stash@{0}: half\n"


def test_push_of_paths(ox, dirty, write):
    write({"data/c.csv": "unsaved"})
    ox("stash", "push", "data")
    assert (dirty / "a.txt").read_text() == "unsaved"
    assert (dirty / "data/c.csv").read_text() == "x\n1\n"


def test_lists(ox, dirty, write):
    ox("stash", "push", "-m", "one")
    write({"a.txt": "more"})
    ox("stash", "push", "-m", "two")
    lines = ox("stash", "list").lines
    assert [line.split(" (")[0] for line in lines] == ["stash@{0}: two", "stash@{1}: one"]
    assert [one["message"] for one in ox("stash", "list", "--json").json] == ["two", "one"]
    assert ox("stash", "show", "1", "--json").json[0]["path"] == "a.txt"


def test_what_is_refused(ox, repo):
    assert ox.fails("stash").code == 1
    assert ox.fails("stash", "pop", "what").code == 2
    assert ox.fails("stash", "drop", "3").code == 5
