"""JSON Lines and JSON arrays: types from all values, what does not fit one type stays JSON."""

import io
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError
from oxcore.tables import Source, Table
from oxcore.tables.formats import jsonrows


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def array(*records):
    return json.dumps(records, indent=1).encode()


@pytest.mark.parametrize("packed", [lines, array])
@pytest.mark.parametrize(
    ("values", "type_", "wanted"),
    [
        ([1, None, -3], "int64", None),
        ([2**63, 1], "decimal128(38, 0)", [Decimal(2**63), Decimal(1)]),
        ([10**38, 1], "string", [str(10**38), "1"]),
        ([1, 0.5], "double", [1.0, 0.5]),
        ([2**53 + 1, 0.5], "string", ["9007199254740993", "0.5"]),
        ([True, None], "bool", None),
        (["2026-01-01", "x"], "string", None),
        ([1, "1"], "string", ["1", '"1"']),  # JSON, so that the two stay apart
        ([None, None], "string", None),
        ([[1], [], None], "list<item: int64>", None),
        ([[1, "a"], [2]], "list<item: string>", [["1", '"a"'], ["2"]]),
        ([{"u": 1}, {"u": None, "v": "x"}, None], "struct<u: int64, v: string>", "filled"),
        ([{"u": 2**70}], "struct<u: decimal128(38, 0)>", [{"u": Decimal(2**70)}]),
        ([{"u": [{"w": 1}]}], "struct<u: list<item: struct<w: int64>>>", None),
        ([{}, {}], "string", ["{}", "{}"]),
        ([1, [1]], "string", ["1", "[1]"]),
    ],
)
def test_the_type_of_a_column(table_of, packed, values, type_, wanted):
    table = table_of(packed(*({"a": value} for value in values)))
    assert str(table.schema.field("a").type) == type_
    if wanted == "filled":
        wanted = [{"u": 1, "v": None}, {"u": None, "v": "x"}, None]
    assert table.to_arrow()["a"].to_pylist() == (values if wanted is None else wanted)


def test_a_column_of_json_says_so(table_of):
    schema = table_of(lines({"a": 1, "b": 1}, {"a": "1", "b": 2})).schema
    assert schema.field("a").metadata == {b"ox": b"json"}
    assert schema.field("b").metadata is None


def test_records_may_lack_names_and_bring_new_ones(table_of):
    table = table_of(lines({"a": 1}, {"b": "x"}, {"b": None, "a": 2}))
    assert table.to_arrow().to_pylist() == [
        {"a": 1, "b": None},
        {"a": None, "b": "x"},
        {"a": 2, "b": None},
    ]
    assert table.facts == (3, (1, 2))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"a": 1}\n{"a": }\n', "row 2: not JSON: Expecting value at character 7"),
        (b'{"a": 1}\n[1]\n', "row 2: a list, not an object"),
        (b'{"a": 1}\n{"a": "\xff"}\n', "row 2: not UTF-8 at byte 8 of the line"),
        (b'{"a": "x"}\n{"a": "\\ud800"}\n', "row 2, column 'a': half of a surrogate pair"),
        (b"{}\n{}\n", "no record has a name"),
        (b'[{"a": 1}, {"a": }]', "row 2: not JSON: Expecting value"),
        (b'[{"a": 1} {"a": 2}]', "row 2: the array goes on without a comma"),
        (b'[{"a": 1}, 2]', "row 2: a number, not an object"),
        (b'[{"a": 1},', "row 2: it ends within the array"),
        (b'[{"a": 1}', "row 2: it ends within the array"),
        (b'[{"a": 1}] x', "row 2: something follows the array"),
        (b'[{"a": "\xff"}]', "row 1: not UTF-8"),
        (b"[]", "no record has a name"),
        (b'{"a": ' + b"[" * 100_000 + b"\n", "row 1: lists and objects in each other"),
    ],
)
def test_bad_json_tells_the_row(table_of, data, told):
    with pytest.raises(InvalidError) as caught:
        table_of(data).to_arrow()
    assert told in caught.value.message


@pytest.mark.parametrize("start", [b'{"a": "', b'[{"a": "'])
def test_a_record_without_end_is_not_read_whole(table_of, start):
    data = start + b"x" * (3 * jsonrows.LONGEST)
    with pytest.raises(InvalidError, match=r"row 1.*more than 8 MiB"):
        _ = table_of(data).schema


def test_many_blocks(table_of, monkeypatch):
    records = [{"n": n, "text": "é" * (n % 7)} for n in range(500)]
    monkeypatch.setattr(jsonrows, "_BLOCK", 11)
    monkeypatch.setattr(jsonrows, "_ROWS", 64)
    for data in (
        lines(*records),
        array(*records),
        json.dumps(records, ensure_ascii=False).encode(),
    ):
        assert table_of(data).to_arrow().to_pylist() == records


VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), VALUE, max_size=3), min_size=1, max_size=6))
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_record_comes_back(table_of, records):
    """Each value, or the JSON of it where the column is JSON."""

    if not any(records):
        return
    table = table_of(lines(*records))
    for record, row in zip(records, table.to_arrow().to_pylist(), strict=True):
        for field in table.schema:
            assert same(field, record.get(field.name), row[field.name])


def same(field, value, found):
    if value is None or found is None:
        return value is None and found is None
    if field.metadata == {b"ox": b"json"}:
        return json.loads(found) == value
    if isinstance(value, list):
        item = field.type.value_field
        return len(value) == len(found) and all(map(same, [item] * len(value), value, found))
    if isinstance(value, dict):
        inner = [field.type.field(i) for i in range(field.type.num_fields)]
        return all(same(one, value.get(one.name), found[one.name]) for one in inner)
    if pa.types.is_decimal(field.type):
        return int(found) == value
    return found == value


@pytest.mark.parametrize("array", [False, True])
def test_large_records_are_read_a_few_at_a_time(monkeypatch, array):
    monkeypatch.setattr(jsonrows, "_BYTES", 1 << 16)
    monkeypatch.setattr(jsonrows, "_BLOCK", 1 << 12)
    lines = [json.dumps({"id": at, "text": "x" * 10_000}) for at in range(100)]
    text = f"[{','.join(lines)}]" if array else "\n".join(lines)
    data = text.encode()
    sizes = [len(one) for one in Table(Source("t", len(data), lambda: io.BytesIO(data))).scan()]
    assert sum(sizes) == 100
    assert max(sizes) < 10
