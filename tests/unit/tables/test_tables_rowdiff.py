"""Diffs of rows: against a model of dicts, over every kind of value, format and key."""

import io
import math
from datetime import UTC
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.model.counters import Counters
from oxcore.tables import Source, Table
from oxcore.tables.rowdiff import How, apply, diff, find_keys

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
FLOATS = st.sampled_from([0.0, -0.0, 0.1, 1.5, math.nan, math.inf, -math.inf])
TYPES = {
    pa.int32(): st.integers(-3, 3),
    pa.uint64(): st.sampled_from([0, 2**53, 2**53 + 1, 2**64 - 1]),
    pa.float32(): FLOATS,
    pa.float64(): FLOATS,
    pa.float16(): st.sampled_from([0.5, 1.5]),
    pa.bool_(): st.booleans(),
    pa.string(): TEXT,
    pa.large_string(): TEXT,
    pa.dictionary(pa.int8(), pa.string()): st.sampled_from(["", "x", "y"]),
    pa.binary(): st.binary(max_size=2),
    pa.decimal128(20, 3): st.decimals(-9, 9, places=3),
    pa.decimal256(60, 3): st.decimals(-9, 9, places=3),
    pa.date32(): st.dates(),
    pa.time64("ns"): st.integers(0, 5),
    pa.timestamp("s"): st.integers(0, 3),
    pa.timestamp("us"): st.datetimes(),
    pa.timestamp("ns", "UTC"): st.sampled_from([0, 1, 1000, -(2**62)]),
    pa.timestamp("us", "Europe/Zurich"): st.datetimes(timezones=st.just(UTC)),
    pa.duration("ns"): st.integers(-2, 2),
    pa.list_(pa.float64()): st.lists(st.none() | FLOATS, max_size=2),
    pa.struct([("u", pa.int64()), ("v", pa.list_(pa.string()))]): st.fixed_dictionaries(
        {"u": st.none() | st.integers(0, 2), "v": st.none() | st.lists(TEXT, max_size=1)}
    ),
    pa.map_(pa.string(), pa.int64()): st.lists(
        st.tuples(TEXT, st.integers(0, 2)), max_size=2, unique_by=lambda pair: pair[0]
    ),
    pa.uuid(): st.sampled_from([b"0" * 16, b"1" * 16]),
    pa.null(): st.none(),
}


def as_parquet(table, **options):
    out = io.BytesIO()
    parquet.write_table(table, out, **options)
    return opened(out.getvalue(), "t.parquet")


def as_arrow(table):
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return opened(out.getvalue(), "t.arrow")


def opened(data, name="t.csv"):
    data = data.encode() if isinstance(data, str) else data
    return Table(Source(name, len(data), lambda: io.BytesIO(data)))


def shape(value):
    """A value that equals itself: NaN as a word, -0.0 as 0."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value + 0.0
    if isinstance(value, dict):
        return tuple((name, shape(one)) for name, one in value.items())
    return tuple(map(shape, value)) if isinstance(value, list | tuple) else value


def rows_of(table, columns=None):
    names = columns or table.schema.names
    columns = [
        [shape(str(v) if isinstance(v, pa.Scalar) and v.is_valid else v) for v in values(column)]
        for column in table.select(names).columns
    ]
    return list(zip(*columns, strict=True))


def values(column):
    if pa.types.is_timestamp(column.type) or column.type in (pa.time64("ns"), pa.duration("ns")):
        column = column.cast(pa.int64())
    return column.to_pylist()


@st.composite
def tables(draw, size=8):
    """A table with a unique ``id`` of shuffled rows, and columns of any type."""
    columns = draw(st.lists(st.sampled_from(list(TYPES)), min_size=1, max_size=3))

    def one():
        ids = draw(st.lists(st.integers(0, size), unique=True, max_size=size))
        cells = [
            pa.array(draw(st.lists(st.none() | TYPES[t], min_size=len(ids), max_size=len(ids))), t)
            for t in columns
        ]
        names = ["id", *(f"v{number}" for number in range(len(columns)))]
        return pa.table([pa.array(ids, pa.int64()), *cells], names)

    return one(), one()


def model(old, new):
    """Added and removed ids, and those that changed with the columns that differ."""
    one = {row[0]: row for row in rows_of(old)}
    two = {row[0]: row for row in rows_of(new)}
    changed = {
        key: tuple(
            name for name, a, b in zip(new.schema.names, one[key], two[key], strict=True) if a != b
        )
        for key in one.keys() & two.keys()
        if one[key] != two[key]
    }
    return two.keys() - one.keys(), one.keys() - two.keys(), changed


def told(found):
    kinds = {"added": set(), "removed": set(), "changed": {}}
    for change in found.changes():
        if change.kind == "changed":
            kinds["changed"][change.key[0]] = change.cells
        else:
            kinds[change.kind].add(change.key[0])
    return kinds["added"], kinds["removed"], kinds["changed"]


@given(tables())
@settings(max_examples=25, deadline=None)
def test_by_key_as_a_model_of_dicts(pair):
    old, new = pair
    with diff(as_arrow(old), as_parquet(new), How(("id",))) as found:
        assert told(found) == model(old, new)
        added, removed, changed, same, before, after = found.counts
        assert (added, removed, changed) == tuple(map(len, told(found)))
        assert (before, after) == (len(old), len(new))
        assert (before, after) == (same + changed + removed, same + changed + added)
    with diff(as_arrow(new), as_arrow(old), How(("id",))) as back:
        assert told(back) == model(new, old)


@given(tables())
@settings(max_examples=25, deadline=None)
def test_a_diff_applied_gives_the_other_table(pair):
    old, new = pair
    for how in (How(("id",)), How()):
        with diff(as_arrow(old), as_arrow(new), how) as found:
            made = apply(as_arrow(old), found)
            assert made.schema == new.schema
            assert sorted(map(repr, rows_of(made))) == sorted(map(repr, rows_of(new)))


@given(tables())
@settings(max_examples=10, deadline=None)
def test_nothing_differs_from_itself(pair):
    old, _ = pair
    turned = old.take(pa.array(reversed(range(len(old))), pa.int64()))
    for how in (How(("id",)), How()):
        with diff(as_arrow(old), as_arrow(turned), how) as found:
            assert not found
            assert found.counts[:4] == (0, 0, 0, len(old))


def test_places_cells_and_values():
    with diff(opened("id,x\n1,0.5\n2,\n3,1\n"), opened("x,id\n1,2\n0.50,1\n2,4\n")) as found:
        assert (found.by, found.keys, found.cells) == ("key", ("id",), {"x": 1})
        changed, removed, added = found.changes()
        assert (changed.kind, changed.key, changed.cells) == ("changed", (2,), ("x",))
        assert (changed.old, changed.new) == ({"id": 2, "x": None}, {"x": 1.0, "id": 2})
        assert (changed.old_row, changed.new_row) == (1, 0)
        assert (removed.key, removed.old_row, removed.new_row) == ((3,), 2, None)
        assert (added.key, added.old, added.new_row) == ((4,), None, 2)
        assert [one.kind for one in found.changes(limit=1)] == ["changed"]
        assert found.batches().read_all().to_pylist()[0] == {
            "change": "changed",
            "old row": 1,
            "new row": 0,
            "old x": None,
            "new x": 1.0,
            "old id": 2,
            "new id": 2,
        }


def test_whole_rows_where_no_column_is_a_key(tmp_path):
    with diff(opened("a,b\n1,1\n1,1\n2,\n"), opened('a,b\n2,""\n1,1\n2,\n2,\n')) as found:
        assert (found.by, found.counts) == ("rows", (2, 1, 0, 2, 3, 4))
        assert [(one.kind, one.old_row, one.new_row) for one in found.changes()] == [
            ("added", None, 0),
            ("removed", 1, None),
            ("added", None, 3),
        ]
        assert found.write(str(tmp_path / "d.parquet")) == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id,v\n1,1\n2,1\n1,1\n", "t.csv, row 4, column 'id': the key 1 is that of row 2 as well"),
        ("id,v\n7,1\n2,1\n7,1\n", "t.csv, row 4, column 'id': the key 7 is that of row 2 as well"),
        ("id,v\n1,1\n,1\n", "t.csv, row 3, column 'id': the key is null"),
    ],
)
def test_keys_that_are_none(text, why):
    good = opened("id,v\n1,1\n2,1\n")
    for pair in ((good, opened(text)), (opened(text), good), (opened(text), opened(text))):
        with pytest.raises(InvalidError) as error:
            diff(*pair, How(("id",)))
        assert error.value.message == why
        with diff(*pair) as found:
            assert found.by == "rows"
    assert find_keys(good, opened(text)) == ()
    assert find_keys(good, good) == ("id",)
    with pytest.raises(NotFoundError):
        diff(good, good, How(("nope",)))


def test_a_key_of_two_columns_and_likely_names():
    one = opened("a,b,v\n1,1,x\n1,2,y\n2,1,z\n")
    with diff(one, opened("a,b,v\n2,1,z\n1,1,x\n1,2,w\n"), How(("a", "b"))) as found:
        assert [(c.key, c.cells) for c in found.changes()] == [((1, 2), ("v",))]
    ids = opened("v,image_id,x\n1,1,2\n3,2,3\n")
    assert find_keys(ids, ids) == ("image_id",)


def test_numbers_by_tolerance():
    one, two = opened("id,v\n1,0.5\n2,7\n"), opened("id,v\n1,0.59\n2,7.2\n")
    with diff(one, two, How(tolerance=0.1)) as found:
        assert [change.key for change in found.changes()] == [(2,)]
    with pytest.raises(UsageError):
        How(tolerance=math.nan)
    doubled = opened("v\n1\n1\n")
    with pytest.raises(UsageError):
        diff(doubled, doubled, How(tolerance=1.0))


def test_the_same_bytes_are_not_read():
    counters = Counters()
    data = b"id,v\n1,2\n"
    source = Source("a.csv", len(data), lambda: io.BytesIO(data), b"its id", None, counters)
    with Table(source).diff(Table(source)) as found:
        assert not found
        assert found.counts == (0, 0, 0, None, None, None)
        assert list(found.changes()) == []
        assert counters.rows == 0
        assert found.batches().schema.names[3:] == ["old id", "new id", "old v", "new v"]


PAIRS = [
    (pa.int64(), [1, 2**53 + 1, None], pa.float64(), [1.0, float(2**53), None], 1),
    (pa.int64(), [2**63 - 1], pa.uint64(), [2**64 - 1], 1),
    (pa.int8(), [1, -1], pa.int64(), [1, -1], 0),
    (pa.float64(), [0.1, math.nan, 1e300], pa.float32(), [0.1, math.nan, math.inf], 2),
    (pa.string(), ["1970-01-03", "x"], pa.date32(), [2, 2], 1),
    (pa.string(), ["1970-01-01 01:00"], pa.timestamp("ms"), [3_600_000], 0),
    (pa.timestamp("s"), [5, 6], pa.timestamp("ns"), [5 * 10**9, 6 * 10**9 + 1], 1),
    (pa.date32(), [1], pa.timestamp("us"), [86_400_000_000], 0),
    (pa.string(), ["1.50", "x"], pa.decimal128(9, 2), ["1.5", "2"], 1),
    (pa.string(), ["0aff"], pa.binary(), [b"\x0a\xff"], 0),
    (pa.string(), ['{"a": [1, 2.0]}'], pa.struct([("a", pa.list_(pa.int8()))]), [{"a": [1, 2]}], 0),
    (pa.bool_(), [True], pa.int8(), [1], 1),
    (pa.string(), ["True"], pa.bool_(), [True], 0),
    (pa.null(), [None], pa.string(), [""], 1),
    (pa.null(), [None], pa.null(), [None], 0),
    (pa.duration("s"), [1], pa.duration("ms"), [1000], 0),
]


@pytest.mark.parametrize(("first", "one", "second", "two", "differ"), PAIRS, ids=str)
def test_values_of_two_types_meet(first, one, second, two, differ):
    if pa.types.is_decimal(second):
        two = [Decimal(value) for value in two]
    ids = pa.array(range(len(one)), pa.int32())
    pair = [
        as_arrow(pa.table({"id": ids, "v": pa.array(column, type_)}))
        for type_, column in ((first, one), (second, two))
    ]
    for old, new in (pair, reversed(pair)):
        with diff(old, new, How(("id",))) as found:
            assert found.counts.changed == differ


def union(codes):
    parts = [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]
    return pa.UnionArray.from_sparse(pa.array(codes, pa.int8()), parts)


RARE = [
    (union([0, 1, 0]), union([0, 1, 1])),
    *(
        (pa.array([*values, None], type_), pa.array([values[0], values[0], None], type_))
        for type_, values in [
            (pa.month_day_nano_interval(), [(1, 2, 3), (1, 2, 4)]),
            (pa.list_view(pa.int64()), [[1], [2]]),
            (pa.large_list(pa.duration("ns")), [[1], [2]]),
            (pa.string_view(), ["a", "b"]),
            (pa.time32("s"), [1, 2]),
            (pa.timestamp("us"), [2**62, -(2**62)]),
            (pa.timestamp("s", "Nowhere/None"), [1, 2]),
            (pa.date32(), [2**30, -(2**30)]),
            (pa.run_end_encoded(pa.int32(), pa.string()), ["a", "b"]),
        ]
    ),
]


@pytest.mark.parametrize("pair", RARE, ids=lambda pair: str(pair[0].type))
def test_rare_types(pair):
    one, two = (pa.table([[1, 2, 3], values], ["id", "v"]) for values in pair)
    with diff(as_arrow(one), as_arrow(two), How(("id",))) as found:
        assert found.counts[:4] == (0, 0, 1, 2)
        assert [change.cells for change in found.changes()] == [("v",)]
        assert len(found.batches().read_all()) == 1
        assert len(apply(as_arrow(one), found)) == 3
