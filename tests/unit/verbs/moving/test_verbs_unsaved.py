"""Whatever a verb does to a dirty work tree: no content that was there is lost."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.errors import OxError, UnsavedError
from oxcore.model.ids import content_id

paths = st.sampled_from([b"a", b"b", b"d", b"d/x", b"d/y/z", b"e"])
contents = st.sampled_from([b"", b"one", b"two", b"three"])
folders = st.dictionaries(paths, contents, max_size=5)
STEPS = {
    "switch": lambda repo: repo.switch("topic"),
    "switch back": lambda repo: repo.switch("main"),
    "reset": lambda repo: repo.reset("topic", "hard"),
    "merge": lambda repo: repo.merge("topic"),
    "stash": lambda repo: repo.stash_push(),
    "stash all": lambda repo: repo.stash_push(untracked=True),
    "pop": lambda repo: repo.stash_pop(),
    "restore": lambda repo: repo.restore([b""]),
    "from topic": lambda repo: repo.restore([b""], source="topic", staged=True),
    "rm": lambda repo: repo.rm(["a"], force=True),
    "mv": lambda repo: repo.mv([b"a"], b"e", force=True),
    "add": lambda repo: repo.add(),
    "add a": lambda repo: repo.add(["a"]),
}


def sane(files):
    """Without files that would be folders of others."""
    return {
        path: data
        for path, data in files.items()
        if not any(other.startswith(path + b"/") for other in files)
    }


def place_all(desk, files):
    """The work tree holds just these files."""
    for path in sorted(desk.files(), reverse=True):
        os.unlink(desk.root / os.fsdecode(path))
    desk._prune()
    desk.write(files)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(folders, folders, folders, st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=5))
def test_nothing_is_lost(desks, main, topic, dirty, verbs):
    desk = desks()
    desk.become({**sane(main), b"k": b"main"}, "main")
    desk.repo.switch(create="topic")
    desk.become({**sane(topic), b"k": b"topic"}, "topic")
    desk.repo.switch("main")
    place_all(desk, sane(dirty))
    for verb in verbs:
        before, view = desk.files(), dict(desk.core.view())
        if _refuses(STEPS[verb], desk.repo):
            assert (desk.files(), dict(desk.core.view())) == (before, view), verb
        ids = [content_id(data) for data in before.values()]
        stored = desk.core.store.has_many(ids)
        here = set(desk.files().values())
        lost = [
            path
            for (path, data), kept in zip(before.items(), stored, strict=True)
            if not kept and data not in here
        ]
        assert not lost, verb


def _refuses(act, repo):
    try:
        act(repo)
    except OxError:
        return True
    return False


# -- what stands in the way


@pytest.fixture
def two(desk):
    """main has the file a; topic instead a/b; and d/f on main is the file d on topic."""
    desk.commit({"a": "1", "d/f": "1"})
    desk.repo.switch(create="topic")
    desk.become({"a/b": "2", "d": "2"})
    desk.repo.switch("main")
    return desk


@pytest.mark.parametrize("force", [False, True])
def test_untracked_files_in_a_folder_that_must_go(two, force):
    two.write({"d/mine": "untracked", "d/deep/er": "too"})
    before = two.files()
    with pytest.raises(UnsavedError) as caught:
        two.repo.switch("topic", force=force)
    assert caught.value.items == ("d/deep/er", "d/mine")
    assert two.files() == before


@pytest.mark.parametrize("force", [False, True])
def test_a_link_where_a_folder_must_be(two, force, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    two.repo.switch("topic")
    two.write({"a/b": None})
    os.rmdir(two.root / "a")
    os.symlink(other, two.root / "a")
    with pytest.raises(UnsavedError) as caught:
        two.repo.restore([b"a/b"])
    assert caught.value.items == ("a",)
    assert os.listdir(other) == []


def test_a_fifo_in_the_way(two):
    os.unlink(two.root / "a")
    os.mkfifo(two.root / "a")
    with pytest.raises(UnsavedError):
        two.repo.switch("topic")
    with pytest.raises(UnsavedError):
        two.repo.restore(["a"])


def test_folders_without_files_are_not_in_the_way(two):
    os.makedirs(two.root / "d/empty/one")
    two.repo.switch("topic")
    assert two.files() == {b"a/b": b"2", b"d": b"2"}
    os.unlink(two.root / "d")
    os.makedirs(two.root / "d/empty")
    two.repo.restore(["d"])
    assert two.clean()


def test_staged_files_that_do_not_fit(two):
    two.write({"d/f": None})
    os.rmdir(two.root / "d")
    two.repo.add()
    two.repo.commit("no d")
    two.write({"d/new": "staged"})
    two.repo.add()
    before = two.files(), dict(two.core.view())
    with pytest.raises(UnsavedError):
        two.repo.switch("topic")
    assert (two.files(), dict(two.core.view())) == before


def test_the_same_overwrite_twice_can_be_undone_each_time(desk):
    from oxcore.verbs.undo import undo

    desk.commit({"f": "committed"})
    for _ in range(3):
        desk.write({"f": "unsaved"})
        desk.repo.restore(["f"])
        assert desk.files() == {b"f": b"committed"}
        undo(desk.core)
        assert desk.files() == {b"f": b"unsaved"}


def test_the_same_overwrite_twice_is_two_operations(desk):
    desk.commit({"f": "committed"})
    for _ in range(3):
        before = desk.core.view().number
        desk.write({"f": "unsaved"})
        desk.repo.restore(["f"])
        assert desk.core.view().number == before + 1


def test_other_operations_after_a_crash_do_not_pass_for_the_move(desk, monkeypatch):
    """A crash in the middle, then a branch is made: the move still did not happen."""
    from oxcore.verbs.moving import intent, update

    desk.commit({"f": "committed", "g": "1"})
    desk.write({"f": "unsaved"})
    monkeypatch.setattr(intent, "roll_back", lambda repo: 0)
    monkeypatch.setattr(update, "_write", _half(update._write))
    with pytest.raises(KeyboardInterrupt):
        desk.repo.restore(["f"])
    monkeypatch.undo()
    assert desk.files()[b"f"] == b"committed"
    with desk.core.lock("test"):
        desk.core.operate("test", "", {"refs/heads/x": (None, desk.core.head().hex())})
    desk.repo.add(["g"])
    assert desk.files()[b"f"] == b"unsaved"


def _half(write):
    def stop(*args):
        write(*args)
        raise KeyboardInterrupt

    return stop
