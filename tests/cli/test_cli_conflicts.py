"""``ox merge`` of tables by their rows, ``ox conflicts``, and ``ox resolve`` cell by cell."""

import io
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

BASE = [(1, "cat", 0.5), (2, "dog", 1.5), (3, "cow", 2.5), (4, "emu", None)]
KEPT = [(0, "ant", 0.0), (1, "kitten", 0.75), (3, "bull", 3.5), (6, "pig", 6.0)]
OURS = [(1, "cat", 0.75), (2, "dog", 1.5), (3, "bull", 2.5), (4, "emu", None), (6, "pig", 6.0)]
THEIRS = [(0, "ant", 0.0), (1, "kitten", 0.5), (3, "calf", 3.5), (6, "hog", 6.0)]
LAST = [(0, "ant", 0.0), (1, "kitten", 0.75), (3, "calf", 3.5), (6, "hog", 6.0)]


def csv(rows):
    lines = [",".join("" if v is None else str(v) for v in row) for row in rows]
    return "\r\n".join(["id,label,score", *lines])


def jsonl(rows):
    records = [dict(zip(("id", "label", "score"), row, strict=True)) for row in rows]
    return "".join(f"{json.dumps(one)}\n" for one in records)


def arrow(rows):
    names = ("id", "label", "score")
    types = (pa.int64(), pa.string(), pa.float64())
    columns = [list(values) for values in zip(*rows, strict=True)]
    return pa.table(columns, pa.schema(list(zip(names, types, strict=True))))


def packed(rows):
    out = io.BytesIO()
    parquet.write_table(arrow(rows), out, compression="zstd")
    return out.getvalue()


MAKERS = {"labels.csv": csv, "labels.jsonl": jsonl, "labels.parquet": packed}


def read(path):
    if path.suffix == ".parquet":
        return [tuple(row.values()) for row in parquet.read_table(path).to_pylist()]
    if path.suffix == ".jsonl":
        return [tuple(json.loads(line).values()) for line in path.read_text().splitlines()]
    return path.read_bytes().decode()


def expected(name, rows):
    return csv(rows) if name.endswith(".csv") else rows


def fork(ox, repo, write, versions):
    """Branches main and topic, parted after a base; each version: path -> content."""
    base, ours, theirs = versions
    write(base)
    ox("add", ".")
    ox("commit", "-m", "base")
    ox("switch", "-c", "topic")
    write(theirs)
    ox("commit", "-am", "theirs")
    ox("switch", "main")
    write(ours)
    ox("commit", "-am", "ours")


@pytest.fixture(params=MAKERS)
def forked(request, ox, repo, write):
    """The name of a table in conflict: three places of it."""
    make = MAKERS[request.param]
    fork(ox, repo, write, [{request.param: make(rows)} for rows in (BASE, OURS, THEIRS)])
    return request.param


def test_a_table_is_merged_by_rows_and_asks_for_the_rest(ox, repo, forked, golden):
    stopped = ox.fails("merge", "topic")
    assert stopped.code == 9
    assert read(repo / forked) == expected(forked, KEPT)
    told = stopped.err + ox("status").out + ox("conflicts").out
    told += ox.fails("commit", "-m", "early").err
    told += ox("resolve", forked, "--set", "3.label=ox").out
    told += ox("conflicts").out + ox("resolve", "--theirs", forked).out + ox("conflicts").out
    if forked == "labels.csv":
        golden("conflicts", told)
    done = [row if row[0] != 3 else (3, "ox", 3.5) for row in LAST]
    assert read(repo / forked) == expected(forked, done)
    ox("commit")
    assert ox("status", "-s").out == ""
    assert ox("conflicts").out == "nothing waits\n"


def test_each_side_for_all_that_is_open(ox, repo, forked):
    for side in ("ours", "theirs"):
        ox.fails("merge", "topic")
        ox("resolve", f"--{side}", ".")
        rows = LAST if side == "theirs" else KEPT
        assert read(repo / forked) == expected(forked, rows)
        ox("merge", "--abort")
        assert read(repo / forked) == expected(forked, OURS)
        assert ox("status", "-s").out == ""


def test_a_table_without_a_question(ox, repo, write, golden):
    ours = [(1, "cat", 9.5), *BASE[1:]]
    theirs = [*BASE[:3], (5, "yak", 1.0)]
    versions = [{"labels.csv": csv(rows)} for rows in (BASE, ours, theirs)]
    fork(ox, repo, write, versions)
    golden("merge-rows", ox("merge", "topic").out)
    assert (repo / "labels.csv").read_bytes().decode() == csv([*ours[:3], (5, "yak", 1.0)])
    assert ox("undo").code == 0
    found = ox("merge", "topic", "--json").json
    counts = {"cells": 0, "inserted": 1, "deleted": 1, "open": 0}
    assert found["tables"] == [{"path": "labels.csv", "keys": ["id"], **counts, "why": None}]


def test_all_that_can_be_open_in_a_narrow_terminal(ox, repo, write, golden, monkeypatch):
    """Rows, columns and long or wide cells, a table without a key, and a file."""
    base = "photo,n,old,label,gone\nimg.1.jpg,1,1,犬,7\nb.png,2,2,cow,8\nc.png,3,3,elk,9\n"
    ours = base.replace("犬", "狼").replace("c.png,3,3,elk,9\n", "").replace("old,", "mine,")
    theirs = base.replace("犬", "狐 " * 40).replace("elk", "moose").replace("old,", "hers,")
    ours = "".join(f"{line.rpartition(',')[0]}\n" for line in ours.splitlines())
    theirs = theirs.replace("b.png,2,2,cow,8", "b.png,2,2,cow,80")
    doubled = ["x\n1\n1\n", "x\n1\n1\n2\n", "x\n1\n1\n3\n"]
    names = ("labels.csv", "list.csv", "a.txt")
    versions = zip((base, ours, theirs), doubled, "012", strict=True)
    fork(ox, repo, write, [dict(zip(names, one, strict=True)) for one in versions])
    told = ox.fails("merge", "topic").err
    monkeypatch.setenv("COLUMNS", "60")
    golden("conflicts-narrow", told + ox("conflicts").out)
    found = ox("conflicts", "labels.csv", "--json").json[0]["cells"]
    assert [one["name"] for one in found] == ["mine", "gone", '"img.1.jpg".label', '"c.png"']
    set_all = ["img.1.jpg.label=fox", "gone=theirs", "mine=ours", "c.png=theirs"]
    args = [word for one in set_all for word in ("--set", one)]
    assert ox("resolve", "labels.csv", *args).lines[0] == "settled 4 places of labels.csv, 0 left"
    assert (repo / "labels.csv").read_text() == (
        "photo,n,mine,label,gone\nimg.1.jpg,1,1,fox,7\nb.png,2,2,cow,80\nc.png,3,3,moose,9\n"
    )


def test_decisions_from_a_table(ox, forked, repo, tmp_path_factory):
    ox.fails("merge", "topic")
    answers = tmp_path_factory.mktemp("answers") / "a.csv"
    answers.write_text("key,column,value\n3,label,yak\n6,label,\n")
    done = ox("resolve", forked, "--set-from", answers, "--json").json
    assert (done["settled"], done["left"], done["open"]) == (1, 1, 1)
    answers.write_text("key,column,value\n6,label,boar\n")
    ox("resolve", forked, "--set-from", answers)
    rows = [(0, "ant", 0.0), (1, "kitten", 0.75), (3, "yak", 3.5), (6, "boar", 6.0)]
    assert read(repo / forked) == expected(forked, rows)


def test_wrong_uses(ox, forked):
    ox.fails("merge", "topic")
    for args, code in (
        (["--set", "3.label=x"], 2),
        ([forked, "--set", "3.label=x", "--ours"], 2),
        ([forked, "--set", "3.label"], 2),
        ([forked, "--set", "3.nothing=x"], 5),
        (["a.txt", "--set", "3.label=x"], 5),
        ([forked, "--set-from", "nothing.csv"], 5),
    ):
        assert ox.fails("resolve", *args).code == code, args
    if forked != "labels.jsonl":
        bad = ox("resolve", forked, "--set", "3.score=x", code=None)
        assert bad.code == 5
    assert ox.fails("conflicts", "a.txt").code == 5
    assert ox.fails("conflicts", "-o", "x.pdf").code == 2
