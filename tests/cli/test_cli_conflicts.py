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
