"""``ox diff`` of tables, by rows; what a row diff is, is in tests/unit/tables."""

import gzip
import itertools
import json
import re

import pyarrow as pa
import pytest
from pyarrow import feather, parquet

OLD = """\
id,label,score,note
1,cat,0.5,first
2,dog,0.25,
3,fox,1.0,third
"""
NEW = """\
id,label,score,note
1,cat,0.5,first
2,wolf,0.25,""
4,hen,2.0,fourth
"""
STAT = "(1 added, 1 removed, 1 changed of 3 rows by id)"


@pytest.fixture
def labels(ox, repo, write):
    write({"labels.csv": OLD})
    ox("add", ".")
    ox("commit", "-m", "labels")
    write({"labels.csv": NEW})
    return repo


def wide(rows):
    names = ["id", *(f"column {number}" for number in range(20))]
    lines = [",".join(names)]
    lines += [",".join([str(at), *("x" * 12 for _ in names[1:])]) for at in range(rows)]
    return "\n".join(lines) + "\n"


def test_counts_then_rows(ox, labels, golden):
    golden("diff-rows", ox("diff").out)
    golden("diff-rows-terminal", ox("diff", tty=True).out)
    golden("diff-rows-stat", ox("diff", "--stat").out)


def test_every_pair_of_versions(ox, labels):
    assert STAT in ox("diff", "--stat").out
    assert STAT in ox("diff", "HEAD", "--stat", "--", "labels.csv").out
    ox("add", ".")
    assert STAT in ox("diff", "--staged", "--stat").out
    ox("commit", "-m", "edited")
    for revisions in (["HEAD~1", "HEAD"], ["HEAD~1..HEAD"], ["HEAD~1...HEAD"]):
        assert STAT in ox("diff", *revisions, "--stat").out
    assert STAT in ox("diff", "HEAD..HEAD~1", "--stat").out


def test_rows_as_json(ox, labels):
    (found,) = ox("diff", "--json").json
    table = found["table"]
    assert (table["by"], table["keys"], table["formats"]) == ("key", ["id"], ["csv", "csv"])
    assert table["counts"] == {
        "added": 1, "removed": 1, "changed": 1, "same": 1, "old": 3, "new": 3
    }  # fmt: skip
    assert table["cells"] == {"label": 1, "note": 1}
    changed = next(row for row in table["rows"] if row["change"] == "changed")
    assert (changed["old_row"], changed["new_row"], changed["cells"]) == (1, 1, ["label", "note"])
    assert changed["old"] == {"id": 2, "label": "dog", "score": 0.25, "note": None}
    assert changed["new"] == {"id": 2, "label": "wolf", "score": 0.25, "note": ""}
    assert {row["change"]: row["old"] is None for row in table["rows"]} == {
        "added": True, "removed": False, "changed": False
    }  # fmt: skip
    counts = {name: value for name, value in table.items() if name not in {"rows", "more"}}
    assert ox("diff", "--json", "--stat").json[0]["table"] == counts
    assert "table" not in ox("diff", "--json", "--name-status").json[0]


def test_lines_as_before(ox, labels):
    out = ox("diff", "--text").out
    assert "-2,dog,0.25,\n" in out
    assert "@@" in out
    assert "text" in ox("diff", "--text", "--json").json[0]


def test_columns(ox, labels, write):
    old = [f"{n},animal {n},{n}.5,note {n}" for n in range(50)]
    new = [f"{n},animal {n},{n}.5,{n * n}" for n in range(50)]
    write({"labels.csv": "id,label,score,note\n" + "\n".join(old)})
    ox("add", ".")
    write({"labels.csv": "id,label,score,extra\n" + "\n".join(new).replace("9.5", "9.x")})
    line = ox("diff").lines[1]
    assert line == (
        "labels.csv: 5 changed of 50 rows by id; columns +extra, -note, score double -> string"
    )


def test_renamed_columns_and_the_order_of_rows(ox, repo, write):
    rows = [f"{n},animal {n}\n" for n in range(20)]
    write({"t.csv": "id,label\n" + "".join(rows)})
    ox("add", ".")
    rows[3], rows[8:10] = "3,beast\n", rows[9:7:-1]
    write({"t.csv": "id,name\n" + "".join(["20,new\n", *rows])})
    counts, _, *table = ox("diff").lines[1:]
    assert counts == (
        "t.csv: 1 added, 1 changed of 20 -> 21 rows by id; columns label -> name renamed"
    )
    assert [line.split() for line in table] == [
        ["id", "name"],
        ["+", "20", "new"],
        ["~", "3", *["animal", "3", "->", "beast"]],
    ]
    assert "2 added, 1 removed, 1 changed of 20 -> 21 rows in order" in ox("diff", "--ordered").out


def test_as_many_rows_as_anybody_reads_and_all_on_demand(ox, labels, write):
    write({"labels.csv": "id,label,score,note\n" + "".join(f"{n},a,1,\n" for n in range(5, 1105))})
    for arguments, tty, count in (((), True, 40), ((), False, 1000), (("--all",), True, 1103)):
        out = ox("diff", *arguments, tty=tty).out
        assert len(re.findall(r"^(?:\x1b\[3.m)?[+-] +\d", out, re.MULTILINE)) == count
        left = f"... and {1103 - count:,} more rows: see them with --all, or -o FILE.parquet"
        assert (left in out) == (count < 1103)
    (found,) = ox("diff", "--json").json
    assert (len(found["table"]["rows"]), found["table"]["more"]) == (1000, 103)
    assert ox("diff", "-o", "all.parquet").out == "wrote 1,103 rows to all.parquet\n"


def test_columns_that_do_not_fit_are_named_and_those_that_changed_are_shown(ox, repo, write):
    old = wide(3)
    write({"wide.csv": old})
    ox("add", ".")
    write({"wide.csv": old.removesuffix("x\n") + "y\n"})
    head, row, *rest = ox("diff").lines[3:]
    assert head.split() == ["id", *["column", "0", "column", "1", "column", "2", "column", "19"]]
    assert row.endswith("  xxxxxxxxxxxx -> xxxxxxxxxxxy")
    assert " ".join(rest).startswith("16 more columns: column 3, column 4,")
    assert max(map(len, ox("diff").lines)) <= 80


def test_a_long_text_shows_where_it_differs(ox, repo, write):
    write({"t.csv": f"id,text\n1,{'a' * 300}b{'c' * 300}\n"})
    ox("add", ".")
    write({"t.csv": f"id,text\n1,{'a' * 300}d{'c' * 300}\n"})
    assert "…aaaaaaaabccccccc… -> …aaaaaaaadccccccc…" in ox("diff").out


def test_new_and_removed_tables(ox, labels, write, golden):
    (labels / "data/c.csv").unlink()
    write({"new.jsonl": '{"a": 1, "b": null}\n{"a": 2, "b": "x"}\n'})
    ox("add", ".")
    golden("diff-rows-whole", ox("diff", "--staged", "--", "data", "new.jsonl").out)
    write({"long.csv": "n\n" + "".join(f"{number}\n" for number in range(25))})
    ox("add", ".")
    arguments = ["diff", "--staged", "--", "long.csv"]
    assert "+ 10  9\n... and 15 more rows: see them with --all," in ox(*arguments).out
    assert len(ox("diff", "--all", *arguments[1:]).lines) == 29
    (found,) = ox("diff", "--json", *arguments[1:]).json
    assert (found["table"]["more"], len(found["table"]["rows"])) == (15, 10)
    (found,) = ox("diff", "--json", "--all", *arguments[1:]).json
    assert (found["table"]["more"], len(found["table"]["rows"])) == (0, 25)
    out = ox("diff", "--staged", "-o", "whole.parquet", "--", "new.jsonl").out
    assert out == "wrote 2 rows to whole.parquet\n"
    assert parquet.read_table(labels / "whole.parquet").to_pylist()[1] == {
        "change": "added", "old row": None, "new row": 1, "new a": 2, "new b": "x"
    }  # fmt: skip


def test_one_table_is_written(ox, labels, write):
    assert ox("diff", "-o", "rows.parquet").out == "wrote 3 rows to rows.parquet\n"
    rows = parquet.read_table(labels / "rows.parquet").to_pylist()
    assert sorted(row["change"] for row in rows) == ["added", "changed", "removed"]
    changed = next(row for row in rows if row["change"] == "changed")
    assert (changed["old label"], changed["new label"]) == ("dog", "wolf")
    assert ox.fails("diff", "-o", "rows.parquet").code == 7
    ox("diff", "-o", "rows.parquet", "-f")
    assert "tells no format" in ox.fails("diff", "-o", "rows.txt").err
    write({"data/c.csv": "x\n2\n"})
    assert "more of them differ" in ox.fails("diff", "-o", "more.parquet").err
    assert "no table differs" in ox.fails("diff", "-o", "more.parquet", "--", "a.txt").err
    assert not (labels / "more.parquet").exists()


# ------------------------------------------------------------------------------------------ keys


def test_keys(ox, labels, write):
    write({"labels.csv": NEW.replace("4,hen", "3,hen")})
    assert "1 changed" in ox("diff", "--stat", "--keys", "score").out
    assert "by id, label" in ox("diff", "--stat", "--keys", "id,label").out
    assert "by id, label" in ox("diff", "--stat", "--keys", "id", "--keys", "label").out
    wrong = ox.fails("diff", "--keys", "idd")
    assert "no column is called 'idd'" in wrong.err
    assert "Traceback" not in wrong.err


def test_the_key_of_the_schema_then_one_that_is_found(ox, repo, write):
    write({"t.csv": "a,b\n1,x\n2,y\n"})
    ox("schema", "set", "t.csv", "--key", "b")
    ox("add", ".")
    ox("commit", "-m", "t")
    write({"t.csv": "a,b\n1,x\n3,y\n"})
    assert "1 changed of 2 rows by b" in ox("diff", "--stat", "--", "t.csv").out
    ox("schema", "set", "t.csv", "--key", "a")
    assert "1 added, 1 removed of 2 rows by a" in ox("diff", "--stat", "HEAD", "--", "t.csv").out
    write({"t.csv": "a,c\n1,p\n3,q\n"})
    ox("schema", "set", "t.csv", "--key", "c")
    assert "by a" in ox("diff", "--stat", "HEAD", "--", "t.csv").out


def test_a_file_of_any_name_with_a_schema_or_keys_is_a_table(ox, repo, write):
    write({"list": "a,b\n1,x\n2,y\n", "other.txt": "a,b\n1,x\n2,y\n"})
    ox("add", ".")
    ox("commit", "-m", "lists")
    write({"list": "a,b\n1,x\n2,z\n", "other.txt": "a,b\n1,x\n2,z\n", "a.txt": "no table\n"})
    assert "rows" not in ox("diff", "--stat").out
    out = ox("diff", "--stat", "--keys", "a").out
    assert out.count("1 changed of 2 rows by a") == 2
    assert "M  a.txt  8 B -> 9 B  (not compared by rows: " in out
    ox("schema", "set", "list", "--key", "b")
    assert (
        "list  12 B, other content  (1 added, 1 removed of 2 rows by b)"
        in ox("diff", "--stat", "HEAD", "--", "list", "other.txt").out
    )


def test_tolerance(ox, labels, write):
    write({"labels.csv": OLD.replace("0.25", "0.2500001")})
    assert "1 changed" in ox("diff").out
    assert "none differs of 3 rows" in ox("diff", "--tolerance", "1e-6").out
    assert "--tolerance" in ox.fails("diff", "--tolerance", "-1").err


# ------------------------------------------------------------------- what is no table, and formats


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("ragged.csv", b"a,b\n1,2\n3\n", "ragged.csv, row 3: 1 field"),
        ("mixed.jsonl", b'{"a": 1}\n[2]\n', "mixed.jsonl, row 2"),
        ("cut.parquet", b"PAR1" + bytes(60), "cut.parquet"),
        ("empty.csv", b"", "empty.csv: it is empty"),
        ("odd.tsv", b"a\tb\n\xff\t1\n", "odd.tsv, row 2, column 'a'"),
        ("packed.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "packed.csv.gz"),
    ],
    ids=["ragged", "mixed", "cut", "empty", "odd", "packed"],
)
def test_what_is_no_table_is_compared_as_before_and_it_is_said_why(
    ox, repo, write, name, data, why
):
    write({name: b"a,b\n1,2\n"})
    ox("add", ".")
    write({name: data})
    result = ox("diff")
    remarks = [line for line in result.lines if line.startswith("not compared by rows: ")]
    assert len(remarks) == 1
    assert why in remarks[0]
    assert result.err == ""
    assert re.search(r"^@@|^binary", result.out, re.MULTILINE)
    (found,) = ox("diff", "--json").json
    assert found["no_table"] in remarks[0]
    assert {"text", "chunks"} & set(found)
    assert f"(not compared by rows: {found['no_table']})" in ox("diff", "--stat").out
    assert why in ox.fails("diff", "-o", "rows.parquet").err


def test_json_that_is_no_table_is_text_without_a_word(ox, repo, write):
    write({"package.json": '{"a": 1,\n "b": 2}\n', "rows.json": '[{"a": 1}]'})
    ox("add", ".")
    write({"package.json": '{"a": 1,\n "b": 3}\n', "rows.json": '[{"a": 2}]'})
    out = ox("diff").out
    assert '- "b": 2}' in out
    assert "not compared" not in out
    assert "rows.json: 1 added, 1 removed of 1 row by a" in out


def test_a_table_in_every_format(ox, repo, write):
    rows = [{"id": 1, "x": "a"}, {"id": 2, "x": "b"}]
    table = pa.Table.from_pylist(rows)
    write(
        {
            "t.tsv": "id\tx\n1\ta\n2\tb\n",
            "t.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
            "t.json": json.dumps(rows),
            "t.csv.gz": gzip.compress(b"id,x\n1,a\n2,b\n"),
        }
    )
    parquet.write_table(table, repo / "t.parquet")
    feather.write_feather(table, repo / "t.feather")
    with pa.ipc.new_stream(str(repo / "t.arrows"), table.schema) as writer:
        writer.write_table(table)
    names = ["t.parquet", "t.arrows", "t.csv.gz", "t.feather", "t.json", "t.jsonl", "t.tsv"]
    for one, two in itertools.pairwise(names):
        assert "none differs of 2 rows by id" in ox("diff", "--stat", "--files", one, two).out


# ------------------------------------------------------------------------------------- two files


def test_two_files_of_any_versions(ox, labels):
    for arguments in (
        ["labels.csv@HEAD", "labels.csv"],
        ["HEAD:labels.csv", "labels.csv"],
        ["labels.csv@:", "labels.csv"],
        ["--files", "labels.csv@main", "labels.csv"],
        ["labels.csv@HEAD", "labels.csv@HEAD"],
    ):
        out = ox("diff", "--stat", *arguments).out
        assert STAT in out or (arguments[-1] == "labels.csv@HEAD" and out == "nothing differs\n")
    assert (
        "dog -> wolf" in ox("diff", "../labels.csv@HEAD", "../labels.csv", cwd=labels / "data").out
    )
    ox("df", "labels.csv", "-o", "new.parquet")
    assert "none differs" in ox("diff", "--files", "labels.csv", "new.parquet").out
    ox("diff", "--files", "labels.csv", "new.parquet", "--exit-code", code=0)
    ox("diff", "labels.csv@HEAD", "new.parquet", "--exit-code", code=1)
    head = ox("diff", "a.txt@HEAD", "labels.csv").lines[:3]
    assert head == ["diff --ox a/a.txt b/labels.csv", "--- a/a.txt", "+++ b/labels.csv"]


def test_two_paths_are_still_paths(ox, labels):
    assert ox("diff", "--name-status", "a.txt", "labels.csv").out == "M\tlabels.csv\n"
    assert ox("diff", "--name-status", "main@{0}", "labels.csv").out == "M\tlabels.csv\n"
    assert ox("diff", "--name-status", "HEAD", "main").out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--files", "labels.csv"],
        ["--files", "labels.csv", "nope.csv"],
        ["labels.csv@HEAD", "nope.csv"],
        ["labels.csv@nope", "labels.csv"],
        ["--staged", "labels.csv@HEAD", "labels.csv"],
        ["--files", "labels.csv", "data"],
    ],
)
def test_wrong_files(ox, labels, arguments):
    wrong = ox.fails("diff", *arguments)
    assert wrong.code in {2, 5}
    assert "hint: " in wrong.err
