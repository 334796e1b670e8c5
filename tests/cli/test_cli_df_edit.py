"""``ox df edit``."""

import gzip
import json
import os

import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

LABELS = (
    "id,photo,label,score\r\n"
    '1,a.png,cat,0.50\r\n2,"b,1.png",dog,\r\n\r\n3,c.png,"cat",1.10\r\n4,d.png,fox,-3'
)


@pytest.fixture
def labels(repo, write):
    write({"labels.csv": LABELS.encode()}, repo)
    return repo


def text(folder, name="labels.csv"):
    return (folder / name).read_bytes().decode()


def test_cells(ox, labels):
    said = ox("df", "edit", "labels.csv", "--set", "label=cat", "--where", "score < 0", cwd=labels)
    assert said.out == "labels.csv: 1 row set; 4 rows\n"
    assert text(labels) == LABELS.replace("fox", "cat")
    ox(
        "df",
        "edit",
        "labels.csv",
        "--set",
        "score=0",
        "--set-null",
        "label",
        "--key",
        "id=2",
        cwd=labels,
    )
    assert text(labels) == LABELS.replace("fox", "cat").replace("dog,", ",0")
    ox("df", "edit", "labels.csv", "--set", "photo=x,y", "--row", "1", "--row", "4", cwd=labels)
    assert text(labels).splitlines()[1] == '1,"x,y",cat,0.50'
    ox("df", "edit", "labels.csv", "--set-sql", "score=score * 2", "--where", "id = 3", cwd=labels)
    assert text(labels).splitlines()[4] == '3,c.png,"cat",2.2'


def test_columns(ox, labels):
    said = ox(
        *("df", "edit", "labels.csv", "--rename-column", "label=kind", "--drop-column", "photo"),
        *("--add-column", "seen=false", "--add-column", "day:date32[day]=2026-01-31"),
        *("--add-column", "note", "--set", "seen=true", "--set", "kind=bird", "--key", "id=4"),
        cwd=labels,
    )
    assert said.out == (
        "labels.csv: 1 row set; seen added, day added, note added, label is now kind, "
        "photo dropped; 4 rows\n"
    )
    assert text(labels) == (
        "id,kind,score,seen,day,note\r\n1,cat,0.50,false,2026-01-31,\r\n2,dog,,false,2026-01-31,"
        '\r\n\r\n3,"cat",1.10,false,2026-01-31,\r\n4,bird,-3,true,2026-01-31,'
    )


def test_rows(ox, labels, write):
    ox("df", "edit", "labels.csv", "--delete", "--where", "label = 'cat'", cwd=labels)
    assert text(labels) == ('id,photo,label,score\r\n2,"b,1.png",dog,\r\n\r\n4,d.png,fox,-3')
    new = '{"id": 5, "label": "newt"}'
    ox(
        "df",
        "edit",
        "labels.csv",
        "--append",
        new,
        "--append",
        "-",
        stdin=f"[{new}]\n{new}",
        cwd=labels,
    )
    assert text(labels).endswith("4,d.png,fox,-3\r\n5,,newt,\r\n5,,newt,\r\n5,,newt,")
    write({"new.json": b'[{"photo": "e.png"}]'}, labels)
    ox("df", "edit", "labels.csv", "--append", "@new.json", "--delete", "--row", "1", cwd=labels)
    assert text(labels).endswith("\r\n,e.png,,")
    assert "dog" not in text(labels)


def test_rows_of_another_table(ox, labels, write):
    write({"new.csv": b"score,id,label\n0.5,1,cat\n7.70,2,dog\n1,9,owl\n"}, labels)
    said = ox("df", "edit", "labels.csv", "--from", "new.csv", "--keys", "id", cwd=labels)
    assert said.out == "labels.csv: 2 rows set, 1 row added; 5 rows\n"
    assert text(labels) == LABELS.replace("0.50", "0.5").replace("dog,", "dog,7.70") + (
        "\r\n9,,owl,1"
    )
    again = ox("df", "edit", "labels.csv", "--from", "new.csv", "--keys", "id", cwd=labels)
    assert again.out == "labels.csv: nothing to change; 5 rows\n"
    ox("df", "labels.csv", "-o", "all.parquet", cwd=labels)
    ox("df", "edit", "all.parquet", "--set", "label=bat", "--key", "id=9", cwd=labels)
    said = ox("df", "edit", "labels.csv", "--from", "all.parquet", "--keys", "id", cwd=labels)
    assert said.out == "labels.csv: 1 row set; 5 rows\n"
    assert text(labels).endswith('dog,7.70\r\n\r\n3,c.png,"cat",1.10\r\n4,d.png,fox,-3\r\n9,,bat,1')
    ox("df", "edit", "labels.csv", "--from", "new.csv", cwd=labels)
    assert text(labels).endswith("\r\n1,,cat,0.5\r\n2,,dog,7.70\r\n9,,owl,1")


def test_every_format(ox, labels):
    rows = [{"id": 1, "label": "a"}, {"id": 2, "label": None}, {"id": 3, "label": "c"}]
    table = pa.Table.from_pylist(rows)
    parquet.write_table(table, labels / "t.parquet", compression="zstd")
    with ipc.new_file(labels / "t.arrow", table.schema) as file:
        file.write_table(table)
    with ipc.new_stream(labels / "t.arrows", table.schema) as stream:
        stream.write_table(table)
    (labels / "t.tsv").write_text("id\tlabel\n1\ta\n2\t\n3\tc\n")
    (labels / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (labels / "t.json").write_text(json.dumps(rows, indent=2))
    (labels / "t.csv.gz").write_bytes(gzip.compress(b"id,label\n1,a\n2,\n3,c\n"))
    for name in ("t.parquet", "t.arrow", "t.arrows", "t.tsv", "t.jsonl", "t.json", "t.csv.gz"):
        new = '{"id": 4, "label": "d"}'
        said = ox(
            *("df", "edit", name, "--set", "label=b", "--where", "label is null"),
            *("--append", new, "--json"),
            cwd=labels,
        ).json
        assert (said["rows"], said["set"], said["added"]) == (4, 1, 1)
        found = ox("df", name, "--json", cwd=labels).json["data"]
        assert found == [{"id": n, "label": label} for n, label in enumerate("abcd", 1)]
    assert (
        parquet.ParquetFile(labels / "t.parquet").metadata.row_group(0).column(0).compression
        == "ZSTD"
    )


def test_nothing_is_written_by_a_dry_run(ox, labels, golden):
    call = ["df", "edit", "labels.csv", "--set", "label=x", "--add-column", "n=1"]
    said = ox(*call, "--dry-run", cwd=labels)
    assert said.out == "labels.csv: 4 rows set; n added; 4 rows (nothing was written)\n"
    assert text(labels) == LABELS
    golden("df-edit-json", ox(*call, "-n", "--json", cwd=labels).out)
    ox(*call, "-o", "other.csv", cwd=labels)
    assert text(labels) == LABELS
    assert text(labels, "other.csv").startswith("id,photo,label,score,n\r\n1,a.png,x,0.50,1\r\n")
    assert ox.fails(*call, "-o", "other.csv", cwd=labels).code == 7
    assert ox.fails(*call, "-o", "other.parquet", cwd=labels).code == 2


def test_the_file_keeps_its_mode_and_a_link_its_target(ox, labels):
    os.chmod(labels / "labels.csv", 0o640)
    os.symlink("labels.csv", labels / "link.csv")
    ox("df", "edit", "link.csv", "--set", "label=x", cwd=labels)
    assert (labels / "link.csv").is_symlink()
    assert (labels / "labels.csv").stat().st_mode & 0o777 == 0o640
    assert text(labels).count(",x,") == 4
    assert [name for name in os.listdir(labels) if name.startswith(".tmp")] == []


def test_a_file_that_is_called_edit(ox, labels, write):
    write({"edit": b"a,b\n1,2\n"}, labels)
    assert "1 row x 2 columns" in ox("df", "./edit", cwd=labels).out
    ox("df", "edit", "edit", "--set", "a=3", cwd=labels)
    assert text(labels, "edit") == "a,b\n3,2\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "nothing to do"),
        (["--set", "labl=x"], 5, "no column is called 'labl'\nhint: did you mean label?"),
        (["--set", "label"], 2, "--set label: a column, = and what it becomes"),
        (["--set", "label=x", "--where", "scor > 1"], 3, "line 1: scor > 1\n        ^^^^"),
        (["--set", "label=x", "--key", "id=7"], 5, "labels.csv: no rows have the key id=7"),
        (["--set", "label=x", "--row", "5"], 5, "labels.csv has no row 5: it has 4 rows"),
        (["--set-sql", "score=label +"], 3, "syntax error"),
        (["--delete"], 2, "delete which rows?"),
        (["--row", "1"], 2, "what is to be done with these rows?"),
        (["--append", "{"], 2, "--append: not JSON"),
        (["--append", "[1]"], 2, "--append: 1 is no record"),
        (["--append", "@nope"], 5, "nope is not a file"),
        (["--append", '{"x": 1}'], 5, "no column is called 'x'"),
        (["--from", "data/c.csv", "--keys", "id"], 5, "data/c.csv has a column"),
        (["--keys", "id"], 2, "keys of which table?"),
        (["--drop-column", "x"], 5, "no column is called 'x'"),
        (["--rename-column", "id=label"], 2, "two columns would be called 'label'"),
        (["--add-column", "n:int=1"], 2, "--add-column n:int=1"),
        (["--add-column", "n:int8=300"], 3, "'300' is no int8"),
    ],
)
def test_errors_change_nothing(ox, labels, arguments, code, told):
    failed = ox.fails("df", "edit", "labels.csv", *arguments, cwd=labels)
    assert (failed.code, told in failed.err) == (code, True), failed.err
    assert text(labels) == LABELS


def test_a_value_that_is_none_of_its_column(ox, labels):
    parquet.write_table(pa.table({"id": [1, 2]}), labels / "t.parquet")
    before = (labels / "t.parquet").read_bytes()
    failed = ox.fails("df", "edit", "t.parquet", "--set", "id=x", cwd=labels)
    assert (failed.code, failed.err.splitlines()[0]) == (
        3,
        "error: t.parquet, column 'id': 'x' is no int64",
    )
    failed = ox.fails("df", "edit", "t.parquet", "--append", '{"id": "7"}', cwd=labels)
    assert "error: t.parquet, column 'id': '7' is no int64" in failed.err
    assert (labels / "t.parquet").read_bytes() == before
    assert ox("df", "edit", "labels.csv", "--set", "id=x", "--row", "1", cwd=labels).code == 0
    assert ox("df", "labels.csv", "--json", cwd=labels).json["columns"][0]["type"] == "string"
