"""``commit``: what it records, and what it asks for."""

import pytest

from oxcore.errors import InvalidError, NothingToDoError, UsageError
from oxcore.model.commits import Person
from oxcore.model.settings import Settings


def test_what_a_commit_says(desk):
    desk.write({"a": "123", "d/b": "4567"})
    desk.repo.add()
    first = desk.repo.commit("one")
    assert (first.branch, first.first) == ("main", True)
    assert (first.added, first.modified, first.removed, first.nbytes) == (2, 0, 0, 7)
    desk.write({"a": "12345", "d/b": None, "c": "1"})
    desk.repo.add()
    second = desk.repo.commit("two\n\nmore", meta={"k": [1, None]})
    assert (second.added, second.modified, second.removed, second.nbytes) == (1, 1, 1, 6)
    assert second.commit.parents == (first.id,)
    assert desk.core.commit(second.id).meta == {"k": [1, None]}


def test_nothing_staged(desk):
    with pytest.raises(NothingToDoError):
        desk.repo.commit("nothing")
    empty = desk.repo.commit("empty", allow_empty=True)
    assert (empty.added, desk.committed()) == (0, {})
    desk.write({"a": "1"})
    with pytest.raises(NothingToDoError):
        desk.repo.commit("nothing")


def test_all_takes_tracked_changes_only(desk):
    desk.commit({"a": "1", "b": "2"})
    desk.write({"a": "11", "b": None, "c": "3"})
    made = desk.repo.commit("two", all_tracked=True)
    assert (made.added, made.modified, made.removed) == (0, 1, 1)
    assert desk.committed() == {b"a": b"11"}


def test_amend_keeps_what_is_not_given(desk):
    first = desk.commit({"a": "1"})
    desk.write({"a": "2"})
    desk.repo.add()
    old = desk.repo.commit("two", meta={"k": 1})
    desk.core.settings.author = Person("Bob")
    desk.write({"b": "3"})
    desk.repo.add()
    new = desk.repo.commit(amend=True)
    assert new.commit.parents == (first,)
    assert (new.commit.message, new.commit.meta, new.commit.author) == (
        "two",
        {"k": 1},
        Person("Ann"),
    )
    assert new.commit.time != old.commit.time
    assert (new.added, new.modified) == (1, 1)
    again = desk.repo.commit("better", amend=True, meta={})
    assert (again.commit.message, again.commit.meta) == ("better", {})


def test_amend_needs_a_commit(desk):
    with pytest.raises(UsageError):
        desk.repo.commit("x", amend=True)


@pytest.mark.parametrize(
    ("message", "error"),
    [(None, UsageError), ("", UsageError), (" \n", UsageError), ("a\0b", InvalidError)],
)
def test_messages_that_are_none(desk, message, error):
    desk.write({"a": "1"})
    desk.repo.add()
    with pytest.raises(error):
        desk.repo.commit(message)
    assert desk.core.head() is None


def test_meta_that_json_cannot_hold_exactly(desk):
    with pytest.raises(InvalidError):
        desk.repo.commit("x", allow_empty=True, meta={"k": 1.5})
    assert desk.core.head() is None


def test_nobody_commits(tmp_path):
    from oxcore.api import Repo

    with Repo.init(str(tmp_path), settings=Settings()) as repo, pytest.raises(UsageError):
        repo.commit("x", allow_empty=True)


def test_a_bare_repository_has_no_work_tree(tmp_path):
    from oxcore.api import Repo

    with Repo.init(str(tmp_path / "b"), bare=True, settings=Settings(Person("A"))) as repo:
        with pytest.raises(UsageError):
            repo.add()
        with repo.transaction("main", message="m") as edits:
            edits.put("f", b"1")
        assert repo.refs()["refs/heads/main"] == edits.commit_id.hex()
