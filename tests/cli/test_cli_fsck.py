"""``ox fsck`` as it is typed."""

import shutil

import pytest

from oxcore.testing.faults import flip


@pytest.fixture
def damaged(ox, repo, tmp_path_factory):
    """The repository with one bit of a file flipped; gives the folder of a sound twin."""
    twin = tmp_path_factory.mktemp("twin") / "copy"
    shutil.copytree(repo, twin)
    for pack in (repo / ".ox/packs").iterdir():
        if b"one\ntwo\n" in pack.read_bytes():
            flip(str(pack), pack.read_bytes().index(b"one\ntwo\n"))
    return twin


def test_all_is_well(ox, repo):
    result = ox("fsck")
    assert result.lines[0].startswith("proved 3 packs (5 objects, ")
    assert "3 operations, 1 commit, 1 tree node, 3 files" in result.out
    assert ox("fsck", "--quick").out.startswith("looked at 3 packs")


def test_a_problem_names_object_and_file(ox, damaged):
    result = ox.fails("fsck")
    assert result.code == 12
    assert result.lines[0].startswith("corrupt: object ")
    assert result.lines[0].endswith("a.txt needs it")
    assert result.lines[-1] == "1 problem; mend it with: ox fsck --repair [REMOTE]"


def test_json(ox, damaged):
    result = ox.fails("fsck", "--json")
    assert (result.code, result.json["sound"]) == (12, False)
    (problem,) = result.json["problems"]
    assert (problem["kind"], problem["path"]) == ("corrupt", "a.txt")
    assert result.json["proved"]["commits"] == 1


def test_repair_from_a_path(ox, damaged, repo):
    result = ox("fsck", "--repair", damaged)
    assert result.lines[0].startswith("repaired: object ")
    assert any(line.startswith("put aside: ") for line in result.lines)
    assert ox("fsck", "--json").json["sound"]
    assert ox("cat", "HEAD:a.txt").raw == b"one\ntwo\n"


def test_repair_without_a_source_says_what_is_left(ox, damaged):
    result = ox.fails("fsck", "--repair")
    assert result.code == 12
    assert result.lines[0].startswith("missing: object ")


def test_damaged_bytes_do_not_reach_the_folder(ox, damaged, repo):
    (repo / "a.txt").write_text("mine\n")
    result = ox.fails("restore", "a.txt")
    assert result.code == 12
    assert "is damaged" in result.err
    assert (repo / "a.txt").read_text() == "mine\n"


def test_bad_calls(ox, repo):
    assert ox.fails("fsck", "--quick", "--full").code == 2
    assert ox.fails("fsck", "somewhere").code == 2
