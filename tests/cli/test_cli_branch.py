"""``ox branch``, ``ox switch``, ``ox checkout`` and ``ox tag`` as typed."""

import pytest


@pytest.fixture
def two(ox, repo, write):
    """Branches main and topic; topic has another a.txt. On main."""
    ox("switch", "-c", "topic")
    write({"a.txt": "three\n"})
    ox("commit", "-am", "second")
    ox("switch", "main")
    return repo


def test_the_list(ox, two, golden):
    ox("branch", "-u", "main", "topic")
    golden("branch-list", ox("branch").out)
    found = ox("branch", "--json").json
    assert [(one["name"], one["current"], one["title"]) for one in found] == [
        ("main", True, "first"),
        ("topic", False, "second"),
    ]
    assert found[0]["worktree"] == str(two)
    assert (found[1]["upstream"], found[1]["ahead"], found[1]["behind"]) == ("main", 1, 0)
    assert ox("branch", "--remotes").out == "no remote branch is known: ox fetch gets them\n"
    assert ox("branch", "--all").lines == ox("branch").lines
    assert ox("branch", "--show-current").out == "main\n"
    ox("switch", "--detach")
    golden("branch-list-detached", ox("branch").out)
    assert ox("branch", "--show-current").out == "\n"
    assert "\x1b[32m*" in ox("branch", tty=True).out


def test_an_empty_repository(ox, tmp_path):
    ox("init")
    assert ox("branch").out == "no branch has a commit yet\n"
    assert ox("branch", "--json").json == []
    assert ox.fails("branch", "topic").code == 5
    assert ox("tag").out == ""


def test_made_renamed_deleted(ox, two, golden):
    out = ox("branch", "new", "topic").out
    out += ox("branch", "-m", "new", "newer").out
    out += ox("branch", "-u", "topic", "newer").out
    out += ox("branch", "--unset-upstream", "newer").out
    refused = ox.fails("branch", "-d", "newer")
    assert refused.code == 8
    assert "ox branch -D newer" in refused.err
    assert ox.fails("branch", "-d", "main").code == 2
    out += ox("branch", "-D", "newer").out
    golden("branch-story", out)
    assert ox.fails("branch", "-d", "newer").code == 5
    assert ox.fails("branch", "topic").code == 7
    assert ox.fails("branch", "a b").code == 3
    assert ox.fails("branch", "-m", "a", "-d").code == 2
    assert ox.fails("branch", "-m").code == 2
    assert ox.fails("branch", "-d").code == 2
    assert ox.fails("branch", "a", "b", "c").code == 2
    assert ox.fails("branch", "-u", "main", "a", "b").code == 2


def test_switching(ox, two, golden):
    out = ox("switch", "topic").out
    assert (two / "a.txt").read_text() == "three\n"
    out += ox("switch", "-").out
    out += ox("switch", "main").out
    out += ox("switch", "-c", "other", "topic").out
    out += ox("switch", "--detach", "main").out
    golden("switch", out)
    assert ox("switch", "main", "--json").json["branch"] == "main"
    for args, code in (
        (["nope"], 5),
        (["HEAD~0"], 2),
        ([], 2),
        (["-c", "topic"], 7),
        (["-c", "x", "--detach"], 2),
    ):
        assert ox.fails("switch", *args).code == code
    assert ox("--quiet", "switch", "topic").out == ""


def test_unsaved_work_in_the_way(ox, two, write):
    write({"a.txt": "unsaved"})
    refused = ox.fails("switch", "topic")
    assert refused.code == 8
    assert "  a.txt\n" in refused.err
    assert (two / "a.txt").read_text() == "unsaved"
    ox("switch", "--discard-changes", "topic")
    assert (two / "a.txt").read_text() == "three\n"


def test_checkout_of_branches_and_commits(ox, two, golden):
    out = ox("checkout", "topic").out
    out += ox("checkout", "main~0").out
    out += ox("checkout", "-").out
    out += ox("checkout", "-b", "fix", "main").out
    golden("checkout", out)
    assert ox("checkout", "main", "--json").json["before"]["branch"] == "fix"
    assert ox.fails("checkout").code == 2
    assert ox.fails("checkout", "nope").code == 5


def test_checkout_of_files(ox, two, write):
    assert ox("checkout", "topic", "--", "a.txt").out == "1 file restored from topic\n"
    assert (two / "a.txt").read_text() == "three\n"
    assert "M  a.txt" in ox("status", "-s").out
    write({"a.txt": "unsaved", "data/c.csv": "unsaved"})
    ox("checkout", "--", "a.txt")
    assert (two / "a.txt").read_text() == "three\n"
    assert ox("checkout", "c.csv", cwd=two / "data").out == "1 file restored from the stage\n"
    assert (two / "data/c.csv").read_text() == "x\n1\n"
    assert ox("checkout", "main", "a.txt", "--json").json == [{"path": "a.txt", "letter": "M"}]
    assert (two / "a.txt").read_text() == "one\ntwo\n"
    write({"data/c.csv": "unsaved"})
    ox("checkout", "*.csv")
    assert (two / "data/c.csv").read_text() == "x\n1\n"
    for args, code in (
        (["--", "nope"], 5),
        (["main", "topic", "--", "a.txt"], 2),
        (["main", "--"], 2),
        (["-b", "x", "--", "a.txt"], 2),
    ):
        assert ox.fails("checkout", *args).code == code


def test_a_name_that_is_a_file_too(ox, two, write):
    write({"topic": "a file"})
    assert ox.fails("checkout", "topic").code == 6
    ox("add", "topic")
    write({"topic": "changed"})
    ox("checkout", "--", "topic")
    assert (two / "topic").read_text() == "a file"


def test_tags(ox, two, golden):
    out = ox("tag", "v1").out
    out += ox("tag", "-m", "a second one\n\nmore", "v2", "topic").out
    out += ox("tag").out
    out += ox("tag", "-d", "v1").out
    golden("tag", out)
    assert ox("tag", "-l", "v9*").out == ""
    one = ox("tag", "--json").json[0]
    assert (one["name"], one["annotated"], one["message"]) == ("v2", True, "a second one\n\nmore")
    assert one["tagger"] == {"name": "Ann Author", "email": "ann@example.org"}
    for args, code in (
        (["v2"], 7),
        (["v3", "nope"], 5),
        (["-d", "v9"], 5),
        (["-d"], 2),
        (["-d", "-m", "x", "v2"], 2),
        (["a", "b", "c"], 2),
        (["-m", "", "v4"], 2),
    ):
        assert ox.fails("tag", *args).code == code
    ox("tag", "-f", "v2")
    assert not ox("tag", "--json").json[0]["annotated"]


def test_annotated_as_the_hands_of_git_type_it(ox, two):
    ox("tag", "-a", "v1", "-m", "why")
    assert ox("tag", "--json").json[0]["message"] == "why"
    refused = ox.fails("tag", "-a", "v2")
    assert (refused.code, "needs a message" in refused.err) == (2, True)
    assert ox.fails("tag", "-a", "-d", "v1").code == 2
