"""``ox stats``: a version, and a drift, as people and programs see them."""

import io

import pytest
from PIL import Image


def picture(width, height, mode="RGB"):
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    return out.getvalue()


def labels(rows):
    lines = (f"{n}.png,{label},{n * step / 4}\n" for n, (label, step) in enumerate(rows))
    return ("photo,label,score\n" + "".join(lines)).encode()


OLD = [("cat", 1)] * 30 + [("dog", 1)] * 30
NEW = [("cat", 1)] * 20 + [("dog", 2)] * 40 + [("", 3)] * 4


@pytest.fixture
def pets(ox, repo, write):
    write({f"img/{n}.png": picture(16, 16) for n in range(5)}, repo)
    write({"labels.csv": labels(OLD), "gone.csv": b"a\n1\n"}, repo)
    ox("add", ".", cwd=repo)
    ox("commit", "-m", "one", cwd=repo)
    write({f"img/{n}.png": picture(64, 32, "L") for n in (4, 5, 6)}, repo)
    write({"labels.csv": labels(NEW), "more.csv": b"a,b\n1,2\n", "bad.csv": b"a,b\n1\n"}, repo)
    ox("rm", "-q", "gone.csv", cwd=repo, code=None)
    (repo / "gone.csv").unlink(missing_ok=True)
    ox("add", ".", cwd=repo)
    ox("commit", "-m", "two", cwd=repo)
    return repo


def test_a_version(ox, pets, golden):
    golden("stats", ox("stats", cwd=pets).out)
    assert ox("stats", "HEAD", cwd=pets).out == ox("stats", cwd=pets).out
    assert ox("stats", "HEAD~1", cwd=pets).lines[0].startswith("HEAD~1: ")


def test_a_drift(ox, pets, golden):
    out = ox("stats", "HEAD~1..HEAD", cwd=pets).out
    golden("stats-drift", out)
    assert all(len(line) <= 80 for line in out.splitlines())
    assert ox("stats", "HEAD~1", "HEAD", cwd=pets).out == out
    golden(
        "stats-drift-colour", ox("stats", "HEAD~1..", "--", "labels.csv", cwd=pets, tty=True).out
    )


def test_the_stage(ox, pets, write):
    assert ox("stats", "--staged", cwd=pets).lines[1] == "nothing differs"
    write({"labels.csv": labels(OLD)}, pets)
    ox("add", ".", cwd=pets)
    lines = ox("stats", "--staged", cwd=pets).lines
    assert lines[0] == "HEAD..stage: 13 -> 13 files, 1.6 KiB -> 1.6 KiB"
    assert "labels.csv  64 -> 60 rows  drift 0.531" in lines
    assert ox("stats", "HEAD~1", "--staged", "--json", cwd=pets).json["tables"] == []


def test_nothing_differs(ox, pets):
    assert ox("stats", "HEAD..HEAD", cwd=pets).lines[1:] == ["nothing differs"]


def test_json(ox, pets):
    found = ox("stats", "--json", cwd=pets).json
    assert (found["version"], found["total"]["images"]["files"]) == ("HEAD", 7)
    assert [one["path"] for one in found["folders"]] == ["", "data/", "img/"]
    assert found["folders"][2]["images"]["width"] == {"min": 16, "median": 16, "max": 64}
    tables = {one["path"]: one["rows"] for one in found["tables"]}
    assert tables == {"bad.csv": 0, "data/c.csv": 0, "labels.csv": 64, "more.csv": 1} | {
        "data/c.csv": tables["data/c.csv"]
    }
    found = ox("stats", "HEAD~1..HEAD", "--json", cwd=pets).json
    assert found["version"] == "HEAD~1..HEAD"
    assert found["total"]["old"]["files"] + 3 == found["total"]["new"]["files"] == 13
    assert found["folders"][1]["total"]["new"]["files"] == 7
    (table,) = found["tables"]
    assert (table["path"], table["rows"]) == ("labels.csv", {"old": 60, "new": 64})
    label = next(one for one in table["columns"] if one["name"] == "label")
    assert label["measure"] == "total variation"
    assert label["shares"][0] == {"value": "cat", "old": 0.5, "new": pytest.approx(1 / 3)}
    assert label["new"]["nulls"] == 4
    assert [one["path"] for one in found["added"]] == ["bad.csv", "more.csv"]
    assert [one["path"] for one in found["removed"]] == ["gone.csv"]


def test_from_a_folder_and_with_paths(ox, pets):
    assert "img/" in ox("stats", "HEAD", ".", cwd=pets / "img").out
    assert "labels.csv" not in ox("stats", "HEAD", ".", cwd=pets / "img").out
    assert "labels.csv" not in ox("stats", "HEAD~1..HEAD", "img", cwd=pets).out
    assert ox("stats", "--depth", "0", cwd=pets).lines[3].startswith(".")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nope"], 5, "'nope' is neither a revision nor a path"),
        (["HEAD", "--", "nope"], 5, "no file fits 'nope'"),
        (["HEAD", "HEAD", "HEAD"], 2, "too many revisions"),
        (["HEAD~1", "HEAD", "--staged"], 2, "too many revisions"),
        (["--depth", "x"], 2, "depth"),
    ],
)
def test_errors(ox, pets, arguments, code, told):
    failed = ox.fails("stats", *arguments, cwd=pets)
    assert (failed.code, told in failed.err) == (code, True)


def test_help_says_which_statistics_are_which(ox):
    out = ox("stats", "--help").out
    assert "ox df FILE --stats" in out


def test_a_name_that_would_paint_the_terminal(ox, repo, write):
    write({"a.\x1b[31mred": b"x", "\x1b[31mb.csv": b"a,b\n1\n"}, repo)
    ox("add", ".", cwd=repo)
    ox("commit", "-m", "odd", cwd=repo)
    for call in (["stats"], ["stats", "HEAD~1..HEAD"]):
        out = ox(*call, cwd=repo).out
        assert "\x1b" not in out
        assert "row 2: 1 fields" in out
