"""What is kept of a table by its content: equal to what is found, and found anew where damaged."""

import gzip
import io
import json
import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from oxcore.errors import InvalidError
from oxcore.model.counters import Counters
from oxcore.tables import Part, Source, Table, recall
from oxcore.tables.about import name_part, packed
from oxcore.tables.shape import Shape


class Box(dict):
    """A memo."""

    def put(self, kind, fact):
        self[kind] = fact


def opened(data, name, memo):
    return Table(Source(name, len(data), lambda: io.BytesIO(data), None, memo, Counters()))


def rows(table):
    return table._source.counters.rows


def arrow(table, opener=ipc.new_file):
    out = io.BytesIO()
    with opener(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def as_parquet(table):
    out = io.BytesIO()
    parquet.write_table(table, out, write_statistics=False)
    return out.getvalue()


TABLE = pa.table({"id": [1, 2, 3], "label": ["cat", None, "dog"]})
CSV = b"id,label,when\n1,cat,2026-01-01\n2,,2026-01-02\n3,dog,\n"
FILES = {
    "a.csv": CSV,
    "a.tsv": CSV.replace(b",", b"\t"),
    "b.csv.gz": gzip.compress(CSV),
    "c.jsonl": b'{"a": 1, "b": {"c": [1, "x"]}}\n{"a": 12345678901234567890123}\n',
    "d.json": b'[{"a": 1.5}, {"a": null, "b": []}]',
    "e.arrow": arrow(TABLE),
    "f.arrows": arrow(TABLE, ipc.new_stream),
    "g.parquet": as_parquet(TABLE),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_known_is_not_read_again(name):
    memo = Box()
    first = opened(FILES[name], name, memo)
    seen = (first.format, first.compression, first.schema, first.facts)
    assert rows(first) >= first.facts.rows
    assert len(memo) == 1
    second = opened(FILES[name], name, memo)
    assert (second.format, second.compression, second.schema, second.facts) == seen
    assert rows(second) == 0
    assert second.to_arrow().equals(first.to_arrow())


def damaged(data):
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 0x55
    yield bytes(flipped)
    yield data[: len(data) // 2]
    yield b""
    for record in ({}, [], {"format": "csv"}, None, 7):
        yield packed(record)
    whole = {"format": "csv", "compression": "", "rows": 1, "nulls": [0], "shape": None}
    yield packed({**whole, "schema": "AAAA"})
    yield packed({**whole, "schema": "no base64"})


@pytest.mark.parametrize("name", ["a.csv", "c.jsonl", "e.arrow"])
def test_a_damaged_record_is_made_anew(name):
    memo = Box()
    good = opened(FILES[name], name, memo)
    wanted = (good.schema, good.facts)
    ((kind, data),) = memo.items()
    for bad in damaged(data):
        memo[kind] = bad
        again = opened(FILES[name], name, memo)
        assert (again.schema, again.facts) == wanted
        assert memo[kind] == data


def test_a_record_of_other_columns_is_not_believed():
    memo = Box()
    _ = opened(b"x,y\n1,2\n", "a.csv", memo).schema
    assert opened(CSV, "a.csv", memo).schema.names == ["id", "label", "when"]


def test_a_name_that_makes_another_table_of_the_same_bytes():
    data, memo = b"a\tb,c\n1\t2,3\n", Box()
    for name in ("x.csv", "x.tsv", "x", "x.csv.gz@main"):
        assert opened(data, name, memo).schema == opened(data, name, None).schema
    assert opened(data, "x.tsv", memo).schema.names == ["a", "b,c"]
    assert [name_part(name) for name in ("A.CSV", "a.tsv.gz", "a.json")] == ["csv", "tsv", ""]
    data, memo = b'{"a": 1}', Box()
    assert opened(data, "x", memo).schema.names == ["a"]
    assert recall(opened(data, "x.csv", memo).source) is None
    assert opened(data, "x.csv", memo).schema.names == ["a"]  # by its content
    assert recall(opened(data, "x", memo).source).format == "jsonl"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(VALUES, max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_shape_comes_back(values):
    shape = Shape()
    shape.look(values)
    again = Shape.of(json.loads(json.dumps(shape.plain())))
    assert again == shape
    assert again.type == shape.type


def test_a_broken_table_is_broken_every_time():
    memo = Box()
    for _ in range(2):
        with pytest.raises(InvalidError, match="row 3: 1 fields"):
            _ = opened(b"a,b\n1,2\n3\n", "a.csv", memo).schema
    assert not memo


def test_a_large_table_reads_what_it_shows():
    draw, memo = random.Random(1), Box()
    data = b"a,b\n" + b"".join(b"%d,%0300d\n" % (n, draw.random() * 1e9) for n in range(40_000))
    assert len(opened(data, "a.csv", memo)) == 40_000
    second = opened(data, "a.csv", memo)
    with second.pick(part=Part("head", 10)) as found:
        assert sum(len(batch) for batch in found.batches()) == 10
    assert rows(second) < 24_000  # a block, and what is read ahead
