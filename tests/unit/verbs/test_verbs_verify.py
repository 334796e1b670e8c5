"""Proving a commit: what is counted, and that no wrong byte passes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore import tree
from oxcore.api import Repo
from oxcore.codec.commit import encode_commit
from oxcore.codec.node import encode_leaf
from oxcore.errors import CorruptError, MissingError, NotFoundError
from oxcore.model.commits import Commit, Moment, Person
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.testing.faults import flip
from oxcore.testing.stores import noise
from oxcore.verbs.verify import verify


def commit_of(repo, root):
    """A commit with this tree, whatever that is."""
    made = Commit(root, (), Person("Ann"), Moment(0), "m")
    oid = object_id(Kind.COMMIT, encode_commit(made))
    with repo.batch() as batch:
        batch.put(oid, Kind.COMMIT, encode_commit(made))
    return oid.hex()


def lose(repo, oid):
    names = sorted(repo.store.files.names())
    repo.store.rewrite(drop=names, keep=lambda one: one != oid)


def test_counts(desk):
    desk.commit({"a": "1", "big": noise(1, 200_000), "copy": "1"})
    second = desk.commit({"b": "22"})
    done = verify(desk.core)
    assert (done.commit, done.tree) == (second, desk.core.head_tree())
    assert (done.counts.commits, done.counts.nodes, done.counts.files) == (1, 1, 3)
    assert done.counts.nbytes == 200_003
    assert done.complete
    whole = verify(desk.core, history=True)
    assert (whole.counts.commits, whole.counts.nodes, whole.counts.files) == (2, 2, 3)


def test_any_revision_also_a_tag(desk):
    first = desk.commit({"a": "1"})
    desk.commit({"a": "2"})
    desk.repo.tag("v1", "HEAD~1", message="one")
    assert verify(desk.core, "v1").commit == first
    with pytest.raises(NotFoundError):
        verify(desk.core, "v2")


def test_a_missing_file_is_named(desk):
    desk.commit({"a": "1", "d/b": "2"})
    lose(desk.core, content_id(b"2"))
    with pytest.raises(MissingError) as caught:
        verify(desk.core)
    (item,) = caught.value.items
    assert content_id(b"2").hex() in item
    assert "d/b" in item


def test_history_finds_what_the_commit_alone_does_not_need(desk):
    desk.commit({"a": "old"})
    desk.commit({"a": "new"})
    lose(desk.core, content_id(b"old"))
    verify(desk.core)
    with pytest.raises(MissingError):
        verify(desk.core, history=True)


def test_a_tree_cut_elsewhere_is_none_of_ours(desk):
    data = encode_leaf(
        [f"f{n:04}".encode() for n in range(600)], b"\0" * 19200, [0] * 600, b"\1" * 600
    )
    root = object_id(Kind.TREE, data)
    with desk.core.batch() as batch:
        batch.put(root, Kind.TREE, data)
        batch.put(b"\0" * 32, Kind.CHUNK, b"")
    with pytest.raises(CorruptError) as caught:
        verify(desk.core, commit_of(desk.core, root))
    assert any("past the entry where the rule ends it" in item for item in caught.value.items)


def test_a_size_that_is_not_that_of_the_file(desk):
    oid = content_id(b"four")
    data = encode_leaf([b"a"], oid, [5], b"\1")
    root = object_id(Kind.TREE, data)
    with desk.core.batch() as batch:
        batch.put(oid, Kind.CHUNK, b"four")
        batch.put(root, Kind.TREE, data)
    with pytest.raises(CorruptError) as caught:
        verify(desk.core, commit_of(desk.core, root))
    assert "has 4 bytes, and a tree says 5" in caught.value.items[0]


def test_the_empty_tree(desk):
    assert verify(desk.core, commit_of(desk.core, tree.EMPTY)).counts.files == 0


def test_a_shallow_clone_says_that_it_is_one(desk, tmp_path):
    desk.commit({"a": "1"})
    desk.commit({"a": "2"})
    with Repo.clone("file://" + str(desk.root), str(tmp_path / "shallow"), depth=1) as shallow:
        done = shallow.verify(history=True)
        assert (done.complete, done.counts.commits) == (False, 1)
        assert shallow.verify().complete


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_wrong_byte_of_what_it_needs_passes(desks, data):
    desk = desks()
    desk.commit({"a": noise(1, 500), "d/big": noise(2, 120_000), "c": noise(3, 20)})
    repo = desk.core
    every = [where for _, where in repo.index.locations.ids() if where.how == 0]
    where = data.draw(st.sampled_from(every))
    path = repo.store.files.path(repo.index.locations.packs()[where.pack])
    flip(path, where.offset + data.draw(st.integers(0, where.stored - 1)))
    repo._commits.clear()
    with pytest.raises((CorruptError, MissingError)) as caught:
        verify(repo)
    assert caught.value.items
