"""``ox status``."""

import os

from oxcore import Repo
from oxcore.model.entries import Entry
from oxcore.repo.merging import Pending, encode_pending
from oxcore.tree import Conflict
from oxcore.verbs.moving import intent, update

CLEAN = "nothing to commit, the folder is as in HEAD"


def pend(folder, *conflicts):
    """Let a merge wait, with these kinds of conflicts."""
    with Repo.open(str(folder)) as repo, repo._repo.lock("test"):
        core = repo._repo
        one = Entry(1, 3, b"\1" * 32)
        found = tuple(
            Conflict(b"c/%s" % kind.encode(), one, one if ours else None, one, kind)
            for kind, ours in conflicts
        )
        waiting = Pending("merge", (core.head(),), "merge x", core.stage(), found)
        core.operate("merge", "", {"merge": (None, encode_pending(waiting))})


def test_clean_and_empty(ox, repo, tmp_path_factory):
    assert ox("status").out == "on branch main\nnothing to commit, the folder is as in HEAD\n"
    assert ox("status", "-s").out == ""
    other = tmp_path_factory.mktemp("other")
    ox("init", cwd=other)
    assert ox("status", cwd=other).out == "on branch main, no commit yet\nnothing here yet\n"


def dirty(ox, repo, write):
    write({"a.txt": "one\n", "staged.txt": "s", "new/x": "1", "new/y": "2", "loose": "3"})
    ox("add", "staged.txt", "a.txt")
    write({"a.txt": "one\nmore\n"})
    (repo / "data/c.csv").unlink()
    os.mkfifo(repo / "data/pipe")
    (repo / "sub/.git").mkdir(parents=True)


def test_long(ox, repo, write, golden):
    dirty(ox, repo, write)
    golden("status-long", ox("status").out)
    golden("status-folder", ox("status", cwd=repo / "data").out)


def test_short(ox, repo, write):
    dirty(ox, repo, write)
    assert ox("status", "-s", "-b").lines == [
        "## main",
        "MM a.txt",
        " D data/c.csv",
        "A  staged.txt",
        "?? loose",
        "?? new/",
    ]
    assert ox("status", "-s", "-u", "all").lines[-2:] == ["?? new/x", "?? new/y"]
    assert "??" not in ox("status", "-s", "-u", "no").out
    assert ox("status", "-s", "data").out == " D data/c.csv\n"
    assert ox("status", "-s", "*.csv").out == " D data/c.csv\n"
    assert ox("status", "-s", "c.csv", cwd=repo / "data").out == " D c.csv\n"


def test_json(ox, repo, write):
    dirty(ox, repo, write)
    found = ox("status", "--json").json
    assert (found["branch"], found["clean"]) == ("main", False)
    assert found["staged"]["counts"] == {"M": 1, "A": 1}
    assert [row["path"] for row in found["changed"]["changes"]] == ["a.txt", "data/c.csv"]
    assert {"path": "new/", "files": 2} in found["untracked"]
    assert found["specials"] == [{"path": "data/pipe", "what": "fifo"}]


def test_thousands_are_counted_first(ox, repo, write):
    write({f"many/{n:04}": str(n) for n in range(1200)})
    ox("add", "many")
    lines = ox("status").lines
    assert lines[2].startswith("staged: 1,200 added")
    assert len(lines) < 60
    assert lines[-1] == "  ... and 1,150 more: ox status --short shows all"
    assert len(ox("status", "-s").lines) == 1200


def test_ahead_and_behind(ox, repo, write):
    with Repo.open(str(repo)) as api:
        tip = api._repo.head().hex()
        api.set_config({"branch.main.remote": "origin", "branch.main.merge": "main"})
        with api._repo.lock("test"):
            api._repo.operate("fetch", "", {"refs/remotes/origin/main": (None, tip)})
    assert ox("status").lines[1] == "up to date with origin/main"
    ox("commit", "--allow-empty", "-m", "one more")
    assert ox("status").lines[1] == "1 commit ahead of origin/main: ox push"
    assert ox("status", "-s", "-b").out == "## main...origin/main [ahead 1]\n"
    assert ox("status", "--json").json["ahead"] == 1


def test_conflicts_and_how_to_settle_them(ox, repo, golden):
    pend(repo, ("content", True), ("added", True), ("deleted", False), ("folder", False))
    golden("status-conflicts", ox("status").out)
    assert ox("status", "-s").lines == ["AA c/added", "UU c/content", "DU c/deleted", "AU c/folder"]
    assert [row["kind"] for row in ox("status", "--json").json["pending"]["conflicts"]]


def test_a_merge_whose_conflicts_are_settled(ox, repo):
    pend(repo)
    assert "a merge is in progress, all conflicts settled: ox commit" in ox("status").lines


def test_a_detached_head(ox, repo):
    with Repo.open(str(repo)) as api, api._repo.lock("test"):
        core = api._repo
        core.operate("switch", "", {"HEAD": (core.view()["HEAD"], core.head().hex())})
    assert ox("status").lines[0].startswith("HEAD detached at ")
    assert ox("status", "-s", "-b").out == "## HEAD (no branch)\n"


def test_an_interrupted_move_of_the_files_is_told(ox, repo, write, monkeypatch):
    ox("switch", "-c", "other")
    write({"a.txt": "changed", "new": "1"})
    ox("add", ".")
    ox("commit", "-m", "second")
    assert ox("status", "--json").json["interrupted"] is False

    def stop(*args):
        real(*args)
        raise KeyboardInterrupt

    real = update._write
    with monkeypatch.context() as patch:
        patch.setattr(update, "_write", stop)
        patch.setattr(intent, "roll_back", lambda repo: 0)
        ox.fails("switch", "main")
    assert "interrupted half way" in ox("status").out
    assert ox("status", "--json").json["interrupted"] is True
    with Repo.open(str(repo)) as held, held._repo.lock("switch"):
        assert "interrupted" not in ox("status").out  # the move of a process that lives
    ox("gc")
    assert ox("status").lines == ["on branch other", CLEAN]
