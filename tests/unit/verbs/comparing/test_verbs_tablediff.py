"""Tables in ``Repo.diff`` and ``Repo.compare``; what a terminal shows is in tests/cli."""

import pytest

from oxcore.api import Repo
from oxcore.errors import InvalidError, NotFoundError
from oxcore.verbs.comparing.details import NoTable
from oxcore.verbs.comparing.lines import TextDiff
from oxcore.verbs.comparing.tablediff import TableDiff

OLD, NEW = "id,label\n1,cat\n2,dog\n", "id,label\n1,cat\n2,fox\n3,hen\n"


@pytest.fixture
def tables(desk):
    desk.commit({"t.csv": OLD, "gone.csv": OLD})
    desk.commit({"t.csv": NEW, "gone.csv": None, "new.csv": NEW})
    return desk


def changes(difference):
    return {change.path: change for change in difference}


def test_rows_of_a_changed_table(tables):
    difference = tables.repo.diff("HEAD~1..HEAD")
    with difference.detail(changes(difference)[b"t.csv"]) as found:
        assert isinstance(found, TableDiff)
        assert found
        assert (found.old.name, found.new.name) == ("t.csv@HEAD~1", "t.csv@HEAD")
        assert [(one.kind, one.key) for one in found.rows.changes()] == [
            ("changed", (2,)),
            ("added", (3,)),
        ]


@pytest.mark.parametrize(
    ("path", "kind", "count"), [("gone.csv", "removed", 2), ("new.csv", "added", 3)]
)
def test_a_table_on_one_side(tables, path, kind, count):
    difference = tables.repo.diff("HEAD~1", "HEAD", renames=False)
    with difference.detail(changes(difference)[path.encode()]) as found:
        assert found
        rows = list(found.rows.changes())
        assert [one.kind for one in rows] == [kind] * count
        assert list(found.rows.changes(1)) == rows[:1]
        assert (getattr(found.rows.counts, kind), getattr(found.rows.columns, kind)) == (
            count, ("id", "label")
        )  # fmt: skip
        flat = found.rows.batches().read_all().to_pylist()
        side, place = ("old", "old row") if kind == "removed" else ("new", "new row")
        assert [one[place] for one in flat] == list(range(count))
        assert flat[0] == {
            "change": kind, "old row": None, "new row": None, place: 0,
            f"{side} id": 1, f"{side} label": "cat",
        }  # fmt: skip


def test_as_text_on_demand_and_where_it_is_no_table(tables):
    difference = tables.repo.diff("HEAD~1..HEAD", text=True)
    assert isinstance(difference.detail(changes(difference)[b"t.csv"]), TextDiff)
    assert difference.table(changes(difference)[b"t.csv"]) is None
    tables.write({"t.csv": "id,label\n1\n"})
    difference = tables.repo.diff()
    (change,) = difference
    found = difference.detail(change)
    assert isinstance(found, NoTable)
    assert found.why.startswith("t.csv, row 2: ")
    assert isinstance(found.instead, TextDiff)
    with pytest.raises(InvalidError, match="row 2"):
        difference.table(change)


def test_a_key_that_is_no_column(tables):
    difference = tables.repo.diff("HEAD~1..HEAD", keys=["idd"])
    with pytest.raises(NotFoundError, match="idd"):
        difference.detail(changes(difference)[b"t.csv"])
    tables.commit({"notes": "a,b\n1,2\n"})
    tables.commit({"notes": "a,b\n1,3\n"})
    difference = tables.repo.diff("HEAD~1..HEAD", keys=["idd"])
    (change,) = difference
    assert isinstance(difference.detail(change), NoTable)


def test_a_link_called_as_a_table_is_is_none(tables):
    (tables.root / "link.csv").symlink_to("t.csv")
    tables.commit()
    (tables.root / "link.csv").unlink()
    (tables.root / "link.csv").symlink_to("new.csv")
    difference = tables.repo.diff()
    (change,) = difference
    assert isinstance(difference.detail(change), TextDiff)


def test_two_files_in_a_bare_repository(tables, tmp_path_factory):
    place = str(tmp_path_factory.mktemp("bare") / "copy")
    with Repo.clone(str(tables.root), place, bare=True) as bare:
        pair = bare.compare("t.csv", "t.csv", ("HEAD~1", None))
        assert [change.letter for change in pair] == ["M"]
        with pair.detail() as found:
            assert found.rows.counts[:3] == (1, 0, 1)


def test_the_key_of_a_schema_for_tables_at_hand(tables):
    before = tables.repo.table("t.csv", "HEAD~1")
    with before.diff(tables.repo.table("t.csv")) as rows:
        assert rows.keys == ("id",)
    tables.repo.amend_schema(["t.csv"], key=["label"])
    assert tables.repo.table("t.csv").key == ("label",)
    with before.diff(tables.repo.table("t.csv")) as rows:
        assert rows.keys == ("label",)
    with tables.repo.table("t.csv").diff(tables.repo.table("new.csv"), keys=["id"]) as rows:
        assert not rows
    tables.write({"t.csv": "id,kind\n1,cat\n2,fox\n"})
    with before.diff(tables.repo.table("t.csv")) as rows:  # its key is no column any more
        assert rows.keys == ("id",)
