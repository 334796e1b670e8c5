"""What the history of a row costs: rows of what differs, nodes on the way to the file."""

import pytest

from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings

ROWS, COMMITS, EDITS = 2000, 30, 3  # commits, and those of them that touch the table
READ = ROWS + 1  # of CSV: a row of ours marks the end


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    """A table of 2,000 rows; 3 of 30 commits change one row each, the others something else."""
    folder = tmp_path_factory.mktemp("rows")
    ticks = iter(range(1_700_000_000, 1_800_000_000, 60))
    options = Settings(Person("Ann"), lambda: Moment(next(ticks) * 1_000_000, 0))
    rows = [f"{n},{n % 7},some text\n" for n in range(ROWS)]
    with Repo.init(str(folder), settings=options) as made:
        for number in range(300):
            (folder / f"f{number:03}").write_text(str(number))
        for number in range(COMMITS):
            if number % (COMMITS // EDITS) == 0:
                rows[number * 50] = f"{number * 50},{number},edited\n"
                (folder / "t.csv").write_text("id,label,note\n" + "".join(rows))
            (folder / "f000").write_text(f"commit {number}")
            made.add()
            made.commit(str(number))
        yield made


def cost(repo, call):
    with Repo.open(repo.path) as fresh:
        call(fresh)
        return fresh.counters.as_dict()


def test_a_row_is_looked_for_in_the_versions_that_differ(repo):
    """The key's column once, and again up to the row: of CSV whole rows are read for a column."""
    found = cost(repo, lambda one: one.blame("t.csv", {"id": 5}))
    assert found["rows"] == 2 * EDITS * READ
    found = cost(repo, lambda one: list(one.row_log("t.csv", {"id": 5})))
    assert found["rows"] == 2 * EDITS * READ


def test_a_version_is_read_once_however_many_commits_have_it(repo):
    found = cost(repo, lambda one: one.blame("t.csv", {"id": 5}, "HEAD~25"))
    assert found["rows"] == 2 * READ


def test_the_way_to_the_file_is_read_once_a_tree(repo):
    """Each of the 30 commits has a root and leaves of its own; no node is read twice."""
    for call in (
        lambda one: one.blame("t.csv", {"id": 5}),
        lambda one: list(one.row_log("t.csv", {"id": 5})),
    ):
        found = cost(repo, call)
        assert found["nodes_read"] <= 2 * COMMITS


def test_a_whole_table_is_compared_once_with_each_version(repo):
    found = cost(repo, lambda one: one.blame_table("t.csv"))
    assert found["rows"] <= 6 * (EDITS - 1) * READ  # types and counts of each, and the comparisons
    assert found["nodes_read"] <= 2 * COMMITS
