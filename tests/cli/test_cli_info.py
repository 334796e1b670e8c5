"""``ox info``."""

import re


def test_the_repository(ox, repo, golden):
    shown = re.sub(r"(packs .*, |stored in ).*", r"\1...", ox("info").out)
    golden("info", shown)
    found = ox("info", "--json").json
    assert (found["files"], found["commits"], found["branch"]) == (3, 1, "main")
    assert found["objects"]["chunk"]["count"] == 3


def test_a_file_and_a_folder(ox, repo, golden):
    golden("info-file", ox("info", "a.txt").out)
    golden("info-folder", re.sub(r"stored .*", "stored ...", ox("info", "HEAD:data").out))
    found = ox("info", "--json", "c.csv", cwd=repo / "data").json
    assert (found["path"], found["size"], found["kind"]) == ("data/c.csv", 4, "file")
    assert found["first"]["message"] == "first"
    assert found["image"] is None


def test_an_image(ox, repo):
    from PIL import Image

    Image.new("L", (7, 5)).save(repo / "i.png")
    ox("add", ".")
    ox("commit", "-m", "image")
    assert "image         PNG 7x5 L" in ox("info", "i.png").lines
    assert ox.fails("info", "nope").code == 5
