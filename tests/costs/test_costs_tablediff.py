"""What a diff of tables costs: no row of what is the same, a few of what was edited in a place."""

import os

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.api import Repo

ROWS = 20_000
EDITED = ROWS // 2
FEW = ROWS // 20
GROUP = 1000  # rows of a row group of Parquet


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    """Tables of 20,000 rows, committed; then one row of each is edited; the last commit copies
    them, and makes one of them executable."""
    folder = tmp_path_factory.mktemp("tables")
    with Repo.init(str(folder), author="Ann <ann@example.org>") as made:
        for label in ("dog", "cat"):
            rows = [(n, "cat" if n != EDITED else label, n / 8) for n in range(ROWS)]
            lines = [f"{n},{text},{score:080}\n" for n, text, score in rows]
            (folder / "t.csv").write_text("id,label,score\n" + "".join(lines))
            columns = zip(("id", "label", "score"), zip(*rows, strict=True), strict=True)
            table = pa.table({name: list(values) for name, values in columns})
            table = table.append_column("text", pa.array([f"{n:080}" for n in range(ROWS)]))
            how = {"row_group_size": GROUP, "use_dictionary": False, "compression": "none"}
            parquet.write_table(table, folder / "t.parquet", **how)
            with pa.ipc.new_file(str(folder / "t.arrow"), table.schema) as writer:
                writer.write_table(table, max_chunksize=GROUP)
            made.add()
            made.commit(label)
        (folder / "copy.csv").write_bytes((folder / "t.csv").read_bytes())
        os.chmod(folder / "t.csv", 0o755)
        made.add()
        made.commit("copied")
        yield made


def rows_of(repo, call):
    with Repo.open(repo.path) as fresh:
        call(fresh)
        return fresh.counters.rows


def seen(difference):
    """Count the rows that differ, and show none of them."""
    for change in difference:
        found = difference.table(change)
        if found is not None:
            with found:
                assert found.rows.counts.changed == 1
    return difference


def test_what_is_the_same_file_is_not_read(repo):
    def compare(one):
        assert list(one.compare("t.csv", "copy.csv")) == []
        assert list(one.compare("t.parquet", "t.parquet", ("HEAD", "HEAD~1"))) == []
        assert one.compare("copy.csv", "t.csv", ("HEAD", "HEAD~1")).detail() is None
        with one.table("t.csv", "HEAD~1").diff(one.table("copy.csv"), keys=["id"]) as same:
            assert not same
            assert list(same.changes()) == []
        difference = one.diff("HEAD~1..HEAD")
        assert [difference.detail(change) for change in difference if change.letter == "M"] == [
            None
        ]
        assert list(one.diff()) == []

    assert rows_of(repo, compare) == 0


def test_a_new_table_whose_content_is_known_is_counted_unread(repo):
    def look(one):
        difference = one.diff("HEAD~1", "HEAD")
        (added,) = [change for change in difference if change.letter == "A"]
        assert added.path == b"copy.csv"
        with difference.table(added) as found:  # its types and counts were found for t.csv
            assert found.rows.counts.added == ROWS

    rows_of(repo, lambda one: len(one.table("t.csv", "HEAD")))
    assert rows_of(repo, look) == 0


def test_of_two_large_csv_files_only_what_they_do_not_share_is_read(repo):
    def compare(one):
        seen(one.diff("HEAD~2..HEAD~1", paths=["t.csv"], keys=["id"]))

    rows_of(repo, compare)  # types, and that ids differ, are found once a content
    assert rows_of(repo, compare) <= FEW


@pytest.mark.parametrize(("name", "groups"), [("t.parquet", 1), ("t.arrow", 2)])
def test_of_a_chunked_table_only_the_groups_are_read_that_differ(repo, name, groups):
    """A row group of Parquet, a record batch of Arrow: their bytes say that they are the same.
    Arrow fills up a batch of a longer array with what comes behind: the one before differs too. The
    first group of either is looked at besides, for what may be a key."""

    def compare(one, keys):
        seen(one.diff("HEAD~2..HEAD~1", paths=[name], keys=keys))

    rows_of(repo, lambda one: compare(one, ["id"]))  # that ids differ is found once a content
    assert rows_of(repo, lambda one: compare(one, ["id"])) == 2 * groups * GROUP
    assert rows_of(repo, lambda one: compare(one, [])) <= 2 * (groups + 1) * GROUP
