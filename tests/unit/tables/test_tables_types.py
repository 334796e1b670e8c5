"""Every type that Arrow has can be looked at in every way, and comes out as it went in."""

import io

import pyarrow as pa
import pytest
from pyarrow import ipc
from support.arrays import ARRAYS

from oxcore.errors import InvalidError, UnstableError
from oxcore.tables import Part, Query, Source, Table, plain


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.type))
def test_every_type_in_every_way(array, tmp_path):
    table = pa.table({"k": [1, 2, 3], "v": array})
    out = io.BytesIO()
    with ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    data = out.getvalue()
    read = Table(Source("x", len(data), lambda: io.BytesIO(data)))
    wanted = plain(array)
    assert read.to_arrow().equals(table)
    assert values(read.pick(part=Part("sample", 2, 1))) in (wanted[:2], wanted[1:], wanted[::2])
    assert values(read.pick(Query(where="k <> 2", sort="k desc"))) == [wanted[2], wanted[0]]
    assert len(values(read.pick(Query(sql="select k from t")), 0)) == 3
    nulls = {one.name: one.nulls for one in read.stats()}
    assert nulls.get("v", array.null_count) == array.null_count
    for name in ("x.csv", "x.jsonl", "x.arrow"):
        assert read.write(str(tmp_path / name)) == 3


def values(picked, column=-1):
    """Nothing holds what was picked but its rows: they must keep it open."""
    return [value for batch in picked.batches() for value in plain(batch.column(column))]


def test_a_table_without_columns(table_of, tmp_path):
    out = io.BytesIO()
    with ipc.new_file(out, pa.schema([])):
        pass
    read = table_of(out.getvalue())
    assert read.to_arrow().num_columns == 0
    with pytest.raises(InvalidError, match="no column of a type that SQL knows"):
        read.stats()


def test_a_column_that_is_asked_for_twice_comes_once(table_of):
    assert table_of(b"a,b\n1,2\n").to_arrow(["b", "a", "b"]).to_pylist() == [{"b": 2, "a": 1}]


def test_a_file_that_changes_between_two_looks():
    versions = iter([b"a\n1\n"] * 3)  # for the format, the names, the types
    table = Table(Source("a.csv", 4, lambda: io.BytesIO(next(versions, b"a\nx\n"))))
    with pytest.raises(UnstableError, match=r"a.csv changed while it was read"):
        table.to_arrow()
