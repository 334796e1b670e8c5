"""Where rows lie: the spans tile the file, and each holds its row."""

import gzip
import io
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import UsageError
from oxcore.tables import Edits, Source, Table
from oxcore.tables.rewrite import rewrite, rows, spans


def open_table(data, name="labels"):
    return Table(Source(name, len(data), lambda: io.BytesIO(data)))


FIELD = st.sampled_from(["1", "x", '"a,b"', '"two\nlines"', '"q""q"', '5"', "", '""'])
LINE = st.tuples(FIELD, FIELD).map(",".join) | st.just("")


@given(
    st.lists(LINE, max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([3, 1 << 20]),
)
@settings(max_examples=150, deadline=None)
def test_spans_of_csv(lines, end, closed, marked, size):
    text = end.join(["a,b", *lines]) + (end if closed else "")
    data = ("\ufeff" if marked else "").encode() + text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BLOCK", size)
        found = list(spans(open_table(data, "x.csv")))
    assert b"".join(data[one.start : one.stop] for one in found) == data
    filled = [line for line in lines if line]
    assert [one.row for one in found if one.row is not None] == list(range(len(filled)))
    held = [data[one.start : one.stop].decode() for one in found if one.row is not None]
    assert [one.removesuffix(end) for one in held] == filled


RECORD = st.fixed_dictionaries({"a": st.integers(0, 9) | st.text('é{}[],"', max_size=3)})


@given(
    st.lists(RECORD, min_size=1, max_size=6),
    st.sampled_from([None, 2]),
    st.sampled_from([3, 1 << 20]),
)
@settings(max_examples=100, deadline=None)
def test_spans_of_json(records, indent, size):
    lines = "\n\n".join(json.dumps(one, ensure_ascii=False) for one in records).encode()
    array = (" " + json.dumps(records, indent=indent, ensure_ascii=False) + "\n").encode()
    for data in (lines, array, gzip.compress(array)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows, "BLOCK", size)
            found = list(spans(open_table(data)))
        text = array if data.startswith(b"\x1f") else data
        assert b"".join(text[one.start : one.stop] for one in found) == text
        held = [json.loads(text[one.start : one.stop]) for one in found if one.row is not None]
        assert held == records


@given(st.lists(LINE.filter(bool), min_size=1, max_size=8), st.data())
@settings(max_examples=100, deadline=None)
def test_a_row_that_is_not_edited_has_the_same_bytes(lines, data):
    before = "\n".join(["a,b", *lines, ""]).encode()
    row = data.draw(st.integers(0, len(lines) - 1))
    gone = data.draw(st.sets(st.integers(0, len(lines) - 1)))
    out = io.BytesIO()
    rewrite(open_table(before, "x.csv"), Edits({row: {"b": "new"}}, gone), out)
    after = out.getvalue()
    kept = [one for one in spans(open_table(before, "x.csv")) if one.row not in gone]
    for old, new in zip(kept, spans(open_table(after, "x.csv")), strict=True):
        if old.row != row:
            assert before[old.start : old.stop] == after[new.start : new.stop]


def test_other_formats_have_none():
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, pa.schema([("a", pa.int8())])):
        pass
    with pytest.raises(UsageError, match="whose rows do not lie in one place"):
        next(spans(open_table(sink.getvalue())))
