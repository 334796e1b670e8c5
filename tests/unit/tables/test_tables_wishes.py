"""What people ask of a table, against a model of records in memory; every format, one meaning."""

import io
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from oxcore.errors import InvalidError
from oxcore.tables import Source, Table
from oxcore.tables.rewrite import rewrite
from oxcore.tables.rewrite.many import Alike, Places
from oxcore.tables.rewrite.wishes import Wish, plan

FORMATS = ("csv", "jsonl", "parquet")
SCHEMA = pa.schema([("id", pa.int64()), ("x", pa.int64()), ("s", pa.string())])


def open_table(data, name):
    return Table(Source(name, len(data), lambda: io.BytesIO(data)))


def table_of(rows, kind):
    """A table of these records; a first one has a value of each type."""
    if kind == "csv":
        lines = [",".join("" if v is None else str(v) for v in row.values()) for row in rows]
        data = "\n".join(["id,x,s", *lines, ""]).encode()
    elif kind == "jsonl":
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    else:
        out = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(rows, SCHEMA), out)
        data = out.getvalue()
    return open_table(data, f"it.{kind}")


def after(table, wish):
    made = plan(table, wish)
    out = io.BytesIO()
    rewrite(table, made.edits, out)
    return made, open_table(out.getvalue(), table.name).to_arrow().to_pylist()


@st.composite
def records(draw, first):
    keys = draw(st.lists(st.integers(0, 12), unique=True, max_size=6))
    whole = [{"id": first, "x": 1, "s": "a"}]
    return whole + [
        {"id": key, "x": draw(st.none() | st.integers(-3, 3)), "s": draw(st.sampled_from("abc"))}
        for key in keys
    ]


@given(records(100), records(100), st.sampled_from(FORMATS), st.sampled_from(FORMATS))
@settings(max_examples=60, deadline=None)
def test_rows_of_another_table_by_key(rows, others, kind, other_kind):
    table, other = table_of(rows, kind), table_of(others, other_kind)
    made, found = after(table, Wish(other=other, by=["id"]))
    new = {row["id"]: row for row in others}
    known = {row["id"] for row in rows}
    wanted = [new.get(row["id"], row) for row in rows]
    wanted += [row for row in others if row["id"] not in known]
    assert found == wanted
    assert made.changed == sum(new.get(row["id"], row) != row for row in rows)
    assert made.added == len(wanted) - len(rows)


@given(records(100), st.sampled_from(FORMATS), st.integers(-3, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_rows_that_a_condition_names(rows, kind, least, delete):
    table = table_of(rows, kind)

    def chosen(row):
        return row["x"] is not None and row["x"] >= least

    if delete:
        made, found = after(table, Wish(delete=True, where=f"x >= {least}", append=rows[:1]))
        assert found == [row for row in rows if not chosen(row)] + rows[:1]
        assert made.deleted == sum(map(chosen, rows))
    else:
        wish = Wish(set={"s": "new"}, sql={"x": "x + id"}, where=f"x >= {least}")
        made, found = after(table, wish)
        wanted = [{**r, "s": "new", "x": r["x"] + r["id"]} if chosen(r) else r for r in rows]
        assert found == wanted
        assert made.changed == sum(map(chosen, rows))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_key_that_two_rows_have(kind):
    one, two = {"id": 1, "x": 1, "s": "a"}, {"id": 2, "x": 1, "s": "a"}
    with pytest.raises(InvalidError, match=r"rows .* and .* have the same id"):
        plan(table_of([one, one, two], kind), Wish(other=table_of([one], kind), by=["id"]))
    with pytest.raises(InvalidError, match=r"rows .* and .* have the same id"):
        plan(table_of([one, two], kind), Wish(other=table_of([two, one, one], kind), by=["id"]))


@given(st.sets(st.integers(0, 50)), st.integers(0, 50))
def test_many_rows_are_a_mapping(rows, row):
    places = Places(sorted(rows))
    assert (list(places), len(places), row in places) == (sorted(rows), len(rows), row in rows)
    cells = Alike(places, {"a": 1}, {"b": pa.array([one * 2 for one in sorted(rows)], pa.int64())})
    plain = {at: {"a": 1, "b": at * 2} for at in rows}
    found = {at: {k: v.as_py() if k == "b" else v for k, v in cells[at].items()} for at in cells}
    assert found == plain
