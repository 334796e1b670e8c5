"""Files that are no good tables, through every verb that reads tables.

Each verb works, or tells file, row and column with the code of its kind, or falls back to bytes as
its help says; no traceback, no fault of ours, and nothing is changed.
"""

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

GIB = 1 << 30
ROWS = [(n, f"text {n}") for n in range(50)]
GOOD = "id,x\n" + "".join(f"{n},{x}\n" for n, x in ROWS)
TABLE = pa.table({"id": [n for n, _ in ROWS], "x": [x for _, x in ROWS]})


def as_parquet(table):
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def as_arrow(table, opener=ipc.new_file):
    out = io.BytesIO()
    with opener(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def union():
    kinds = pa.array([0, 1], pa.int8())
    values = pa.UnionArray.from_sparse(kinds, [pa.array([1, 2]), pa.array(["a", "b"])])
    return pa.table({"id": [1, 2], "x": values})


def mid(data, start, size):
    return data[:start] + b"\xff" * size + data[start + size :]


# What is refused, with what the message of `ox df` says after the name of the file.
REFUSED = {
    "ragged.csv": ("id,x\n1,a\n2\n3,c\n", ", row 3: 1 field"),
    "long.csv": ("id,x\n1,a\n2,b,c\n", ", row 3: 3 fields, and the first row has 2"),
    "latin.csv": (b"id,x\n1,caf\xe9\n", ", row 2, column 'x': not UTF-8"),
    "head.csv": (b"id,caf\xe9\n1,a\n", ", row 1: not UTF-8"),
    "utf16.csv": (GOOD.encode("utf-16"), ": text in UTF-16"),
    "nul.csv": (b"id,x\n1,a\0b\n", ": not a table"),
    "empty.csv": ("", ": it is empty"),
    "blank.csv": ("\n\n\n", ", row 1: its first row is empty"),
    "quote.csv": ('id,x\n1,"a\n2,b\n', ", row 2: a quote is opened and not closed"),
    "quotes.csv": ('id,"x\n1,a\n', ", row 1: a quote is opened and not closed"),
    "line.csv": ("id,x\n1," + "a" * (20 << 20) + "\n", ", row 2: a row of more than 8 MiB"),
    "cut.csv.gz": (gzip.compress(GOOD.encode())[:-20], ": broken gzip: Truncated"),
    "sum.csv.gz": (gzip.compress(GOOD.encode())[:-8] + bytes(8), ": broken gzip"),
    "zeros.csv.gz": (gzip.compress(bytes(64 << 20)), ": not a table"),
    "bomb.csv.gz": (gzip.compress(b"id,x\n1," + b"a" * (64 << 20)), ", row 2: a row of more than"),
    "bomb.jsonl.gz": (gzip.compress(b'{"id": "' + b"a" * (64 << 20)), ", row 1: a record of more"),
    "cut.jsonl": ('{"id": 1}\n{"id": 2', ", row 2: not JSON"),
    "cut.json": ('[{"id": 1}, {"id": 2}, {"i', ", row 3: not JSON"),
    "kinds.jsonl": ('{"id": 1}\n5\n', ", row 2: a number, not an object"),
    "half.jsonl": ('{"id": 1, "x": "\\ud800"}\n', ", row 1, column 'x': half of a surrogate"),
    "halves.jsonl": ('{"id": 1, "\\ud800": 1}\n', ": a name has half of a surrogate"),
    "digits.jsonl": ('{"id": 1' + "0" * 5000 + "}\n", ", row 1: a number of thousands of digits"),
    "deep.jsonl": ('{"id": 1}\n{"id": 2, "x": ' + "[" * 99999, ", row 2: lists and objects in"),
    "levels.jsonl": (
        '{"id": 1}\n{"id": 2, "x": ' + "[" * 70 + "]" * 70 + "}\n",
        ", row 2, column 'x': lists and objects in each other, more than 60 deep",
    ),
    "objects.json": (
        '[{"id": 1, "x": ' + '{"a": ' * 500 + "1" + "}" * 500 + "}]",
        ", row 1, column 'x': lists and objects in each other",
    ),
    "names.jsonl": (
        json.dumps({f"c{n}": n for n in range(10_001)}),
        ", row 1: more than 10,000 columns",
    ),
    "cut.parquet": (as_parquet(TABLE)[:-100], ": broken Parquet"),
    "magic.parquet": (b"PAR1", ": broken Parquet"),
    "mid.parquet": (mid(as_parquet(TABLE), 20, 200), ", row 1: broken Parquet"),
    "cut.arrow": (as_arrow(TABLE)[:-100], ": broken Arrow file"),
    "cuts.arrows": (as_arrow(TABLE, ipc.new_stream)[:600], ", row 1: broken Arrow file"),
}
# What is a table, though an odd one, with the shape that `ox df` tells.
ODD = {
    "mixed.csv": ("id,x\n1,5\n2,five\n3,\n", "3 rows x 2 columns"),
    "doubled.csv": ("id,x\n1,a\n1,b\n,c\n,d\n", "4 rows x 2 columns"),
    "header.csv": ("id,x\n", "0 rows x 2 columns"),
    "alone.csv": ("id,x", "0 rows x 2 columns"),
    "called.csv": ("id,id,,ID\n1,2,3,4\n", "1 row x 4 columns"),
    "mixed.jsonl": ('{"id": 1, "x": 1}\n{"id": "a", "x": {"y": [1]}}\n', "2 rows x 2 columns"),
    "levels.jsonl": ('{"id": 1, "x": ' + "[" * 60 + "]" * 60 + "}\n", "1 row x 2 columns"),
    "empty.parquet": (as_parquet(TABLE.slice(0, 0)), "0 rows x 2 columns"),
    "none.parquet": (as_parquet(pa.table({})), "0 rows x 0 columns"),
    "called.parquet": (
        as_parquet(pa.table([pa.array([1]), pa.array([2])], names=["id", "id"])),
        "1 row x 2 columns",
    ),
    "nested.parquet": (
        as_parquet(
            pa.table(
                {
                    "id": [1, 2],
                    "x": [[1], None],
                    "s": [{"a": 1}, {"a": None}],
                    "m": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
                }
            )
        ),
        "2 rows x 4 columns",
    ),
    "called.arrow": (
        as_arrow(pa.table([pa.array([1]), pa.array([2])], names=["id", "id"])),
        "1 row x 2 columns",
    ),
    "union.arrow": (as_arrow(union()), "2 rows x 2 columns"),
    "months.arrow": (
        as_arrow(pa.table({"id": [1], "x": pa.array([(1, 2, 3)], pa.month_day_nano_interval())})),
        "1 row x 2 columns",
    ),
}


def good(name):
    kind = name.rpartition(".")[2]
    if kind in {"jsonl", "json"}:
        records = [{"id": n, "x": x} for n, x in ROWS]
        lines = "".join(json.dumps(record) + "\n" for record in records)
        return (lines if kind == "jsonl" else json.dumps(records)).encode()
    if kind == "arrows":
        return as_arrow(TABLE, ipc.new_stream)
    if kind in {"parquet", "arrow"}:
        return (as_parquet if kind == "parquet" else as_arrow)(TABLE)
    return gzip.compress(GOOD.encode()) if kind == "gz" else GOOD.encode()


def calls(name):
    yield ["df", name, "--stats"]
    yield ["df", name, "--where", "id = 1", "--json"]
    yield ["df", name, "--sort", "id", "-o", "made.parquet", "-f"]
    yield ["df", name, "-o", "made.csv", "-f"]
    yield ["df", name, "-o", "made.jsonl", "-f"]
    yield ["sql", f"select * from '{name}' a join '{name}'@'HEAD~1' b using (id)"]
    yield ["diff", "HEAD~1..HEAD", "--", name]
    yield ["diff", "HEAD..HEAD~1", "--json", "--", name]
    yield ["diff", "HEAD~1..HEAD", "--stat", "--keys", "id", "--", name]
    yield ["diff", "--files", name, "good.csv"]
    yield ["blame", name, "--key", "id=1"]
    yield ["blame", name, "--where", "id = 1"]
    yield ["blame", name]
    yield ["log", "--row", "id=1", "--json", name]
    yield ["schema", "show", name]
    yield ["stats", "HEAD~1..HEAD", "--", name]
    yield ["df", "edit", name, "--set", "x=1", "--key", "id=1", "-n"]
    yield ["df", "edit", name, "--append", '{"id": 5}', "-o", f"made.{name}", "-f"]


def files(folder):
    """Every file but ours: path -> bytes."""
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if one != ".ox"]
        for one in names:
            path = Path(place, one)
            if not one.startswith("made."):
                found[str(path)] = path.read_bytes()
    return found


@pytest.fixture
def versions(ox, tmp_path):
    """``versions(name, content)``: a repository where a good table became this."""

    def make(name, content):
        data = content.encode() if isinstance(content, str) else content
        ox("init")
        (tmp_path / "good.csv").write_text(GOOD)
        (tmp_path / name).write_bytes(good(name))
        ox("add", ".")
        ox("commit", "-m", "good")
        (tmp_path / name).write_bytes(data)
        ox("add", ".")
        ox("commit", "-m", "bad")
        return tmp_path

    return make


def check(ox, folder, name, allowed):
    before, state = files(folder), ox("oplog", "--json").out
    for words in calls(name):
        found = ox(*words, code=None)
        told = (words, found.code, found.err)
        assert found.code in allowed, told
        assert "Traceback" not in found.err, told
        assert "internal" not in found.err, told
        if found.code == 3:
            assert name in found.err or "made." in found.err or "Conversion Error" in found.err, (
                told
            )
    assert files(folder) == before
    assert ox("oplog", "--json").out == state


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_no_table_is_told_with_its_place(ox, versions, name):
    content, told = REFUSED[name]
    folder = versions(name, content)
    found = ox.fails("df", name)
    assert found.code == 3
    assert found.err.startswith(f"error: {name}{told}"), found.err
    check(ox, folder, name, {0, 3})
    assert "not compared by rows" in ox("diff", "HEAD~1..HEAD", "--stat", "--", name).out


@pytest.mark.parametrize("name", sorted(ODD))
def test_what_is_an_odd_table_is_one(ox, versions, name):
    content, told = ODD[name]
    folder = versions(name, content)
    assert f"{name}: {told}" in ox("df", name).out
    check(ox, folder, name, {0, 2, 3, 5})


def test_a_merge_with_what_is_no_table_waits_for_a_person(ox, tmp_path):
    """One side edited a row, the other has what is no table: a conflict of whole files."""
    ox("init")
    names = [name for name in REFUSED if name not in {"zeros.csv.gz", "bomb.csv.gz"}]
    for name in names:
        (tmp_path / name).write_bytes(good(name))
    ox("add", ".")
    ox("commit", "-m", "good")
    ox("branch", "side")
    for name in names:
        ox("df", "edit", name, "--set", "x=ours", "--key", "id=1")
    ox("add", ".")
    ox("commit", "-m", "ours")
    ox("switch", "side")
    for name in names:
        content = REFUSED[name][0]
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    ox("add", ".")
    ox("commit", "-m", "bad")
    before = files(tmp_path)
    found = ox.fails("merge", "main")
    assert (found.code, "Traceback" in found.err) == (9, False)
    assert f"{len(names)} conflicts" in found.err
    assert files(tmp_path) == before
    ox("conflicts")
    ox("merge", "--abort")
    assert files(tmp_path) == before


def test_many_columns(ox, tmp_path, write):
    """Looked at; not asked by SQL, whose plans would take all of the memory."""
    ox("init")
    names = ",".join(f"c{n}" for n in range(3000))
    write({"wide.csv": f"{names}\n{names}\n"})
    ox("add", ".")
    ox("commit", "-m", "wide")
    assert "1 row x 3,000 columns" in ox("df", "wide.csv").out
    for words in (["--where", "c0 = 'c0'"], ["--stats"]):
        found = ox.fails("df", "wide.csv", *words)
        assert (found.code, "3,000 columns" in found.err) == (3, True), found.err
    assert len(ox("blame", "wide.csv", "--key", "c0=c0").lines) == 3001


# ------------------------------------------------------------------------------ a line of 10 GiB

MOST = 600 << 20  # bytes of memory: Arrow, the engine and a row of 8 MiB, not the line
_RUN = """
import sys
from oxcli.main import run
code = run(sys.argv[1:])
sys.stdout.flush()
with open("/proc/self/status") as file:
    peak = next(line for line in file if line.startswith("VmHWM"))
sys.stderr.write(f"\\npeak {int(peak.split()[1]) << 10}\\n")
sys.exit(code)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by /proc")
@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("line.csv", b"id,x\n1," + b"a" * (128 << 10)),
        ("quote.csv", b'id,x\n1,"' + b"a" * (128 << 10)),
        ("line.jsonl", b'{"id": "' + b"a" * (128 << 10)),
        ("line.json", b'[{"id": "' + b"a" * (128 << 10)),
        ("head.csv", b"a" * (128 << 10)),
    ],
)
def test_a_line_of_ten_gibibytes(ox, tmp_path, name, start):
    ox("init")
    with open(tmp_path / name, "wb") as file:  # sparse: zeros that take no room
        file.write(start)
        file.truncate(10 * GIB)
    for words in (["df", name], ["df", name, "--where", "id = 1"], ["sql", f"from '{name}'"]):
        done = subprocess.run(
            [sys.executable, "-c", _RUN, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ox.root)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 3, done.stderr
        assert done.stderr.startswith(f"error: {name}, row "), done.stderr
        assert int(done.stderr.rpartition("peak ")[2]) < MOST, done.stderr
