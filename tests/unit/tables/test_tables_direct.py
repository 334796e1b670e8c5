"""Parquet that the engine reads by itself: the same as through Arrow, and nothing else opens."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from oxcore.errors import CorruptError, InvalidError
from oxcore.tables import Part, Query, Source, Table, direct

TYPES = {
    pa.int16(): st.integers(-9, 9),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False),
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    pa.binary(): st.binary(max_size=4),
    pa.decimal128(20, 3): st.decimals(-(10**9), 10**9, places=3),
    pa.date32(): st.dates(),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("us", "UTC"): st.datetimes(),
    pa.timestamp("ns"): st.integers(-(2**62), 2**62),
    pa.list_(pa.int32()): st.lists(st.none() | st.integers(-9, 9), max_size=3),
    pa.struct([("u", pa.int64()), ("v", pa.list_(pa.string()))]): st.fixed_dictionaries(
        {"u": st.integers(0, 9), "v": st.lists(st.just("x"), max_size=2)}
    ),
}


@pytest.fixture
def always(monkeypatch):
    """Files of every size are read by the engine."""
    monkeypatch.setattr(direct, "LEAST", 0)


def as_parquet(table):
    out = io.BytesIO()
    parquet.write_table(table, out, row_group_size=3)
    return out.getvalue()


def result(table, query):
    with table.pick(query) as rows:
        return pa.Table.from_batches(rows.batches(), rows.schema)


@pytest.mark.parametrize("type_", TYPES, ids=str)
@given(data=st.data())
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_same_values_either_way(table_of, monkeypatch, type_, data):
    values = data.draw(st.lists(st.none() | TYPES[type_], max_size=8))
    numbers = pa.array(range(len(values)), pa.int64())
    table = table_of(as_parquet(pa.table({"n": numbers, "v": pa.array(values, type_)})))
    queries = [Query(sql="select * from t"), Query(where="v is not null", sort="n desc")]
    streamed = [result(table, query) for query in queries]
    with monkeypatch.context() as patch:
        patch.setattr(direct, "LEAST", 0)
        assert direct.direct(table.reader) is not None
        assert [result(table, query) for query in queries] == streamed


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1], pa.duration("us")),
        pa.array([1], pa.decimal256(50, 2)),
        pa.array([1.0], pa.float16()),
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        pa.array([[1]], pa.list_(pa.duration("s"))),
        pa.array([1], pa.time64("us")),
    ],
    ids=lambda array: str(array.type),
)
def test_types_that_might_differ_go_through_arrow(table_of, always, array):
    assert direct.direct(table_of(as_parquet(pa.table({"a": array}))).reader) is None


def test_names_that_might_clash_go_through_arrow(table_of, always):
    for names in (["a", "A"], ["a", "file_row_number"]):
        table = table_of(as_parquet(pa.table([[1], [2]], names)))
        assert direct.direct(table.reader) is None
        assert len(result(table, Query(where="a = 1"))) == 1


def test_parts_and_stats(table_of, always):
    table = table_of(as_parquet(pa.table({"a": range(100), "b": ["x", None] * 50})))
    with table.pick(Query(where="a % 7 = 0", sort="a desc"), Part("tail", 2)) as rows:
        assert (rows.total, rows.nulls) == (15, (0, 7))
        assert [row["a"] for batch in rows.batches() for row in batch.to_pylist()] == [7, 0]
    assert [(one.count, one.nulls, one.distinct) for one in table.stats()] == [
        (100, 0, 100),
        (50, 50, 1),
    ]


@pytest.mark.parametrize(
    "file", ["/etc/passwd", "ox://1.parquet", "ox://etc/passwd", "file:///etc/passwd", "ox://../0"]
)
def test_nothing_else_opens(table_of, always, file):
    table = table_of(as_parquet(pa.table({"a": [1]})))
    for call in (f"'{file}'", f"read_text('{file}')", f"read_parquet('{file}')"):
        with pytest.raises(InvalidError, match=r"Permission|does not exist"):
            result(table, Query(sql=f"select * from {call}"))


def test_what_the_store_finds_wrong_comes_through_as_it_is(always):
    data = as_parquet(pa.table({"a": range(2000), "at": [datetime.now(UTC)] * 2000}))
    whole = []

    class Corrupt(io.BytesIO):
        def read(self, size=-1):
            if whole:
                raise CorruptError("chunk 3f2a is damaged")
            return super().read(size)

    table = Table(Source("x", len(data), lambda: Corrupt(data)))
    assert len(table) == 2000
    whole.append(True)
    with pytest.raises(CorruptError):
        result(table, Query(where="a = 1"))


def test_broken_pages_are_told(table_of, always):
    data = bytearray(as_parquet(pa.table({"a": range(2000)})))
    data[100:200] = b"\xff" * 100
    with pytest.raises(InvalidError):
        result(table_of(bytes(data)), Query(sql="select sum(a) from t"))


def test_threads_that_share_a_file_read_where_they_are():
    files = direct.Files({"ox://0.parquet": Source("x", 10, lambda: io.BytesIO(b"0123456789"))})
    file = files.system().open("ox://0.parquet")
    file.seek(7)
    with ThreadPoolExecutor(1) as other:
        other.submit(file.seek, 2).result()
        assert file.read(2) == b"78"
        assert other.submit(file.read, 2).result() == b"23"
