"""Bytes that were a good table once: cut, flipped, put in. Only our errors may come out."""

import gzip
import io
import json
from contextlib import suppress

import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from oxcore.errors import OxError
from oxcore.tables import Part, Query, Source, Table, rowdiff
from oxcore.tables.rowcells import renamed, rows_at
from oxcore.tables.rowfind import find
from oxcore.tables.rowkeys import names_of

ROWS = [
    {"id": n, "x": f"text {n}", "y": n / 4, "z": None if n % 3 else [n, {"a": "é"}]}
    for n in range(12)
]
TABLE = pa.table({"id": [row["id"] for row in ROWS], "x": [row["x"] for row in ROWS]})


def as_parquet(**how):
    out = io.BytesIO()
    parquet.write_table(TABLE, out, row_group_size=5, **how)
    return out.getvalue()


def as_arrow(opener):
    out = io.BytesIO()
    with opener(out, TABLE.schema) as writer:
        writer.write_table(TABLE, 5)
    return out.getvalue()


CSV = b'id,x,y\n1,"a\n""b""",0.5\n2,,1e-3\n3,2026-01-01,NaN\n4,"",\n5,\xc3\xa9,7\n'
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
FORMATS = {
    "t.csv": CSV,
    "t.tsv": CSV.replace(b",", b"\t"),
    "t.jsonl": LINES,
    "t.json": json.dumps(ROWS).encode(),
    "t.parquet": as_parquet(),
    "t2.parquet": as_parquet(compression="none", use_dictionary=False),
    "t.arrow": as_arrow(ipc.new_file),
    "t.arrows": as_arrow(ipc.new_stream),
    "t.csv.gz": gzip.compress(CSV * 20, mtime=0),
    "t.jsonl.zst": zstandard.compress(LINES),
}
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "drop", "put", "swap"]),
        st.floats(0, 1),
        st.integers(0, 255),
        st.binary(max_size=6) | st.sampled_from([b'"', b"\n", b",", b"{", b"[", b"\0", b"\xff"]),
    ),
    min_size=1,
    max_size=4,
)


def edited(data, edits):
    for what, where, byte, extra in edits:
        at = int(where * len(data))
        if what == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ (byte or 1)]) + data[at + 1 :]
        elif what == "cut":
            data = data[:at]
        elif what == "drop":
            data = data[:at] + data[at + byte % 16 :]
        elif what == "put":
            data = data[:at] + extra + data[at:]
        elif what == "swap":
            data = data[at:] + data[:at]
    return data


def opened(name, data):
    return Table(Source(name, len(data), lambda: io.BytesIO(data)))


def asks(name, data):
    """What verbs do with a table, each from the start."""
    whole = opened(name, FORMATS[name])

    def compared():
        with rowdiff.diff(whole, opened(name, data)) as found:
            list(found.changes())

    def picked(query):
        with opened(name, data).pick(query, Part("tail", 3)) as rows:
            list(rows.raw())
            list(rows.batches())

    def looked():
        table = opened(name, data)
        first = names_of(table)[0]
        for places in find(table, [{first: "1"}, {first: None}]):
            rows_at(table, places)
        renamed(whole, table)

    yield lambda: opened(name, data).to_arrow()
    yield lambda: opened(name, data).facts
    yield lambda: picked(Query())
    yield looked
    yield lambda: picked(Query(where="1 = 1", sort="1"))
    yield lambda: opened(name, data).stats()
    yield compared


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=EDITS)
def test_only_our_errors_come_out(name, edits):
    data = edited(FORMATS[name], edits)
    for ask in asks(name, data):
        with suppress(OxError):
            ask()
