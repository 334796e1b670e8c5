"""Switch and checkout: where HEAD goes, and what becomes of files on the way."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.codec.manifest import decode_manifest
from oxcore.errors import (
    AmbiguousError,
    CorruptError,
    ExistsError,
    InvalidError,
    NotFoundError,
    UnsavedError,
    UsageError,
)
from oxcore.model.ids import Kind, content_id
from oxcore.testing.faults import flip
from oxcore.testing.stores import noise

paths = st.sampled_from([b"a", b"b", b"d/x", b"d/y", b"e"])
contents = st.sampled_from([b"", b"one", b"two"])
folders = st.dictionaries(paths, contents, max_size=5)


@pytest.fixture
def two(desk):
    """Branches main (a, b) and topic (a, c); HEAD is on main."""
    desk.commit({"a": "1", "b": "1"}, "one")
    desk.repo.switch(create="topic")
    desk.become({"a": "2", "c": "2"}, "two")
    desk.repo.switch("main")
    return desk


def test_there_and_back(two):
    done = two.repo.switch("topic")
    assert (done.branch, done.before, done.created) == ("topic", "main", False)
    assert (done.commit, done.moved.written, done.moved.removed) == (two.core.head(), 2, 1)
    assert two.files() == {b"a": b"2", b"c": b"2"}
    assert two.clean()
    assert two.repo.switch("-").branch == "main"
    assert two.files() == {b"a": b"1", b"b": b"1"}
    assert two.repo.switch("@{-1}").branch == "topic"
    assert two.repo.switch("topic").moved.operation is None


def test_where_nothing_is_to_go_back_to(desk):
    with pytest.raises(NotFoundError):
        desk.repo.switch("-")
    desk.commit({"a": "1"})
    desk.repo.switch(create="topic")
    desk.repo.delete_branches(["main"])
    with pytest.raises(NotFoundError, match="not here any more"):
        desk.repo.switch("-")


def test_making_a_branch(two):
    tip = two.core.head()
    done = two.repo.switch(create="new")
    assert (done.created, done.branch, done.commit) == (True, "new", tip)
    done = two.repo.switch("topic", create="other")
    assert two.files() == {b"a": b"2", b"c": b"2"}
    assert two.repo.refs()["refs/heads/other"] == done.commit.hex()
    with pytest.raises(ExistsError):
        two.repo.switch(create="new")
    with pytest.raises(NotFoundError):
        two.repo.switch("nope", create="newer")
    assert "refs/heads/newer" not in two.repo.refs()


def test_before_the_first_commit(desk):
    desk.write({"a": "1"})
    desk.repo.add()
    done = desk.repo.switch(create="trunk")
    assert (done.branch, done.commit) == ("trunk", None)
    assert desk.tree() == {b"a": b"1"}
    desk.repo.commit("first")
    assert list(desk.repo.refs()) == ["refs/heads/trunk"]
    with pytest.raises(NotFoundError):
        desk.repo.switch("main")


def test_commits_without_a_branch(two):
    old = two.core.head()
    for target in ("main", "HEAD~0", old.hex()[:10]):
        done = two.repo.switch(target, detach=True)
        assert (done.branch, done.commit) == (None, old)
        assert two.core.view()["HEAD"] == old.hex()
    two.repo.switch("topic")
    done = two.repo.switch("-")
    assert (done.branch, done.commit) == (None, old)
    with pytest.raises(UsageError, match="not a branch"):
        two.repo.switch("topic~1")
    with pytest.raises(NotFoundError):
        two.repo.switch("nope")
    done = two.repo.checkout("topic~0")
    assert done.branch is None
    assert two.repo.checkout("main").branch == "main"
    assert two.repo.checkout("topic", create="new").created
    with pytest.raises(NotFoundError):
        two.repo.checkout("nope")
    with pytest.raises(InvalidError):
        two.repo.checkout("HEAD:a")


def test_the_branch_of_a_remote(two):
    with two.core.lock("test"):
        tip = two.repo.refs()["refs/heads/topic"]
        changes = {
            "refs/remotes/origin/fresh": (None, tip),
            "refs/remotes/origin/twice": (None, tip),
            "refs/remotes/other/twice": (None, tip),
            "refs/remotes/origin/deep/er": (None, tip),
        }
        two.core.operate("test", "", changes)
    done = two.repo.switch("fresh")
    assert (done.created, done.upstream) == (True, "refs/remotes/origin/fresh")
    assert two.repo.config()["branch.fresh.remote"] == "origin"
    assert two.repo.checkout("deep/er").upstream == "refs/remotes/origin/deep/er"
    with pytest.raises(AmbiguousError) as caught:
        two.repo.switch("twice")
    assert caught.value.items == ("origin/twice", "other/twice")
    assert two.repo.switch("other/twice", create="twice").upstream == "refs/remotes/other/twice"
    with pytest.raises(UsageError):
        two.repo.switch("origin/fresh")
    two.repo.delete_branches(["fresh"], force=True)
    two.repo.tag("fresh", "main")
    with pytest.raises(UsageError, match="revision"):
        two.repo.switch("fresh")  # as a checkout, a tag is what it names here
    assert two.repo.checkout("origin/fresh").branch is None


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(folders, folders, st.dictionaries(paths, contents, max_size=3), st.booleans())
def test_work_comes_along_or_stops_it(desks, here, there, work, stage):
    desk = desks()
    desk.become(there, "there")
    desk.repo.branch("topic")
    desk.become(here, "here")
    desk.write(work)
    if stage:
        desk.repo.add()
    changed = {path for path in work if here.get(path) != work[path]}
    blocked = {p for p in changed if here.get(p) != there.get(p) and there.get(p) != work[p]}
    before = desk.files(), desk.tree(), desk.core.view()
    if blocked:
        with pytest.raises(UnsavedError) as caught:
            desk.repo.switch("topic")
        assert caught.value.items == tuple(sorted(path.decode() for path in blocked))
        assert (desk.files(), desk.tree(), desk.core.view()) == before
        desk.repo.switch("topic", force=True)
        assert desk.tree() == there
        assert {p: c for p, c in desk.files().items() if p in there} == there
        return
    desk.repo.switch("topic")
    assert desk.files() == {**there, **{path: work[path] for path in changed}}
    if stage:
        assert desk.tree() == desk.files()
    else:
        assert desk.tree() == there


def test_force_gives_up_changes_but_no_untracked_file(two):
    two.write({"a": "unsaved", "loose": "mine"})
    two.repo.switch("topic", force=True)
    assert two.files() == {b"a": b"2", b"c": b"2", b"loose": b"mine"}
    two.write({"a": "unsaved"})
    two.repo.switch("topic", force=True)
    assert two.files()[b"a"] == b"2"


def test_untracked_files_in_the_way(two):
    two.write({"c": "mine"})
    with pytest.raises(UnsavedError) as caught:
        two.repo.switch("topic")
    assert caught.value.items == ("c",)
    os.unlink(two.root / "c")
    two.write({"c/below": "mine"})
    with pytest.raises(UnsavedError):
        two.repo.switch("topic")
    assert two.files() == {b"a": b"1", b"b": b"1", b"c/below": b"mine"}
    assert two.repo.status().branch == "main"


def test_files_of_a_revision(two):
    two.write({"a": "unsaved"})
    two.repo.checkout_files(["a", "c"], "topic")
    assert two.files() == two.tree() == {b"a": b"2", b"b": b"1", b"c": b"2"}
    two.write({"a": "unsaved"})
    two.repo.checkout_files([b"a"])
    assert two.files()[b"a"] == b"2"
    with pytest.raises(NotFoundError):
        two.repo.checkout_files(["nope"], "topic")
    assert two.repo.can_checkout("topic")
    assert two.repo.can_checkout("HEAD~0")
    assert not two.repo.can_checkout("nope")
    assert not two.repo.can_checkout("a b")


def test_a_damaged_large_file_is_named_by_its_chunk_and_nothing_is_written(desk):
    large = noise(7, 3 << 20)
    desk.commit({"large.bin": large})
    manifest = desk.core.store.get(content_id(large), Kind.FILE)
    chunk = decode_manifest(manifest).children()[5]
    where = desk.core.store.locate([chunk])[0]
    name = desk.core.index.locations.packs()[where.pack]
    (desk.root / "large.bin").unlink()
    flip(desk.core.store.files.path(name), where.offset + 9)
    with pytest.raises(CorruptError, match=chunk.hex()):
        desk.repo.restore(["large.bin"])
    assert os.listdir(desk.root) == [".ox"]
    flip(desk.core.store.files.path(name), where.offset + 9)
    desk.repo.restore(["large.bin"])
    assert desk.files() == {b"large.bin": large}
