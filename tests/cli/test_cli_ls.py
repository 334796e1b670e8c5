"""``ox ls``."""

from blake3 import blake3


def test_a_folder_and_all_below(ox, repo, golden):
    golden("ls", ox("ls").out)
    golden("ls-long", ox("ls", "-l").out)
    assert [line.split("  ")[-1] for line in ox("ls", "-r").lines] == [
        "a.txt",
        "data/b.bin",
        "data/c.csv",
    ]
    assert (
        ox("ls", "data").out == ox("ls", "HEAD:data").out == ox("ls", "--rev", "main", "data").out
    )


def test_ids_are_those_of_b3sum(ox, repo):
    for row in ox("ls", "-r", "--json").json:
        assert row["id"] == blake3((repo / row["path"]).read_bytes()).hexdigest()
        assert (row["kind"], row["mode"]) == ("file", "100644")
    folder = ox("ls", "--json").json[-1]
    assert folder == {
        "path": "data/",
        "id": None,
        "size": 104,
        "mode": "040000",
        "kind": "folder",
        "files": 2,
    }


def test_names_are_as_seen_from_here(ox, repo):
    assert [line.split("  ")[-1] for line in ox("ls", cwd=repo / "data").lines] == [
        "b.bin",
        "c.csv",
    ]
    assert ox("ls", "../a.txt", cwd=repo / "data").lines[0].endswith("  ../a.txt")
    assert ox("ls", "HEAD:./c.csv", cwd=repo / "data").lines[0].endswith("  c.csv")


def test_versions(ox, repo, write):
    write({"new": "x"})
    ox("add", ".")
    assert "new" in ox("ls", ":").out
    assert "new" not in ox("ls", "main").out
    assert ox("ls", "-r", "HEAD").out == ox("ls", "-r").out


def test_what_is_not_there(ox, repo):
    assert ox.fails("ls", "nope").code == 5
    assert ox.fails("ls", "HEAD:nope").code == 5
    assert ox.fails("ls", "nope:a.txt").code == 5
    assert ox.fails("ls", "--rev", "nope", "a.txt").code == 5


def test_a_name_with_a_colon(ox, repo, write):
    write({"a:b": "odd"})
    ox("add", ".")
    ox("commit", "-m", "odd")
    assert ox("cat", "a:b").out == "odd"
    assert ox("cat", "HEAD:a:b").out == "odd"
