"""Types by name: every name gives its type again, and is Arrow's where Arrow's can be read."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError
from oxcore.tables.typenames import logical, parse_type, type_name

UNITS = ("s", "ms", "us", "ns")
SIMPLE = [
    *(pa.null(), pa.bool_(), pa.float16(), pa.float32(), pa.float64()),
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64()),
    *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary()),
    *(pa.binary_view(), pa.binary(16), pa.date32(), pa.date64(), pa.month_day_nano_interval()),
    *(pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *map(pa.duration, UNITS),
]
simple = (
    st.sampled_from(SIMPLE)
    | st.builds(pa.timestamp, st.sampled_from(UNITS), st.sampled_from([None, "UTC", "+01:00"]))
    | st.builds(pa.decimal128, st.integers(1, 38), st.integers(-5, 38))
    | st.builds(pa.decimal256, st.integers(1, 76), st.integers(-5, 76))
)
plain_names = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,7}\Z")
odd_names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


def field_of(name, type_, nullable):
    return pa.field(name, type_, nullable or type_ == pa.null())  # a null that is none: refused


def nested(inner, names):
    item = st.builds(field_of, names, inner, st.booleans())
    ends = st.sampled_from([pa.int16(), pa.int32(), pa.int64()])
    return (
        st.builds(pa.list_, inner)
        | st.builds(pa.large_list, item)
        | st.builds(pa.list_view, item)
        | st.builds(pa.list_, item, st.integers(0, 9))
        | st.builds(pa.struct, st.lists(item, max_size=4, unique_by=lambda field: field.name))
        | st.builds(pa.map_, inner.filter(lambda key: key != pa.null()), inner, st.booleans())
        | st.builds(pa.dictionary, ends, inner, st.booleans())
        | st.builds(pa.run_end_encoded, ends, inner)
        | st.builds(pa.dense_union, st.lists(item, min_size=1, max_size=3))
    )


def types(names):
    return st.recursive(simple, lambda inner: nested(inner, names), max_leaves=6)


@given(types(odd_names))
@settings(max_examples=300, deadline=None)
def test_a_name_gives_its_type(type_):
    assert parse_type(type_name(type_)) == type_


@given(types(plain_names))
@settings(max_examples=200, deadline=None)
def test_where_fields_have_plain_names_arrows_own_text_is_the_name(type_):
    assert type_name(type_) == str(type_)


@given(types(odd_names))
@settings(max_examples=200, deadline=None)
def test_what_a_type_means_means_itself(type_):
    assert logical(logical(type_)) == logical(type_)


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("timestamp[us, UTC]", pa.timestamp("us", "UTC")),
        ("float64", pa.float64()),
        ("date32", pa.date32()),
        ("list<int32>", pa.list_(pa.int32())),
        ("list<list<int32>>", pa.list_(pa.list_(pa.int32()))),
        ("decimal128(10,2)", pa.decimal128(10, 2)),
        ("struct<x: float,y: float>", pa.struct([("x", pa.float32()), ("y", pa.float32())])),
    ],
)
def test_what_people_write(text, type_):
    assert parse_type(text) == type_


@given(st.text(st.sampled_from('int64list<>[]()":, struct=\\'), max_size=30) | st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_type_or_an_error_of_ours(text):
    try:
        type_ = parse_type(text)
    except InvalidError as error:
        told = error.message
    else:
        assert parse_type(type_name(type_)) == type_
        return
    assert repr(text[:80]) in told


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("int65", "no type is called 'int65'"),
        ("", "no type is called ''"),
        ("int64 x", "at character 6: ' x' does not belong to it"),
        ("list<item: int33>", "at character 12: no type is called 'int33'"),
        ("list<item: int32", "at character 17: '>' is missing"),
        ("list<item: null not null>", "null"),
        ("timestamp[h]", "a timestamp is in s, ms, us or ns"),
        ("decimal128(39, 2)", "precision"),
        ("list<" * 70 + "int8" + ">" * 70, "types nest deeper than 64"),
    ],
)
def test_an_error_tells_the_place(text, why):
    with pytest.raises(InvalidError) as caught:
        parse_type(text)
    assert why in caught.value.message
    assert "as in int64" in caught.value.hint


@pytest.mark.parametrize(
    ("type_", "meant"),
    [
        (pa.large_string(), pa.string()),
        (pa.dictionary(pa.int8(), pa.string_view()), pa.string()),
        (pa.run_end_encoded(pa.int32(), pa.int8()), pa.int8()),
        (pa.large_list(pa.field("element", pa.large_binary(), False)), pa.list_(pa.binary())),
        (pa.struct([("a", pa.large_string())]), pa.struct([("a", pa.string())])),
        (pa.uuid(), pa.binary(16)),
        (pa.list_(pa.large_string(), 2), pa.list_(pa.string(), 2)),
        (pa.map_(pa.large_string(), pa.int8()), pa.map_(pa.string(), pa.int8())),
        (pa.timestamp("us"), pa.timestamp("us")),
    ],
)
def test_how_values_are_laid_out_is_no_matter_of_the_type(type_, meant):
    assert logical(type_) == meant
