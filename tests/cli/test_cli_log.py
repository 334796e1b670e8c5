"""``ox log``."""

import os

import pytest


@pytest.fixture
def grown(ox, repo, write):
    write({"a.txt": "one\ntwo\nthree\n", "data/d.csv": "y\n"})
    ox("add", ".")
    ox("commit", "-m", "second\n\nwith a body")
    write({"data/c.csv": "x\n2\n"})
    ox("add", ".")
    ox("commit", "-m", "third")
    return repo


def test_long_and_short(ox, grown, golden):
    golden("log-long", ox("log").out)
    golden("log-oneline", ox("log", "--oneline").out)
    golden("log-graph-stat", ox("log", "--graph", "--stat").out)
    golden("log-oneline-stat", ox("log", "--oneline", "--stat", "-n", "2").out)


def test_a_terminal_gets_colours(ox, grown):
    assert "\x1b[33m" in ox("log", "--oneline", tty=True).out
    assert "\x1b" not in ox("--no-color", "log", "--oneline", tty=True).out


def test_ranges_paths_and_limits(ox, grown):
    def titles(*args):
        return [
            line.split(" ", 1)[1].split(") ")[-1] for line in ox("log", "--oneline", *args).lines
        ]

    assert titles("HEAD~1..HEAD") == ["third"]
    assert titles("-n", "1") == ["third"]
    assert titles("--", "a.txt") == ["second", "first"]
    assert titles("a.txt") == ["second", "first"]
    assert titles("HEAD~1", "--", "data") == ["second", "first"]
    assert titles("HEAD~2..", "--", "*.csv") == ["third", "second"]
    assert titles("--author", "nobody") == []
    assert titles("--since", "2026-01-02", "--until", "2026-01-02") == ["third", "second", "first"]
    assert titles("--", "gone") == []


def test_paths_are_those_of_the_folder(ox, grown):
    assert len(ox("log", "--oneline", "c.csv", cwd=grown / "data").lines) == 2
    assert len(ox("log", "--oneline", ".", cwd=grown / "data").lines) == 3
    assert len(ox("log", "--oneline", "..", cwd=grown / "data").lines) == 3


def test_json(ox, grown):
    found = ox("log", "--json").json
    assert [one["message"].split("\n")[0] for one in found] == ["third", "second", "first"]
    assert found[0]["refs"] == ["HEAD", "refs/heads/main"]
    assert found[0]["parents"] == [found[1]["id"]]
    assert found[0]["author"] == {"name": "Ann Author", "email": "ann@example.org"}
    assert found[0]["time"] == "2026-01-02T03:04:05+01:00"
    (change,) = ox("log", "--json", "--stat", "-n", "1").json[0]["changes"]
    assert (change["status"], change["path"]) == ("M", "data/c.csv")


def test_what_is_neither_revision_nor_path(ox, grown):
    result = ox.fails("log", "nope")
    assert result.code == 5
    assert "neither a revision nor a path" in result.err
    assert ox.fails("log", "HEAD..nope").code == 5


def test_what_is_both_is_refused(ox, grown, write):
    write({"main": "a file"})
    assert ox.fails("log", "main").code == 6
    assert len(ox("log", "--oneline", "main", "--").lines) == 3
    assert ox("log", "--oneline", "--", "main").out == ""


def test_no_commit_yet(ox):
    ox("init")
    assert ox("log").out == ""
    assert ox.fails("log", "HEAD").code == 5


def test_messages_do_not_steer_the_terminal(ox, repo):
    ox("commit", "--allow-empty", "-m", "red \x1b[31m alert")
    assert "\x1b" not in ox("log").out


def test_a_path_in_a_version_is_no_version(ox, grown):
    for text in ("HEAD:data", "HEAD:nope"):
        refused = ox.fails("log", text)
        assert (refused.code, "REVISION -- PATH" in refused.err) == (3, True), refused.err


def test_an_unknown_name_of_odd_bytes_is_shown(ox, grown):
    assert r"called '\xff'" in ox.fails("log", os.fsdecode(b"\xff")).err
