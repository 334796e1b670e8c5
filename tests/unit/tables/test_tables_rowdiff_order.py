"""Rows in their order, and columns under other names."""

import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.tables import Source, Table
from oxcore.tables.rowdiff import How, apply, diff
from oxcore.tables.rowdiff.sequence import ascending

ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2)), max_size=10)


def opened(text, name="t.csv"):
    data = text.encode()
    return Table(Source(name, len(data), lambda: io.BytesIO(data)))


def as_arrow(rows):
    columns = [
        pa.array([row[0] for row in rows], pa.string()),
        pa.array([row[1] for row in rows], pa.int64()),
    ]
    return stored(pa.table(columns, ["a", "b"]))


def stored(table):
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    data = out.getvalue()
    return Table(Source("t.arrow", len(data), lambda: io.BytesIO(data)))


@given(ROWS, ROWS, st.sampled_from([(), ("a",)]))
@settings(max_examples=15, deadline=None)
def test_applied_in_order(old, new, keys):
    with diff(as_arrow(old), as_arrow(new), How(keys, ordered=True)) as found:
        made = apply(as_arrow(old), found)
        assert list(zip(*made.to_pydict().values(), strict=True)) == new
        assert found.by == "order"
        counts = found.counts
        assert counts.old == len(old) == counts.same + counts.changed + counts.removed
        assert counts.new == len(new) == counts.same + counts.changed + counts.added
        assert bool(found) == (old != new)
        places = [(one.old_row, one.new_row) for one in found.changes()]
        for at in (0, 1):
            told = [pair[at] for pair in places if pair[at] is not None]
            assert told == sorted(told)


def test_a_row_that_moved_went_and_came():
    old = "id,v\n1,a\n2,b\n3,c\n4,d\n"
    with diff(opened(old), opened("id,v\n2,b\n3,x\n1,a\n4,d\n"), How(ordered=True)) as found:
        told = [(one.kind, one.old_row, one.new_row, one.cells) for one in found.changes()]
        assert told == [
            ("removed", 0, None, ()),
            ("removed", 2, None, ()),
            ("added", None, 1, ()),
            ("added", None, 2, ()),
        ]
    with diff(
        opened(old), opened("id,v\n2,b\n3,x\n1,a\n4,d\n"), How(("id",), ordered=True)
    ) as found:
        told = [(one.kind, one.old_row, one.new_row, one.cells) for one in found.changes()]
        assert told[1] == ("changed", 2, 1, ("v",))
        assert found.counts == (1, 1, 1, 2, 4, 4)


@given(st.lists(st.integers(0, 20), unique=True, max_size=12))
@settings(max_examples=30, deadline=None)
def test_the_longest_ascending_run(values):
    found = ascending(pa.array(values, pa.int64()))
    kept = values if found is None else [values[at] for at in found.to_pylist()]
    best = [1] * len(values)
    for at, value in enumerate(values):
        best[at] += max((best[b] for b in range(at) if values[b] < value), default=0)
    assert kept == sorted(kept)
    assert len(kept) == max(best, default=0)


@pytest.mark.parametrize("ordered", [True, False])
def test_a_column_that_was_renamed(ordered):
    old = "id,name,weight\n" + "".join(f"{at},n{at},{at / 2}\n" for at in range(40))
    new = "mass,id,label,new\n" + "".join(f"{at / 2},{at},x,1\n" for at in range(39))
    with diff(opened(old), opened(new), How(ordered=ordered)) as found:
        assert found.columns.renamed == (("weight", "mass"),)
        assert (found.columns.added, found.columns.removed) == (("label", "new"), ("name",))
        assert found.columns.kept == ("mass", "id")
        assert [one.kind for one in found.changes()] == ["removed"]
    renamed = old.replace("id,name", "ident,name")
    with diff(opened(old), opened(renamed), How(("ident",), ordered=ordered)) as found:
        assert found.columns.renamed == (("id", "ident"),)
        assert found.counts[:4] == (0, 0, 0, 40)


EMPTIES = [
    pa.array([None, [], [None]], pa.list_(pa.int64())),
    pa.array([[None], [[]], [[1], None]], pa.list_(pa.list_(pa.int64()))),
    pa.array([None, {"a": None}, {"a": []}], pa.struct([("a", pa.list_(pa.string()))])),
    pa.array([None, [], [("k", None)]], pa.map_(pa.string(), pa.int64())),
]


@pytest.mark.parametrize("values", EMPTIES, ids=lambda values: str(values.type))
def test_what_is_empty_inside_is_no_null(values):
    for one, other in [(0, 1), (0, 2), (1, 2), (1, 0)]:
        old, new = (
            stored(pa.table({"id": [1, 2, 3], "v": pa.concat_arrays([values[i : i + 1]] * 3)}))
            for i in (one, other)
        )
        with diff(old, new, How(ordered=True)) as found:
            assert found.counts.changed + found.counts.removed == 3
        with diff(old, old, How(ordered=True)) as found:
            assert not found


def test_zeros_in_lists_are_one_number():
    old, new = (stored(pa.table({"v": [[zero], [1.0]]})) for zero in (0.0, -0.0))
    with diff(old, new, How(ordered=True)) as found:
        assert not found
