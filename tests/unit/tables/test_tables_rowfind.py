"""Rows by their key: how keys are written, and how values of every type are found."""

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.tables.rowcells import renamed, rows_at, same
from oxcore.tables.rowfind import find
from oxcore.tables.rowkeys import parse_key, row_number, show_key, text_key
from oxcore.tables.values import text


@pytest.mark.parametrize(
    ("given_", "key"),
    [
        ("id=42", {"id": "42"}),
        ("id=", {"id": ""}),
        ("id:null", {"id": None}),
        ("id==", {"id": "="}),
        ("id=a,b", {"id": "a,b"}),
        ("id=1,label=cat", {"id": "1", "label": "cat"}),
        ("id=1,,label=cat,", {"id": "1,", "label": "cat,"}),
        ("id:null,label:null", {"id": None, "label": None}),
        ("id=a,other=cat", {"id": "a,other=cat"}),
        ("a=b=1", {"a=b": "1"}),
        ("c,d=1,id=2", {"c,d": "1", "id": "2"}),
        ("id=:null", {"id": ":null"}),
    ],
)
def test_how_a_key_is_written(given_, key):
    assert parse_key(given_, ["id", "label", "a=b", "c,d", "d"]) == key


def test_what_is_no_key():
    with pytest.raises(NotFoundError, match="no column is called 'lable'") as caught:
        parse_key("lable=1", ["id", "label"])
    assert caught.value.hint == "did you mean label?"
    for bad in ("", "id", "id:nul", "42"):
        with pytest.raises(UsageError, match="is no key"):
            parse_key(bad, ["id"])


@given(st.dictionaries(st.sampled_from(["id", "x y", "z"]), st.none() | st.text(), min_size=1))
def test_a_key_is_read_as_it_is_shown(key):
    shown = show_key(key)
    clash = any(value and any(f",{n}" in value for n in key) for value in key.values())
    if not clash:
        assert parse_key(shown, ["id", "x y", "z"]) == key


VALUES = [
    (pa.int64(), [1, -5, 2**62], 2**62),
    (pa.uint8(), [1, 2, 255], "255"),
    (pa.float64(), [0.5, 1e300, float("inf")], "0.50"),
    (pa.float64(), [1.0, float("nan")], "nan"),
    (pa.float32(), [0.1, 0.2], 0.1),
    (pa.float16(), [0.5, 1.5], 1.5),
    (pa.string(), ["1", "01", ""], "01"),
    (pa.large_string(), ["1", "é"], "é"),
    (pa.string_view(), ["a", "b"], "b"),
    (pa.bool_(), [True, False], True),
    (pa.date32(), [date(2026, 1, 2), date(2026, 1, 3)], date(2026, 1, 3)),
    (pa.timestamp("us"), [1767323045000000], "2026-01-02T03:04:05"),
    (pa.timestamp("ns"), [1767323045000000001, 5], "2026-01-02T03:04:05.000000001"),
    (
        pa.timestamp("ms", "UTC"),
        [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)],
        "2026-01-02 05:04:05+02:00",
    ),
    (pa.time64("us"), [time(1, 2, 3), time(4, 5, 6)], time(1, 2, 3)),
    (pa.duration("ms"), [1500, 2], "1500 ms"),
    (pa.decimal128(10, 2), [Decimal("1.50"), Decimal("2.00")], "1.5"),
    (pa.binary(), [b"\x00\xff", b"a"], b"\x00\xff"),
    (pa.dictionary(pa.int8(), pa.string()), ["cat", "dog"], "cat"),
]


@pytest.mark.parametrize(("kind", "values", "wanted"), VALUES, ids=lambda one: str(one)[:30])
def test_a_value_of_every_type(table_of, kind, values, wanted):
    array = pa.array([None, *values], kind)
    out = io.BytesIO()
    whole = pa.table({"k": array, "n": range(len(array))})
    with ipc.new_file(out, whole.schema) as writer:
        writer.write_table(whole)
    table = table_of(out.getvalue(), "t.arrow")
    keys = [text_key({"k": wanted}), {"k": None}, {"k": "no such value"}]
    (place,), null, none = find(table, keys)
    assert (null, none) == ([0], [])
    row = rows_at(table, [place])[place]
    assert row.raw["n"] == place
    assert find(table, [{"k": text(row.raw["k"])}]) == [[place]]  # as it is shown


def test_a_column_of_lists_is_no_key(table_of):
    out = io.BytesIO()
    parquet.write_table(pa.table({"k": [[1], [2]], "n": [1, 2]}), out)
    with pytest.raises(InvalidError, match=r"t.parquet, column 'k': no key, it holds list"):
        find(table_of(out.getvalue(), "t.parquet"), [{"k": "[1]"}])


@pytest.mark.parametrize(
    ("column", "wanted", "places"),
    [
        ("1\n2\n3", "2", [1]),
        ("1\n2\n3", "02", [1]),  # a number is a number
        ("01\n2\n3", "1", []),  # and an id is its text
        ("0.5\n.5\n1", "0.50", [0, 1]),
        ("true\nTRUE\nfalse", "True", [0, 1]),
        ("2026-01-01 10:00\n2026-01-01T11:00", "2026-01-01T10:00:00", [0]),
        ("2026-01-01T10:00Z\n2026-01-01T10:00+01:00", "2026-01-01T09:00", [1]),
        ('a\n\n""', None, [1]),
        ('a\n\n""', "", [2]),
    ],
)
def test_values_of_csv_by_their_type(table_of, column, wanted, places):
    lines = "".join(f"{line},x\n" for line in column.split("\n"))
    table = table_of(f"k,n\n{lines}".encode(), "t.csv")
    assert find(table, [{"k": wanted}]) == [places]
    assert row_number(table, 0) == 2


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.integers()), max_size=30),
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), min_size=1, max_size=4),
)
def test_keys_of_two_columns(table_of, rows, wanted):
    lines = "".join(f"{a},{b},{c}\n" for a, b, c in rows)
    table = table_of(f"a,b,c\n{lines}".encode(), "t.csv")
    found = find(table, [{"a": str(a), "b": b} for a, b in wanted])
    expected = [[at for at, row in enumerate(rows) if row[:2] == key][:10] for key in wanted]
    assert found == expected
    places = sorted({place for each in found for place in each})
    assert {place: int(row.raw["c"]) for place, row in rows_at(table, places).items()} == {
        place: rows[place][2] for place in places
    }


def test_renames_that_the_values_say(table_of):
    old = table_of(b"id,x,y\n1,a,p\n2,,q\n", "t.csv")
    assert renamed(old, table_of(b"key,x,z\n1,a,p\n2,,q\n", "t.csv")) == {"key": "id", "z": "y"}
    assert renamed(old, table_of(b"key,x,z\n1,a,p\n2,,r\n", "t.csv")) == {"key": "id"}
    assert renamed(old, table_of(b"key,x,z\n1,a,p\n", "t.csv")) == {}
    assert renamed(old, table_of(b"id,x,y,z\n1,a,p,p\n2,,q,q\n", "t.csv")) == {}


def cell(table_of, data, name):
    table = table_of(data, name)
    return rows_at(table, [0])[0]


@pytest.mark.parametrize(
    ("one", "two", "equal"),
    [
        ("1.5", "1.50", True),
        ("1", "1.0", True),
        ("1", "2", False),
        ("true", "True", True),
        ("2026-01-01 10:00", "2026-01-01T10:00:00", True),
        ("2026-01-01 10:00", "2026-01-01T10:01:00", False),
        ("nan", "NaN", False),  # texts, where no number stands beside them
        ("a", "A", False),
        ("01", "1", False),
    ],
)
def test_cells_of_csv_compare_by_value(table_of, one, two, equal):
    rows = [cell(table_of, f"x,y\n{text_},\n".encode(), "t.csv") for text_ in (one, two)]
    assert same(rows[0], "x", rows[1], "x") is equal
    assert same(rows[0], "y", rows[1], "y")
    assert not same(rows[0], "x", rows[1], "y")


def test_cells_of_two_formats_compare_by_value(table_of):
    csv = cell(table_of, b"i,f,d,s,t\n1,0.1,2026-01-01,1,2026-01-01T10:00\n", "t.csv")
    out = io.BytesIO()
    values = {
        "i": pa.array([1], pa.int8()),
        "f": pa.array([Decimal("0.10")], pa.decimal128(5, 2)),
        "d": pa.array([date(2026, 1, 1)]),
        "s": pa.array(["1"]),
        "t": pa.array([1767261600000], pa.timestamp("ms")),
    }
    parquet.write_table(pa.table(values), out)
    binary = cell(table_of, out.getvalue(), "t.parquet")
    for name in values:
        assert same(csv, name, binary, name), name
        assert same(binary, name, csv, name), name
    jsonl = cell(table_of, b'{"i": "1", "f": 0.1, "d": true, "s": 1}\n', "t.jsonl")
    assert not same(jsonl, "i", binary, "i")  # formats that tell a text from a number
    assert same(jsonl, "f", binary, "f")
    assert not same(jsonl, "d", binary, "i")
