"""The file of a schema: it reads back, says where it is wrong, and merges by what it says."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError
from oxcore.tables.schema import HOLDS, ColumnSchema, TableSchema, encode, merge, parse

PAGE = Path(__file__).parents[3] / "docs" / "schema.md"

texts = st.text(st.characters(codec="utf-8"), max_size=12)
columns = st.builds(
    ColumnSchema,
    st.sampled_from([None, pa.int64(), pa.string(), pa.list_(pa.float32())]),
    st.sampled_from(["", *HOLDS]),
    texts,
)
names = st.sampled_from(["id", "photo", "n", "a.b", "é", ""]) | texts
schemas = st.builds(
    TableSchema,
    st.dictionaries(names, columns, max_size=5),
    st.lists(names, max_size=2, unique=True).map(tuple),
    texts,
)


@given(schemas)
@settings(max_examples=200, deadline=None)
def test_what_is_written_reads_back(schema):
    data = encode(schema)
    assert parse(data, "x") == schema
    assert encode(parse(data, "x")) == data


@given(schemas)
@settings(max_examples=100, deadline=None)
def test_the_order_of_columns_is_no_part_of_it(schema):
    turned = TableSchema(dict(reversed(schema.columns.items())), schema.key, schema.description)
    assert encode(turned) == encode(schema)


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["version", "key", "columns", "type", "id"]), inner, max_size=4
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_a_schema_or_an_error_that_names_the_file(data):
    told = "f: "
    try:
        parse(data, "f")
    except InvalidError as error:
        told = error.message
    assert told.startswith("f: ")


def wrong(text):
    with pytest.raises(InvalidError) as caught:
        parse(text.encode(), "f")
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"version": 1,\n "key": [}', "f: not JSON, line 2, character 10: Expecting value"),
        ("[]", "f: the whole is no object"),
        ("{}", "f: version is null, and this ox knows 1"),
        ('{"version": 2}', "f: version is 2, and this ox knows 1"),
        ('{"version": true}', "f: version is true, and this ox knows 1"),
        (
            '{"version": 1, "keys": []}',
            "f: the whole knows no 'keys', only version, description, key, columns",
        ),
        ('{"version": 1, "key": "id"}', "f: key is no list of names of columns"),
        (
            '{"version": 1, "key": ["a", "a"]}',
            "f: key: a column stands twice in the key: a, a",
        ),
        ('{"version": 1, "columns": {"a": 3}}', "f: columns.a is no object"),
        ('{"version": 1, "columns": {"a": {}, "a": {}}}', "f: columns has 'a' twice"),
        (
            '{"version": 1, "columns": {"a": {"type": "int65"}}}',
            "f: columns.a.type: not a type: 'int65': no type is called 'int65'",
        ),
        (
            '{"version": 1, "columns": {"a": {"holds": "cats"}}}',
            "f: columns.a.holds: a column does not hold 'cats'",
        ),
        ('{"version": 1, "description": 3}', "f: description is no text"),
        ("[" * 100_000, "f: values nest too deep"),
    ],
)
def test_an_error_tells_the_place(text, message):
    assert wrong(text) == message


def test_bytes_that_are_no_text():
    with pytest.raises(InvalidError, match="f: line 2 is not UTF-8"):
        parse(b'{"version": 1,\n"\xff', "f")


def test_broken_unicode_is_refused():
    with pytest.raises(InvalidError, match="Unicode"):
        encode(TableSchema(description="\ud800"))


def test_the_example_of_the_page_is_a_schema():
    example = PAGE.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]
    schema = parse(example.encode(), "the example")
    assert encode(schema).decode() == example
    assert schema.key == ("id",)
    assert schema.columns["photo"].holds == "image"
    assert schema.columns["taken"].type == pa.timestamp("us", "UTC")


# -- merging


@given(schemas, schemas)
@settings(max_examples=100, deadline=None)
def test_one_sides_changes_are_taken(base, changed):
    assert merge(base, changed, base) == changed
    assert merge(base, base, changed) == changed
    assert merge(base, changed, changed) == changed


@given(schemas, schemas, schemas)
@settings(max_examples=200, deadline=None)
def test_the_names_of_the_sides_do_not_matter(base, ours, theirs):
    assert merge(base, ours, theirs) == merge(base, theirs, ours)


@given(schemas, st.dictionaries(names, columns), st.dictionaries(names, columns))
@settings(max_examples=200, deadline=None)
def test_edits_of_different_columns_are_both_made(base, left, right):
    right = {name: one for name, one in right.items() if name not in left}
    ours, theirs, both = (
        TableSchema({**base.columns, **edits}, base.key, base.description)
        for edits in (left, right, {**left, **right})
    )
    assert merge(base, ours, theirs) == both


def test_different_sayings_about_one_column_go_together():
    base = TableSchema({"a": ColumnSchema(pa.int8()), "b": ColumnSchema()})
    ours = TableSchema({"a": ColumnSchema(pa.int64())}, ("a",))
    theirs = TableSchema(
        {"a": ColumnSchema(pa.int8(), "label"), "b": ColumnSchema()}, (), "what it is"
    )
    both = TableSchema({"a": ColumnSchema(pa.int64(), "label")}, ("a",), "what it is")
    assert merge(base, ours, theirs) == both


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (TableSchema({"a": ColumnSchema(pa.int8())}), TableSchema({"a": ColumnSchema(pa.int16())})),
        (TableSchema({}), TableSchema({"a": ColumnSchema(None, "label", "old")})),
        (
            TableSchema({"a": ColumnSchema(None, "", "old")}, ("a",)),
            TableSchema({"a": ColumnSchema(None, "", "old")}, ("b",)),
        ),
    ],
)
def test_what_needs_a_person(ours, theirs):
    base = TableSchema({"a": ColumnSchema(None, "", "old")})
    assert merge(base, ours, theirs) is None


def test_both_made_one():
    ours, theirs = TableSchema({"a": ColumnSchema()}), TableSchema({"b": ColumnSchema()}, ("b",))
    assert merge(None, ours, theirs) == TableSchema(
        {"a": ColumnSchema(), "b": ColumnSchema()}, ("b",)
    )
