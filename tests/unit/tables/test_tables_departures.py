"""Where a table leaves its schema, in formats that have types and in those that have none."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather

from oxcore.tables.departures import KINDS, departures
from oxcore.tables.schema import ColumnSchema, TableSchema
from oxcore.tables.typenames import parse_type


def packed(columns, form="parquet"):
    data, table = io.BytesIO(), columns if isinstance(columns, pa.Table) else pa.table(columns)
    if form == "parquet":
        pq.write_table(table, data)
    else:
        feather.write_feather(table, data)
    return data.getvalue()


@pytest.fixture
def left(table_of):
    """``left(data, schema)``: the departures, where no file is there but ``a.png``."""

    def look(data, schema, name="labels", there=("a.png",)):
        table = table_of(data, name)
        return departures(table, schema, lambda paths: [path in there for path in paths])

    return look


def kept(type_="", key=(), **columns):
    named = {name: ColumnSchema(parse_type(one)) for name, one in columns.items()}
    return TableSchema(named, tuple(key))


def test_a_table_that_keeps_to_it(left):
    data = packed({"id": [1, 2], "s": ["x", None]})
    assert left(data, kept(id="int64", s="string", key=["id"])) == []
    assert left(data, TableSchema()) == []


def test_columns_that_are_gone(left):
    found = left(b"a,b\n1,2\n", kept(a="int64", c="int64", key=["id"]))
    assert [(one.kind, one.column, one.row, one.text) for one in found] == [
        ("gone", "c", None, "column 'c' is gone"),
        ("gone", "id", None, "column 'id' of the key is gone"),
    ]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_types_of_formats_that_have_them(left, form):
    data = packed(
        {
            "a": pa.array([1], pa.int32()),
            "b": pa.array(["x"]).dictionary_encode(),
            "c": pa.array(["x"], pa.large_string()),
            "d": pa.array([None], pa.int8()),
        },
        form,
    )
    assert left(data, kept(a="int32", b="string", c="string", d="int8")) == []
    found = left(data, kept(a="int64", b="int8", c="string", d="int64"))
    assert [one.text for one in found] == [
        "column 'a' is int32, not int64",
        "column 'b' is dictionary<values=string, indices=int32, ordered=0>, not int8",
        "column 'd' is int8, not int64",
    ]


FITS = [
    (b"a\n1\n2\n", "double"),
    (b"a\n1\n2\n", "int8"),
    (b"a\n1\n2\n", "string"),
    (b"a\n1.0\n2.0\n", "int64"),
    (b"a\n1.5\n", "decimal128(5, 2)"),
    (b"a,b\n,1\n,2\n", "timestamp[us]"),
    (b"a\n2026-01-02\n", "timestamp[us]"),
    (b"a\n2026-01-02T00:00:00Z\n", "timestamp[s, tz=Europe/Berlin]"),
    (b'{"a": 1}\n{"a": null}\n', "double"),
    (b'{"a": "2026-01-02"}\n', "date32[day]"),
    (b'{"a": [1, 2]}\n', "list<item: int8>"),
    (b'[{"a": {"x": 1}}]', "struct<x: double>"),
]
MISFITS = [
    (b"a\n1\n300\n", "int8", 3),
    (b"a\n1\n2\nx\n", "int64", 4),
    (b"a\n1.5\n", "int64", 2),
    (b"a\n007\n", "int64", None),
    (b"a\n1\n", "timestamp[us]", None),
    (b"a\n1\n", "bool", None),
    (b"a\n2026-01-02T00:00:00Z\n", "timestamp[us]", None),
    (b'{"a": 1}\n', "string", None),
    (b'{"a": "7"}\n', "int64", None),
    (b'{"a": "2026-01-02"}\n{"a": "x"}\n', "date32[day]", 2),
    (b'{"a": [1]}\n{"a": [1, 300]}\n', "list<item: int8>", 2),
    (b'{"a": [1]}\n', "int64", None),
]


@pytest.mark.parametrize(("data", "type_"), FITS)
def test_values_of_text_that_are_of_the_type(left, data, type_):
    assert left(data, kept(a=type_)) == []


@pytest.mark.parametrize(("data", "type_", "row"), MISFITS)
def test_values_of_text_that_are_not(left, data, type_, row):
    (found,) = left(data, kept(a=type_))
    assert (found.kind, found.column, found.row) == ("retyped", "a", row)
    assert (f"(row {row})" in found.text) == (row is not None)


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=60), st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_first_row_that_does_not_fit_is_named(table_of, numbers, data):
    text = "a\n" + "".join(f"{number}\n" for number in numbers)
    limit = data.draw(st.sampled_from(["int8", "int16", "int32"]))
    most = 2 ** (int(limit[3:]) - 1)
    first = next((i for i, one in enumerate(numbers) if not -most <= one < most), None)
    found = departures(table_of(text.encode()), kept(a=limit), lambda paths: [])
    assert [one.row for one in found] == ([] if first is None else [first + 2])


# -- the key


def test_a_key_that_is_null_or_of_several_rows(left):
    text = b"id,f\n" + b"".join(
        b"%s,%d\n" % (key, i)
        for i, key in enumerate([b"7", b"8", b"", b"7", b"9", b"", b"8", b"8", b"8"])
    )
    doubled, null = sorted(left(text, kept(key=["id"])))
    assert (null.kind, null.column, null.row) == ("null-key", "id", 4)
    assert null.text == "key 'id' is null in rows 4, 7"
    assert (doubled.kind, doubled.column, doubled.row) == ("doubled-key", "id", 2)
    assert doubled.text == (
        "key 'id' is not of one row: '7' in rows 2, 5; '8' in rows 3, 8, 9 and 1 more"
    )


def test_a_key_of_several_columns(left):
    data = packed({"a": [1, 1, 1], "b": ["x", "y", "x"]})
    assert left(data, kept(key=["a", "b"]))[0].text == (
        "key 'a, b' is not of one row: '1, x' in rows 1, 3"
    )
    assert left(packed({"a": [1, 1], "b": ["x", "y"]}), kept(key=["a", "b"])) == []


def test_many_doubled_keys_are_counted(left):
    data = packed({"id": [i // 2 for i in range(2000)]})
    (found,) = left(data, kept(key=["id"]))
    assert found.text.endswith("; and 997 more")


keys = st.lists(st.none() | st.sampled_from(["", "a", "b", "A", "é", "1"]), max_size=12)


@given(keys)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_keys_are_what_they_are_in_python(table_of, values):
    data = packed({"id": pa.array(values, pa.string())})
    found = departures(table_of(data), kept(key=["id"]), lambda paths: [])
    filled = [value for value in values if value is not None]
    expected = {"null-key"} if None in values else set()
    expected |= {"doubled-key"} if len(set(filled)) < len(filled) else set()
    assert {one.kind for one in found} == expected


def test_a_type_that_is_no_key(left):
    table = pa.table({"id": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])})
    (found,) = left(packed_stream(table), kept(key=["id"]))
    assert found.kind == "retyped"


def packed_stream(table):
    data = io.BytesIO()
    with pa.ipc.new_stream(data, table.schema) as writer:
        writer.write_table(table)
    return data.getvalue()


# -- files


def holding(what="image"):
    return TableSchema({"photo": ColumnSchema(None, what)})


def test_files_that_are_not_there(left):
    text = b"photo\na.png\nb.png\n\nhttp://x.org/c.png\n/data/d.png\nb.png\ne.png\n"
    (found,) = left(b"n," + text.replace(b"\n", b"\n1,"), holding())
    assert (found.kind, found.column, found.row) == ("missing-file", "photo", 3)
    assert found.text == (
        "column 'photo' names files that are not there: "
        "'b.png' (row 3), 'e.png' (row 8), and 1 more"
    )
    assert left(text, holding("label")) == []
    assert left(text, holding(), there=["a.png", "b.png", "e.png"]) == []


def test_files_in_lists_and_other_clothes(left):
    lists = pa.array([["a.png"], None, ["a.png", "b.png"], []])
    (found,) = left(packed({"photo": lists}), holding())
    assert found.text.endswith("'b.png' (row 3)")
    coded = pa.array(["a.png", "b.png"]).dictionary_encode()
    (found,) = left(packed({"photo": coded}, "arrow"), holding())
    assert found.row == 2
    assert left(packed({"photo": pa.array([b"x"])}), holding()) == []


def test_what_cannot_be_read(left):
    data = packed({"id": [1]})
    (found,) = left(data[:-20] + b"x" * 16 + data[-4:], kept(id="int64"))
    assert found.kind == "unreadable"
    (found,) = left(b"a,b\n1,2\n3\n", kept(a="int64"))
    assert (found.kind, "row 3" in found.text) == ("unreadable", True)
    assert found.kind in KINDS
