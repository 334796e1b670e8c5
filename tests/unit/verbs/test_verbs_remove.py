"""``rm`` and ``mv``."""

import os

import pytest

from oxcore.errors import ExistsError, InvalidError, NotFoundError, UnsavedError, UsageError
from oxcore.verbs.undo import undo


@pytest.fixture
def filled(desk):
    desk.commit({"a": "1", "b": "2", "d/x": "3", "d/e/y": "4"})
    return desk


def test_rm_takes_file_and_stage(filled):
    (change,) = filled.repo.rm(["a"])
    assert (change.path, change.new) == (b"a", None)
    assert set(filled.files()) == set(filled.tree()) == {b"b", b"d/x", b"d/e/y"}
    undo(filled.core)
    assert filled.clean()


def test_rm_of_a_folder_wants_to_be_told(filled):
    with pytest.raises(UsageError):
        filled.repo.rm(["d"])
    assert len(filled.repo.rm(["d"], recursive=True)) == 2
    assert not (filled.root / "d").exists()
    with pytest.raises(UsageError):
        filled.repo.rm([b""])
    filled.repo.rm([b""], recursive=True)
    assert filled.files() == filled.tree() == {}
    with pytest.raises(NotFoundError):
        filled.repo.rm([b""], recursive=True)


def test_rm_by_pattern(filled):
    assert [c.path for c in filled.repo.rm(["d/*"])] == [b"d/e/y", b"d/x"]


def test_rm_cached_keeps_the_file(filled):
    filled.write({"a": "unsaved"})
    filled.repo.rm(["a"], cached=True)
    assert filled.files()[b"a"] == b"unsaved"
    assert filled.repo.status().untracked == {b"a": 1}


@pytest.mark.parametrize("stage_it", [False, True])
def test_rm_refuses_unsaved_work_unless_forced(filled, stage_it):
    filled.write({"a": "unsaved"})
    if stage_it:
        filled.repo.add()
    with pytest.raises(UnsavedError) as caught:
        filled.repo.rm(["a", "b"])
    assert caught.value.items == ("a",)
    assert filled.files()[b"a"] == b"unsaved"
    filled.repo.rm(["a"], force=True)
    assert b"a" not in filled.files()
    undo(filled.core)
    assert filled.files()[b"a"] == b"unsaved"


def test_rm_of_what_is_gone_already(filled):
    filled.write({"a": None})
    filled.repo.rm(["a"])
    assert b"a" not in filled.tree()


def test_rm_names_what_is_not_tracked(filled):
    filled.write({"new": "x"})
    with pytest.raises(NotFoundError, match="new"):
        filled.repo.rm(["a", "new"])
    assert b"a" in filled.tree()


def test_mv_renames(filled):
    assert filled.repo.mv(["a"], "c") == [(b"a", b"c")]
    assert filled.files() == filled.tree()
    opened = filled.repo.counters.files_opened
    assert filled.repo.status().changed.total == 0
    assert filled.repo.counters.files_opened == opened  # the stat moved along
    undo(filled.core)
    assert filled.clean()


def test_mv_into_a_folder(filled):
    assert filled.repo.mv(["a", "b"], "d") == [(b"a", b"d/a"), (b"b", b"d/b")]
    assert filled.repo.mv(["d/a"], b"") == [(b"d/a", b"a")]
    assert filled.files() == filled.tree()


def test_mv_of_a_folder_takes_untracked_files_along(filled):
    filled.write({"d/new": "untracked"})
    moves = filled.repo.mv(["d"], "f")
    assert moves == [(b"d/e/y", b"f/e/y"), (b"d/x", b"f/x")]
    assert filled.files()[b"f/new"] == b"untracked"
    assert filled.repo.status().untracked == {b"f/new": 1}


def test_mv_of_unsaved_work_leaves_it_unsaved(filled):
    filled.write({"a": "unsaved"})
    filled.repo.mv(["a"], "c")
    assert (filled.files()[b"c"], filled.tree()[b"c"]) == (b"unsaved", b"1")
    assert [c.path for c in filled.repo.status().changed.changes] == [b"c"]


def test_mv_force_stores_what_it_overwrites(filled):
    filled.write({"b": "unsaved"})
    with pytest.raises(ExistsError):
        filled.repo.mv(["a"], "b")
    filled.repo.mv(["a"], "b", force=True)
    assert filled.files()[b"b"] == b"1"
    undo(filled.core)
    assert (filled.files()[b"a"], filled.files()[b"b"]) == (b"1", b"unsaved")


@pytest.mark.parametrize(
    ("sources", "target", "error"),
    [
        (["a", "b"], "c", UsageError),
        (["a"], "a", UsageError),
        (["d"], "d/e", UsageError),
        (["d", "d/x"], "e", UsageError),
        (["d/x", "e/x"], "f", UsageError),
        (["nope"], "c", NotFoundError),
        (["a"], "no/such/folder", NotFoundError),
        (["a"], "link/c", InvalidError),
        (["a"], "link", InvalidError),
        (["a"], ".ox/c", InvalidError),
        (["a"], "e", ExistsError),
        (["d"], "b", ExistsError),
    ],
)
def test_what_mv_refuses_changes_nothing(filled, sources, target, error, tmp_path_factory):
    filled.commit({"e/x": "5", "f/k": "6", "e/a/in": "7"})
    os.symlink(tmp_path_factory.mktemp("other"), filled.root / "link")
    before = filled.files(), dict(filled.core.view())
    with pytest.raises(error):
        filled.repo.mv(sources, target)
    assert (filled.files(), dict(filled.core.view())) == before


def test_mv_that_fails_half_way_goes_back(filled, monkeypatch):
    real = os.rename

    def rename(old, new, **named):
        if os.path.basename(old) == b"b":
            raise PermissionError(13, "no")
        return real(old, new, **named)

    monkeypatch.setattr(os, "rename", rename)
    before = filled.files(), dict(filled.core.view())
    with pytest.raises(Exception, match="rename"):
        filled.repo.mv(["a", "b"], "d")
    monkeypatch.undo()
    assert (filled.files(), dict(filled.core.view())) == before
