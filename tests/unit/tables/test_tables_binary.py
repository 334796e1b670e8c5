"""Parquet and Arrow: what pyarrow writes comes back equal; broken files say so."""

import io
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from oxcore.errors import CorruptError, InvalidError
from oxcore.tables import Part, Query, Source, Table, plain


def as_parquet(table, **named):
    out = io.BytesIO()
    parquet.write_table(table, out, row_group_size=3, **named)
    return out.getvalue()


def as_arrow(table, opener=ipc.new_file):
    out = io.BytesIO()
    with opener(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    return out.getvalue()


def as_stream(table):
    return as_arrow(table, ipc.new_stream)


FORMATS = {"parquet": as_parquet, "arrow": as_arrow, "arrow-stream": as_stream}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
TYPES = {
    pa.int8(): st.integers(-128, 127),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float64(): st.floats(),
    pa.float32(): st.floats(width=32),
    pa.bool_(): st.booleans(),
    pa.string(): TEXT,
    pa.large_string(): TEXT,
    pa.binary(): st.binary(max_size=5),
    pa.decimal128(38, 5): st.decimals(-(10**30), 10**30, places=5),
    pa.date32(): st.dates(),
    pa.time64("us"): st.times(),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("us", "Europe/Paris"): st.datetimes(date(1950, 1, 1) and datetime(1950, 1, 1)),  # noqa: DTZ001
    pa.timestamp("ns", "UTC"): st.integers(-(2**62), 2**62),
    pa.duration("us"): st.timedeltas(timedelta(-(10**5)), timedelta(10**5)),
    pa.list_(pa.int32()): st.lists(st.none() | st.integers(-9, 9), max_size=3),
    pa.list_(pa.list_(pa.string())): st.lists(st.lists(TEXT, max_size=2), max_size=2),
    pa.struct([("u", pa.int64()), ("v", pa.list_(pa.string()))]): st.fixed_dictionaries(
        {"u": st.none() | st.integers(0, 9), "v": st.none() | st.lists(TEXT, max_size=2)}
    ),
    pa.dictionary(pa.int32(), pa.string()): TEXT,
}


@st.composite
def tables(draw):
    rows = draw(st.integers(0, 8))
    chosen = draw(st.lists(st.sampled_from(list(TYPES)), min_size=1, max_size=4))
    names = draw(
        st.lists(TEXT.filter(bool), min_size=len(chosen), max_size=len(chosen), unique=True)
    )
    columns = [
        pa.array(draw(st.lists(st.none() | TYPES[type_], min_size=rows, max_size=rows)), type_)
        for type_ in chosen
    ]
    return pa.table(columns, names)


def same(a, b):
    """Equal, NaN to NaN; dictionaries by value."""
    assert a.schema.equals(b.schema)
    assert [plain(c) for c in a.combine_chunks().to_batches()[:1] for c in c.columns] == [
        plain(c) for c in b.combine_chunks().to_batches()[:1] for c in c.columns
    ]
    return len(a) == len(b)


@pytest.mark.parametrize("form", FORMATS)
@given(table=tables(), seed=st.integers(0, 9), n=st.integers(0, 9))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_tables_come_back_equal(table_of, form, table, seed, n):
    read = table_of(FORMATS[form](table))
    assert read.format == form
    assert same(read.to_arrow(), table)
    assert read.facts == (len(table), tuple(column.null_count for column in table.columns))
    for part in (Part("head", n), Part("tail", n), Part("sample", n, seed)):
        with read.pick(part=part) as rows:
            found = pa.Table.from_batches(rows.batches(), rows.schema)
        assert same(found, table.take(pa.array(part.places(len(table)), pa.int64())))
    name = table.column_names[-1]
    assert read.to_arrow([name]).column_names == [name]


@pytest.mark.parametrize("form", FORMATS)
def test_columns_come_in_the_order_that_is_asked_for(table_of, form):
    table = pa.table({"a": [1, 2], "b": ["x", "y"], "c": [{"d": 1}, {"d": 2}]})
    read = table_of(FORMATS[form](table))
    assert read.to_arrow(["c", "a"]).equals(table.select(["c", "a"]))


def test_a_tail_of_parquet_reads_the_last_row_groups_only():
    data = as_parquet(pa.table({"a": list(range(3000)), "b": ["x" * 50] * 3000}))
    read = []

    class Counting(io.BytesIO):
        def read(self, size=-1):
            found = super().read(size)
            read.append(len(found))
            return found

    table = Table(Source("x", len(data), lambda: Counting(data)))
    assert len(table) == 3000
    footer = sum(read)
    with table.pick(part=Part("tail", 2)) as rows:
        assert [row["a"] for batch in rows.batches() for row in batch.to_pylist()] == [2998, 2999]
    assert sum(read) - footer < len(data) / 100


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_was_cut_off_is_an_error(table_of, form):
    data = FORMATS[form](pa.table({"a": list(range(1000)), "b": ["text"] * 1000}))
    for size in (8, 12, len(data) // 2, len(data) - 9):
        with pytest.raises(InvalidError, match=r"labels.*: "):
            table_of(data[:size]).to_arrow()


@pytest.mark.parametrize("form", FORMATS)
def test_flipped_bytes_never_end_in_anything_but_a_clear_error(table_of, form):
    data = FORMATS[form](pa.table({"a": list(range(50)), "b": ["text"] * 50}))
    for at in range(6, len(data), 7):
        broken = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        try:
            table_of(broken).to_arrow()
        except InvalidError:
            pass


def test_what_the_store_finds_wrong_comes_through_as_it_is():
    class Corrupt(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 100:
                raise CorruptError("chunk 3f2a is damaged")
            return super().read(size)

    rows = b"a,b\n" + b"1,2\n" * 100
    with pytest.raises(CorruptError):
        _ = Table(Source("x", len(rows), lambda: Corrupt(rows))).schema
    data = as_parquet(pa.table({"a": list(range(50))}))
    with pytest.raises(CorruptError):
        Table(Source("x", len(data), lambda: Corrupt(data))).to_arrow()


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (pa.array([0.1, None, float("nan"), float("-inf")]), [0.1, None, "NaN", "-Infinity"]),
        (pa.array([0.1], pa.float32()), [0.1]),
        (pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
        (pa.array([Decimal("1.10")]), ["1.10"]),
        (pa.array([b"\x00\xff", None]), ["00ff", None]),
        (pa.array([date(2026, 1, 2)]), ["2026-01-02"]),
        (pa.array([time(1, 2, 3, 40)]), ["01:02:03.00004"]),
        (pa.array([timedelta(seconds=5)], pa.duration("ms")), ["5000 ms"]),
        (pa.array([0, None], pa.timestamp("s")), ["1970-01-01T00:00:00", None]),
        (pa.array([1_500_000], pa.timestamp("us")), ["1970-01-01T00:00:01.5"]),
        (pa.array([1], pa.timestamp("ns", "UTC")), ["1970-01-01T00:00:00.000000001Z"]),
        (pa.array([0], pa.timestamp("us", "Europe/Paris")), ["1970-01-01T01:00:00+01:00"]),
        (pa.array([0], pa.timestamp("us", "Not/AZone")), ["1970-01-01T00:00:00Z"]),
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (pa.array([[1, None], None, []]), [[1, None], None, []]),
        (pa.array([[0.5, float("nan")]], pa.list_(pa.float64(), 2)), [[0.5, "NaN"]]),
        (pa.array([{"u": b"\x01"}, None, {"u": None}]), [{"u": "01"}, None, {"u": None}]),
        (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int8())), [[["k", 1]], None]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_values_for_json(array, wanted):
    assert plain(array) == wanted
    if len(wanted) > 1:
        assert plain(array[1:]) == wanted[1:]


def test_a_query_leaves_the_values_to_the_file(table_of):
    """Types that SQL does not know, or knows otherwise, come out of it as they went in."""
    table = pa.table(
        {
            "id": [1, 2, 3],
            "d": pa.array([5, None, 7], pa.duration("us")),
            "z": pa.array([1, 2, 3], pa.timestamp("ns", "Europe/Paris")),
            "big": pa.array([Decimal(1)] * 3, pa.decimal256(60, 0)),
            "half": pa.array([1.0, 2.0, 3.0], pa.float16()),
            "cat": pa.array(["x", "y", "x"]).dictionary_encode(),
        }
    )
    read = table_of(as_arrow(table))
    with read.pick(Query(where="id <> 2 and big = '1' and half > 0", sort="id desc")) as rows:
        assert rows.total == 2
        found = pa.Table.from_batches(rows.batches(), rows.schema)
    assert same(found, table.take(pa.array([2, 0])))
