"""``ox merge``, ``ox resolve``, ``ox revert`` and ``ox cherry-pick`` as typed."""

import pytest


@pytest.fixture
def forked(ox, repo, write):
    """Branches main and topic that both changed a.txt; topic has a new file. On main."""
    ox("switch", "-c", "topic")
    write({"a.txt": "theirs\n", "new.txt": "new\n"})
    ox("add", ".")
    ox("commit", "-m", "theirs")
    ox("switch", "main")
    write({"a.txt": "ours\n"})
    ox("commit", "-am", "ours")
    return repo


def test_a_conflict_from_merge_to_commit(ox, forked, golden):
    stopped = ox.fails("merge", "topic")
    assert stopped.code == 9
    golden("merge-conflict", stopped.out + stopped.err)
    assert (forked / "a.txt").read_text() == "ours\n"
    assert (forked / "new.txt").read_text() == "new\n"
    out = ox("resolve", "--list").out
    found = ox("resolve", "--list", "--json").json
    assert found["verb"] == "merge"
    assert [(one["path"], one["kind"]) for one in found["conflicts"]] == [("a.txt", "content")]
    assert ox.fails("commit", "-m", "early").code == 9
    assert ox.fails("switch", "topic").code == 9
    out += ox("resolve", "--both", "a.txt").out
    out += ox("resolve").out
    golden("resolve", out)
    assert (forked / "a.theirs.txt").read_text() == "theirs\n"
    ox("commit")
    shown = ox("show", "--json").json
    assert len(shown["parents"]) == 2
    assert shown["message"] == "Merge branch 'topic' into main"
    assert ox("status", "-s").out == ""
    assert ox("resolve").out == "nothing waits\n"
    assert ox("merge", "topic").out == "already up to date: topic is in this branch\n"


def test_a_conflict_given_up(ox, forked, write):
    stopped = ox.fails("merge", "topic", "--json")
    assert stopped.json["result"] == "conflicts"
    assert stopped.json["conflicts"][0]["words"] == "both changed it"
    assert ox.fails("merge", "topic").code == 9
    assert ox.fails("revert", "--abort").code == 5
    assert ox("merge", "--abort").out == "gave up the merge: all is as before\n"
    assert not (forked / "new.txt").exists()
    assert ox("status", "-s").out == ""
    assert ox.fails("merge", "--abort").code == 5


def test_forward_and_not(ox, repo, write):
    ox("switch", "-c", "topic")
    write({"n.txt": "1"})
    ox("add", ".")
    ox("commit", "-m", "more")
    ox("switch", "main")
    assert ox("merge", "topic").out.endswith(": 1 file written, 0 removed\n")
    ox("switch", "-c", "side", "HEAD~1")
    done = ox("merge", "--no-ff", "-m", "joined", "topic", "--json").json
    assert done["result"] == "merged"
    assert done["moved"]["written"] == 1
    assert ox("show", "--json").json["message"] == "joined"
    write({"m.txt": "2"})
    ox("add", ".")
    ox("commit", "-m", "parted")
    ox("switch", "-c", "apart", "topic")
    write({"q.txt": "2"})
    ox("add", ".")
    ox("commit", "-m", "parted too")
    assert ox.fails("merge", "--ff-only", "side").code == 15
    assert ox.fails("merge", "--ff-only", "--no-ff", "side").code == 2
    assert ox.fails("merge").code == 2
    assert ox.fails("merge", "--abort", "side").code == 2
    assert ox.fails("merge", "nope").code == 5
    assert ox("merge", "side").out.startswith("merged side as ")


def test_wrong_uses_of_resolve(ox, forked):
    assert ox.fails("resolve", "--ours", "a.txt").code == 5
    ox.fails("merge", "topic")
    for args, code in (
        (["--ours"], 2),
        (["a.txt"], 2),
        (["--ours", "--theirs", "a.txt"], 2),
        (["--list", "--ours"], 2),
        (["--ours", "new.txt"], 5),
    ):
        assert ox.fails("resolve", *args).code == code
    done = ox("resolve", "--theirs", ".", "--json").json
    assert (done["open"], done["settled"][0]["path"]) == (0, "a.txt")
    assert (forked / "a.txt").read_text() == "theirs\n"
    assert ox("resolve").out == "no conflict of the merge is open: ox commit ends it\n"


def test_revert_and_cherry_pick(ox, forked, golden, write):
    out = ox("revert", "HEAD").out
    assert (forked / "a.txt").read_text() == "one\ntwo\n"
    out += ox("cherry-pick", "topic").out
    assert (forked / "a.txt").read_text() == "theirs\n"
    golden("replay", out)
    again = ox.fails("cherry-pick", "topic")
    assert again.code == 1
    write({"a.txt": "other\n"})
    ox("commit", "-am", "other")
    stopped = ox.fails("revert", "HEAD~1", "HEAD")
    golden("revert-conflict", stopped.out + stopped.err)
    assert ox("revert", "--abort").code == 0
    assert (forked / "a.txt").read_text() == "other\n"
    done = ox("revert", "HEAD", "--json").json
    assert len(done["made"]) == 1
    assert ox.fails("revert").code == 2
    assert ox.fails("revert", "--abort", "HEAD").code == 2
    assert ox.fails("revert", "-m", "2", "HEAD").code == 2
