"""``ox schema``, and what ``ox commit`` says of it."""

import os
import subprocess
import sys

import pytest

LABELS = "id,photo,label,score\n1,a.txt,cat,0.5\n2,data/b.bin,dog,\n"


@pytest.fixture
def labels(ox, repo, write):
    write({"labels.csv": LABELS.encode()}, repo)
    ox("add", "labels.csv", cwd=repo)
    ox("commit", "-m", "labels", cwd=repo)
    ox(
        *("schema", "set", "labels.csv", "--infer", "--key", "id", "--holds", "photo=image"),
        *("--describe", "one row a photo", "--describe", "score=from 0 to 1, = is sure"),
        cwd=repo,
    )
    ox("commit", "-m", "schema", cwd=repo)
    return repo


def test_show(ox, labels, golden, write):
    golden("schema-show", ox("schema", "show", "labels.csv", cwd=labels).out)
    write({"labels.csv": b"id,photo,label\n1,a.txt,x\n1,c.txt,y\n"}, labels)
    golden("schema-departures", ox("schema", "show", "labels.csv", cwd=labels).out)
    out = ox("schema", "show", "labels.csv@HEAD", cwd=labels).out
    assert out.splitlines()[-1] == "it keeps to its schema"
    assert "one row a photo" not in ox("schema", "show", "labels.csv@HEAD~1", cwd=labels).out


def test_show_as_json(ox, labels, write):
    write({"labels.csv": b"id,photo,label\n1,a.txt,x\n1,c.txt,y\n"}, labels)
    found = ox("schema", "show", "labels.csv", "--json", cwd=labels).json
    assert found["path"] == "labels.csv"
    assert found["rev"] is None
    assert found["schema"]["columns"]["photo"] == {"type": "string", "holds": "image"}
    assert found["columns"][0] == {
        "name": "id",
        "type": "int64",
        "kept": "int64",
        "key": True,
        "holds": None,
        "description": None,
    }
    assert [one["kind"] for one in found["departures"]] == ["gone", "missing-file", "doubled-key"]
    assert found["departures"][1]["row"] == 3
    bare = ox("schema", "show", "data/c.csv", "--json", cwd=labels).json
    assert (bare["schema"], bare["departures"]) == (None, [])


def test_without_a_schema(ox, labels):
    lines = ox("schema", "show", "data/c.csv", cwd=labels).lines
    assert lines[-1] == "no schema is kept; make one with: ox schema set FILE --infer"


def test_the_list(ox, labels):
    ox("schema", "set", "c.csv", "--infer", cwd=labels / "data")
    out = ox("schema", cwd=labels).lines
    assert [line.split()[0] for line in out] == ["data/c.csv", "labels.csv"]
    assert out[1].split("  ")[1:] == ["4 columns, key id", "one row a photo"]
    assert ox("schema", cwd=labels / "data").lines[0].split()[0] == "c.csv"
    found = ox("schema", "--json", cwd=labels).json
    assert [(one["path"], one["version"]) for one in found] == [
        ("data/c.csv", 1),
        ("labels.csv", 1),
    ]


def test_set_tells_what_is_kept_and_what_does_not_fit(ox, labels):
    result = ox("schema", "set", "labels.csv", "--type", "score=int64", cwd=labels)
    assert result.out == "labels.csv: 4 columns, key id\n"
    assert result.err == ("warning: labels.csv: column 'score' is double, not int64 (row 2)\n")
    result = ox("schema", "set", "*.csv", "--describe", "of all", cwd=labels)
    assert result.lines == ["data/c.csv: 0 columns", "labels.csv: 4 columns, key id"]
    ox("schema", "set", "labels.csv", "--key", "", "--type", "score=", cwd=labels)
    kept = ox("schema", "show", "labels.csv", "--json", cwd=labels).json["schema"]
    assert "key" not in kept
    assert kept["columns"]["score"] == {"description": "from 0 to 1, = is sure"}


def test_columns_whose_names_are_odd(ox, repo, write):
    write({"odd.csv": b'a=b,c d,"e,f"\n1,2,3\n'}, repo)
    ox(
        *("schema", "set", "odd.csv", "--type", "a=b=timestamp[us, tz=UTC]"),
        *("--describe", "c d=what = that", "--describe", "x=y", "--key", "e,f"),
        cwd=repo,
    )
    kept = ox("schema", "show", "odd.csv", "--json", cwd=repo).json["schema"]
    assert kept == {
        "version": 1,
        "description": "x=y",
        "key": ["e,f"],
        "columns": {
            "a=b": {"type": "timestamp[us, tz=UTC]"},
            "c d": {"description": "what = that"},
        },
    }


def test_rm(ox, labels):
    assert ox("schema", "rm", "labels.csv", "--only", "label", cwd=labels).out == (
        "labels.csv: forgot label\n"
    )
    assert ox("schema", "rm", "labels.csv", cwd=labels).out == "labels.csv: forgot its schema\n"
    assert ox("schema", cwd=labels).out == ""
    ox("undo", cwd=labels)
    assert "3 columns" in ox("schema", cwd=labels).out


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("set", "labels.csv"), 2, "set what?"),
        (("set", "labels.csv", "--only", "id"), 2, "--only goes with --infer"),
        (("set", "labels.csv", "--type", "int64"), 2, "--type takes COLUMN=..., not 'int64'"),
        (("set", "labels.csv", "--type", "nope=int64"), 5, "no column is called 'nope'"),
        (("set", "labels.csv", "--type", "id=int65"), 3, "no type is called 'int65'"),
        (("set", "labels.csv", "--holds", "id=cats"), 3, "a column does not hold 'cats'"),
        (("set", "labels.csv", "--key", "id,id"), 3, "a column stands twice in the key: id, id"),
        (("set", "nope.csv", "--infer"), 5, "nope.csv is not in the work tree"),
        (("set", "*.tsv", "--infer"), 5, "no tracked file fits '*.tsv'"),
        (("rm", "a.txt"), 5, "a.txt has no schema"),
        (("show", "nope.csv"), 5, "nope.csv is not in the work tree"),
    ],
)
def test_what_is_refused(ox, labels, args, code, message):
    result = ox.fails("schema", *args, cwd=labels)
    assert (result.code, message in result.err) == (code, True), result.err


def test_a_bare_repository(ox, labels, tmp_path):
    ox("clone", "--bare", labels, tmp_path / "bare")
    assert "4 columns" in ox("schema", cwd=tmp_path / "bare").out
    assert "it keeps to" in ox("schema", "show", "labels.csv", cwd=tmp_path / "bare").out
    for args in (("set", "labels.csv", "--infer"), ("rm", "labels.csv")):
        result = ox.fails("schema", *args, cwd=tmp_path / "bare")
        assert (result.code, "is bare" in result.err) == (2, True)


def test_commit_warns_or_refuses(ox, labels, write, golden):
    write({"labels.csv": b"id,photo\n1,a.txt\n1,c.txt\n"}, labels)
    refused = ox.fails("commit", "-am", "worse", "--strict", cwd=labels)
    assert refused.code == 19
    golden("schema-refused", refused.err)
    assert "not staged: 1 modified" in ox("status", cwd=labels).out
    told = ox("commit", "-am", "worse", cwd=labels)
    golden("schema-warned", told.err)
    assert "worse" in told.out


def test_commit_json_and_the_setting(ox, labels, write):
    write({"labels.csv": b"id,photo\n1,a.txt\n1,c.txt\n"}, labels)
    ox("config", "commit.strict", "true", cwd=labels)
    assert ox.fails("commit", "-am", "worse", cwd=labels).code == 19
    found = ox("commit", "-am", "worse", "--no-strict", "--json", cwd=labels).json
    (left,) = found["left"]
    assert left["path"] == "labels.csv"
    assert left["departures"][0]["kind"] == "gone"
    ox("config", "commit.strict", "maybe", cwd=labels)
    assert ox.fails("commit", "-m", "x", "--allow-empty", cwd=labels).code == 3


def test_merge_warns(ox, labels, write):
    ox("switch", "-c", "topic", cwd=labels)
    write({"labels.csv": b"id\n1\n"}, labels)
    ox("commit", "-am", "fewer", cwd=labels)
    ox("switch", "main", cwd=labels)
    ox("commit", "--allow-empty", "-m", "here", cwd=labels)
    assert "warning: labels.csv: column 'photo' is gone" in ox("merge", "topic", cwd=labels).err


def test_a_repository_without_schemas_loads_nothing_of_tables(ox, repo, write):
    code = (
        "import sys; from oxcli.main import run; code = run(['commit', '-am', 'x']); "
        "print(code, [m for m in sys.modules if m.startswith(('pyarrow', 'duckdb'))])"
    )
    write({"data/c.csv": b"n\n1\n"}, repo)
    env = {**os.environ, "PYTHONPATH": str(ox.root)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repo, env=env, capture_output=True, check=True
    )
    assert done.stdout.splitlines()[-1] == b"0 []"
