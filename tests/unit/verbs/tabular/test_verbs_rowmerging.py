"""Tables merged by their rows within a repository: the state that waits, and what settles it."""

import io
import json
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.errors import ConflictError, InvalidError, NotFoundError, UnsavedError, UsageError
from oxcore.repo.merging import Pending, TableState, decode_pending, encode_pending
from oxcore.tables.rowmerge.decisions import Given

BASE = b"id,label,n\n1,cat,1\n2,dog,2\n3,cow,3\n"
OURS = b"id,label,n\n1,lion,1\n2,dog,20\n3,cow,3\n"
THEIRS = b"id,label,n\n1,tiger,1\n2,dog,2\n3,ox,3\n4,owl,4\n"
OPEN = b"id,label,n\n1,lion,1\n2,dog,20\n3,ox,3\n4,owl,4\n"  # merged, but for one cell
MINE = b"id,label,n\n1,fox,1\n2,dog,20\n3,ox,3\n4,owl,4\n"


def fork(desk, base, ours, theirs):
    """Branches main and topic, parted after a commit with ``base``; HEAD is on main."""
    desk.become(base, "base")
    desk.repo.branch("topic")
    desk.become(ours, "ours")
    desk.repo.switch("topic")
    desk.become(theirs, "theirs")
    desk.repo.switch("main")


@pytest.fixture
def forked(desk):
    """One cell of l.csv is open, and a.txt is in conflict as a file."""
    fork(
        desk,
        {b"l.csv": BASE, b"a.txt": b"0"},
        {b"l.csv": OURS, b"a.txt": b"1"},
        {b"l.csv": THEIRS, b"a.txt": b"2"},
    )
    assert desk.repo.merge("topic").kind == "conflicts"
    return desk


def paths(desk):
    return [one.path for one in desk.repo.conflicts()]


def test_what_is_open_and_what_is_merged(forked):
    assert forked.files() == forked.tree() == {b"l.csv": OPEN, b"a.txt": b"1"}
    file, table = forked.repo.conflicts()
    assert (file.keys, file.left, file.why, list(file.cells())) == ((), 0, "", [])
    assert (table.keys, table.left) == (("id",), 1)
    [cell] = table.cells()
    assert cell[:6] == ({"id": 1}, "label", "cat", "lion", "tiger", "cell")
    with pytest.raises(NotFoundError):
        forked.repo.conflicts(["nothing"])
    with pytest.raises(ConflictError):
        forked.repo.commit("early")


@pytest.mark.parametrize(
    ("settle", "expected"),
    [
        (lambda repo: repo.resolve(["l.csv"], "ours"), OPEN),
        (lambda repo: repo.resolve(["l.csv"], "theirs"), OPEN.replace(b"lion", b"tiger")),
        (lambda repo: repo.resolve_cells("l.csv", ["1.label=fox"]), MINE),
        (lambda repo: repo.resolve_cells("l.csv", [Given(1, "label", "fox")]), MINE),
        (lambda repo: repo.resolve(["l.csv"], "both"), OURS),
    ],
)
def test_the_ways_to_settle_a_table(forked, settle, expected):
    settle(forked.repo)
    assert paths(forked) == [b"a.txt"]
    assert forked.files()[b"l.csv"] == forked.tree()[b"l.csv"] == expected
    assert (b"l.theirs.csv" in forked.files()) == (expected == OURS)
    forked.repo.resolve(["a.txt"], "theirs")
    forked.repo.commit()
    assert forked.clean()
    for _ in range(3):  # the commit, and both answers
        forked.repo.undo()
    assert forked.files() == {b"l.csv": OPEN, b"a.txt": b"1"}
    assert paths(forked) == [b"a.txt", b"l.csv"]
    forked.repo.abort("merge")
    assert forked.files() == {b"l.csv": OURS, b"a.txt": b"1"}
    assert forked.clean()


def test_a_hand_edit_is_not_written_over_and_settles_when_added(forked):
    edited = OPEN.replace(b"lion", b"by hand")
    forked.write({b"l.csv": edited})
    for settle in (
        lambda: forked.repo.resolve(["l.csv"], "ours"),
        lambda: forked.repo.resolve(["."], "theirs"),
        lambda: forked.repo.resolve_cells("l.csv", ["1.label=fox"]),
    ):
        with pytest.raises(UnsavedError, match="edited since the merge"):
            settle()
    assert (forked.files()[b"l.csv"], paths(forked)) == (edited, [b"a.txt", b"l.csv"])
    forked.repo.add(["l.csv"])
    assert paths(forked) == [b"a.txt"]
    assert forked.repo.pending().tables == ()
    assert forked.tree()[b"l.csv"] == edited


def test_a_table_that_is_removed_is_settled(forked):
    forked.repo.rm(["l.csv"], force=True)
    assert paths(forked) == [b"a.txt"]
    assert forked.repo.pending().tables == ()


def test_wrong_answers_change_nothing(forked):
    for cells, error in (
        (["2.label=x"], NotFoundError),
        (["1.label"], UsageError),
        ([Given(7, "label", "x")], NotFoundError),
    ):
        with pytest.raises(error):
            forked.repo.resolve_cells("l.csv", cells)
    for path in ("a.txt", "nothing"):
        with pytest.raises(NotFoundError):
            forked.repo.resolve_cells(path, ["1.label=x"])
    assert forked.files()[b"l.csv"] == OPEN
    assert paths(forked) == [b"a.txt", b"l.csv"]


def test_what_is_open_survives_gc(forked):
    forked.repo.gc(grace=0)
    [cell] = forked.repo.conflicts(["l.csv"])[0].cells()
    assert cell.theirs == "tiger"
    forked.repo.resolve(["l.csv"], "theirs")
    assert forked.files()[b"l.csv"] == OPEN.replace(b"lion", b"tiger")
    assert not forked.repo.fsck().problems


def test_open_cells_as_a_table_and_back(forked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    assert forked.repo.write_conflicts(str(folder / "open.csv")) == 2
    lines = (folder / "open.csv").read_text().splitlines()
    assert lines == [
        "file,key,column,kind,base,ours,theirs",
        "a.txt,,,content,,,",
        "l.csv,1,label,cell,cat,lion,tiger",
    ]
    answers = [lines[0] + ",value", lines[1] + ",", lines[2] + ",fox", "x.csv,9,label,,,,,owl"]
    (folder / "answers.csv").write_text("\n".join(answers) + "\n")
    given = forked.repo.given_cells(str(folder / "answers.csv"), "l.csv")
    assert given == [Given("1", "label", "fox")]
    done = forked.repo.resolve_cells("l.csv", given)
    assert (done.done, done.left) == (1, 0)
    assert forked.files()[b"l.csv"] == MINE
    with pytest.raises(InvalidError, match="no column 'key'"):
        forked.repo.given_cells(str(forked.root / "l.csv"), "l.csv")


def test_cells_one_by_one_until_none_is_left(desk):
    ours = BASE.replace(b"cat", b"a").replace(b"dog", b"b").replace(b"cow", b"c")
    theirs = BASE.replace(b"cat", b"x").replace(b"dog", b"y").replace(b"3,cow,3\n", b"")
    fork(desk, {b"l.csv": BASE}, {b"l.csv": ours}, {b"l.csv": theirs})
    desk.repo.merge("topic")
    names = [(one.key["id"], one.column, one.kind) for one in desk.repo.conflicts()[0].cells()]
    assert names == [(1, "label", "cell"), (2, "label", "cell"), (3, None, "deleted")]
    assert desk.repo.resolve_cells("l.csv", ["3=theirs", "1.label=q"])[1:] == (2, 1)
    assert desk.files()[b"l.csv"] == b"id,label,n\n1,q,1\n2,b,2\n"
    desk.repo.resolve_cells("l.csv", ["2.label="])
    assert desk.files()[b"l.csv"] == b"id,label,n\n1,q,1\n2,,2\n"
    assert paths(desk) == []
    desk.repo.commit()
    assert desk.clean()


def test_cherry_pick_and_revert_go_by_rows_too(desk):
    fork(desk, {b"l.csv": BASE}, {b"l.csv": OURS}, {b"l.csv": BASE.replace(b"3,cow", b"3,ox")})
    desk.repo.cherry_pick(["topic"])
    assert desk.files()[b"l.csv"] == OURS.replace(b"cow", b"ox")
    desk.repo.revert(["HEAD~1"])
    assert desk.files()[b"l.csv"] == BASE.replace(b"cow", b"ox")
    assert desk.clean()


def test_the_key_of_the_schema_is_used_and_one_that_both_changed_is_asked_for(desk):
    base, ours, theirs = (
        b"a,b\n%s,1\nq,%s\n" % pair for pair in ((b"x", b"2"), (b"y", b"2"), (b"z", b"3"))
    )
    fork(desk, {b"l.csv": base}, {b"l.csv": ours}, {b"l.csv": theirs})
    [state] = desk.repo.merge("topic").tables
    assert "nobody said that it is the key" in state.why
    assert desk.files()[b"l.csv"] == ours
    assert desk.repo.conflicts()[0].why == state.why
    desk.repo.abort()
    schema = b'{\n  "columns": {},\n  "key": ["a"],\n  "version": 1\n}\n'
    desk.commit({b".oxschema/l.csv.json": schema})
    assert desk.repo.schema("l.csv").key == ("a",)
    assert desk.repo.merge("topic").kind == "merged"
    assert desk.files()[b"l.csv"] == b"a,b\nz,1\ny,1\nq,3\n"


@pytest.mark.parametrize(
    ("name", "versions", "why"),
    [
        (b"l.csv", (b"x\n1\n1\n", b"x\n1\n1\n2\n", b"x\n1\n1\n3\n"), "no column tells the rows"),
        (b"l.csv", (BASE, OURS, THEIRS + b"5\n"), "l.csv (theirs), row 6: 1 fields"),
        (b"l.csv", (BASE, OURS, b"x\tlabel\n1\t2\n"), "the formats differ: csv, tsv"),
        (b"l.parquet", (BASE, OURS, b"PAR1 and nothing else"), "broken Parquet"),
        (b"l.json", (b'[{"id": 1}]', b'[{"id": 2}]', b'[{"id": 3},'), "it ends within the array"),
        (b"l.json", (b'{"id": 1}', b'{"id": 2}', b'{"id": 3}'), None),
        (b"notes.txt", (BASE, OURS, THEIRS), None),
    ],
)
def test_what_is_no_table_or_has_no_key_is_a_conflict_of_files(desk, name, versions, why):
    fork(desk, *({name: data} for data in versions))
    result = desk.repo.merge("topic")
    assert result.kind == "conflicts"
    assert desk.files() == {name: versions[1]}
    if why is None:
        assert result.tables == ()
    else:
        assert why in result.tables[0].why
        assert "\n" not in result.tables[0].why
    desk.repo.resolve(["."], "theirs")
    assert desk.files() == {name: versions[2]}


SCHEMA = b'{\n  "columns": {},\n  "key": ["id"],\n  "version": 1\n}\n'


def test_a_table_that_both_sides_added_merges_by_the_key_of_its_schema(desk):
    more = {b"other": b"", b".oxschema/l.csv.json": SCHEMA}
    fork(desk, more, {b"l.csv": OURS, **more}, {b"l.csv": THEIRS, **more})
    [state] = desk.repo.merge("topic").tables
    assert (state.keys, state.inserted, state.left, state.why) == (("id",), 1, 3, "")
    assert desk.files()[b"l.csv"] == OURS + b"4,owl,4\n"
    cells = [(one.key["id"], *one[1:5]) for one in desk.repo.conflicts()[0].cells()]
    assert cells == [
        (1, "label", None, "lion", "tiger"),
        (2, "n", None, 20, 2),
        (3, "label", None, "cow", "ox"),
    ]
    desk.repo.resolve_cells("l.csv", ["1.label=tiger", "2.n=7"])
    desk.repo.resolve(["l.csv"], "theirs")
    assert desk.files()[b"l.csv"] == b"id,label,n\n1,tiger,1\n2,dog,7\n3,ox,3\n4,owl,4\n"
    desk.repo.commit("both")
    assert desk.clean()


def test_one_that_both_added_without_a_key_is_a_conflict_of_files(desk):
    fork(desk, {b"other": b""}, {b"l.csv": OURS}, {b"l.csv": THEIRS})
    [state] = desk.repo.merge("topic").tables
    assert "both sides added it, and nobody said what its key is" in state.why
    assert desk.files()[b"l.csv"] == OURS


def test_an_executable_bit_and_rows_go_together(desk):
    fork(desk, {b"l.csv": BASE}, {b"l.csv": OURS}, {b"l.csv": BASE.replace(b"cow", b"ox")})
    (desk.root / "l.csv").chmod(0o755)
    desk.commit()
    assert desk.repo.merge("topic").kind == "merged"
    assert desk.files()[b"l.csv"] == OURS.replace(b"cow", b"ox")
    assert (desk.root / "l.csv").stat().st_mode & 0o100


def test_unsaved_work_in_a_table_stops_the_merge(desk):
    fork(desk, {b"l.csv": BASE}, {b"l.csv": OURS}, {b"l.csv": THEIRS})
    desk.write({b"l.csv": b"unsaved"})
    with pytest.raises(UnsavedError):
        desk.repo.merge("topic")
    assert desk.files()[b"l.csv"] == b"unsaved"
    assert desk.repo.pending() is None


def test_a_state_goes_through_text_and_an_older_one_is_read(forked):
    pending = forked.repo.pending()
    assert decode_pending(encode_pending(pending)) == pending
    record = json.loads(encode_pending(pending))
    del record["tables"]
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert decode_pending(text) == pending._replace(tables=())
    assert "tables" not in json.loads(encode_pending(pending._replace(tables=())))
    state = TableState(b"\xff", ("a", "b"), 1, 2, 3, 4, None, (("x", "y"),), "why")
    waiting = Pending("merge", (), "m", bytes(32), (), tables=(state,))
    assert decode_pending(encode_pending(waiting)) == waiting


def parquet_of(values, type_):
    out = io.BytesIO()
    table = pa.table({"id": [1, 2], "x": pa.array(values, type_)})
    parquet.write_table(table, out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("type_", "versions", "given", "value"),
    [
        (pa.int8(), ([1, 2], [3, 2], [4, 2]), "7", 7),
        (pa.int8(), ([1, 2], [3, 2], [4, 2]), "", None),
        (pa.string(), (["a", ""], ["b", ""], ["c", ""]), '""', ""),
        (pa.list_(pa.int8()), ([[1], []], [[2], []], [[3], []]), "[1, 2]", [1, 2]),
        (pa.bool_(), ([None, True], [True, True], [False, True]), "false", False),
        (pa.decimal128(9, 2), ([1, 2], [3, 2], [4, 2]), "1.25", Decimal("1.25")),
    ],
)
def test_a_value_becomes_what_the_column_holds(desk, type_, versions, given, value):
    fork(desk, *({b"t.parquet": parquet_of(one, type_)} for one in versions))
    assert desk.repo.merge("topic").tables[0].left == 1
    if not pa.types.is_string(type_):
        before = desk.files()
        with pytest.raises(InvalidError, match="is no value of column"):
            desk.repo.resolve_cells("t.parquet", ["1.x=[nothing"])
        assert desk.files() == before
    desk.repo.resolve_cells("t.parquet", [f"1.x={given}"])
    column = desk.repo.table("t.parquet").to_arrow()["x"]
    assert (column.type, column[0].as_py()) == (type_, value)
    assert desk.repo.pending().conflicts == ()
