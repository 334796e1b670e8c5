"""``pull``: fetch and merge; conflicts wait, refusals change nothing in the work tree."""

import pytest
from support.sides import Sides

from oxcore.errors import NotFoundError, RejectedError, UnsavedError, UsageError


@pytest.fixture
def sides(tmp_path):
    with Sides(tmp_path) as made:
        yield made


@pytest.fixture
def two(sides):
    """``a`` has pushed a commit with two files, ``b`` is a clone."""
    a = sides.new("a")
    a.commit({"f": "1", "g": "1"})
    a.repo.push()
    return a, sides.clone("b")


def test_forward(two):
    a, b = two
    a.commit({"f": "2", "g": None, "new": "n"})
    a.repo.push()
    done = b.repo.pull()
    assert (done.merged.kind, done.branch) == ("fast-forward", "main")
    assert b.files() == a.files()
    assert b.head() == a.head()
    assert b.repo.pull().merged.kind == "up-to-date"


def test_both_sides_changed_other_files(two):
    a, b = two
    a.commit({"f": "a"})
    a.repo.push()
    b.commit({"g": "b"})
    done = b.repo.pull()
    assert done.merged.kind == "merged"
    assert b.files() == {"f": b"a", "g": b"b"}
    assert len(b.core.commit(b.core.head()).parents) == 2
    b.repo.push()
    assert a.repo.pull().merged.kind == "fast-forward"
    assert a.files() == b.files()


def test_a_conflict_is_settled_and_pushed(two):
    a, b = two
    a.commit({"f": "a"})
    a.repo.push()
    b.commit({"f": "b", "g": "b"})
    done = b.repo.pull()
    assert done.merged.kind == "conflicts"
    assert [one.path for one in done.merged.conflicts] == [b"f"]
    assert b.files() == {"f": b"b", "g": b"b"}
    b.repo.resolve(["f"], "theirs")
    b.repo.commit()
    b.repo.push()
    a.repo.pull()
    assert a.files() == b.files() == {"f": b"a", "g": b"b"}


def test_forward_only_and_never(two):
    a, b = two
    a.commit({"f": "a"})
    a.repo.push()
    done = b.repo.pull(forward="never")
    assert done.merged.kind == "merged"
    b.repo.push()
    a.repo.pull()
    a.commit({"f": "again"})
    a.repo.push()
    b.commit({"g": "b"})
    files, head = b.files(), b.head()
    with pytest.raises(RejectedError):
        b.repo.pull(forward="only")
    assert (b.files(), b.head()) == (files, head)


def test_unsaved_work_is_not_overwritten(two):
    a, b = two
    a.commit({"f": "a"})
    a.repo.push()
    b.write({"f": "precious"})
    head = b.head()
    with pytest.raises(UnsavedError) as caught:
        b.repo.pull()
    assert caught.value.items == ("f",)
    assert b.files()["f"] == b"precious"
    assert b.head() == head
    b.write({"f": "1"})
    assert b.repo.pull().merged.kind == "fast-forward"


def test_another_branch_of_another_repository(sides, two):
    a, b = two
    a.repo.switch(create="topic")
    a.commit({"t": "1"})
    done = b.repo.pull(str(a.root), "topic")
    assert done.merged.kind == "fast-forward"
    assert b.files()["t"] == b"1"
    assert "refs/remotes/origin/topic" not in b.repo.refs()


def test_a_branch_follows_one_of_another_name(sides, two):
    a, b = two
    b.core.set_config({"branch.main.merge": "next"})
    with pytest.raises(NotFoundError) as caught:
        b.repo.pull()
    assert caught.value.items == ("main",)
    a.commit({"f": "2"})
    a.repo.push("origin", ["main:next"])
    assert b.repo.pull().branch == "next"
    assert b.files()["f"] == b"2"
    sides.new("c", remote=False).repo.add_remote("origin", sides.url)


def test_into_a_new_repository(sides, two):
    a, _ = two
    c = sides.new("c")
    assert c.repo.pull().merged.kind == "fast-forward"
    assert c.files() == a.files()


def test_from_an_empty_one(sides):
    c = sides.new("c")
    before = c.state()
    with pytest.raises(NotFoundError) as caught:
        c.repo.pull()
    assert "push" in caught.value.hint
    assert c.state() == before


def test_head_on_no_branch(two):
    _, b = two
    b.repo.switch("HEAD", detach=True)
    with pytest.raises(UsageError):
        b.repo.pull()
    assert b.repo.pull("origin", "main").merged.kind == "up-to-date"


def test_in_a_shallow_clone_on_another_branch(sides, two):
    a, _ = two
    a.commit({"f": "2"})
    a.repo.push()
    c = sides.clone("c", depth=1)
    a.repo.switch(create="topic")
    a.commit({"t": "1"})
    a.repo.push()
    c.repo.switch(create="topic")
    done = c.repo.pull()
    assert done.merged.kind == "fast-forward"
    assert c.files()["t"] == b"1"
    assert done.fetched.report.commits == 1
