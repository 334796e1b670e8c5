"""``ox blame`` and ``ox log --row``: what they show."""

import json

import pytest

VERSIONS = (
    "photo,label,score\ntom.png,cat,0.50\nrex.png,dog,\n",
    'photo,label,score\ntom.png,cat,0.5\nrex.png,"wolf, old",1\n',
    "photo,label,score,note\ntom.png,cat,0.5,\nkit.png,null,0.5,\nrex.png,wolf,1,grey\n",
    "photo,label,score,note\ntom.png,cat,0.5,\nkit.png,null,0.5,\n",
)


@pytest.fixture
def labels(ox, repo, write):
    for number, text in enumerate(VERSIONS):
        write({"labels.csv": text.encode()}, repo)
        ox("add", "labels.csv", cwd=repo)
        ox("commit", "-m", f"version {number}", cwd=repo)
    return repo


def test_blame(ox, labels, golden):
    call = ["blame", "labels.csv", "--key", "photo=rex.png"]
    golden("blame", ox(*call, "HEAD~1", cwd=labels).out)
    golden("blame-tty", ox(*call, "main~1", "--key", "photo=tom.png", cwd=labels, tty=True).out)
    at = ox("blame", "labels.csv@HEAD~1", "--key", "photo=rex.png", cwd=labels)
    assert at.lines[1:] == ox(*call, "HEAD~1", cwd=labels).lines[1:]
    assert ox("blame", "../labels.csv", "--key", "photo=tom.png", cwd=labels / "data").lines


def test_blame_as_json(ox, labels, golden):
    found = ox("blame", "labels.csv", "--key", "photo=tom.png", "--json", cwd=labels)
    golden("blame-json", json.dumps(found.json, indent=1) + "\n")


def test_log_of_a_row(ox, labels, golden):
    call = ["log", "--row", "photo=rex.png", "labels.csv"]
    golden("log-row", ox(*call, cwd=labels).out)
    golden("log-row-oneline", ox(*call, "--oneline", cwd=labels).out)
    assert len(ox(*call, "--oneline", "-n", "2", cwd=labels).lines) == 2
    found = ox(*call, "--json", "HEAD~3..HEAD~1", "--", "labels.csv", code=None, cwd=labels)
    assert found.code == 5  # with --, what stands before it is a revision
    found = ox(
        "log", "--row", "photo=rex.png", "HEAD~3..HEAD~1", "--json", "--", "labels.csv", cwd=labels
    )
    golden("log-row-json", json.dumps([one["row"] for one in found.json], indent=1) + "\n")


def test_what_is_wrong(ox, labels, write):
    for words, code, text in (
        (["blame", "labels.csv", "--key", "photo=nope"], 5, "has no row with photo=nope"),
        (["blame", "labels.csv", "--key", "foto=nope"], 5, "did you mean photo?"),
        (["blame", "labels.csv", "--key", "score=0.5"], 3, "rows 2, 3 have it"),
        (["blame", "data/b.bin", "--key", "one=two"], 3, "not a table"),
        (["blame", "nope.csv", "--key", "one=two"], 5, "nope.csv"),
        (["log", "--row", "photo=nope", "labels.csv"], 5, "no version of labels.csv has a row"),
        (["log", "--row", "photo=rex.png"], 2, "names one table"),
        (["log", "--row", "photo=rex.png", "--graph", "labels.csv"], 2, "goes without --graph"),
    ):
        found = ox.fails(*words, cwd=labels)
        assert text in found.err, (words, found.err)
        assert found.code == code, (words, found.err)


def test_a_version_that_is_no_table(ox, labels, write):
    write({"labels.csv": b"photo,label\nrex.png\n"}, labels)
    ox("add", ".", cwd=labels)
    ox("commit", "-m", "broken", cwd=labels)
    write({"labels.csv": VERSIONS[-1].encode()}, labels)
    ox("add", ".", cwd=labels)
    ox("commit", "-m", "mended", cwd=labels)
    found = ox("log", "--oneline", "--row", "photo=tom.png", "labels.csv", cwd=labels)
    assert [line.split()[-1] for line in found.lines]
    assert "warning: skipped: labels.csv@" in found.err
    assert "1 field" in found.err
    found = ox("blame", "--key", "photo=tom.png", "labels.csv", cwd=labels)
    assert "warning: skipped: labels.csv@" in found.err
    assert ox.fails("blame", "--key", "photo=tom.png", "labels.csv@HEAD~1", cwd=labels).code == 3


def test_blame_of_a_whole_table(ox, labels, golden):
    golden("blame-table", ox("blame", "labels.csv@HEAD~1", cwd=labels).out)
    assert len(ox("blame", "labels.csv@HEAD~1", "--head", "2", cwd=labels).lines) == 2
    golden("blame-stat", ox("blame", "labels.csv@HEAD~1", "--stat", cwd=labels).out)
    found = ox("blame", "labels.csv@HEAD~1", "--json", cwd=labels).json
    assert [one["row"] for one in found] == [2, 3, 4]
    assert {one["title"] for one in found} == {"version 2"}
    counts = ox("blame", "labels.csv@HEAD~2", "--stat", "--json", cwd=labels).json
    assert [(one["title"], one["rows"]) for one in counts] == [("version 0", 1), ("version 1", 1)]


def test_blame_of_rows_by_a_condition(ox, labels):
    found = ox("blame", "labels.csv", "--where", "score = 0.5", cwd=labels)
    heads = [line for line in found.lines if "row" in line]
    assert heads == [
        "labels.csv@HEAD, row 2: photo=tom.png",
        "labels.csv@HEAD, row 3: photo=kit.png",
    ]
    assert ox.fails("blame", "labels.csv", "--where", "score = 7", cwd=labels).code == 5
    assert ox.fails("blame", "labels.csv", "--where", "scores = 7", cwd=labels).code == 3
    assert ox.fails("blame", "labels.csv", "--where", "1=1", "--stat", cwd=labels).code == 2
    doubled = ox.fails("blame", "data/c.csv", "--where", "x = 1 and x = 2", cwd=labels)
    assert doubled.code == 5


def test_a_condition_needs_a_key(ox, repo, write):
    write({"t.csv": b"a,b\n1,x\n1,y\n2,x\n"}, repo)
    ox("add", ".", cwd=repo)
    ox("commit", "-m", "t", cwd=repo)
    found = ox.fails("blame", "t.csv", "--where", "b = 'x'", cwd=repo)
    assert found.code == 2
    assert "ox schema set t.csv --key" in found.err
    ox("schema", "set", "t.csv", "--key", "a,b", cwd=repo)
    ox("commit", "-m", "key", cwd=repo)
    assert len(ox("blame", "t.csv", "--where", "b = 'x'", cwd=repo).lines) == 7
