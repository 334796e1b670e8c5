"""Helper processes do a part of a comparison of tables; their deaths cost nothing."""

from __future__ import annotations

import os
import shutil
import signal
import time

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.tables.helping import Lost
from oxcore.tables.rowdiff import compare, groups, lines, outside
from oxcore.tables.rowdiff.shares import Rows
from oxcore.tables.rowdiff.span import Span
from oxcore.verbs.tabular import helpers
from oxcore.verbs.tabular import origins as module
from oxcore.verbs.tabular.df import folder_file
from oxcore.verbs.tabular.helpers import HelperProcess
from oxcore.verbs.tabular.origins import Stored

ROWS = 30_000
FILES = ("t.csv", "t.parquet")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Two versions of a table, in two formats: rows gone, rows put in, cells changed, all over."""
    folder = tmp_path_factory.mktemp("tables")
    with Repo.init(str(folder), author="Ann <ann@example.org>") as made:
        for version in (0, 1):
            rows = [(at, f"image {at * 7919 % ROWS:06}.png", at / 4) for at in range(ROWS)]
            if version:
                rows[100] = (100, "changed", 25.0)
                rows[29_000] = (29_000, "changed", 1e300)
                del rows[20_000:20_003]
                rows.insert(5, (-1, "new", 0.5))
            text = "".join(f"{key},{name},{score!r}\n" for key, name, score in rows)
            (folder / "t.csv").write_text("id,name,score\n" + text)
            table = pa.table(
                dict(zip(("id", "name", "score"), zip(*rows, strict=True), strict=True))
            )
            parquet.write_table(table, folder / "t.parquet", row_group_size=1000)
            made.add()
            made.commit(f"version {version}")
    return str(folder)


@pytest.fixture
def small(monkeypatch):
    """Tables of every size are gone through, by this process and two others."""
    monkeypatch.setattr(module, "LEAST", 0)
    monkeypatch.setattr(module, "helpers_for", lambda _: 2)
    monkeypatch.setattr(outside, "LEAST", 0)
    monkeypatch.setitem(compare.__globals__, "LEAST", 0)
    monkeypatch.setattr(lines, "_NEAR", 0.3)
    monkeypatch.setattr(groups, "_CLOSE", 16)


def told(path, name, keys=("id",)):
    """What a diff says that knows nothing yet, and how many rows were read."""
    shutil.rmtree(os.path.join(path, ".ox", "index", "facts"), ignore_errors=True)
    with Repo.open(path) as repo:
        difference = repo.diff("HEAD~1", "HEAD", paths=[name], keys=keys)
        (change,) = difference
        with difference.table(change) as found:
            rows = [(one.kind, one.key, one.cells, one.old_row) for one in found.rows.changes()]
            return (found.rows.counts, found.rows.keys, rows), repo.counters.rows


def by_one(path, name, keys=("id",)):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "helpers_for", lambda _: 0)
        return told(path, name, keys)


@pytest.fixture
def spied(monkeypatch):
    """Every answer of a helper: True, or False where it was lost."""
    heard = []
    answer = HelperProcess.answer

    def spy(self):
        try:
            found = answer(self)
        except Lost:
            heard.append(False)
            raise
        heard.append(True)
        return found

    monkeypatch.setattr(HelperProcess, "answer", spy)
    return heard


@pytest.mark.parametrize("keys", [("id",), ()])
@pytest.mark.parametrize("name", FILES)
def test_what_is_found_is_what_one_process_finds(path, small, spied, name, keys):
    found, rows = told(path, name, keys)
    assert spied == [True, True]
    alone, read = by_one(path, name, keys)
    assert found == alone
    assert found[0] == (1, 3, 2, ROWS - 5, ROWS, ROWS - 2)
    assert abs(rows - read) < 100  # whose ends are looked at by both
    assert spied == [True, True]


@pytest.mark.parametrize("name", FILES)
def test_a_helper_that_dies_costs_its_share(path, small, spied, monkeypatch, name):
    ask = HelperProcess.ask

    def kill_first(self, question):
        if not killed:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
        killed.append(1)
        ask(self, question)

    killed = []
    monkeypatch.setattr(HelperProcess, "ask", kill_first)
    assert told(path, name)[0] == by_one(path, name)[0]
    assert spied == [False, True]


def test_one_that_cannot_do_it_leaves_it_to_its_parent(path, small, spied, monkeypatch):
    send = HelperProcess._send

    def mislead(self, message):
        elsewhere = isinstance(message, tuple) and isinstance(message[0], str)
        send(self, (path + "/nowhere", *message[1:]) if elsewhere else message)

    monkeypatch.setattr(HelperProcess, "_send", mislead)
    assert told(path, "t.csv")[0] == by_one(path, "t.csv")[0]
    assert spied == [False, False]


def test_no_more_processes_means_no_helpers(path, small, spied, monkeypatch):
    def refuse(*args, **kwargs):
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(helpers.subprocess, "Popen", refuse)
    assert told(path, "t.csv")[0][0].changed == 2
    assert spied == []


@pytest.fixture
def sides(path):
    with Repo.open(path) as repo:
        revs = ("HEAD~1", "HEAD")
        yield [Stored(repo._repo, repo.entry("t.parquet", rev), f"t.parquet@{rev}") for rev in revs]


class Endless:
    """A question that is never answered."""

    def __reduce__(self):
        return time.sleep, (600,)


@pytest.mark.parametrize("busy", [False, True])
def test_a_helper_ends_when_its_parent_is_gone(sides, busy):
    repo = sides[0].repo
    one = HelperProcess(repo.folder, [side.told() for side in sides], repo.counters)
    one.ask(Rows((0,), Span((0, 30), (0, 30))))
    one.answer()
    if busy:
        one.ask(Endless())
    one._process.stdin.close()
    assert one._process.wait(20) == 0
    one._process.stdout.close()


def test_no_helper_outlives_the_comparison(sides, small):
    with sides[0].together(sides[1]) as (_, _, found):
        found[0].ask(Rows((0,), Span((0, 30), (0, 30))))
        found[0].answer()
        found[1].ask(Endless())
    assert [one._process.returncode for one in found] == [0, -signal.SIGKILL]


@pytest.mark.parametrize(
    ("name", "pays"),
    [
        ("t.csv", True),
        ("T.Parquet@main~3", True),
        ("t.arrow (theirs)", True),
        ("a.csv/t.txt", False),
        ("t.csv.gz", False),
        ("t.jsonl@HEAD", False),
    ],
)
def test_helpers_are_for_large_tables_that_can_be_cut(sides, small, monkeypatch, name, pays):
    other = sides[1]._replace(name=name)
    with sides[0].together(other) as found:
        assert (found is not None) == pays
    monkeypatch.setattr(module, "LEAST", 10 << 20)
    with sides[0].together(other) as found:
        assert found is None


def test_helpers_are_for_two_files_of_one_repository(sides, small, tmp_path):
    with Repo.init(str(tmp_path), author="Ann <ann@example.org>") as other:
        elsewhere = sides[1]._replace(repo=other._repo)
        for one in (elsewhere, None, object()):
            with sides[0].together(one) as found:
                assert found is None


@pytest.mark.parametrize("name", FILES)
def test_tables_of_two_versions_are_compared_with_helpers_too(path, small, spied, name):
    shutil.rmtree(os.path.join(path, ".ox", "index", "facts"), ignore_errors=True)
    with Repo.open(path) as repo:
        old, new = repo.table(name, "HEAD~1"), repo.table(name, "HEAD")
        with old.diff(new, keys="id") as found:
            rows = [(one.kind, one.key, one.cells, one.old_row) for one in found.changes()]
            assert found.counts == (1, 3, 2, ROWS - 5, ROWS, ROWS - 2)
        assert rows == by_one(path, name)[0][2]
        assert spied == [True, True]
        with old.diff(new, keys="id", ordered=True) as found:  # by one process
            assert found.counts.changed == 2
    assert spied == [True, True]


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_work_tree_is_compared_with_helpers(path, small, spied, name):
    shutil.rmtree(os.path.join(path, ".ox", "index", "facts"), ignore_errors=True)
    with Repo.open(path) as repo:
        with repo.table(name, "HEAD~1").diff(repo.table(name), keys="id") as found:
            rows = [(one.kind, one.key, one.cells, one.old_row) for one in found.changes()]
            assert found.counts == (1, 3, 2, ROWS - 5, ROWS, ROWS - 2)
        assert rows == by_one(path, name)[0][2]
        assert spied == [True, True]


def test_a_file_that_changes_meanwhile_is_left_to_the_parent(path, small, tmp_path):
    place = tmp_path / "t.parquet"
    shutil.copy(os.path.join(path, "t.parquet"), place)
    with Repo.open(path) as repo:
        stored = Stored(repo._repo, repo.entry("t.parquet", "HEAD~1"), "t.parquet")
        other = folder_file(repo._repo, str(tmp_path), b"t.parquet")
        with stored.together(other) as (_, _, found):
            found[0].ask(Rows((0,), Span((0, 3), (0, 3))))
            assert found[0].answer() is not None
            os.utime(place, ns=(1, 1))
            found[0].ask(Rows((0,), Span((0, 3), (0, 3))))
            with pytest.raises(Lost):
                found[0].answer()
