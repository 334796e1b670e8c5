"""``stash``: away and back."""

import os

import pytest

from oxcore.errors import ConflictError, NotFoundError, NothingToDoError, UnsavedError, UsageError
from oxcore.verbs.undo import undo


@pytest.fixture
def dirty(desk):
    desk.commit({"a": "1", "b": "1", "d/x": "1"})
    desk.write({"a": "changed", "b": None, "staged": "s", "loose": "u"})
    desk.repo.add(["staged"])
    return desk


def test_away_and_back(dirty):
    before = dirty.files()
    made = dirty.repo.stash_push("half done")
    assert (made.index, made.message) == (0, "half done")
    assert dirty.files() == {**dirty.committed(), b"loose": b"u"}
    assert [s.id for s in dirty.repo.stash_list()] == [made.id]
    assert [c.path for c in dirty.repo.stash_show()] == [b"a", b"b", b"staged"]
    dirty.repo.stash_pop()
    assert dirty.files() == before
    assert dirty.repo.stash_list() == []
    assert set(dirty.tree()) == {b"a", b"b", b"d/x", b"staged"}


def test_untracked_files_too(dirty):
    before = dirty.files()
    dirty.repo.stash_push(untracked=True)
    assert dirty.clean()
    dirty.repo.stash_apply()
    assert dirty.files() == before
    assert len(dirty.repo.stash_list()) == 1


def test_some_paths(dirty):
    dirty.repo.stash_push(paths=["a"])
    assert dirty.files()[b"a"] == b"1"
    assert b"b" not in dirty.files()
    assert dirty.tree()[b"staged"] == b"s"
    dirty.repo.stash_pop()
    assert dirty.files()[b"a"] == b"changed"


def test_nothing_to_put_aside(desk):
    with pytest.raises(UsageError):
        desk.repo.stash_push()
    desk.commit({"a": "1"})
    desk.write({"loose": "x"})
    with pytest.raises(NothingToDoError):
        desk.repo.stash_push()


def test_many_count_from_the_newest(desk):
    desk.commit({"a": "0"})
    for turn in range(12):
        desk.write({"a": f"{turn}" * 9})
        desk.repo.stash_push(f"turn {turn}")
    assert [s.message for s in desk.repo.stash_list()][:2] == ["turn 11", "turn 10"]
    assert desk.repo.stash_drop(1).message == "turn 10"
    assert [s.message for s in desk.repo.stash_list()][:2] == ["turn 11", "turn 9"]
    undo(desk.core)
    assert [s.message for s in desk.repo.stash_list()][1] == "turn 10"
    for index in (12, 99):
        with pytest.raises(NotFoundError):
            desk.repo.stash_pop(index)


def test_pop_refuses_what_is_in_the_way(dirty):
    dirty.repo.stash_push()
    dirty.write({"a": "unsaved again"})
    before = dirty.files(), dict(dirty.core.view())
    with pytest.raises(UnsavedError) as caught:
        dirty.repo.stash_pop()
    assert caught.value.items == ("a",)
    assert (dirty.files(), dict(dirty.core.view())) == before
    dirty.commit()
    with pytest.raises(ConflictError) as caught:
        dirty.repo.stash_pop()
    assert caught.value.items == ("a",)
    assert len(dirty.repo.stash_list()) == 1


def test_a_file_that_is_not_tracked_any_more_comes_along(desk):
    desk.commit({"a": "1", "k": "1"})
    desk.repo.rm(["a"], cached=True)
    desk.write({"a": "my work"})
    desk.repo.stash_push()
    assert desk.files()[b"a"] == b"1"
    desk.repo.stash_pop()
    assert desk.files()[b"a"] == b"my work"


def test_a_file_that_became_a_folder(desk):
    desk.commit({"d": "file"})
    desk.write({"d": None})
    desk.write({"d/x": "inside"})
    desk.repo.add()
    desk.repo.stash_push()
    assert desk.files() == {b"d": b"file"}
    desk.repo.stash_pop()
    assert desk.files() == {b"d/x": b"inside"}
    assert desk.tree() == {b"d/x": b"inside"}


def test_links_and_modes_come_back(desk):
    desk.commit({"a": "1", "b": "1"})
    os.chmod(desk.root / "a", 0o755)
    os.unlink(desk.root / "b")
    os.symlink("a", desk.root / "b")
    desk.repo.stash_push()
    assert desk.repo.status().clean
    desk.repo.stash_pop()
    assert os.access(desk.root / "a", os.X_OK)
    assert os.readlink(desk.root / "b") == "a"
