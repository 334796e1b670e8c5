"""``ox rm`` and ``ox mv``."""

import os


def test_rm(ox, repo):
    assert ox("rm", "a.txt").out == "rm a.txt\n"
    assert not (repo / "a.txt").exists()
    assert ox.fails("rm", "data").code == 2
    assert ox("rm", "-r", "data").lines == ["rm data/b.bin", "rm data/c.csv"]
    assert not (repo / "data").exists()


def test_rm_cached(ox, repo):
    ox("rm", "--cached", "*.txt")
    assert (repo / "a.txt").exists()


def test_rm_refuses_unsaved_work(ox, repo, write):
    write({"a.txt": "unsaved"})
    result = ox.fails("rm", "a.txt")
    assert (result.code, "a.txt" in result.err) == (8, True)
    assert ox("rm", "-f", "a.txt").out == "rm a.txt\n"


def test_rm_names_at_most_twenty(ox, write):
    ox("init")
    write({f"f{number:02}": "x" for number in range(23)})
    ox("add", ".")
    ox("commit", "-m", "many")
    assert ox("rm", "*").lines[-1] == "... and 3 more files"


def test_rm_of_what_is_not_tracked(ox, repo, write):
    write({"new": "x"})
    assert ox.fails("rm", "new").code == 5
    assert ox.fails("rm").code == 2


def test_mv(ox, repo):
    assert ox("mv", "a.txt", "b.txt").out == "a.txt -> b.txt\n"
    assert ox("mv", "data", "tables").lines == [
        "data/b.bin -> tables/b.bin",
        "data/c.csv -> tables/c.csv",
    ]
    assert ox("mv", "b.bin", "..", cwd=repo / "tables").out == "b.bin -> ../b.bin\n"
    assert sorted(os.listdir(repo)) == [".ox", "b.bin", "b.txt", "tables"]


def test_mv_does_not_overwrite_unless_told(ox, repo):
    assert ox.fails("mv", "a.txt", "data/c.csv").code == 7
    ox("mv", "-f", "a.txt", "data/c.csv")
    assert (repo / "data/c.csv").read_text() == "one\ntwo\n"


def test_mv_of_what_is_not_there(ox, repo):
    assert ox.fails("mv", "nope", "b").code == 5
    assert ox.fails("mv", "a.txt", "no/such/folder").code == 5
    assert ox.fails("mv", "a.txt").code == 2
