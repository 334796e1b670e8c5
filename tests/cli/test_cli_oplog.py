"""``ox oplog`` as it is typed."""


def test_newest_first_with_what_changed(ox, repo, golden):
    golden("oplog", ox("oplog").out)
    assert ox("oplog", "-n", "1").lines[0].split()[0] == "3"


def test_json(ox, repo):
    rows = ox("oplog", "--json").json
    assert [row["number"] for row in rows] == [3, 2, 1]
    assert rows[0]["verb"] == "commit"
    assert rows[0]["note"] == "first"
    assert rows[0]["changes"]["refs/heads/main"][0] is None
    assert (rows[0]["undoes"], rows[0]["undone_by"]) == (None, None)
    assert rows[0]["time"].startswith("2026-01-02T03:04:05")


def test_undone_operations_say_so(ox, repo):
    ox("undo")
    assert "(undone by 4)" in ox("oplog").out
    assert [row["undone_by"] for row in ox("oplog", "--json").json] == [None, 4, None, None]


def test_a_limit_of_none_is_refused(ox, repo):
    assert ox.fails("oplog", "-n", "0").code == 2


def test_who_did_it(ox, monkeypatch):
    monkeypatch.delenv("OX_AUTHOR_NAME")
    monkeypatch.delenv("OX_AUTHOR_EMAIL")
    ox("config", "--global", "user.name", "Everywhere")
    ox("init")
    (ox.folder / "a").write_text("one")
    ox("add", "a")
    ox("config", "user.name", "Here")
    ox("config", "user.email", "h@example.org")
    ox("commit", "-m", "first")
    ox("clone", ".", "bare", "--bare")
    ox("push", "bare", "main:other")
    who = [row["who"] for row in ox("oplog", "--json").json]
    assert who == ["Here <h@example.org>", "Everywhere", "Everywhere"]
    there = ox("oplog", "--json", "-n", "1", cwd=ox.folder / "bare").json
    assert there[0]["who"] == "Here <h@example.org>"
