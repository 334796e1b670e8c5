"""``ox df``: what it shows, in every way; every format is in tests/unit/tables."""

import os
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

LABELS = """\
photo,label,score,taken,note
tom.png,cat,0.50,2026-01-02T10:00:00Z,
rex.png,dog,,2026-01-03T10:00:00Z,""
kit.png,cat,1.10,,"two
lines"
日本.png,fox,-3,2026-01-04T10:00:00Z,null
"""


@pytest.fixture
def labels(ox, repo, write):
    write({"labels.csv": LABELS.encode()}, repo)
    ox("add", "labels.csv", cwd=repo)
    ox("commit", "-m", "labels", cwd=repo)
    write({"labels.csv": LABELS.replace("dog", "wolf").encode()}, repo)
    return repo


def test_the_whole_of_a_small_table(ox, labels, golden):
    golden("df", ox("df", "labels.csv", cwd=labels).out)


def test_a_version(ox, labels):
    for arguments in (
        ["labels.csv@HEAD"],
        ["labels.csv@main~0"],
        ["labels.csv@main@{0}"],
        ["HEAD:labels.csv"],
        ["--rev", "HEAD", "labels.csv"],
    ):
        out = ox("df", *arguments, "--where", "label = 'dog'", cwd=labels).out
        assert "1 row x 5 columns" in out
        assert "rex.png  dog" in out
    assert "0 rows" in ox("df", "labels.csv", "--where", "label = 'dog'", cwd=labels).out
    assert "wolf" in ox("df", "../labels.csv", cwd=labels / "data").out
    ox("add", ".", cwd=labels)
    assert "wolf" in ox("df", "labels.csv@:", cwd=labels).out


def test_a_file_whose_name_has_the_mark(ox, labels, write):
    write({"a@b.csv": b"x\n1\n", "c@main": b"x\n2\n"}, labels)
    assert ox("df", "a@b.csv", cwd=labels).lines[-1] == "    1"
    assert ox("df", "c@main", cwd=labels).lines[-1] == "    2"
    ox("add", ".", cwd=labels)
    ox("commit", "-m", "more", cwd=labels)
    assert ox("df", "a@b.csv@HEAD", cwd=labels).lines[-1] == "    1"


def test_json(ox, labels):
    found = ox("df", "labels.csv", "--json", "--tail", "2", cwd=labels).json
    assert found["path"] == "labels.csv"
    assert (found["rev"], found["format"], found["rows"]) == (None, "csv", 4)
    assert found["columns"][2] == {"name": "score", "type": "double", "nulls": 1}
    assert found["data"] == [
        {"photo": "kit.png", "label": "cat", "score": 1.1, "taken": None, "note": "two\nlines"},
        {
            "photo": "日本.png",
            "label": "fox",
            "score": -3.0,
            "taken": "2026-01-04T10:00:00Z",
            "note": "null",
        },
    ]


def test_parts_order_and_columns(ox, labels, golden):
    call = ["labels.csv", "--columns", "photo,score", "--sort", "score desc"]
    golden("df-sort", ox("df", *call, "--head", "2", cwd=labels).out)
    assert ox("df", *call, "--sample", "2", "--seed", "1", "--json", cwd=labels).json["rows"] == 4


def test_sql(ox, labels, golden):
    query = "select label, count(*) n from t group by label order by n desc, label"
    golden("df-sql", ox("df", "labels.csv", "--sql", query, cwd=labels).out)


def test_stats(ox, labels, golden):
    golden("df-stats", ox("df", "labels.csv", "--stats", cwd=labels).out)
    found = ox("df", "labels.csv", "--stats", "--json", cwd=labels).json
    score = found["columns"][2]
    assert (score["count"], score["nulls"], score["min"], score["max"]) == (3, 1, -3.0, 1.1)
    assert score["quantiles"]["0.5"] == 0.5
    assert found["columns"][1]["top"] == [["cat", 2], ["fox", 1], ["wolf", 1]]


def test_a_wide_table_fits_the_terminal(ox, repo, golden):
    table = pa.table({f"column {n}": [n, None, n * 10**6] for n in range(30)})
    parquet.write_table(table, repo / "wide.parquet")
    out = ox("df", "wide.parquet", cwd=repo).out
    golden("df-wide", out)
    assert all(len(line) <= 80 for line in out.splitlines())


def test_writing(ox, labels):
    ox("df", "labels.csv", "-o", "out.parquet", cwd=labels)
    assert parquet.read_table(labels / "out.parquet")["score"].to_pylist() == [0.5, None, 1.1, -3]
    assert ox.fails("df", "labels.csv", "-o", "out.parquet", cwd=labels).code == 7
    said = ox("df", "labels.csv", "-n", "2", "-o", "out.parquet", "--force", cwd=labels)
    assert said.out == "wrote 2 rows to out.parquet\n"
    ox("df", "labels.csv", "-o", "copy.csv", cwd=labels)
    assert (labels / "copy.csv").read_text() == LABELS.replace("dog", "wolf")
    ox("df", "labels.csv@HEAD", "--where", "score > 0", "-o", "some.jsonl.gz", cwd=labels)
    assert ox("df", "some.jsonl.gz", "--json", cwd=labels).json["rows"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nope.csv"], 5, "nope.csv is not in the work tree\nhint: see what is there: ox ls"),
        (["."], 3, ". is not a file"),
        (["labels.csv@nope"], 5, "nope"),
        (["nope.csv@HEAD"], 5, "nope.csv is not in HEAD"),
        (["labels.csv", "--columns", "labl"], 5, "no column is called 'labl'\nhint: did you mean"),
        (["labels.csv", "--where", "scor > 1"], 3, "line 1: scor > 1\n        ^^^^"),
        (["labels.csv", "--sql", "drop table t"], 3, "not a query: DROP"),
        (["labels.csv", "--sql", "from t", "--where", "1"], 2, "sql goes alone"),
        (["labels.csv", "--head", "1", "--tail", "1"], 2, "exclude each other"),
        (["labels.csv", "-o", "out.xlsx"], 2, "the name out.xlsx tells no format"),
        (["data/b.bin"], 3, "data/b.bin: not a table"),
    ],
)
def test_errors(ox, labels, write, arguments, code, told):
    write({"data/b.bin": b"\0\1\2"}, labels)
    failed = ox.fails("df", *arguments, cwd=labels)
    assert failed.code == code
    assert told in failed.err


def test_a_ragged_row(ox, labels, write):
    write({"bad.csv": b"a,b\n1,2\n3\n"}, labels)
    failed = ox.fails("df", "bad.csv", cwd=labels)
    assert (failed.code, failed.err.splitlines()[0]) == (
        3,
        "error: bad.csv, row 3: 1 fields, and the first row has 2",
    )


def test_status_loads_nothing_of_this(ox, labels):
    code = (
        "import sys; from oxcli.main import run; run(['status']);"
        "assert not {'pyarrow', 'duckdb', 'oxcore.tables'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=labels,
        env={**os.environ, "PYTHONPATH": str(ox.root)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_nothing_is_printed_at_the_end_of_the_process(ox, labels):
    done = ox.process("df", "labels.csv", "--where", "score > 0", cwd=labels)
    assert (done.returncode, done.stderr) == (0, b"")
    failed = ox.process("df", "labels.csv", "--where", "nope", cwd=labels)
    assert failed.returncode == 3
    assert b"leaked" not in failed.stderr
