"""``ox remote`` as typed."""

import pytest


def test_the_story_of_a_remote(ox, repo, golden):
    assert ox("remote").out == ""
    assert ox("remote", "--json").json == []
    out = ox("remote", "add", "origin", "https://hub.example.org/pets/cats/").out
    out += ox("remote", "add", "disk", "../elsewhere").out
    out += ox("remote").out
    out += ox("remote", "-v").out
    out += ox("remote", "rename", "disk", "drive").out
    out += ox("remote", "set-url", "drive", "https://hub.example.org/pets/dogs").out
    out += ox("remote", "list", "-v").out
    out += ox("remote", "remove", "drive").out
    golden("remote-story", out.replace(str(repo.parent), "ABOVE"))
    assert ox("remote", "list", "--json").json == [
        {"name": "origin", "url": "https://hub.example.org/pets/cats", "branches": {}}
    ]


def test_what_was_seen_is_in_the_json(ox, repo, tmp_path):
    ox("init", "--bare", "../bare")
    ox("remote", "add", "origin", "../bare")
    ox("push")
    head = ox("show", "--json").json["id"]
    assert ox("remote", "--json").json[0]["branches"] == {"main": head}


@pytest.mark.parametrize(
    ("args", "code", "hint"),
    [
        (("add", "origin", "x"), 7, "set-url"),
        (("add", "a/b", "x"), 3, ""),
        (("add", "new", "https://hub.example.org"), 3, "NS/NAME"),
        (("add", "new", "https://hub.example.org/pets"), 3, "NS/NAME"),
        (("add", "new", "https://me:secret@hub.example.org/a/b"), 3, "ox login"),
        (("add", "new", "ssh://host/x"), 3, "http://"),
        (("add", "new"), 2, "--help"),
        (("remove", "nope"), 5, "ox remote"),
        (("rename", "nope", "new"), 5, "ox remote"),
        (("rename", "origin", "a b"), 3, ""),
        (("set-url", "nope", "x"), 5, "ox remote"),
        (("set-url", "origin", ""), 3, "http://"),
        (("frobnicate",), 2, "--help"),
    ],
)
def test_what_is_refused_changes_nothing(ox, repo, args, code, hint):
    ox("remote", "add", "origin", "https://hub.example.org/pets/cats")
    before = ox("config", "--list").out
    result = ox.fails("remote", *args)
    assert result.code == code
    assert hint in result.err
    assert ox("config", "--list").out == before


def test_outside_of_a_repository(ox):
    assert ox.fails("remote").code == 4
