"""Who set each cell of a row, and which commits changed it, against a plain model."""

import csv
import io
import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet
from support.joins import join

from oxcore.errors import InvalidError, NotFoundError, UsageError

FIXTURE = [HealthCheck.function_scoped_fixture]  # each example makes its own desk
NAMES = ["id", "label", "score"]


def as_csv(rows, names=NAMES):
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow(["" if row[name] is None else row[name] for name in names])
    return out.getvalue().encode()


def as_jsonl(rows, names=NAMES):
    return b"".join(json.dumps({n: row[n] for n in names}).encode() + b"\n" for row in rows)


def as_parquet(rows, names=NAMES):
    out = io.BytesIO()
    parquet.write_table(as_table(rows, names), out, row_group_size=2)
    return out.getvalue()


def as_arrow(rows, names=NAMES):
    out = io.BytesIO()
    feather.write_feather(as_table(rows, names), out, compression="zstd")
    return out.getvalue()


def as_table(rows, names):
    kinds = {"id": pa.int64(), "score": pa.float64()}
    columns = {n: pa.array([r[n] for r in rows], kinds.get(n, pa.string())) for n in names}
    return pa.table(columns)


FORMATS = {"csv": as_csv, "jsonl": as_jsonl, "parquet": as_parquet, "arrow": as_arrow}
LABELS = st.sampled_from([None, "cat", "dog", "owl", "a,b", "line\nbreak", "null"])
SCORES = st.sampled_from([None, 0.5, 1.5, -2.25])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "add", "remove", "shuffle", "nothing", "other"]),
        st.integers(0, 5),
        st.sampled_from(["label", "score"]),
        LABELS,
        SCORES,
    ),
    min_size=1,
    max_size=8,
)


class Model:
    """Rows by id, who set each cell, and what happened to each row, by commit number."""

    def __init__(self):
        self.rows, self.who, self.log = {}, {}, {}

    def step(self, number, what, key, column, label, score):
        value = label if column == "label" else score
        if what == "add" and key not in self.rows:
            self.rows[key] = {"id": key, "label": label, "score": score}
            self.who[key] = dict.fromkeys(NAMES, number)
            self.log.setdefault(key, []).append((number, "added"))
        elif what == "remove" and key in self.rows and len(self.rows) > 1:
            del self.rows[key]
            self.log[key].append((number, "removed"))
        elif what == "set" and key in self.rows and self.rows[key][column] != value:
            self.rows[key][column] = value
            self.who[key][column] = number
            self.log[key].append((number, "changed"))
        elif what == "shuffle":
            self.rows = dict(reversed(self.rows.items()))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS, st.sampled_from(sorted(FORMATS)))
def test_a_line_of_commits_is_as_the_model_says(desks, steps, form):
    desk, model, ids = desks(), Model(), {}
    path = f"data/t.{form}"
    for number, step in enumerate([("add", 9, "label", "cat", 0.5), *steps]):
        model.step(number, *step)
        ids[desk.commit({path: FORMATS[form](model.rows.values())}, str(number))] = number
    for key, row in model.rows.items():
        found = desk.repo.blame(path, {"id": key}).rows[0]
        assert {one.column: ids[one.id] for one in found.cells} == model.who[key]
        assert {name: found.row.value(name) for name in NAMES} == row
    for key, events in model.log.items():
        found = list(desk.repo.row_log(path, f"id={key}"))
        assert [(ids[one.id], one.kind) for one in reversed(found)] == events


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(STEPS, STEPS, STEPS)
def test_a_merge_takes_a_cell_from_the_side_that_has_its_value(desks, first, left, right):
    """Of cells that both sides set to one value, the first parent's is taken."""
    desk, model, ids = desks(), Model(), {}
    number = iter(range(1000))

    def commit(step, parent):
        here = next(number)
        model.step(here, *step)
        ids[desk.commit({"t.csv": as_csv(model.rows.values())}, str(here))] = here

    for step in [("add", 9, "label", "cat", 0.5), *first]:
        commit(step, None)
    desk.repo.branch("side")
    base = {key: dict(row) for key, row in model.rows.items()}
    who = {key: dict(row) for key, row in model.who.items()}
    ours, theirs = [one for one in left if one[0] == "set"], [o for o in right if o[0] == "set"]
    for step in ours:
        commit(step, None)
    our_rows, our_who = model.rows, model.who
    model.rows, model.who = base, who
    desk.repo.checkout("side")
    for step in theirs:
        commit(step, None)
    their_rows, their_who = model.rows, model.who
    desk.repo.checkout("main")
    merged = {
        key: {
            name: (our_rows if (at + place) % 2 else their_rows)[key][name]
            for at, name in enumerate(NAMES)
        }
        for place, key in enumerate(our_rows)
    }
    oid = join(desk, {b"t.csv": as_csv(merged.values())})
    for key, row in merged.items():
        cells = desk.repo.blame("t.csv", {"id": key}, oid.hex()).rows[0].cells
        for cell in cells:
            sides = [(our_rows, our_who), (their_rows, their_who)]
            expected = next(
                w[key][cell.column] for r, w in sides if r[key][cell.column] == row[cell.column]
            )
            assert ids[cell.id] == expected


# ---------------------------------------------------------------------- what a history can hold


def commits(desk, *versions, path="t.csv"):
    return [desk.commit({path: data}, str(n)) for n, data in enumerate(versions)]


def who(found):
    return {cell.column: cell.id for row in found.rows for cell in row.cells}


def kinds(log):
    return [(one.id, one.kind, [cell.column for cell in one.cells]) for one in log]


def test_a_value_written_otherwise_is_the_same_value(desk):
    one, two = commits(desk, "id,x,y\n1,0.5,a\n", "id,x,y\n1,0.50,b\n")
    assert who(desk.repo.blame("t.csv", "id=1")) == {"id": one, "x": one, "y": two}
    # in a column of text they are two
    one, two = commits(desk, "id,x\n1,0.5\n2,a\n", "id,x\n1,0.50\n2,a\n", path="u.csv")
    assert who(desk.repo.blame("u.csv", "id=1")) == {"id": one, "x": two}


def test_another_row_that_changes_a_type_changes_no_other_row(desk):
    one, _ = commits(desk, "id,x\n1,5\n2,6\n", "id,x\n1,5\n2,n/a\n")
    assert who(desk.repo.blame("t.csv", "id=1")) == {"id": one, "x": one}
    assert kinds(desk.repo.row_log("t.csv", "id=1")) == [(one, "added", ["id", "x"])]
    one, _ = commits(desk, "id,x\n1,5\n", "id,x\n1,5\nb,6\n", path="k.csv")
    assert who(desk.repo.blame("k.csv", {"id": 1})) == {"id": one, "x": one}


def test_null_and_empty_are_two_values(desk):
    one, two = commits(desk, "id,x\n1,\n", 'id,x\n1,""\n')
    assert who(desk.repo.blame("t.csv", "id=1")) == {"id": one, "x": two}
    commits(desk, 'id,x\n,1\n"",2\n', path="n.csv")
    assert desk.repo.blame("n.csv", "id:null").rows[0].row.raw["x"] == "1"
    assert desk.repo.blame("n.csv", "id=").rows[0].row.raw["x"] == "2"
    assert desk.repo.blame("n.csv", {"id": None}).rows[0].row.raw["x"] == "1"


def test_the_rename_of_a_file_is_followed(desk):
    one = desk.commit({"a.csv": "id,x\n1,a\n"})
    two = desk.commit({"a.csv": None, "b/c.csv": "id,x\n1,a\n"})
    three = desk.commit({"b/c.csv": "id,x\n1,b\n"})
    found = desk.repo.blame("b/c.csv", "id=1").rows[0].cells
    assert [(c.column, c.id, c.path) for c in found] == [
        ("id", one, b"a.csv"),
        ("x", three, b"b/c.csv"),
    ]
    assert [one.path for one in desk.repo.row_log("b/c.csv", "id=1")] == [b"b/c.csv", b"a.csv"]
    assert two not in [found.id for found in desk.repo.row_log("b/c.csv", "id=1")]


def test_the_rename_of_a_column_is_followed_where_the_values_say_so(desk):
    one, _, three = commits(
        desk, "id,x\n1,a\n2,b\n", "key,name\n1,a\n2,b\n", "key,name\n1,c\n2,b\n"
    )
    found = desk.repo.blame("t.csv", "key=1").rows[0].cells
    assert [(c.column, c.id, c.name) for c in found] == [
        ("key", one, "id"),
        ("name", three, "name"),
    ]
    log = list(desk.repo.row_log("t.csv", "key=1"))
    assert kinds(log) == [(three, "changed", ["name"]), (one, "added", ["id", "x"])]


def test_columns_that_come_and_go(desk):
    one, two, _ = commits(desk, "id,x\n1,a\n", "id,x,y\n1,a,\n", "id,y\n1,\n")
    assert who(desk.repo.blame("t.csv", "id=1")) == {"id": one, "y": two}
    log = [(kind, cells) for _, kind, cells in kinds(desk.repo.row_log("t.csv", "id=1"))]
    assert log == [("changed", ["x"]), ("changed", ["y"]), ("added", ["id", "x"])]


def test_a_row_that_was_gone_is_new(desk):
    _, two, three = commits(desk, "id,x\n1,a\n2,b\n", "id,x\n2,b\n", "id,x\n2,b\n1,a\n")
    assert who(desk.repo.blame("t.csv", "id=1")) == {"id": three, "x": three}
    found = [one.kind for one in desk.repo.row_log("t.csv", "id=1")]
    assert found == ["added", "removed", "added"]
    with pytest.raises(NotFoundError, match="has no row with id=1"):
        desk.repo.blame("t.csv", "id=1", two.hex())


def test_a_file_that_was_gone_is_new(desk):
    one = desk.commit({"t.csv": "id,x\n1,a\n"})
    two = desk.commit({"t.csv": None})
    three = desk.commit({"t.csv": "id,x\n1,a\n"})
    assert who(desk.repo.blame("t.csv", "id=1")) == {"id": three, "x": three}
    assert [(c.id, c.kind) for c in desk.repo.row_log("t.csv", "id=1")] == [
        (three, "added"),
        (two, "removed"),
        (one, "added"),
    ]


def test_versions_that_cannot_be_read_are_named_and_skipped(desk):
    one, _, _, four = commits(
        desk, "id,x,y\n1,a,p\n", "id,x,y\n1,a,p\n1\n", "id,x,y\n1,a,p\n1,b,q\n", "id,x,y\n1,b,p\n"
    )
    found = desk.repo.blame("t.csv", "id=1")
    assert who(found) == {"id": one, "x": four, "y": one}
    assert len(found.remarks) == 2
    assert "rows 2, 3 have it" in found.remarks[0]
    assert "1 fields, and the first row has 3" in found.remarks[1]
    log = desk.repo.row_log("t.csv", "id=1")
    assert kinds(log) == [(four, "changed", ["x"]), (one, "added", ["id", "x", "y"])]
    assert len(log.remarks) == 2


def test_a_key_of_two_columns_and_several_rows(desk):
    one, two = commits(desk, "a,b,x\n1,p,0\n1,q,0\n2,p,0\n", "a,b,x\n1,p,0\n1,q,5\n2,p,0\n")
    found = desk.repo.blame("t.csv", ["a=1,b=q", {"b": "p", "a": 2}])
    assert [row.row.number for row in found.rows] == [3, 4]
    assert [row.cells[2].id for row in found.rows] == [two, one]
    with pytest.raises(InvalidError, match="rows 2, 3 have it"):
        desk.repo.blame("t.csv", "a=1")
    with pytest.raises(UsageError, match="same columns"):
        desk.repo.blame("t.csv", ["a=2", "b=q"])


def test_what_is_not_there(desk):
    commits(desk, "id,x\n1,a\n")
    for bad in (
        lambda: desk.repo.blame("t.csv", "id=7"),
        lambda: desk.repo.blame("t.csv", "id=abc"),
        lambda: desk.repo.blame("t.csv", "idx=7"),
        lambda: desk.repo.blame("nope.csv", "id=7"),
        lambda: list(desk.repo.row_log("t.csv", "id=7")),
        lambda: list(desk.repo.row_log("nope.csv", "id=7")),
    ):
        with pytest.raises(NotFoundError):
            bad()
    with pytest.raises(UsageError):
        desk.repo.blame("t.csv", "id")
    with pytest.raises(UsageError):
        desk.repo.blame("t.csv", [])


def test_options_of_the_log(desk):
    ids = commits(desk, *(f"id,x\n1,{n}\n" for n in range(4)))
    log = desk.repo.row_log
    assert [one.id for one in log("t.csv", "id=1", limit=2)] == ids[:1:-1]
    assert [one.id for one in log("t.csv", "id=1", "HEAD~3..HEAD~1")] == ids[2:0:-1]
    assert list(log("t.csv", "id=1", author="nobody")) == []
    assert list(log("t.csv", "id=1", "HEAD..HEAD")) == []


def test_a_side_that_only_others_touch(desk):
    """The file is as in one parent: nothing is read, and the row is not of the merge."""
    one = desk.commit({"t.csv": "id,x\n1,a\n"})
    desk.repo.branch("side")
    two = desk.commit({"t.csv": "id,x\n1,b\n"})
    desk.repo.checkout("side")
    desk.commit({"other": "x"})
    desk.repo.checkout("main")
    desk.repo.merge("side")
    assert who(desk.repo.blame("t.csv", "id=1")) == {"id": one, "x": two}
    assert [c.id for c in desk.repo.row_log("t.csv", "id=1")] == [two, one]


def test_a_merge_is_shown_where_no_parent_has_the_row_as_it_is(desk):
    one = desk.commit({"t.csv": "id,x\n1,a\n2,b\n"})
    desk.repo.branch("side")
    two = desk.commit({"t.csv": "id,x\n1,A\n2,b\n"})
    desk.repo.checkout("side")
    three = desk.commit({"t.csv": "id,x\n1,a\n2,B\n"})
    four = join(desk, {b"t.csv": b"id,x\n1,A\n2,B\n3,c\n"})

    def log(key):
        return kinds(desk.repo.row_log("t.csv", key, four.hex()))

    assert log("id=1") == [(two, "changed", ["x"]), (one, "added", ["id", "x"])]
    assert log("id=2") == [(three, "changed", ["x"]), (one, "added", ["id", "x"])]
    assert log("id=3") == [(four, "added", ["id", "x"])]
    first = desk.repo.row_log("t.csv", "id=2", four.hex(), first_parent=True)
    assert kinds(first) == [(four, "changed", ["x"]), (one, "added", ["id", "x"])]


# -------------------------------------------------------------------------------- whole tables


def last(found):
    return [found[place].id for place in range(len(found))]


@settings(max_examples=12, deadline=None, suppress_health_check=FIXTURE)
@given(STEPS, st.sampled_from(sorted(FORMATS)))
def test_the_last_commit_of_each_row_is_as_the_model_says(desks, steps, form):
    desk, model, ids = desks(), Model(), {}
    path = f"t.{form}"
    for number, step in enumerate([("add", 9, "label", "cat", 0.5), *steps]):
        model.step(number, *step)
        ids[desk.commit({path: FORMATS[form](model.rows.values())}, str(number))] = number
    found = desk.repo.blame_table(path)
    assert [ids[one] for one in last(found)] == [max(model.who[key].values()) for key in model.rows]
    shown = [one.id for _, since in found.rows() for one in since]
    assert shown == last(found)
    assert sum(one.rows for one in found.since) == len(model.rows)
