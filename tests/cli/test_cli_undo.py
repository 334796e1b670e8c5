"""``ox undo`` as it is typed."""


def test_walks_back_and_redoes(ox, repo):
    result = ox("undo")
    assert result.lines == ["undid operation 3, commit: first", "to redo it: ox undo 4"]
    assert ox("undo").out.startswith("undid operation 2, add")
    assert ox.fails("undo").code == 1
    ox("undo", "5")
    ox("undo", "4")
    assert ox("log", "--oneline").lines[0].endswith("first")
    assert ox("status", "--json").json


def test_files_come_back(ox, repo):
    (repo / "a.txt").write_text("unsaved\n")
    ox("reset", "--hard")
    assert (repo / "a.txt").read_text() == "one\ntwo\n"
    told = ox("undo", "--dry-run")
    assert told.lines[0].startswith("would undo operation 4, reset")
    assert told.lines[-1] == "  M a.txt"
    assert (repo / "a.txt").read_text() == "one\ntwo\n"
    ox("undo")
    assert (repo / "a.txt").read_text() == "unsaved\n"


def test_unsaved_work_is_refused_and_listed(ox, repo):
    ox("rm", "a.txt")
    (repo / "a.txt").write_text("mine\n")
    result = ox.fails("undo")
    assert result.code == 8
    assert "a.txt" in result.err
    assert (repo / "a.txt").read_text() == "mine\n"


def test_what_is_in_the_way_is_named(ox, repo):
    (repo / "a.txt").write_text("more\n")
    ox("commit", "-a", "-m", "second")
    result = ox.fails("undo", "3")
    assert result.code == 15
    assert "operation 5 (commit) changed refs/heads/main" in result.err
    assert "ox undo 5" in result.err
    assert ox.fails("undo", "99").code == 5
    assert ox.fails("undo", "1").code == 1


def test_json(ox, repo):
    done = ox("undo", "--json").json
    assert (done["undone"], done["verb"], done["operation"]) == (3, "commit", 4)
    assert done["changes"]["refs/heads/main"][1] is None
    assert done["files"] == []
    dry = ox("undo", "--dry-run", "--json").json
    assert (dry["undone"], dry["operation"]) == (2, None)
