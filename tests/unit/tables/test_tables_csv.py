"""CSV: the type of a column loses nothing of any value; errors tell row and column."""

import datetime as dt
import math
import random
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError
from oxcore.tables import infer
from oxcore.tables.formats import csv as csv_format

UTC = dt.timezone.utc  # noqa: UP017 -- the tests speak of zones


def column(*values):
    """The type of a column with these fields, as they stand in the file."""
    found = infer.Column()
    found.look(pa.array(values, pa.string()))
    return str(infer.decide(found.seen))


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        (["1", "-12", "0"], "int64"),
        (["9223372036854775807", "-9223372036854775808"], "int64"),
        (["9223372036854775808", "5"], "decimal128(38, 0)"),
        (["9" * 38, "-1"], "decimal128(38, 0)"),
        (["9" * 39], "string"),
        (["007", "008"], "string"),  # leading zeros belong to the value
        (["1", "01"], "string"),
        (["-0"], "string"),
        (["+1"], "string"),
        (["1 "], "string"),
        (["0x10", "10"], "string"),
        (["1,000"], "string"),
        (["0.5", "1", "-3.25"], "double"),
        ([".5", "5."], "double"),
        (["1e-05", "0.1"], "double"),
        (["1.5e10", "1E+20"], "double"),
        (["1e5", "2e7"], "string"),  # ids, as 3f2 is one
        (["1e5", "12"], "string"),
        (["1e5", "0.5"], "double"),
        (["00.5"], "string"),
        (["0.12345678901234567"], "double"),
        (["0.123456789012345678"], "string"),  # more digits than a double keeps
        (["0.5", "9007199254740993"], "string"),
        (["0.5", "9007199254740992"], "double"),
        (["1e+400", "0.5"], "string"),
        (["NaN", "1.5"], "double"),
        (["NaN", "1"], "double"),
        (["nan", "inf"], "string"),  # no number among them
        (["-inf", "0.5"], "double"),
        (["true", "false"], "bool"),
        (["True", "FALSE"], "bool"),
        (["yes", "no"], "string"),
        (["t", "f"], "string"),
        (["true", "1"], "string"),
        (["2026-01-31"], "date32[day]"),
        (["2026-02-30"], "string"),
        (["2026-1-1"], "string"),
        (["31.01.2026"], "string"),
        (["2026-01-31 10:00"], "timestamp[us]"),
        (["2026-01-31T10:00:01.5"], "timestamp[us]"),
        (["2026-01-31 10:00:00.123456789", "2026-01-31 10:00"], "timestamp[ns]"),
        (["1500-01-31 10:00:00.5"], "timestamp[us]"),
        (["1500-01-31 10:00:00", "2026-01-31 10:00:00.123456789"], "string"),
        (["2026-01-31T10:00:00Z", "2026-01-31 10:00:00+01:00"], "timestamp[us, tz=UTC]"),
        (["2026-01-31T10:00:00Z", "2026-01-31T10:00:00"], "string"),
        (["2026-01-31", "2026-01-31 10:00"], "string"),
        (["2026-01-31 25:00"], "string"),
        (["cat", "1"], "string"),
        (["NA", "1"], "string"),
        ([None, None], "string"),
        ([None, "1"], "int64"),
        (["", "1"], "string"),  # an empty text is one
    ],
)
def test_the_type_of_a_column(fields, wanted):
    assert column(*fields) == wanted


FIELD = st.one_of(
    st.none(),
    st.integers(-(10**20), 10**20).map(str),
    st.integers(-20, 20).map(str),
    st.floats().map(repr),
    st.sampled_from(["007", "1e5", "NaN", "true", "2026-01-31", "2026-01-31 10:00", "x", "-0", ""]),
)


@given(st.lists(FIELD, max_size=30), st.integers(0, 2**32), st.integers(1, 7))
@settings(max_examples=300, deadline=None)
def test_the_type_does_not_depend_on_order_nor_on_how_much_is_read_at_once(fields, seed, size):
    shuffled = fields[:]
    random.Random(seed).shuffle(shuffled)
    found = infer.Column()
    for start in range(0, len(shuffled), size):
        found.look(pa.array(shuffled[start : start + size], pa.string()))
    assert str(infer.decide(found.seen)) == column(*fields)
    assert found.nulls == fields.count(None)


@given(st.lists(FIELD.filter(bool), min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_a_column_of_numbers_holds_the_numbers_of_its_fields(fields):
    found = infer.Column()
    found.look(pa.array(fields, pa.string()))
    type_ = infer.decide(found.seen)
    values = pa.array(fields, pa.string()).cast(type_).to_pylist()
    for field, value in zip(fields, values, strict=True):
        if type_ == pa.int64() or pa.types.is_decimal(type_):
            assert str(value) == field
        elif type_ == pa.float64() and not math.isnan(value):
            assert value == float(field)
            assert Decimal(repr(value)) == Decimal(field)


def test_values_by_type(table_of):
    table = table_of(
        b"id,code,price,day,at,ok,big\n"
        b"1,007,1.10,2026-01-02,2026-01-02T03:04:05+01:00,true,99999999999999999999\n"
        b",,,,,,\n"
    )
    assert table.to_arrow().to_pylist() == [
        {
            "id": 1,
            "code": "007",
            "price": 1.1,
            "day": dt.date(2026, 1, 2),
            "at": dt.datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC),
            "ok": True,
            "big": Decimal(99999999999999999999),
        },
        dict.fromkeys(["id", "code", "price", "day", "at", "ok", "big"]),
    ]
    assert table.facts == (2, (1,) * 7)


def test_an_empty_field_is_null_and_an_empty_text_is_none(table_of):
    table = table_of(b'a,b\n,""\nx,y\n')
    assert table.to_arrow().to_pylist() == [{"a": None, "b": ""}, {"a": "x", "b": "y"}]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a,b\r\n1,x\r\n", [{"a": 1, "b": "x"}]),
        (b"a,b\r1,x\r", [{"a": 1, "b": "x"}]),
        (b"a;b\n1;x,y\n", [{"a": 1, "b": "x,y"}]),
        (b"a\tb\n1\tx\n", [{"a": 1, "b": "x"}]),
        (b"a|b\n1|x\n", [{"a": 1, "b": "x"}]),
        (b"\xef\xbb\xbfa,b\n1,x\n", [{"a": 1, "b": "x"}]),
        (b"a,b\n1,x", [{"a": 1, "b": "x"}]),
        (b'"a,1",b\n1,"x\ny""z"\n', [{"a,1": 1, "b": 'x\ny"z'}]),
        (b'"a\nb",c\n1,2\n', [{"a\nb": 1, "c": 2}]),
        (b"a\n1\n\n2\n", [{"a": 1}, {"a": None}, {"a": 2}]),  # of one column, a blank is a null
        (b"a,b\n1,2\n\n3,4\n", [{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
        (b",a,a\n1,2,3\n", [{"column_1": 1, "a": 2, "a_2": 3}]),
        (b"a,b\n", []),
        (b"a,b", []),
    ],
)
def test_dialects(table_of, data, rows):
    table = table_of(data)
    assert table.to_arrow().to_pylist() == rows
    assert len(table) == len(rows)


def test_the_name_settles_which_delimiter_is_meant(table_of):
    assert table_of(b"a, b, c\td\n1\t2\n", "x.tsv").schema.names == ["a, b, c", "d"]
    assert table_of(b"a;b;c,d\n1,2\n", "x.csv").schema.names == ["a;b;c", "d"]


LATE = 200_000  # rows, so that a fault is not in the first block


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a,b\n1,2\n3\n", "labels, row 3: 1 fields, and the first row has 2"),
        (b"a,b\n1,2\n3,4,5\n", "labels, row 3: 3 fields, and the first row has 2"),
        (b"a,b\n1,2\n3,\xff\n", "labels, row 3, column 'b': not UTF-8"),
        (b"a,\xff\n1,2\n", "labels, row 1: not UTF-8"),
        (b"a,b\n\xff,1\n", "labels, row 2, column 'a': not UTF-8"),
        (b"a,b\n" + b"1,2\n" * LATE + b"3\n", f"labels, row {LATE + 2:,}: 1 fields"),
        (b"a,b\n" + b"1,2\n" * LATE + b"\xff,1\n", f"labels, row {LATE + 2:,}, column 'a'"),
        (b'a,b\n1,"2\n' + b"3,4\n" * 40 * LATE, "labels, row 2: a row of more than 8 MiB"),
        (b'a,b\n1,"2\n3,4\n', "labels, row 2: a quote is opened and not closed"),
        (b'a,b\n1,2\n3,"', "labels, row 3: a quote is opened and not closed"),
        (b'a\n"\n', "labels, row 2: a quote is opened and not closed"),
        (b'"a', "labels, row 1: a quote is opened and not closed"),
        (b"\n1,2\n", "labels, row 1: its first row is empty"),
        (b"", "labels: it is empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_bad_csv_tells_row_and_column(table_of, data, told):
    with pytest.raises(InvalidError) as caught:
        table_of(data).to_arrow()
    assert caught.value.message.startswith(told)


def test_a_line_without_end_is_not_read_whole():
    """The memory of a 10 GiB line is bounded: reading stops after some blocks of it."""
    import io

    from oxcore.tables import Source, Table

    class Endless(io.RawIOBase):
        def __init__(self):
            super().__init__()
            self.at = 0

        def readable(self):
            return True

        def readinto(self, buffer):
            start = b"a,b\n1," if not self.at else b""
            buffer[:] = start + b"x" * (len(buffer) - len(start))
            self.at += len(buffer)
            return len(buffer)

    opened = []

    def open_it():
        opened.append(Endless())
        return opened[-1]

    table = Table(Source("endless.csv", 10 << 30, open_it))
    with pytest.raises(InvalidError, match="row 2: a row of more than 8 MiB"):
        _ = table.schema
    assert max(one.at for one in opened) <= 16 * csv_format.LONGEST


def test_values_are_shown_as_the_file_has_them(table_of):
    with table_of(b"price,big\n1.10,1e-05\n2.00,0.5\n").pick() as rows:
        assert [batch.to_pylist() for batch in rows.raw()] == [
            [{"price": "1.10", "big": "1e-05"}, {"price": "2.00", "big": "0.5"}]
        ]


@pytest.mark.parametrize("place", [0, 3, 90_000])
def test_a_long_row_is_read_in_larger_blocks(table_of, place):
    rows = [{"n": n, "text": f"text {n}"} for n in range(100_000)]
    rows[place]["text"] = "x" * (5 << 20)
    data = "n,text\n" + "".join(f"{row['n']},{row['text']}\n" for row in rows)
    table = table_of(data.encode())
    assert table.to_arrow().to_pylist() == rows
    assert len(table) == 100_000


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,24})?\.[0-9]{1,40}([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_what_passes_as_exact_has_at_most_17_digits(text):
    matched = pc.match_substring_regex(pa.array([text]), infer._EXACT)[0].as_py()
    assert not matched or infer._digits(text) <= 17


NUMBERS = st.one_of(
    st.from_regex(r"-{0,2}[0-9]{0,3}\.?[0-9]{0,16}", fullmatch=True),
    st.from_regex(r"-?(0|[1-9][0-9]{0,16})", fullmatch=True),
    st.sampled_from(["", "-", ".", "-.", "1-2", "+1.5", " 1.5", "1e5", "nan", "inf", "0x1p3", "x"]),
)


@given(st.lists(NUMBERS, min_size=1, max_size=4), st.booleans())
def test_what_is_plain_is_a_number_by_its_form_too(texts, whole):
    values = pa.array(texts, pa.string())
    form = infer._SHORT if whole else infer._FORMS[infer.Seen.REAL]
    if infer._plain(values, whole=whole):
        assert infer._fits(values, form)
        assert infer._exact(values)


@pytest.mark.parametrize("text", ["0.25", "-0.25", "12.5", "-12.5", ".5", "-.5", "3.", "0.0"])
def test_ordinary_numbers_are_plain(text):
    assert infer._plain(pa.array([text]), whole=False)
    assert infer._plain(pa.array([text, "0", "7", "-7"]), whole=True)
