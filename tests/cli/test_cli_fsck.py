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


def test_a_clone_that_shares_the_damaged_file_is_no_help_and_says_so(ox, repo, tmp_path):
    ox("clone", repo, tmp_path / "clone")
    for pack in (repo / ".ox/packs").iterdir():
        if b"one\ntwo\n" in pack.read_bytes():
            flip(str(pack), pack.read_bytes().index(b"one\ntwo\n"))
    result = ox.fails("fsck", "--repair", tmp_path / "clone")
    assert result.code == 12
    (line,) = [line for line in result.err.splitlines() if "its copy" in line]
    assert line.startswith(f"warning: {tmp_path}/clone: its copy of 1 object is damaged too")
    assert "a clone by path shares packs with where it came from" in line


def test_damaged_packs_that_lie_aside_are_told(ox, damaged):
    ox("fsck", "--repair", damaged)
    (line,) = [line for line in ox("fsck").lines if line.startswith("put aside before: ")]
    assert line.endswith(".pack.bad; ox gc deletes it after its time of grace")
    assert "of damaged packs put aside (too young, or data is missing)" in ox("gc").out
    assert "deleted 227 B of damaged packs that fsck put aside" in ox("gc", "--grace", "0").out
    assert "aside" not in ox("fsck").out


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


def test_a_damaged_log_is_mended(ox, repo):
    log = repo / ".ox/oplog"
    flip(str(log), log.read_bytes().index(b'"number":2'))
    head = ox.fails("status")
    assert head.code == 12
    assert "operation 2 of the operation log is damaged" in head.err
    assert "hint: the data is not touched; mend the log with: ox fsck --repair" in head.err
    assert ox.fails("fsck").lines[0].startswith("log: operation 2 of the operation log is damaged")
    result = ox("fsck", "--repair")
    assert result.lines[0].startswith("repaired: operation 2 ")
    assert f"put aside: {log}.bad" in result.lines
    assert ox("status", "--json").json
    assert ox("log").lines


def test_a_commit_without_a_name_gets_one(ox, repo):
    log = repo / ".ox/oplog"
    head = ox("log", "--json").json[0]["id"]
    at = log.read_bytes().rindex(b'"number":3')
    flip(str(log), at)
    flip(str(log), log.read_bytes().index(b'"number":2'))
    result = ox("fsck", "--repair")
    assert "kept a commit that nothing named: see ox log refs/lost/1" in result.lines
    assert ox("log", "refs/lost/1", "--json").json[0]["id"] == head
    ox("branch", "main", "lost/1")
    ox("reset")
    assert ox("status", "--json").json
    assert ox("log", "--json").json[0]["id"] == head


@pytest.mark.parametrize("text", ["", "{}\n", "no JSON", '{"ox":1}\n'])
def test_a_damaged_format_names_the_file_and_the_way_out(ox, repo, text):
    (repo / ".ox/format").write_text(text)
    result = ox.fails("status")
    assert result.code == 12
    assert result.err.startswith(f"error: {repo}/.ox/format is damaged: ")
    assert "hint: copy this file from another clone of the same repository\n" in result.err


def test_bad_calls(ox, repo):
    assert ox.fails("fsck", "--quick", "--full").code == 2
    assert ox.fails("fsck", "somewhere").code == 2
