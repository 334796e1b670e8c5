"""Commits by program: no work tree needed, nothing lost to others who write."""

import io
import os

import pytest

from oxcore.errors import ExistsError, InvalidError, RejectedError, UnsavedError
from oxcore.model.entries import Mode
from oxcore.store import content, encode_chunks
from oxcore.verbs import transaction
from oxcore.verbs.storing import deposit


def put(repo, files, branch="main", message="by program"):
    with repo.transaction(branch, message=message) as edits:
        for path, data in files.items():
            edits.put(path, data)
    return edits.commit_id


def test_put_remove_link(desk):
    with desk.repo.transaction("data", message="one", meta={"n": 1}) as edits:
        assert edits.put("a", b"1") == edits.put("b", io.BytesIO(b"1"))
        edits.put("run", b"#!", executable=True)
        edits.link("l", "a")
        edits.put("d/x", os.urandom(300_000))
        edits.put("d/y", b"gone again")
        edits.remove("d/y")
    assert desk.core.commit(edits.commit_id).meta == {"n": 1}
    assert set(desk.committed("data")) == {b"a", b"b", b"run", b"l", b"d/x"}
    assert desk.files() == {}
    with desk.repo.transaction("data", message="two") as edits:
        edits.remove("d")
        edits.remove("never there")
    assert set(desk.committed("data")) == {b"a", b"b", b"run", b"l"}
    from oxcore import tree

    root = desk.core.commit(edits.commit_id).tree
    assert tree.get(desk.core.store, root, b"run").mode == Mode.EXEC
    assert tree.get(desk.core.store, root, b"l").mode == Mode.LINK


def test_nothing_changed_is_no_commit(desk):
    first = put(desk.repo, {"a": b"1"}, "data")
    assert put(desk.repo, {"a": b"1"}, "data") is None
    assert desk.repo.refs()["refs/heads/data"] == first.hex()


def test_a_branch_that_is_not_there_may_begin_at_a_commit(desk):
    first = put(desk.repo, {"a": b"1"}, "data")
    second = put(desk.repo, {"a": b"2"}, "data")
    parent = first
    for data in (b"1", b"2"):
        with transaction.transaction(desk.core, "own", message="x", start=first) as edits:
            edits.put("b", data)
        assert desk.core.commit(edits.commit_id).parents == (parent,)
        parent = edits.commit_id
    assert set(desk.committed("own")) == {b"a", b"b"}
    assert desk.repo.refs()["refs/heads/data"] == second.hex()


def test_an_exception_leaves_the_branch(desk):
    put(desk.repo, {"a": b"1"}, "data")
    before = desk.repo.refs()
    with pytest.raises(KeyError), desk.repo.transaction("data", message="x") as edits:
        edits.put("b", b"2")
        raise KeyError
    assert desk.repo.refs() == before


def test_the_work_tree_follows_its_branch(desk):
    desk.commit({"a": "1", "b": "1"})
    desk.write({"b": "unsaved"})
    put(desk.repo, {"a": b"2", "c": b"3"})
    assert desk.files() == {b"a": b"2", b"b": b"unsaved", b"c": b"3"}
    before = desk.files(), desk.repo.refs()
    with pytest.raises(UnsavedError):
        put(desk.repo, {"b": b"theirs"})
    assert (desk.files(), desk.repo.refs()) == before


def test_a_branch_that_moved_meanwhile_is_built_upon(desk):
    put(desk.repo, {"a": b"1"}, "data")
    with desk.repo.transaction("data", message="slow") as edits:
        edits.put("slow", b"1")
        put(desk.repo, {"fast": b"1"}, "data")
    assert set(desk.committed("data")) == {b"a", b"fast", b"slow"}


@pytest.mark.parametrize("path", ["", "/a", "a//b", "../a", ".ox/a", "a\0"])
def test_paths_that_cannot_be(desk, path):
    with pytest.raises(InvalidError), desk.repo.transaction("data", message="x") as edits:
        edits.put(path, b"1")
    assert desk.repo.refs() == {}


def test_a_file_and_a_folder_of_one_name(desk):
    with pytest.raises(InvalidError), desk.repo.transaction("data", message="x") as edits:
        edits.put("d", b"1")
        edits.put("d/x", b"2")
    put(desk.repo, {"e": b"1", "f/x": b"1"}, "data")
    put(desk.repo, {"e/x": b"1", "f": b"1"}, "data")
    assert set(desk.committed("data")) == {b"e/x", b"f"}


def test_a_branch_under_a_branch(desk):
    put(desk.repo, {"a": b"1"}, "data")
    with pytest.raises(ExistsError):
        put(desk.repo, {"a": b"2"}, "data/sub")


def collect(desk, keep):
    """What gc does: packs are rewritten without what no one names."""
    names = [info.name for info in desk.core.store.packs()]
    with desk.core.lock("gc"):
        desk.core.store.rewrite(drop=names, keep=keep)


def test_a_collection_between_put_and_commit_is_noticed(desk):
    with (
        pytest.raises(RejectedError, match="big was collected"),
        desk.repo.transaction("data", message="x") as edits,
    ):
        oid = edits.put("big", os.urandom(400_000))
        edits._batch.flush()
        parts = [part.oid for part in content.parts(desk.core.store, oid)]
        collect(desk, keep=lambda one: one != parts[2])
    assert desk.repo.refs() == {}


def test_a_collection_that_took_nothing_of_ours_is_no_matter(desk, monkeypatch):
    real, runs = transaction._swap, []

    def swap(*args):
        runs.append(True)
        return real(*args)

    monkeypatch.setattr(transaction, "_swap", swap)
    with desk.repo.transaction("data", message="x") as edits:
        edits.put("a", b"1")
        edits._batch.flush()
        edits.put("b", b"2")
        edits._batch.flush()
        collect(desk, keep=lambda one: True)
    assert set(desk.committed("data")) == {b"a", b"b"}
    assert len(runs) == 1


def test_a_collection_of_the_new_tree_makes_it_anew(desk, monkeypatch):
    real, runs = transaction._collected, []

    def late(repo, seen):
        if not runs:
            runs.append(True)
            keep = {one.id for _, one in edits.edits()}
            collect(desk, keep=lambda one: one in keep)
        return real(repo, seen)

    monkeypatch.setattr(transaction, "_collected", late)
    with desk.repo.transaction("data", message="x") as edits:
        edits.put("a", b"1")
        edits.put("b", b"2")
    assert desk.committed("data") == {b"a": b"1", b"b": b"2"}


def test_a_small_file_that_lies_there_in_chunks_is_checked_out(desk):
    """As a repository with other parameters may have sent it."""
    data = os.urandom(9000)
    with desk.core.batch() as batch:
        pieces = deposit.Pieces(desk.core, batch)
        halves = [data[:4000], data[4000:]]
        ids = list(map(deposit.content_id, halves))
        batch.put_encoded(encode_chunks(desk.core.store, pieces.take(ids, halves)))
        oid = deposit.content_id(data)
        pieces.finish(oid)
    desk.write({"k": "1"})
    desk.commit()
    desk.repo.switch(create="side")
    put(desk.repo, {"f": data, "g": b"1"}, "side")
    assert desk.files() == {b"k": b"1", b"f": data, b"g": b"1"}
    assert desk.core.store.locate([oid])[0].kind == 2
