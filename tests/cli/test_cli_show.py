"""``ox show``."""

import io


def test_a_commit(ox, repo, write, golden):
    golden("show-commit", ox("show").out)
    write({f"many/{n:02}": str(n) for n in range(30)})
    ox("add", ".")
    ox("commit", "-m", "many", "--meta", "model=7")
    golden("show-many", ox("show", "main").out)
    assert len(ox("show", "--stat").lines) == len(ox("show").lines) + 9
    assert "many/00" not in ox("show", "-s").out


def test_json(ox, repo):
    found = ox("show", "--json").json
    wanted = {"id", "root", "parents", "author", "time", "message", "meta", "files", "bytes"}
    assert wanted <= set(found)
    assert (found["files"], found["bytes"], found["parents"]) == (3, 112, [])
    assert [change["path"] for change in found["changes"]] == ["a.txt", "data/b.bin", "data/c.csv"]
    assert "changes" not in ox("show", "--json", "--no-changes", found["id"][:8]).json


def test_files_and_folders_of_a_version(ox, repo, write):
    write({"a.txt": "changed\n"})
    ox("add", ".")
    assert ox("show", "HEAD:a.txt").out == "one\ntwo\n"
    assert ox("show", ":a.txt").out == "changed\n"
    assert ox("show", "HEAD:data/b.bin").lines[0] == "path   data/b.bin"
    assert [line.split()[2] for line in ox("show", "HEAD:data").lines] == [
        "data/b.bin",
        "data/c.csv",
    ]
    assert ox("show", "HEAD:a.txt", "--json").json["size"] == 8
    assert ox("show", "HEAD:data", "--json").json[0]["path"] == "data/b.bin"
    assert ox.fails("show", "HEAD:nope").code == 5


def test_an_image(ox, repo):
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (8, 4), "red").save(out, "PNG")
    (repo / "i.png").write_bytes(out.getvalue())
    ox("add", ".")
    assert ox("show", ":i.png").lines[-1] == "image  PNG 8x4 RGB"
    assert ox("show", ":i.png", "--json").json["image"]["width"] == 8
