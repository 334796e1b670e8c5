"""``ox verify`` as it is typed."""

from oxcore.testing.faults import flip


def test_head_by_default(ox, repo):
    result = ox("verify")
    assert result.lines[0].endswith(" is whole")
    assert result.lines[-1] == "proved 1 commit, 1 tree node, 3 files, 112 B"
    assert ox("-q", "verify").lines == result.lines[:1]


def test_json(ox, repo):
    done = ox("verify", "HEAD", "--history", "--json").json
    assert len(done["commit"]) == 64
    assert done["counts"] == {"commits": 1, "tags": 0, "nodes": 1, "files": 3, "nbytes": 112}
    assert done["complete"]


def test_damage(ox, repo):
    for pack in (repo / ".ox/packs").iterdir():
        if b"one\ntwo\n" in pack.read_bytes():
            flip(str(pack), pack.read_bytes().index(b"one\ntwo\n"))
    result = ox.fails("verify")
    assert result.code == 12
    assert "a.txt needs it" in result.err
    assert ox.fails("verify", "nothing").code == 5
