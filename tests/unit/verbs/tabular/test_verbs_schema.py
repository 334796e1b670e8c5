"""Schemas in a repository: kept, moved, removed, merged, and held against what is committed."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.api import Repo
from oxcore.errors import (
    ConflictError,
    ExistsError,
    InvalidError,
    NotFoundError,
    SchemaError,
    UsageError,
)
from oxcore.tables.schema import ColumnSchema, TableSchema, encode, merge

LABELS = "id,photo\n1,a.png\n2,b.png\n"
PLACE = b".oxschema/labels.csv.json"


@pytest.fixture
def labels(desk):
    """A committed table and the two images that it names, and a schema that it keeps to."""
    desk.commit({b"labels.csv": LABELS, b"a.png": "a", b"b.png": "b"})
    desk.repo.amend_schema(["labels.csv"], key=["id"], holds={"photo": "image"}, infer=True)
    desk.commit(message="schema")
    return desk


def kinds(left):
    return [(one.path, [each.kind for each in one.departures]) for one in left]


# -- keeping


def test_a_schema_is_a_file_of_the_dataset(desk):
    desk.commit({b"data/labels.csv": LABELS})
    schema = TableSchema({"id": ColumnSchema(pa.int64())}, ("id",), "rows")
    desk.repo.set_schema("data/labels.csv", schema)
    place = b".oxschema/data/labels.csv.json"
    assert desk.files()[place] == desk.tree()[place] == encode(schema)
    assert desk.repo.schema("data/labels.csv") == desk.repo.schema("data/labels.csv", ":") == schema
    assert desk.repo.schema("data/labels.csv", "HEAD") is None
    desk.commit()
    assert desk.repo.schema("data/labels.csv", "HEAD") == schema
    assert [(one.path, one.schema) for one in desk.repo.schemas()] == [(b"data/labels.csv", schema)]
    assert desk.repo.schemas("HEAD~1") == []


def test_what_is_not_named_stays(labels):
    repo = labels.repo
    before = repo.schema("labels.csv")
    repo.amend_schema(["labels.csv"], about={"id": "a number"}, description="rows")
    after = repo.schema("labels.csv")
    assert after.columns["id"] == ColumnSchema(pa.int64(), "", "a number")
    assert (after.key, after.columns["photo"]) == (before.key, before.columns["photo"])
    repo.amend_schema(["labels.csv"], key=[], about={"id": ""}, types={"id": ""}, description="")
    assert repo.schema("labels.csv") == TableSchema(
        {"id": ColumnSchema(), "photo": before.columns["photo"]}
    )


def test_infer_takes_what_is_there_now(labels):
    labels.write({b"labels.csv": "photo,n\na.png,0.5\n"})
    labels.repo.amend_schema(["labels.csv"], infer=True)
    assert labels.repo.schema("labels.csv") == TableSchema(
        {"photo": ColumnSchema(pa.string(), "image"), "n": ColumnSchema(pa.float64())}
    )
    labels.write({b"labels.csv": "photo,n\na.png,x\n"})
    labels.repo.amend_schema(["labels.csv"], infer=True, only=["photo"])
    assert labels.repo.schema("labels.csv").columns["n"].type == pa.float64()


def test_a_pattern_stands_for_tracked_tables(desk):
    desk.commit({b"a/x.csv": "id\n1\n", b"b.csv": "id\n2\n", b"c.txt": "x"})
    made = desk.repo.amend_schema(["*.csv"], infer=True)
    assert [one.path for one in made] == [b"a/x.csv", b"b.csv"]
    assert [one.path for one in desk.repo.schemas()] == [b"a/x.csv", b"b.csv"]
    with pytest.raises(NotFoundError, match="no tracked file fits"):
        desk.repo.amend_schema(["*.tsv"], infer=True)


def test_undo_takes_a_schema_back(labels):
    before = labels.files()
    labels.repo.remove_schema("labels.csv")
    assert PLACE not in labels.files()
    labels.repo.undo()
    assert labels.files() == before
    labels.repo.amend_schema(["labels.csv"], description="x")
    labels.repo.undo()
    assert labels.files() == labels.tree() == before


def test_what_was_written_by_hand_comes_back_with_undo(labels):
    text = '{"version": 1, "description": "by hand"}'
    labels.write({PLACE: text})
    labels.repo.amend_schema(["labels.csv"], key=["photo"])
    assert labels.repo.schema("labels.csv") == TableSchema({}, ("photo",), "by hand")
    labels.repo.undo()
    assert labels.files()[PLACE].decode() == text


def test_some_columns_are_forgotten(labels):
    labels.repo.remove_schema("labels.csv", ["id"])
    assert labels.repo.schema("labels.csv") == TableSchema(
        {"photo": ColumnSchema(pa.string(), "image")}
    )


def test_what_is_refused(labels, tmp_path):
    repo = labels.repo
    with pytest.raises(NotFoundError, match="no column is called 'idd'"):
        repo.amend_schema(["labels.csv"], types={"idd": "int64"})
    with pytest.raises(NotFoundError, match="no column is called 'x'"):
        repo.set_schema("labels.csv", TableSchema(key=("x",)))
    with pytest.raises(InvalidError, match="no type is called"):
        repo.amend_schema(["labels.csv"], types={"id": "number"})
    with pytest.raises(NotFoundError, match="not in the work tree"):
        repo.amend_schema(["nope.csv"], infer=True)
    with pytest.raises(InvalidError, match="is a schema, not a table"):
        repo.amend_schema([PLACE], infer=True)
    with pytest.raises(NotFoundError, match=r"a\.png has no schema"):
        repo.remove_schema("a.png")
    labels.write({PLACE: "{"})
    with pytest.raises(InvalidError, match=r"^\.oxschema/labels\.csv\.json: not JSON, line 1"):
        repo.schema("labels.csv")


def test_a_bare_repository_is_only_read(labels, tmp_path):
    with Repo.clone(labels.repo.path, str(tmp_path / "bare"), bare=True) as bare:
        assert bare.schema("labels.csv").key == ("id",)
        assert bare.departures("labels.csv") == []
        assert [one.path for one in bare.schemas()] == [b"labels.csv"]
        for act in (
            lambda: bare.amend_schema(["labels.csv"], infer=True),
            lambda: bare.set_schema("labels.csv", TableSchema()),
            lambda: bare.remove_schema("labels.csv"),
        ):
            with pytest.raises(UsageError, match="is bare"):
                act()


# -- moving and removing


def test_a_schema_moves_with_its_table(labels):
    (labels.root / "x").mkdir()
    moved = labels.repo.mv(["labels.csv"], "x/rows.csv")
    assert (PLACE, b".oxschema/x/rows.csv.json") in moved
    assert labels.files() == labels.tree()
    assert labels.repo.schema("x/rows.csv").key == ("id",)
    assert labels.repo.status().clean is False
    labels.repo.undo()
    assert labels.clean()


def test_schemas_move_with_a_folder(desk):
    desk.commit({b"d/x.csv": "id\n1\n", b"d/e/y.csv": "id\n2\n"})
    desk.repo.amend_schema(["d/x.csv", "d/e/y.csv"], infer=True)
    desk.commit()
    desk.repo.mv(["d"], "f")
    assert desk.files() == desk.tree()
    assert [one.path for one in desk.repo.schemas()] == [b"f/e/y.csv", b"f/x.csv"]
    assert not (desk.root / ".oxschema" / "d").exists()


def test_a_schema_is_never_overwritten_by_a_move(labels):
    labels.write({b".oxschema/rows.csv.json": "mine"})
    with pytest.raises(ExistsError, match=r"\.oxschema/rows\.csv\.json is in the way"):
        labels.repo.mv(["labels.csv"], "rows.csv")
    assert labels.files()[b".oxschema/rows.csv.json"] == b"mine"
    assert (labels.root / "labels.csv").exists()
    labels.repo.mv(["labels.csv"], "rows.csv", force=True)
    labels.repo.undo()
    assert labels.files()[b".oxschema/rows.csv.json"] == b"mine"


def test_a_schema_goes_with_its_table(labels):
    gone = labels.repo.rm(["labels.csv"])
    assert [change.path for change in gone] == [PLACE, b"labels.csv"]
    assert PLACE not in labels.files()
    assert PLACE not in labels.tree()


def test_a_schema_that_is_no_longer_tracked_stays_as_its_table_does(labels):
    labels.repo.rm(["labels.csv"], cached=True)
    assert PLACE in labels.files()
    assert PLACE not in labels.tree()


# -- committing


def test_a_commit_tells_who_leaves(labels):
    labels.write({b"labels.csv": "id,photo\n1,a.png\n1,c.png\n", b"a.png": "changed"})
    labels.repo.add()
    left = labels.repo.commit("worse").left
    assert kinds(left) == [(b"labels.csv", ["missing-file", "doubled-key"])]
    labels.write({b"a.png": "again"})
    labels.repo.add()
    assert labels.repo.commit("another file").left == ()


def test_a_new_schema_is_held_against_an_old_table(labels):
    labels.write({PLACE: encode(TableSchema({"x": ColumnSchema()}))})
    labels.repo.add()
    assert kinds(labels.repo.commit("schema").left) == [(b"labels.csv", ["gone"])]


def test_schemas_that_cannot_be_held_against_a_table(labels):
    labels.write({PLACE: "{", b".oxschema/nope.csv.json": '{"version": 1}'})
    labels.repo.add()
    assert kinds(labels.repo.commit("broken").left) == [
        (b"labels.csv", ["unreadable"]),
        (b"nope.csv", ["no-table"]),
    ]
    labels.write({PLACE: '{"version": 1}', b"labels.csv": "a,b\n1\n"})
    labels.repo.add()
    assert kinds(labels.repo.commit("ragged").left) == [(b"labels.csv", ["unreadable"])]
    labels.write({b"labels.csv": None})
    (labels.root / "labels.csv").symlink_to("a.png")
    labels.repo.add()
    assert kinds(labels.repo.commit("link").left) == [(b"labels.csv", ["unreadable"])]


@pytest.mark.parametrize("staged", [True, False])
def test_a_strict_commit_changes_nothing(labels, staged):
    head, stage = labels.core.head(), labels.core.stage()
    labels.write({b"labels.csv": "id\n1\n"})
    if staged:
        labels.repo.add()
        stage = labels.core.stage()
    files = labels.files()
    with pytest.raises(SchemaError, match="1 table leaves its schema") as caught:
        labels.repo.commit("no", all_tracked=not staged, strict=True)
    assert caught.value.items == ("labels.csv: column 'photo' is gone",)
    assert (labels.core.head(), labels.core.stage(), labels.files()) == (head, stage, files)
    assert labels.repo.status().clean is False
    labels.repo.commit("yes", all_tracked=True, strict=False)
    assert labels.clean()


def test_the_setting(labels):
    labels.repo.set_config(commit__strict="true")
    labels.write({b"labels.csv": "id\n1\n"})
    with pytest.raises(SchemaError):
        labels.repo.commit("no", all_tracked=True)
    assert labels.repo.commit("yes", all_tracked=True, strict=False).left
    labels.repo.set_config(commit__strict="perhaps")
    with pytest.raises(InvalidError, match="neither true nor false: 'perhaps'"):
        labels.repo.commit("x", allow_empty=True)


def test_amending_looks_at_what_the_whole_commit_changes(labels):
    labels.write({b"labels.csv": "id\n1\n"})
    assert labels.repo.commit("bad", all_tracked=True).left
    assert labels.repo.commit("still bad", amend=True).left
    labels.write({b"labels.csv": LABELS})
    assert labels.repo.commit("good", all_tracked=True, amend=True).left == ()


def test_only_tables_that_changed_are_read(labels):
    data = io.BytesIO()
    pq.write_table(pa.table({"id": range(5000)}), data)
    labels.write({b"large.parquet": data.getvalue()})
    labels.repo.amend_schema(["large.parquet"], infer=True)
    labels.commit()
    labels.write({b"labels.csv": LABELS + "3,a.png\n"})
    labels.repo.add()
    before = labels.repo.counters.rows
    assert labels.repo.commit("labels").left == ()
    assert labels.repo.counters.rows - before < 100


# -- merging


def branches(desk, ours, theirs):
    """Commit ``theirs`` on the branch ``topic``, and ``ours`` on main."""
    desk.repo.branch("topic")
    for branch, files in (("topic", theirs), ("main", ours)):
        desk.repo.switch(branch)
        desk.commit(files)


def test_schemas_merge_by_what_they_say(labels):
    base = labels.repo.schema("labels.csv")
    ours = TableSchema({**base.columns, "id": ColumnSchema(pa.int64(), "label")}, base.key)
    theirs = TableSchema(base.columns, ("id", "photo"), "rows")
    branches(labels, {PLACE: encode(ours)}, {PLACE: encode(theirs)})
    assert labels.repo.merge("topic").kind == "merged"
    assert labels.repo.schema("labels.csv") == TableSchema(ours.columns, theirs.key, "rows")
    assert labels.clean()


def test_what_both_say_otherwise_waits_for_a_person(labels):
    ours, theirs = (encode(TableSchema(description=text)) for text in ("ours", "theirs"))
    branches(labels, {PLACE: ours}, {PLACE: theirs})
    result = labels.repo.merge("topic")
    assert [one.path for one in result.conflicts] == [PLACE]
    with pytest.raises(ConflictError):
        labels.repo.commit("x")


@pytest.mark.parametrize("text", ["{", '{"version": 2}'])
def test_a_broken_schema_is_in_conflict_as_any_file(labels, text):
    branches(labels, {PLACE: text}, {PLACE: '{"version": 1}'})
    assert [one.path for one in labels.repo.merge("topic").conflicts] == [PLACE]


def test_a_merge_tells_who_leaves(labels):
    branches(labels, {b"a.png": "new"}, {b"labels.csv": "id\n1\n"})
    result = labels.repo.merge("topic")
    assert kinds(result.left) == [(b"labels.csv", ["gone"])]
    labels.write({b"labels.csv": LABELS})
    labels.commit()
    picked = labels.repo.cherry_pick([result.commit.hex()], mainline=1)
    assert kinds(picked.left) == [(b"labels.csv", ["gone"])]


names = st.sampled_from(["a", "b", "c"])
schemas = st.builds(
    TableSchema,
    st.dictionaries(names, st.builds(ColumnSchema, st.just(pa.int8()) | st.none()), max_size=2),
    st.lists(names, max_size=1).map(tuple),
)


@given(schemas, schemas, schemas)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_merge_does_what_the_schemas_say(desks, base, ours, theirs):
    desk = desks()
    desk.commit({b"t.csv": "a,b,c\n1,2,3\n", b".oxschema/t.csv.json": encode(base)})
    branches(
        desk,
        {b".oxschema/t.csv.json": encode(ours), b"x": "1"},
        {b".oxschema/t.csv.json": encode(theirs), b"y": "1"},
    )
    merged, expected = desk.repo.merge("topic"), merge(base, ours, theirs)
    assert (merged.kind == "conflicts") == (expected is None)
    if expected is not None:
        assert desk.repo.schema("t.csv", "HEAD") == expected
