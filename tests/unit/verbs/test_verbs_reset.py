"""``restore`` and ``reset``."""

import os

import pytest

from oxcore.errors import ConflictError, NotFoundError
from oxcore.verbs.undo import undo


@pytest.fixture
def two(desk):
    desk.commit({"a": "1", "d/x": "1", "old": "1"}, "one")
    desk.write({"old": None})
    desk.commit({"a": "2", "d/x": "2", "new": "2"}, "two")
    return desk


def test_restore_from_the_stage(two):
    two.write({"a": "staged"})
    two.repo.add()
    two.write({"a": "unsaved", "d/x": None, "loose": "untracked"})
    assert [c.path for c in two.repo.restore([b""])] == [b"a", b"d/x"]
    assert two.files() == {**two.tree(), b"loose": b"untracked"}
    assert two.files()[b"a"] == b"staged"
    undo(two.core)
    assert two.files()[b"a"] == b"unsaved"
    assert b"d/x" not in two.files()


def test_restore_of_links_and_modes(two):
    os.symlink("a", two.root / "l")
    os.chmod(two.root / "a", 0o755)
    two.repo.add()
    os.unlink(two.root / "l")
    two.write({"l": "a file now"})
    os.chmod(two.root / "a", 0o644)
    two.repo.restore(["l", "a"])
    assert os.readlink(two.root / "l") == "a"
    assert two.repo.status().changed.total == 0


def test_restore_the_stage_alone(two):
    two.write({"a": "staged", "fresh": "staged"})
    two.repo.add()
    done = two.repo.restore(["a", "fresh"], staged=True, worktree=False)
    assert [c.path for c in done] == [b"a", b"fresh"]
    assert two.files()[b"a"] == b"staged"
    assert two.repo.status().untracked == {b"fresh": 1}


def test_restore_from_a_revision(two):
    two.repo.restore(["d", "old"], source="HEAD~1")
    assert (two.files()[b"d/x"], two.files()[b"old"]) == (b"1", b"1")
    assert two.tree()[b"d/x"] == b"2"
    two.repo.restore([b""], source="HEAD~1", staged=True)
    assert two.files() == two.tree() == {b"a": b"1", b"d/x": b"1", b"old": b"1"}


def test_restore_names_what_nobody_knows(two):
    two.write({"loose": "x"})
    for path in ("nope", "loose", "*.png"):
        with pytest.raises(NotFoundError):
            two.repo.restore(["a", path])
    assert two.repo.restore(["a"]) == []


def test_reset_soft_mixed_hard(two):
    first = two.core.commit(two.core.head()).parents[0]
    two.repo.reset("HEAD~1", "soft")
    assert (two.core.head(), two.tree()[b"a"]) == (first, b"2")
    undo(two.core)
    two.repo.reset("HEAD~1")
    assert (two.tree()[b"a"], two.files()[b"a"]) == (b"1", b"2")
    assert two.repo.status().untracked == {b"new": 1}
    undo(two.core)
    assert two.clean()
    moved = two.repo.reset("HEAD~1", "hard")
    assert (moved.written, moved.removed) == (3, 1)
    assert two.clean()


def test_reset_hard_stores_unsaved_work_first(two):
    two.write({"a": "unsaved", "d/x": None, "loose": "untracked"})
    two.repo.reset("HEAD", "hard")
    assert two.files() == {**two.committed(), b"loose": b"untracked"}
    undo(two.core)
    assert two.files()[b"a"] == b"unsaved"
    assert b"d/x" not in two.files()


def test_reset_gives_up_a_merge(two):
    two.repo.switch(create="side")
    two.commit({"a": "side"})
    two.repo.switch("main")
    two.commit({"a": "main"})
    assert two.repo.merge("side").kind == "conflicts"
    with pytest.raises(ConflictError):
        two.repo.reset("HEAD", "soft")
    two.repo.reset("HEAD", "hard")
    assert two.repo.status().clean


def test_reset_to_what_is_unknown(two):
    with pytest.raises(NotFoundError):
        two.repo.reset("nope")
