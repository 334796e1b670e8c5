"""``ox commit``."""

import json

import pytest


def test_a_first_commit_and_the_next(ox, write, golden):
    ox("init")
    write({"a.txt": "one\n", "b.txt": "two\n"})
    ox("add", ".")
    golden("commit-first", ox("commit", "-m", "first").out)
    write({"a.txt": "changed\n", "c.txt": "three\n"})
    (ox.folder / "b.txt").unlink()
    ox("add", ".")
    golden("commit-next", ox("commit", "-m", "next", "-m", "with a second paragraph").out)
    assert ox("commit", "--amend", "--json").json["commit"]["message"] == (
        "next\n\nwith a second paragraph"
    )


def test_all(ox, repo, write):
    write({"a.txt": "changed\n", "new": "1"})
    assert ox("commit", "-a", "-m", "x").lines[1] == "  1 file: 1 modified, 8 B"


def test_amend_and_empty(ox, repo, golden):
    assert ox.fails("commit", "-m", "nothing").code == 1
    golden("commit-empty", ox("commit", "--allow-empty", "-m", "nothing").out)
    golden("commit-amend", ox("commit", "--amend", "-m", "still nothing").out)


def test_the_message_from_a_file(ox, repo, write):
    write({"message": "from a file\n\nbody\n"})
    made = ox("commit", "--allow-empty", "-F", "message", "--json").json
    assert made["commit"]["message"] == "from a file\n\nbody"
    made = ox("commit", "--allow-empty", "-F", "-", "--json", stdin="typed\n").json
    assert made["commit"]["message"] == "typed"
    assert ox.fails("commit", "--allow-empty", "-F", "nope").code == 18
    (repo / "message").write_bytes(b"\xff")
    assert ox.fails("commit", "--allow-empty", "-F", "message").code == 3


def test_meta(ox, repo):
    made = ox(
        "commit", "--allow-empty", "-m", "x", "--json",
        "--meta", "model=7", "--meta", 'tags=["a"]', "--meta", "name=plain text",
    ).json  # fmt: skip
    assert made["commit"]["meta"] == {"model": 7, "tags": ["a"], "name": "plain text"}


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ((), 2),
        (("-m", ""), 2),
        (("-m", "a", "-F", "b"), 2),
        (("-m", "a", "--meta", "nokey"), 2),
        (("-m", "a", "--meta", "=v"), 2),
        (("-m", "a", "--meta", "k=1.5"), 3),
        (("-m", "not utf-8 \udcff"), 3),
        (("-m", "a", "--meta", "k=\udcff"), 3),
        (("-m", "a", "--meta", "k\udcff=1"), 3),
    ],
)
def test_what_is_refused(ox, repo, args, code):
    assert ox.fails("commit", "--allow-empty", *args).code == code


def test_who_are_you(ox, repo, monkeypatch):
    monkeypatch.delenv("OX_AUTHOR_NAME")
    monkeypatch.delenv("OX_AUTHOR_EMAIL")
    result = ox.fails("commit", "--allow-empty", "-m", "x")
    assert (result.code, "user.name" in result.err) == (2, True)


def test_json_has_ids_as_hex(ox, repo):
    made = ox("commit", "--allow-empty", "-m", "x", "--json").json
    assert len(made["id"]) == len(made["commit"]["tree"]) == 64
    assert json.dumps(made)


def test_a_file_that_became_a_link_is_of_another_type(ox, repo):
    (repo / "a.txt").unlink()
    (repo / "a.txt").symlink_to("data")
    ox("add", ".")
    made = ox("commit", "-m", "link")
    assert made.lines[1] == "  1 file: 1 of another type, 4 B"
    (repo / "a.txt").unlink()
    (repo / "a.txt").write_text("x")
    ox("add", ".")
    found = ox("commit", "-m", "file", "--json").json
    assert (found["retyped"], found["modified"]) == (1, 0)
