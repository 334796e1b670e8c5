"""Parquet and Arrow with their edits: the values of a model, and everything about the file kept."""

import io
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet
from support.arrays import ARRAYS

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.tables import Source, Table, plain
from oxcore.tables.rewrite import Edits, Raw, rewrite

KINDS = ("parquet", "arrow", "arrow-stream")


def open_table(data):
    return Table(Source("labels", len(data), lambda: io.BytesIO(data)))


def file_of(kind, batches, **how):
    out = io.BytesIO()
    schema = batches[0].schema
    if kind == "parquet":
        with parquet.ParquetWriter(out, schema, **how) as writer:
            for batch in batches:
                writer.write_batch(batch)
    else:
        opener = ipc.new_file if kind == "arrow" else ipc.new_stream
        with opener(out, schema, **how) as writer:
            for batch in batches:
                writer.write_batch(batch)
    return out.getvalue()


def rewritten(data, edits):
    out = io.BytesIO()
    count = rewrite(open_table(data), edits, out)
    found = open_table(out.getvalue()).to_arrow()
    found.validate(full=True)
    assert count == len(found)
    return out.getvalue(), found


SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False, metadata={b"PARQUET:field_id": b"7"}),
        pa.field("word", pa.dictionary(pa.int32(), pa.string())),
        pa.field("deep", pa.list_(pa.struct([("x", pa.int8())]))),
    ],
    {b"own": b"kept"},
)
ROW = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**63), 2**63 - 1),
        "word": st.sampled_from([None, "a", "b", "é", "new"]),
        "deep": st.none() | st.lists(st.none() | st.fixed_dictionaries({"x": st.integers(-9, 9)})),
    }
)


@given(
    st.sampled_from(KINDS), st.lists(st.lists(ROW, max_size=4), min_size=1, max_size=3), st.data()
)
@settings(max_examples=120, deadline=None)
def test_edits_are_those_of_a_model(kind, parts, data):
    words = pa.array([None, "a", "b", "é", "new"]).dictionary_encode()
    batches = []
    for part in parts:
        batch = pa.RecordBatch.from_pylist(part, SCHEMA)
        if kind == "arrow":  # one dictionary for all batches of a file
            at = [words.to_pylist().index(row["word"]) for row in part]
            batch = batch.set_column(1, SCHEMA.field(1), words.take(pa.array(at, pa.int64())))
        batches.append(batch)
    table = [row for part in parts for row in part]
    before = file_of(kind, batches)
    places = st.integers(0, max(len(table) - 1, 0))
    some = ROW.flatmap(
        lambda row: st.sets(st.sampled_from(list(row))).map(lambda n: {k: row[k] for k in n})
    )
    cells = data.draw(st.dictionaries(places, some, max_size=3)) if table else {}
    deleted = data.draw(st.sets(places, max_size=3)) if table else set()
    inserted = data.draw(st.lists(st.tuples(st.integers(0, len(table)), ROW), max_size=3))
    _, found = rewritten(before, Edits(cells, deleted, inserted))
    wanted = []
    for at in range(len(table) + 1):
        wanted += [row for place, row in inserted if place == at]
        if at < len(table) and at not in deleted:
            wanted.append({**table[at], **cells.get(at, {})})
    assert found.to_pylist() == wanted
    assert found.schema.equals(open_table(before).schema, check_metadata=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.type))
def test_every_type(kind, array):
    table = pa.RecordBatch.from_arrays([pa.array([1, 2, 3]), array], names=["k", "v"])
    try:
        before = file_of(kind, [table])
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        pytest.skip("the format has no such type")
    old = open_table(before).to_arrow()
    _, found = rewritten(before, Edits({1: {"k": 7}}, [0], [(3, {"k": 8})]))
    assert found.column(0).to_pylist() == [7, 3, 8]
    assert found.schema.equals(old.schema, check_metadata=True)
    _, found = rewritten(before, Edits({0: {"v": old.column(1)[2]}}))
    first, wanted = found.column(1).slice(0, 1), old.column(1).slice(2)
    assert plain(first.combine_chunks()) == plain(wanted.combine_chunks())


@pytest.mark.parametrize("kind", KINDS)
def test_columns_come_go_and_change_their_name(kind):
    batch = pa.record_batch({"a": [1, 2], "b": ["x", "y"]})
    before = file_of(kind, [batch, batch])
    added = [("c", None, 0.5), ("d", pa.date32(), None)]
    edits = Edits({1: {"c": 2}}, [0], [(4, {"z": "new"})], {"b": "z"}, added, ["a"])
    _, found = rewritten(before, edits)
    assert found.schema == pa.schema([("z", pa.string()), ("c", pa.float64()), ("d", pa.date32())])
    assert found.to_pydict() == {
        "z": ["y", "x", "y", "new"],
        "c": [2, 0.5, 0.5, 0.5],
        "d": [None] * 4,
    }


def test_parquet_keeps_how_it_was_written():
    rows = pa.table({"a": range(100), "b": ["x", "y"] * 50, "c": [[1, 2]] * 100})
    out = io.BytesIO()
    how = {"compression": {"a": "zstd", "b": "snappy"}, "use_dictionary": ["b"], "version": "2.4"}
    with parquet.ParquetWriter(out, rows.schema, store_schema=False, **how) as writer:
        for start in (0, 10, 60):
            writer.write_table(rows.slice(start, {0: 10, 10: 50, 60: 40}[start]))
        writer.add_key_value_metadata({"own": "kept"})
    after, _ = rewritten(out.getvalue(), Edits({5: {"a": 7}}, [20], [(100, {"a": 1})]))
    old, new = (parquet.ParquetFile(io.BytesIO(data)).metadata for data in (out.getvalue(), after))
    assert [new.row_group(n).num_rows for n in range(3)] == [10, 49, 41]
    assert new.metadata == old.metadata
    assert new.format_version == old.format_version
    for at in range(3):
        one, other = new.row_group(1).column(at), old.row_group(1).column(at)
        assert one.compression == other.compression
        assert ("RLE_DICTIONARY" in one.encodings) == ("RLE_DICTIONARY" in other.encodings)
        assert new.schema.column(at).path == old.schema.column(at).path


@pytest.mark.parametrize("kind", ["arrow", "arrow-stream"])
@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
def test_arrow_keeps_how_it_was_written(kind, codec):
    batch = pa.record_batch({"a": list(range(1000))})
    out = io.BytesIO()
    more = {"metadata": {"own": "kept"}} if kind == "arrow" else {}
    opener = ipc.new_file if kind == "arrow" else ipc.new_stream
    options = ipc.IpcWriteOptions(compression=codec)
    with opener(out, batch.schema, options=options, **more) as writer:
        writer.write_batch(batch, custom_metadata={"number": "1"})
        writer.write_batch(batch.slice(0, 10))
    after, _ = rewritten(out.getvalue(), Edits({5: {"a": 7}}, inserted=[(1010, {"a": 1})]))
    if kind == "arrow":
        reader = ipc.open_file(io.BytesIO(after))
        assert dict(reader.metadata) == {b"own": b"kept"}
        found = [reader.get_batch_with_custom_metadata(n) for n in range(2)]
    else:
        found = list(ipc.open_stream(io.BytesIO(after)).iter_batches_with_custom_metadata())
    assert [len(one.batch) for one in found] == [1000, 11]
    assert dict(found[0].custom_metadata) == {b"number": b"1"}
    same, _ = rewritten(out.getvalue(), Edits({0: {"a": 0}}))
    assert same == out.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("edits", "error", "told"),
    [
        (Edits({1: {"a": "x"}}), InvalidError, "labels, row 2, column 'a': 'x' is no int64"),
        (Edits({1: {"a": 2**63}}), InvalidError, "labels, row 2, column 'a': 92233720368"),
        (Edits({1: {"a": 1.5}}), InvalidError, "labels, row 2, column 'a': 1.5 is no int64"),
        (Edits({1: {"a": True}}), InvalidError, "labels, row 2, column 'a': True is no int64"),
        (Edits({0: {"b": "x"}, 1: {"b": 3}}), InvalidError, "row 2, column 'b': 3 is no string"),
        (Edits({1: {"c": None}}), InvalidError, "row 2, column 'c': null, which the column"),
        (Edits(inserted=[(0, {"a": 1})]), InvalidError, "labels, column 'c': null, which"),
        (Edits({1: {"a": Raw("1")}}), UsageError, "only text formats"),
        (Edits({1: {"x": 1}}), NotFoundError, "no column is called 'x'"),
        (Edits(added=[("n", pa.int8(), 300)]), InvalidError, "column 'n': 300 is no int8"),
        (Edits(deleted=[2]), UsageError, "there is no row 2: the table has 2, from 0 on"),
    ],
)
def test_values_are_of_the_type_of_their_column(kind, edits, error, told):
    schema = pa.schema([("a", pa.int64()), ("b", pa.string()), pa.field("c", pa.int8(), False)])
    rows = [{"a": 1, "b": "x", "c": 1}] * 2
    before = file_of(kind, [pa.RecordBatch.from_pylist(rows, schema)])
    with pytest.raises(error) as caught:
        rewritten(before, edits)
    assert told in caught.value.message


def test_values_are_taken_where_they_fit():
    schema = pa.schema([("a", pa.int8()), ("b", pa.float32()), ("c", pa.decimal128(5, 2))])
    before = file_of("parquet", [pa.RecordBatch.from_pylist([{}], schema)])
    cells = {"a": pa.scalar(5, pa.int64()), "b": 2, "c": Decimal("1.5")}
    assert rewritten(before, Edits({0: cells}))[1].to_pylist() == [
        {"a": 5, "b": 2.0, "c": Decimal("1.50")}
    ]


@pytest.mark.parametrize("kind", ["arrow", "arrow-stream"])
@pytest.mark.parametrize("words", [["a", "b"], [None, None]])
def test_dictionaries_of_batches_grow(kind, words):
    column = pa.array(words).cast(pa.string()).dictionary_encode()
    batch = pa.RecordBatch.from_arrays([column], ["w"])
    before = file_of(kind, [batch, batch, batch])
    edits = Edits({0: {"w": None}, 3: {"w": "new"}}, {1}, [(0, {"w": None}), (6, {"w": "end"})])
    if kind == "arrow" and words[0] is None:
        with pytest.raises(InvalidError, match="a value that its dictionary lacks"):
            rewritten(before, edits)
        return
    found = rewritten(before, edits)[1].to_pydict()["w"]
    assert found == [None, None, words[0], "new", *words, "end"]
