"""Where the batches of an Arrow file lie: as pyarrow reads them, and nothing for what is none."""

import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, ipc

from oxcore.tables.formats import blocks as module
from oxcore.tables.formats.blocks import blocks

TABLE = pa.table({"id": range(100), "text": [str(at) * (at % 5) for at in range(100)]})


def written(table, size):
    out = io.BytesIO()
    with ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=size)
    return out.getvalue()


def told(data):
    return blocks(io.BytesIO(data), len(data))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_batches_are_those_that_pyarrow_reads(size):
    data = written(TABLE, size)
    reader = ipc.open_file(pa.BufferReader(data))
    found = told(data)
    assert [one.rows for one in found] == [
        len(reader.get_batch(at)) for at in range(reader.num_record_batches)
    ]
    for one in found:  # the message and its body, by themselves
        said, length = one.outline.kind
        (start,), (size,) = one.outline.starts, one.outline.sizes
        assert length == size
        assert data[start - len(said) : start] == said
        batch = ipc.read_record_batch(pa.py_buffer(said + data[start : start + size]), TABLE.schema)
        assert len(batch) == one.rows


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_feather_is_a_file_of_batches(compression):
    out = io.BytesIO()
    feather.write_feather(TABLE, out, compression=compression, chunksize=30)
    assert [one.rows for one in told(out.getvalue())] == [30, 30, 30, 10]


def test_dictionaries_streams_and_very_many_batches_are_not_told(monkeypatch):
    words = pa.table({"word": pa.array(["a", "b"]).dictionary_encode()})
    assert told(written(words, 2)) == []
    stream = io.BytesIO()
    with ipc.new_stream(stream, TABLE.schema) as writer:
        writer.write_table(TABLE)
    assert told(stream.getvalue()) == []
    monkeypatch.setattr(module, "_MOST", 9)
    assert told(written(TABLE, 10)) == []
    assert len(told(written(TABLE, 12))) == 9


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_bytes_changed_by_chance_are_refused_without_an_error_of_their_own(data):
    whole = bytearray(written(TABLE, 40))
    for _ in range(data.draw(st.integers(1, 3))):
        near = data.draw(st.sampled_from([0, len(whole) - 400]))
        at = data.draw(st.integers(near, min(near + 399, len(whole) - 1)))
        whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 20))
    found = told(bytes(whole[: len(whole) - cut]))
    assert all(one.rows >= 0 for one in found)
