"""The log as people read it, and taking operations back: state, stage and files as before."""

import os
import tempfile
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.api import Repo
from oxcore.errors import NotFoundError, NothingToDoError, OxError, RejectedError, UnsavedError
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.repo.names import resolve_commit
from oxcore.verbs.add import add
from oxcore.verbs.branch import create as create_branch
from oxcore.verbs.branch import delete as delete_branch
from oxcore.verbs.commit import commit
from oxcore.verbs.merge import merge
from oxcore.verbs.oplog import oplog
from oxcore.verbs.remove import mv, rm
from oxcore.verbs.reset import reset, restore
from oxcore.verbs.resolve import abort
from oxcore.verbs.stash import apply, drop, push
from oxcore.verbs.switch import switch
from oxcore.verbs.tag import create as create_tag
from oxcore.verbs.undo import undo


def make(folder):
    ticks = count(1_700_000_000, 60)
    options = Settings(author=Person("Ann"), clock=lambda: Moment(next(ticks) * 1_000_000, 60))
    return Repo.init(str(folder), settings=options)._repo


@pytest.fixture
def repo(tmp_path):
    opened = make(tmp_path)
    yield opened
    opened.close()


def put(repo, path, text):
    place = Path(repo.worktree, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def files(repo):
    root = Path(repo.worktree)
    every = [path for path in root.rglob("*") if not path.is_dir() or path.is_symlink()]
    return {
        str(path.relative_to(root)): (path.read_bytes(), os.access(path, os.X_OK))
        for path in every
        if ".ox" not in path.parts
    }


def state(repo):
    return {key: value for key, value in repo.view().items() if key != "work"}


def first(repo):
    put(repo, "a.txt", "one")
    put(repo, "d/b.txt", "two")
    add(repo, [])
    commit(repo, "first")


class TestUndo:
    def test_walks_back_to_the_beginning(self, repo):
        first(repo)
        assert undo(repo).operation.verb == "commit"
        assert undo(repo).operation.verb == "add"
        with pytest.raises(NothingToDoError):
            undo(repo)
        assert state(repo) == dict(repo.state.view_at(1))
        assert files(repo)["a.txt"][0] == b"one"

    def test_redo_by_undoing_the_undo(self, repo):
        first(repo)
        before = state(repo)
        number = undo(repo).moved.operation.number
        assert [row.undone_by for row in oplog(repo)][1] == number
        undo(repo, number)
        assert state(repo) == before
        assert [row.undone_by for row in oplog(repo)][:3] == [None, number + 1, None]
        assert undo(repo).operation.verb == "commit"

    def test_names_what_moved_since(self, repo):
        first(repo)
        put(repo, "a.txt", "three")
        add(repo, [])
        commit(repo, "second")
        with pytest.raises(RejectedError, match=r"operation 5 .commit. changed refs/heads/main"):
            undo(repo, 3)
        with pytest.raises(RejectedError, match="operation 4"):
            undo(repo, 2)
        undo(repo)
        with pytest.raises(RejectedError, match="undone already"):
            undo(repo, 5)

    def test_an_operation_in_the_middle_that_nothing_touched(self, repo):
        first(repo)
        create_tag(repo, "v1")
        create_branch(repo, "side")
        tag = next(row.operation.number for row in oplog(repo) if "refs/tags/v1" in row[0].changes)
        undo(repo, tag)
        assert sorted(repo.view().refs()) == ["refs/heads/main", "refs/heads/side"]

    def test_first_and_unknown(self, repo):
        with pytest.raises(NothingToDoError, match="begins"):
            undo(repo, 1)
        with pytest.raises(NotFoundError):
            undo(repo, 7)
        with pytest.raises(NothingToDoError):
            undo(repo)

    def test_after_pruning_the_base_is_the_first(self, repo):
        first(repo)
        with repo.lock("test"):
            repo.state.prune(time=Moment(0), keep_count=1)
        undo(repo)
        with pytest.raises(NothingToDoError):
            undo(repo)

    def test_unsaved_work_is_refused(self, repo):
        first(repo)
        put(repo, "a.txt", "staged")
        add(repo, [])
        reset(repo, repo.head(), "hard")
        put(repo, "a.txt", "precious")
        before = repo.view().number
        with pytest.raises(UnsavedError) as caught:
            undo(repo)
        assert caught.value.items == ("a.txt",)
        assert files(repo)["a.txt"][0] == b"precious"
        assert repo.view().number == before

    def test_reset_hard_gives_unsaved_work_back(self, repo):
        first(repo)
        put(repo, "a.txt", "unsaved")
        reset(repo, repo.head(), "hard")
        assert files(repo)["a.txt"][0] == b"one"
        undo(repo)
        assert files(repo)["a.txt"][0] == b"unsaved"

    def test_files_that_are_as_before_already(self, repo):
        first(repo)
        put(repo, "a.txt", "unsaved")
        restore(repo, [b"a.txt"])
        put(repo, "a.txt", "unsaved")
        assert undo(repo).operation.verb == "restore"
        assert undo(repo).operation.verb == "commit"

    def test_dry_run(self, repo):
        first(repo)
        put(repo, "a.txt", "unsaved")
        reset(repo, repo.head(), "hard")
        number = repo.view().number
        told = undo(repo, dry_run=True)
        assert (told.operation.verb, [step.path for step in told.files]) == ("reset", [b"a.txt"])
        assert told.moved is None
        assert repo.view().number == number
        assert files(repo)["a.txt"][0] == b"one"

    def test_bare(self, tmp_path):
        with Repo.init(str(tmp_path / "bare"), bare=True) as api:
            repo = api._repo
            repo.settings.author = Person("Ann")
            with api.transaction("main", message="one") as edit:
                edit.put("a", b"1")
            undo(repo)
            assert repo.view().refs() == {}


NAMES = ("a.txt", "d/b.txt", "d/c.txt", "e")
BRANCHES = ("main", "side")


def _write(repo, data):
    put(repo, data.draw(st.sampled_from(NAMES)), data.draw(st.sampled_from(["1", "22", "333"])))


def _chmod(repo, data):
    place = Path(repo.worktree, data.draw(st.sampled_from(NAMES)))
    if place.is_file():
        place.chmod(data.draw(st.sampled_from([0o644, 0o755])))


def _path(data):
    return data.draw(st.sampled_from(NAMES)).encode()


def _tip(repo, data):
    names = ["HEAD", "HEAD~1", *(name for name in BRANCHES)]
    return resolve_commit(repo, data.draw(st.sampled_from(names)))


def _mv(repo, data):
    source, target = _path(data), _path(data)
    restore(repo, [source])  # what is unsaved in a moved file stays at the new place
    mv(repo, [source], target, force=data.draw(st.booleans()))


VERBS = {
    "add": lambda repo, data: add(repo, []),
    "add one": lambda repo, data: add(repo, [_path(data)]),
    "commit": lambda repo, data: commit(repo, "more", all_tracked=data.draw(st.booleans())),
    "amend": lambda repo, data: commit(repo, None, amend=True),
    "rm": lambda repo, data: rm(
        repo, [_path(data)], cached=data.draw(st.booleans()), force=data.draw(st.booleans())
    ),
    "mv": _mv,
    "restore": lambda repo, data: restore(repo, [_path(data)], staged=data.draw(st.booleans())),
    "hard": lambda repo, data: reset(repo, _tip(repo, data), "hard"),
    "mixed": lambda repo, data: reset(repo, _tip(repo, data), "mixed"),
    "soft": lambda repo, data: reset(repo, _tip(repo, data), "soft"),
    "branch": lambda repo, data: create_branch(repo, data.draw(st.sampled_from(BRANCHES))),
    "delete": lambda repo, data: delete_branch(repo, [data.draw(st.sampled_from(BRANCHES))]),
    "switch": lambda repo, data: switch(repo, data.draw(st.sampled_from(BRANCHES))),
    "merge": lambda repo, data: merge(repo, _tip(repo, data), "other"),
    "abort": lambda repo, data: abort(repo),
    "tag": lambda repo, data: create_tag(repo, "v1"),
    "stash": lambda repo, data: push(repo, untracked=data.draw(st.booleans())),
    "pop": lambda repo, data: apply(repo, drop_it=data.draw(st.booleans())),
    "drop": lambda repo, data: drop(repo),
}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_step_can_be_taken_back(data):
    with tempfile.TemporaryDirectory() as folder:
        repo = make(folder)
        first(repo)
        for _ in range(data.draw(st.integers(1, 8))):
            for _ in range(data.draw(st.integers(0, 2))):
                data.draw(st.sampled_from([_write, _write, _chmod]))(repo, data)
            number, before = repo.view().number, (state(repo), files(repo))
            try:
                VERBS[data.draw(st.sampled_from(sorted(VERBS)))](repo, data)
            except OxError:
                for _ in range(repo.view().number - number):  # of the restore before a mv
                    undo(repo)
                assert (state(repo), files(repo)) == before
                continue
            done = repo.view().number - number
            after = (state(repo), files(repo))
            for _ in range(done):
                undo(repo)
            assert (state(repo), files(repo)) == before
            last = repo.view().number
            for step in range(done):
                undo(repo, last - step)
            assert (state(repo), files(repo)) == after
        repo.close()
