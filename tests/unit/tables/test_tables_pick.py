"""Which rows a query gives: the same of every format, and the same that plain Python picks."""

import gzip
import io
import json
import re
import sys

import pyarrow as pa
import pytest
import zstandard

from oxcore.errors import ExistsError, InvalidError, NotFoundError, UsageError
from oxcore.tables import Part, Query, Source, Table
from oxcore.tables import pick as pick_module

ROWS = [
    {"id": n, "label": ["cat", "dog", None][n % 3], "score": n * 7 % 10 / 4, "ok": n % 2 == 0}
    for n in range(40)
]
FORMATS = ["csv", "tsv", "jsonl", "json", "parquet", "arrow", "arrows"]
PACKED = ["csv.gz", "jsonl.zst"]


def as_lines():
    return "\n".join(json.dumps(row) for row in ROWS).encode()


@pytest.fixture(params=FORMATS + PACKED, scope="module")
def table(request, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("rows") / f"rows.{request.param}")
    data = as_lines()
    source = Table(Source("rows", len(data), lambda: io.BytesIO(data)))
    assert source.write(path) == len(ROWS)
    return Table(Source("rows", 0, lambda: open(path, "rb")))


def rows(table, query=None, part=None):
    with table.pick(query, part) as found:
        return [row for batch in found.batches() for row in batch.to_pylist()]


def test_all_rows(table):
    assert rows(table) == ROWS
    assert table.to_arrow().to_pylist() == ROWS
    assert len(table) == 40
    assert table.facts.nulls == (0, 13, 0, 0)
    assert [str(type_) for type_ in table.schema.types] == ["int64", "string", "double", "bool"]


@pytest.mark.parametrize("n", [0, 1, 7, 40, 99])
def test_parts(table, n):
    assert rows(table, part=Part("head", n)) == ROWS[:n]
    assert rows(table, part=Part("tail", n)) == ROWS[max(0, 40 - n) :]
    sample = rows(table, part=Part("sample", n, seed=3))
    assert sample == [row for row in ROWS if row in sample]
    assert len(sample) == min(n, 40)


QUERIES = [
    (Query(where="score > 1 and ok"), [r for r in ROWS if r["score"] > 1 and r["ok"]]),
    (Query(where="label is null"), [r for r in ROWS if r["label"] is None]),
    (Query(where="id > 99"), []),
    (Query(sort="score desc"), sorted(ROWS, key=lambda r: -r["score"])),
    (
        Query(where="ok", sort="label, id desc"),
        sorted(
            (r for r in ROWS if r["ok"]),
            key=lambda r: (r["label"] is None, r["label"] or "", -r["id"]),
        ),
    ),
    (Query(sql="select * from t where id < 5 order by id desc"), ROWS[4::-1]),
]


@pytest.mark.parametrize(("query", "wanted"), QUERIES)
def test_queries(table, query, wanted):
    assert rows(table, query) == wanted
    assert rows(table, query, Part("head", 3)) == wanted[:3]
    assert rows(table, query, Part("tail", 3)) == wanted[-3:]
    places = Part("sample", 3, 1).places(len(wanted))
    assert rows(table, query, Part("sample", 3, 1)) == [wanted[at] for at in places]
    with table.pick(query) as found:
        assert found.total == len(wanted)
        assert found.nulls == tuple(sum(r[name] is None for r in wanted) for name in ROWS[0])


def test_columns(table):
    query = Query(columns=("score", "id"), where="label = 'cat'")
    assert rows(table, query) == [
        {"score": r["score"], "id": r["id"]} for r in ROWS if r["label"] == "cat"
    ]


def test_many_rows_are_put_in_order_by_way_of_a_file(table, monkeypatch):
    monkeypatch.setattr(pick_module, "_FEW", 3)
    for query, wanted in QUERIES:
        assert rows(table, query) == wanted


def test_a_sample_is_the_same_on_every_machine():
    assert Part("sample", 5, 0).places(1000) == [258, 419, 511, 755, 841]
    assert Part("sample", 5, 1).places(1000) == [133, 254, 495, 762, 844]


def test_every_set_is_as_likely_as_any_other():
    from collections import Counter

    seen = Counter(tuple(Part("sample", 2, seed).places(4)) for seed in range(6000))
    assert len(seen) == 6
    assert all(850 < count < 1150 for count in seen.values())


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (Query(where="scor > 1"), "not found in FROM clause!.*\nline 1: scor > 1\n        \\^"),
        (Query(where="id > 1\nand nope"), "\nline 2: and nope\n            \\^"),
        (Query(sort="nope desc"), "\nline 1: nope desc"),
        (Query(sql="select\n  nope from t"), "\nline 2:   nope from t"),
        (Query(sql="selec 1"), "syntax error.*\nline 1: selec 1"),
        (Query(sql="select label::int from t"), "Could not convert string 'cat'"),
        (Query(where="1) union select (1"), "Set operations"),
        (Query(sql="select 1; select 2"), "not a query: 2 statements"),
        (Query(sql=";"), "not a query: 0 statements"),
        (Query(sql="create table x as select 1"), "not a query: CREATE"),
        (Query(sql="select * from other"), "Table with name other does not exist"),
    ],
)
def test_bad_sql_gets_the_message_at_its_place(table_of, query, told):
    with pytest.raises(InvalidError) as caught:
        rows(table_of(as_lines()), query)
    assert re.search(told, caught.value.message, re.DOTALL), caught.value.message


@pytest.mark.parametrize("name", ["labels", "labels.csv", "pg_table"])
def test_a_table_that_is_not_there_is_told_what_it_is_called(table_of, name):
    with pytest.raises(InvalidError) as caught:
        rows(table_of(as_lines()), Query(sql=f"select * from {name}"))
    assert caught.value.hint == "the table is called t"
    assert "Did you mean" not in caught.value.message
    assert name in caught.value.message


def test_a_column_may_be_one_text(table_of):
    table = table_of(as_lines())
    assert table.scan("id").schema.names == table.to_arrow(["id"]).schema.names == ["id"]
    with table.diff(table, "id") as found:
        assert found.keys == ("id",)


def test_names_that_are_not_there(table_of):
    table = table_of(as_lines())
    with pytest.raises(NotFoundError, match="no column is called 'scor'") as caught:
        rows(table, Query(columns=("scor",)))
    assert caught.value.hint == "did you mean score?"
    with pytest.raises(UsageError):
        Query(sql="select 1", where="id = 1")
    with pytest.raises(UsageError):
        Part("middle", 1)


def test_a_fault_of_the_file_is_told_as_such_in_a_query(table_of):
    table = table_of(b"a,b\n" + b"1,2\n" * 10 + b"3\n")
    for query in (Query(where="a > 1"), Query(sql="select count(*) from t")):
        with pytest.raises(InvalidError, match="labels, row 12: 1 fields"):
            rows(table, query)


def test_names_that_sql_takes_for_one(table_of):
    table = table_of(b"a,A,select\n1,2,3\n")
    assert rows(table) == [{"a": 1, "A": 2, "select": 3}]
    assert rows(table, Query(where='a = 1 and A_2 = 2 and "select" = 3')) == rows(table)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from '/etc/passwd'",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/*')",
        "select * from glob('/*')",
        "select * from 'https://example.org/x.parquet'",
        "select getenv('HOME')",
        "select * from secret",
    ],
)
def test_a_query_reaches_nothing_but_its_table(table_of, sql, monkeypatch):
    secret = pa.table({"a": [1]})  # a Python variable, which DuckDB would find by its name
    assert len(secret) == 1
    with pytest.raises(InvalidError):
        rows(table_of(b"a\n1\n"), Query(sql=sql))


@pytest.mark.parametrize(
    "sql",
    ["copy t to '/tmp/x'", "set threads = 1", "install httpfs", "attach 'x.db'", "pragma version"],
)
def test_a_query_only_reads(table_of, sql):
    with pytest.raises(InvalidError, match="not a query"):
        rows(table_of(b"a\n1\n"), Query(sql=sql))


def test_writing_replaces_nothing_unasked(table_of, tmp_path):
    table = table_of(as_lines())
    path = tmp_path / "out.csv"
    path.write_bytes(b"mine")
    with pytest.raises(ExistsError):
        table.write(str(path))
    assert path.read_bytes() == b"mine"
    assert table.write(str(path), replace=True) == 40
    with pytest.raises(UsageError):
        table.write(str(tmp_path / "out.xlsx"))
    with pytest.raises(UsageError):
        table.write(str(tmp_path / "out.parquet.gz"))
    assert [found.name for found in tmp_path.iterdir()] == ["out.csv"]


def test_csv_keeps_the_text_of_every_value(table_of, tmp_path):
    data = b'id,price,note\n1,1.10,"a ""b"", c"\n2,,""\n3,1e-05," x"\n'
    path = tmp_path / "out.csv"
    table_of(data).write(str(path))
    assert path.read_bytes() == data


def test_what_is_packed_unpacks(table_of, tmp_path):
    table = table_of(b"a,b\n1,x\n")
    for name, unpack in (("o.csv.gz", gzip.decompress), ("o.csv.zst", _unzstd)):
        table.write(str(tmp_path / name))
        assert unpack((tmp_path / name).read_bytes()) == b"a,b\n1,x\n"


def _unzstd(data):
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


def test_a_packed_file_that_was_cut_off(table_of):
    data = gzip.compress(b"a,b\n" + b"1,2\n" * 10_000)
    with pytest.raises(InvalidError, match="labels"):
        table_of(data[:-20]).to_arrow()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "not a table"),
        ("a,b\n1,2\n".encode("utf-16"), "text in UTF-16"),
        (b"FEA1....", "Feather of the first version"),
        (gzip.compress(b"PAR1....", mtime=0), "parquet inside of gzip"),
    ],
)
def test_what_is_no_table(table_of, data, told):
    with pytest.raises(InvalidError, match=told):
        table_of(data)


def test_the_content_says_the_format_not_the_name(table_of):
    assert table_of(b'{"a": 1}\n', "x.txt").format == "jsonl"
    assert table_of(b'[{"a": 1}]', "x.bin").format == "json"
    assert table_of(b"a\tb\n1\t2\n", "x.csv").format == "tsv"
    assert table_of(b"[x],{y}\n1,2\n", "x").format == "csv"
    assert table_of(b'{"a": 1}\n{"a": 2}\n', "x.csv").format == "jsonl"
    assert table_of(b'\xef\xbb\xbf[\n {"a": 1}]', "x.tsv").format == "json"
    assert table_of(b'{"a",b}\n1,2\n', "x.csv").format == "csv"
    assert table_of(b'[{"a"}],b\n1,2\n', "x.csv").format == "csv"
    assert table_of(gzip.compress(b"a,b\n1,2\n"), "x").compression == "gzip"


def test_pandas_and_polars_only_where_they_are(table_of, monkeypatch):
    for module, method in (("pandas", "to_pandas"), ("polars", "to_polars")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(UsageError, match=f"{module} is not installed") as caught:
            getattr(table_of(b"a\n1\n"), method)()
        assert caught.value.hint == f"pip install {module}"
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UsageError, match="DuckDB"):
        table_of(b"a\n1\n").stats()
    assert rows(table_of(b"a\n1\n"), part=Part("tail", 1)) == [{"a": 1}]  # that needs none


def test_an_interrupt_while_the_engine_is_loaded_is_one(table_of, monkeypatch):
    class Interrupted:
        def find_spec(self, name, *_):
            if name == "duckdb":  # what its module raises then
                raise ImportError("while initializing") from KeyboardInterrupt()

    monkeypatch.delitem(sys.modules, "duckdb", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    with pytest.raises(KeyboardInterrupt):
        table_of(b"a\n1\n").stats()
