"""Bytes that are no table: looked at, queried and edited, they are told with file, row and column;
what is read of a line without end is bounded."""

import io
import json

import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from oxcore.errors import InvalidError
from oxcore.tables import Edits, Query, Source, Table, ask
from oxcore.tables.formats.csv import LONGEST
from oxcore.tables.rewrite import rewrite, spans
from oxcore.tables.rewrite.wishes import Wish, plan


def open_table(data, name):
    return Table(Source(name, len(data), lambda: io.BytesIO(data)))


def look(table):
    with table.pick() as rows:
        return sum(len(batch) for batch in rows.batches())


def query(table):
    with ask("select count(*) from 'it'", lambda _: table) as rows:
        return [batch.to_pylist() for batch in rows.batches()]


def where(table):
    with table.pick(Query(where="true")) as rows:
        return sum(len(batch) for batch in rows.batches())


def edit(table):
    rewrite(table, plan(table, Wish(set={table.schema.names[0]: "1"})).edits, io.BytesIO())


def cut(write):
    out = io.BytesIO()
    write(out)
    return out.getvalue()[: len(out.getvalue()) * 2 // 3]


ROWS = pa.table({"a": list(range(50_000)), "b": [str(n) for n in range(50_000)]})


def arrow(out):
    with ipc.new_file(out, ROWS.schema) as writer:
        writer.write_table(ROWS, max_chunksize=1000)


def stream(out):
    with ipc.new_stream(out, ROWS.schema) as writer:
        writer.write_table(ROWS, max_chunksize=1000)


WRONG = {
    "ragged": (b"a,b\n1,2\n3\n", "x.csv", "x.csv, row 3: 1 fields, and the first row has 2"),
    "longer": (b"a,b\n1,2\n3,4,5\n", "x.csv", "x.csv, row 3: 3 fields"),
    "latin": (b"a,b\n1,2\n3,\xe9\n", "x.csv", "x.csv, row 3, column 'b': not UTF-8"),
    "quote": (b'a,b\n1,"2\n3,4\n', "x.csv", "x.csv, row 2: a quote is opened and not closed"),
    "json": (b'{"a": 1}\n{"a": }\n', "x.jsonl", "x.jsonl, row 2: not JSON"),
    "list": (b'{"a": 1}\n[1]\n', "x.jsonl", "x.jsonl, row 2: a list, not an object"),
    "latin json": (b'{"a": 1}\n{"a": "\xe9"}\n', "x.jsonl", "x.jsonl, row 2: not UTF-8"),
    "cut array": (b'[{"a": 1}, {"a": 2}', "x.json", "x.json, row 3: it ends within"),
    "cut parquet": (
        cut(lambda out: parquet.write_table(ROWS, out)),
        "x.parquet",
        "x.parquet: broken",
    ),
    "cut arrow": (cut(arrow), "x.arrow", "x.arrow: broken Arrow file"),
    "cut stream": (cut(stream), "x.arrows", "x.arrows, row "),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("use", [look, query, where, edit])
def test_it_is_told(name, use):
    data, file, told = WRONG[name]
    with pytest.raises(InvalidError) as caught:
        use(open_table(data, file))
    assert caught.value.message.startswith(told)


def test_what_is_cut_within_a_row_group_tells_the_row():
    out = io.BytesIO()
    parquet.write_table(ROWS, out, row_group_size=10_000, compression="zstd")
    data = bytearray(out.getvalue())
    at = parquet.ParquetFile(io.BytesIO(data)).metadata.row_group(2).column(1).data_page_offset
    data[at + 30 : at + 90] = bytes(60)
    for use in (look, edit):
        with pytest.raises(InvalidError, match=r"x.parquet, row 2\d,\d+: broken Parquet"):
            use(open_table(bytes(data), "x.parquet"))


MIXED = b'{"a": 1}\n{"a": "x"}\n{"a": [2]}\n'


def test_values_of_several_kinds_are_kept_apart():
    table = open_table(MIXED, "x.jsonl")
    assert table.to_arrow()["a"].to_pylist() == ["1", '"x"', "[2]"]
    out = io.BytesIO()
    rewrite(table, plan(table, Wish(set={"a": "7"}, where="a = '1'")).edits, out)
    assert out.getvalue().splitlines()[1:] == MIXED.splitlines()[1:]
    assert json.loads(out.getvalue().splitlines()[0])["a"] == 7
    mixed = open_table(b"a,b\n1,x\nx,2026-01-31\n", "x.csv")
    assert [str(one) for one in mixed.schema.types] == ["string", "string"]


class Endless(io.RawIOBase):
    """A file of 10 GiB: its start, then one line without end."""

    def __init__(self, start):
        super().__init__()
        self._start, self.at = start, 0

    def readable(self):
        """True."""
        return True

    def readinto(self, buffer):
        """Some of the line."""
        start = self._start[self.at :][: len(buffer)]
        buffer[:] = start + b"x" * (len(buffer) - len(start))
        self.at += len(buffer)
        return len(buffer)


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"a,b\n1,", "x.csv"),
        (b'a,b\n1,"', "x.csv"),
        (b'{"a": 1}\n{"a": "', "x.jsonl"),
        (b'[{"a": 1}, {"a": "', "x.json"),
    ],
)
@pytest.mark.parametrize("use", [look, query, edit, lambda table: list(spans(table))])
def test_a_line_of_10_gib(start, name, use):
    opened = []

    def open_it():
        opened.append(Endless(start))
        return opened[-1]

    table = Table(Source(name, 10 << 30, open_it))
    with pytest.raises(InvalidError, match=r"row 2: .*more than 8 MiB"):
        use(table)
    assert max(one.at for one in opened) <= 16 * LONGEST


def test_a_line_of_10_gib_stops_an_edit_of_the_rows_before():
    table = Table(Source("x.csv", 10 << 30, lambda: Endless(b"a,b\n1,2\n1,")))
    with pytest.raises(InvalidError, match="row 3: a row of more than 8 MiB"):
        rewrite(table, Edits({0: {"a": 7}}), io.BytesIO())
