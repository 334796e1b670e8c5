"""A damaged operation log: fsck runs, says so, and goes on from what is sound in it."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore import tree
from oxcore.codec import oplog
from oxcore.errors import CorruptError
from oxcore.model.ids import parse_id
from oxcore.refs import _snapshot, sound_records
from oxcore.refs.view import View
from oxcore.repo import Repository
from oxcore.testing.faults import flip
from oxcore.verbs.fsck import fsck
from oxcore.verbs.undo import undo


@pytest.fixture
def full(desk):
    """Operations 2 to 9: three commits, a branch, a tag, a fourth commit that is staged only."""
    desk.commit({"a": "1"})
    desk.commit({"a": "2", "d/b": "x"})
    desk.repo.branch("topic")
    desk.commit({"a": "3"})
    desk.repo.tag("v1", message="first")
    desk.write({"a": "4"})
    desk.repo.add()
    return desk


def log_of(desk):
    return Path(desk.core.folder, "oplog")


def records(desk):
    return list(sound_records(log_of(desk).read_bytes()))


def damage(desk, *numbers):
    """Flip a bit in the records of these operations; gives the repository, opened anew."""
    found = {one.operation.number: one for one in records(desk)}
    for number in numbers:
        flip(str(log_of(desk)), found[number].start + 30)
    return Repository.open(str(desk.root), desk.core.settings)


def number_of(desk, verb, which=0):
    return [one.operation.number for one in records(desk) if one.operation.verb == verb][which]


def mended(repo):
    done = fsck(repo, repair=True)
    assert done.sound, [problem.text() for problem in done.problems]
    assert fsck(repo).sound
    with Repository.open(repo.folder) as again:
        assert dict(again.view()) == dict(repo.view())
    return done


def test_fsck_runs_and_names_the_operation(full):
    with damage(full, 3) as repo:
        with pytest.raises(CorruptError, match="operation 3 ") as told:
            repo.view()
        assert told.value.hint.endswith("ox fsck --repair")
        before = log_of(full).read_bytes()
        for quick in (True, False):
            done = fsck(repo, quick=quick)
            assert [(one.kind, one.what) for one in done.problems] == [("log", "oplog")]
            assert "operation 3 " in done.problems[0].message
            assert done.packs
        assert log_of(full).read_bytes() == before


def test_damaged_packs_are_told_as_well(full):
    pack = next(Path(full.core.folder, "packs").glob("*.pack"))
    flip(str(pack), 20)
    with damage(full, 3) as repo:
        assert {one.kind for one in fsck(repo).problems} == {"log", "corrupt"}


@pytest.mark.parametrize("number", range(2, 8))
def test_one_lost_record_costs_nothing_that_later_ones_tell(full, number):
    state = dict(full.core.view())
    last = full.core.view().number
    old = log_of(full).read_bytes()
    with damage(full, number) as repo:
        spoiled = log_of(full).read_bytes()
        done = mended(repo)
        now = dict(repo.view())
        kept = {key: value for key, value in now.items() if not key.startswith("refs/lost/")}
        changed = records_of(old)[number - 1].changes
        assert {key for key in state if kept.get(key) != state[key]} <= set(changed)
        assert kept["HEAD"] == state["HEAD"]
        assert kept["stage"] == state["stage"]
        assert done.aside == (str(log_of(full)) + ".bad",)
        assert Path(done.aside[0]).read_bytes() == spoiled
        assert repo.state.operation(last).verb == "add"
        undo(repo)  # what lies behind the damage can be taken back as before
        assert repo.stage() == repo.head_tree()


def records_of(data):
    return [one.operation for one in sound_records(data)]


def test_a_commit_that_only_the_lost_record_named_is_kept(full):
    full.repo.commit("staged")
    full.repo.switch("topic")
    lost = full.commit({"only": "here"})
    number = full.core.view().number
    full.repo.switch("main")
    with damage(full, number) as repo:
        done = mended(repo)
        assert done.rescued == ("refs/lost/1",)
        assert repo.view()["refs/lost/1"] == lost.hex()
        assert full.repo.show("lost/1").commit.message == "change"
        undo(repo)
        assert "refs/lost/1" not in repo.view()


def test_what_was_given_up_before_is_not_brought_back(full):
    full.repo.reset("HEAD~1", "hard")
    full.commit({"z": "1"})
    with damage(full, 3) as repo:
        assert mended(repo).rescued == ()


@pytest.mark.parametrize("everything", [False, True])
def test_without_a_sound_record_the_commits_are_kept(full, everything):
    head = full.core.head()
    if everything:
        log_of(full).write_bytes(oplog.HEADER + b"\1" * 500)
    else:
        flip(str(log_of(full)), 0)
        for one in records(full):
            flip(str(log_of(full)), one.start + 30)
    with Repository.open(str(full.root), full.core.settings) as repo:
        done = mended(repo)
        assert repo.view()["refs/lost/1"] == head.hex()
        assert len(done.rescued) == 1
        assert repo.view()["HEAD"] == "ref:refs/heads/main"
        assert repo.stage() == tree.EMPTY


def test_the_magic_alone(full):
    state = dict(full.core.view())
    flip(str(log_of(full)), 3)
    with Repository.open(str(full.root), full.core.settings) as repo:
        assert {one.kind for one in fsck(repo).problems} == {"log"}
        mended(repo)
        assert dict(repo.view()) == state


def test_a_snapshot_that_covers_more(full):
    folder, view = full.core.folder, full.core.view()
    state = full.core.state
    _snapshot.write(folder, state._log, _snapshot.Snapshot(view, state._last, state._end))
    last = view.number
    with damage(full, last - 1, last) as repo:
        mended(repo)
        assert dict(repo.view()) == dict(view)


def test_a_snapshot_from_before_and_from_behind_the_damage(full):
    folder, state = full.core.folder, full.core.state
    wanted = dict(full.core.view())
    full.commit({"more": "1"})
    target = number_of(full, "tag")
    for number in (target, target + 1, full.core.view().number):
        values = dict(state.view_at(number))
        state.view()
        _snapshot.write(
            folder, state._log, _snapshot.Snapshot(View(values, number), state._last, state._end)
        )
        text = Path(folder, "refs", "snapshot").read_bytes().partition(b"\n")[0]
        assert json.loads(text)["number"] == number
        copy = Path(folder).parent.parent / f"copy-{number}"
        shutil.copytree(full.root, copy)
        for one in sound_records((copy / ".ox/oplog").read_bytes()):
            if one.operation.number == target:
                flip(str(copy / ".ox/oplog"), one.start + 30)
        with Repository.open(str(copy), full.core.settings) as repo:
            mended(repo)
            assert repo.view()["refs/tags/v1"] == wanted["refs/tags/v1"]
            assert repo.head() == full.core.head()


def test_a_lost_stage_becomes_that_of_head(full):
    gone = full.core.stage()
    names = sorted(full.core.store.files.names())
    full.core.store.rewrite(drop=names, keep=lambda one: one != gone)
    with damage(full, 3) as repo:
        mended(repo)
        assert repo.stage() == repo.head_tree()


def test_twice_keeps_both_logs(full):
    with damage(full, 3) as repo:
        mended(repo)
    with damage(full, full.core.view().number - 1) as repo:
        assert mended(repo).aside == (str(log_of(full)) + ".bad-2",)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_damage_is_mended_and_no_commit_is_lost(full, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("log") / "repo"
    shutil.copytree(full.root, folder)
    log = folder / ".ox" / "oplog"
    content = bytearray(log.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(len(oplog.HEADER), len(content) - 2))
        width = data.draw(st.integers(0, 400))
        if data.draw(st.booleans()):
            content[at : at + width] = b"\5" * len(content[at : at + width])
        else:
            del content[at : at + width]
    log.write_bytes(content)
    history = {full.core.head(), *full.core.commit(full.core.head()).parents}
    with Repository.open(str(folder), full.core.settings) as repo:
        mended(repo)
        view = repo.view()
        tips = [parse_id(value) for key, value in view.items() if key.startswith("refs/")]
        reached, pending = set(), [repo.peel(tip) for tip in tips]
        while pending:
            oid = pending.pop()
            reached.add(oid)
            pending += repo.commit(oid).parents
        assert history <= reached
        assert view.head()[0] or repo.head()
        assert repo.store.has_many([repo.stage()]) or repo.stage() == tree.EMPTY
