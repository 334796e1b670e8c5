"""``ox cat``."""


def test_bytes_come_as_they_are(ox, repo):
    assert ox("cat", "data/b.bin").raw == b"\x00\x01" * 50
    assert ox("cat", "a.txt", "data/c.csv").out == "one\ntwo\nx\n1\n"
    assert ox("cat", "c.csv", cwd=repo / "data").out == "x\n1\n"


def test_versions(ox, repo, write):
    write({"a.txt": "changed"})
    ox("add", ".")
    assert ox("cat", "a.txt").out == "one\ntwo\n"
    assert ox("cat", ":a.txt").out == "changed"
    ox("commit", "-m", "second")
    assert ox("cat", "HEAD~1:a.txt").out == "one\ntwo\n"
    assert ox("cat", "--rev", "HEAD~1", "a.txt").out == "one\ntwo\n"
    assert ox("cat", "HEAD:./a.txt").out == "changed"


def test_all_are_there_or_nothing_is_printed(ox, repo):
    result = ox.fails("cat", "a.txt", "nope")
    assert (result.code, result.out) == (5, "")
    result = ox.fails("cat", "data")
    assert result.code == 5
    assert "folder" in result.err


def test_damage_is_told_and_not_printed(ox, repo):
    packs = ((file, file.read_bytes()) for file in (repo / ".ox/packs").glob("*.pack"))
    pack, data = next(row for row in packs if b"one\ntwo\n" in row[1])
    at = data.index(b"one\ntwo\n")
    pack.chmod(0o644)
    pack.write_bytes(data[:at] + b"ONE" + data[at + 3 :])
    result = ox.fails("cat", "a.txt")
    assert (result.code, result.out) == (12, "")
