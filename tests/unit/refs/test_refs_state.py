"""The state against a dict, through crashes, retries, other processes and pruning."""

import os
import subprocess
import sys
import tempfile
import textwrap

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from oxcore.errors import (
    BusyError,
    CorruptError,
    ExistsError,
    InvalidError,
    NotARepoError,
    NotFoundError,
    RejectedError,
    StorageError,
)
from oxcore.model.commits import Moment
from oxcore.refs import State

A, B, C = "a" * 64, "b" * 64, "c" * 64
MAIN = "refs/heads/main"
FIRST = {"HEAD": f"ref:{MAIN}", "stage": A}


def moment(us=0):
    return Moment(us, 60)


def swap(state, changes, us=0, **more):
    with state.locked("test"):
        return state.swap(changes, verb="test", note="n", who="w", time=moment(us), **more)


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


@pytest.fixture
def state(folder):
    return State.create(folder, FIRST, time=moment())


def test_create_open_and_head(folder, state):
    assert dict(State.open(folder).view()) == FIRST
    assert state.view().head() == (MAIN, None)
    swap(state, {MAIN: (None, B)})
    assert state.view().head() == (MAIN, B)
    swap(state, {"HEAD": (f"ref:{MAIN}", C)})
    assert state.view().head() == (None, C)
    assert state.view().refs() == {MAIN: B}
    assert state.view().refs("refs/tags/") == {}
    with pytest.raises(ExistsError):
        State.create(folder, FIRST, time=moment())
    with pytest.raises(NotARepoError):
        State.open(folder + "/nothing")


def test_a_stale_swap_changes_nothing(state):
    with pytest.raises(RejectedError) as caught:
        swap(state, {MAIN: (None, B), "stage": (B, C)})
    assert caught.value.items == (f"stage: expected {B}, found {A}",)
    assert dict(state.view()) == FIRST
    with pytest.raises(RejectedError):  # what is expected holds for keys that stay, too
        swap(state, {MAIN: (None, B), "stage": (C, C)})


def test_nothing_to_change_writes_nothing(folder, state):
    size = os.path.getsize(folder + "/oplog")
    assert swap(state, {}) is None
    assert swap(state, {"stage": (A, A)}) is None
    assert os.path.getsize(folder + "/oplog") == size


def test_a_retry_is_the_first_try(state):
    first = swap(state, {MAIN: (None, B)}, write_id="one")
    swap(state, {MAIN: (B, C)}, write_id="two")
    assert swap(state, {MAIN: (None, B)}, write_id="one") == first
    assert state.view()[MAIN] == C
    with pytest.raises(RejectedError):
        swap(state, {MAIN: (C, A)}, write_id="one")


@pytest.mark.parametrize(
    "changes",
    [
        {"refs/heads/a b": (None, B)},
        {"refs/heads/x": (None, "ref:refs/heads/main")},
        {"refs/heads/x": (None, B.upper())},
        {"HEAD": (FIRST["HEAD"], "ref:x")},
        {"stage": (A, "")},
        {"No Key": (None, "x")},
    ],
)
def test_values_that_cannot_be_are_refused(state, changes):
    with pytest.raises(InvalidError):
        swap(state, changes)
    assert dict(state.view()) == FIRST


def test_a_branch_is_no_folder_of_another(state):
    swap(state, {"refs/heads/a": (None, B)})
    with pytest.raises(ExistsError):
        swap(state, {"refs/heads/a/b": (None, B)})
    swap(state, {"refs/heads/a": (B, None), "refs/heads/a/b": (None, B)})
    assert state.view().refs() == {"refs/heads/a/b": B}


def test_one_fsync_a_swap(state, monkeypatch):
    calls, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append(handle) or fsync(handle))
    for number in range(200):  # snapshots are written on the way
        swap(state, {f"refs/tags/{number}": (None, B)})
        assert len(calls) == number + 1


def test_reading_does_not_read_what_it_knows(state, monkeypatch):
    view = state.view()
    monkeypatch.setattr(os, "pread", None)
    assert state.view() is view


def test_swap_needs_the_lock(state):
    with pytest.raises(RuntimeError):
        state.swap({MAIN: (None, B)}, verb="v", note="", who="", time=moment())


def test_the_lock_nests_and_keeps_others_out(folder, state):
    other = State.open(folder)
    with state.locked("one"), state.locked("two"):
        swap(state, {MAIN: (None, B)})
        with pytest.raises(BusyError, match="one"), other.locked("three", wait=0):
            pass
    with other.locked("three", wait=0):
        pass


def test_another_object_sees_it(folder, state):
    other = State.open(folder)
    swap(state, {MAIN: (None, B)})
    assert other.view() == state.view()
    swap(other, {MAIN: (B, C)})
    assert state.view()[MAIN] == C


def test_history(state):
    for old, new in [(None, A), (A, B), (B, C), (C, None)]:
        swap(state, {MAIN: (old, new)})
    assert [op.number for op in state.operations()] == [5, 4, 3, 2, 1]
    assert [op.number for op in state.operations(newest_first=False)] == [1, 2, 3, 4, 5]
    assert [(op.number, value) for op, value in state.reflog(MAIN)] == [
        (5, None), (4, C), (3, B), (2, A),
    ]  # fmt: skip
    assert state.operation(3).changes == {MAIN: (A, B)}
    assert state.view_at(3)[MAIN] == B
    assert dict(state.view_at(1)) == FIRST
    assert state.view_at(3).number == 3
    for number in (0, 6, -1):
        with pytest.raises(NotFoundError):
            state.operation(number)


def test_a_torn_tail_at_every_byte(folder, state):
    swap(state, {MAIN: (None, B)})
    path = folder + "/oplog"
    before = os.path.getsize(path)
    swap(state, {MAIN: (B, C)}, write_id="lost")
    with open(path, "rb") as file:
        data = file.read()
    for cut in range(before, len(data)):
        for rest in (b"", b"\0" * 3000):
            with open(path, "wb") as file:
                file.write(data[:cut] + rest)
            torn = State.open(folder)
            assert torn.view()[MAIN] == B
            swap(torn, {MAIN: (B, A)}, write_id="lost")
            assert State.open(folder).view()[MAIN] == A
            assert torn.operation(3).changes == {MAIN: (B, A)}
            assert os.path.getsize(path) == torn._end
            torn.close()


def test_damage_before_the_tail_is_named(folder, state):
    for number in range(3):
        swap(state, {f"refs/tags/{number}": (None, B)})
    with open(folder + "/oplog", "rb") as file:
        data = bytearray(file.read())
    starts = state._log.starts(len(data))
    for at in range(starts[1], starts[2]):  # any byte of operation 2
        broken = data.copy()
        broken[at] ^= 0x41
        with open(folder + "/oplog", "wb") as file:
            file.write(broken)
        with pytest.raises(CorruptError, match="operation 2"):
            State.open(folder)


@pytest.mark.parametrize("place", [0, 3, 25])
def test_damage_behind_a_snapshot_is_named_when_it_is_read(folder, state, place):
    for number in range(70):
        swap(state, {f"refs/tags/{number}": (None, B)})
    view = dict(state.view())
    with open(folder + "/oplog", "r+b") as file:
        file.seek(state._log.starts(state._end)[4] + place)
        file.write(b"#")
    again = State.open(folder)
    assert dict(again.view()) == view
    with pytest.raises(CorruptError, match="operation 5"):
        list(again.operations())


@pytest.mark.parametrize("damage", [b"", b"{}", b"x" * 5000])
def test_a_snapshot_that_does_not_fit_is_ignored(folder, state, damage):
    for number in range(70):
        swap(state, {f"refs/tags/{number}": (None, B)})
    path = folder + "/refs/snapshot"
    view = dict(state.view())
    with open(path, "rb") as file:
        whole = file.read()
    with open(path, "wb") as file:
        file.write(damage)
    assert dict(State.open(folder).view()) == view
    with open(path, "wb") as file:
        file.write(whole.replace(b'"stage":"a', b'"stage":"b'))
    assert dict(State.open(folder).view()) == view


def test_a_snapshot_of_another_log_is_ignored(folder, state, tmp_path_factory):
    for number in range(70):
        swap(state, {f"refs/tags/{number}": (None, B)})
    elsewhere = str(tmp_path_factory.mktemp("other"))
    other = State.create(elsewhere, FIRST, time=moment())
    for number in range(70):
        swap(other, {f"refs/tags/{number}": (None, C)})
    os.replace(elsewhere + "/refs/snapshot", folder + "/refs/snapshot")
    assert State.open(folder).view()["refs/tags/1"] == B


def test_the_snapshot_is_used(folder, state, monkeypatch):
    for number in range(100):
        swap(state, {f"refs/tags/{number}": (None, B)})
    again = State.open(folder)
    assert again._records < 65
    assert again.view() == state.view()
    assert again.view().number == 101


def test_prune_keeps_numbers_and_state(folder, state):
    other = State.open(folder)
    for number in range(1, 100):
        swap(state, {f"refs/tags/{number}": (None, B)}, us=number)
    view = dict(state.view())
    with state.locked("gc"):
        assert state.prune(keep_count=10, time=moment(7)) == 89
    assert not os.path.exists(folder + "/refs/snapshot")
    for one in (state, other, State.open(folder)):
        assert dict(one.view()) == view
        assert [op.number for op in one.operations()] == list(range(100, 89, -1))
        assert one.operation(90).verb == "base"
        assert "refs/tags/89" in one.view_at(90)
        assert "refs/tags/90" not in one.view_at(90)
        with pytest.raises(NotFoundError):
            one.view_at(89)
    swap(state, {"stage": (A, C)})
    assert other.view()["stage"] == C
    assert other.view().number == 101
    with state.locked("gc"):
        assert state.prune(keep_since_us=95, time=moment()) == 5
        assert state.prune(keep_since_us=95, time=moment()) == 0
        assert state.prune(time=moment()) == 0
        assert state.prune(keep_count=0, time=moment()) == 6
    assert [op.verb for op in other.operations()] == ["base"]
    assert dict(other.view()) == {**view, "stage": C}


def test_an_iterator_outlives_a_prune(state):
    for number in range(20):
        swap(state, {f"refs/tags/{number}": (None, B)})
    running = state.operations()
    assert next(running).number == 21
    with state.locked("gc"):
        state.prune(keep_count=1, time=moment())
    assert state.view().number == 21
    assert [op.number for op in running] == list(range(20, 0, -1))


def test_a_full_disk_leaves_the_old_state(folder, state, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(StorageError):
            swap(state, {MAIN: (None, B)})
    assert dict(state.view()) == FIRST
    assert dict(State.open(folder).view()) == FIRST
    assert swap(state, {MAIN: (None, C)}).number == 2


def fail(handle):
    raise OSError(28, "No space left on device")


COUNTER = textwrap.dedent("""
    import sys
    from oxcore.errors import RejectedError
    from oxcore.model.commits import Moment
    from oxcore.refs import State
    state = State.open(sys.argv[1])
    done = 0
    while done < 60:
        old = state.view()["stage"]
        with state.locked("count", wait=30):
            try:
                state.swap({"stage": (old, f"{int(old, 16) + 1:064x}")}, verb="v", note="",
                           who="", time=Moment(0))
                done += 1
            except RejectedError:
                pass
""")


def test_two_processes_lose_no_increment(folder):
    state = State.create(folder, {"stage": "0" * 64}, time=moment())
    command = [sys.executable, "-c", COUNTER, folder]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert int(state.view()["stage"], 16) == 120
    assert [op.number for op in state.operations(newest_first=False)] == list(range(1, 122))


KEYS = st.sampled_from(["refs/heads/a", "refs/heads/b", "refs/tags/t", "refs/stash/1", "merge"])
VALUES = st.sampled_from([None, A, B, C])


class Model(RuleBasedStateMachine):
    """A list of dicts, one after each operation, against the log."""

    @initialize()
    def start(self):
        self.root = tempfile.TemporaryDirectory()
        self.state = State.create(self.root.name, FIRST, time=moment())
        self.views = {1: dict(FIRST)}
        self.last = 1
        self.retry = None

    def now(self):
        return self.views[self.last]

    @rule(key=KEYS, value=VALUES, other=VALUES)
    def swap(self, key, value, other):
        changes = {key: (self.now().get(key), value), "stage": (self.now()["stage"], other or A)}
        self.change(changes, None)

    @rule(key=KEYS, value=VALUES)
    def swap_with_an_id(self, key, value):
        self.change({key: (self.now().get(key), value)}, f"id-{self.last}")

    def change(self, changes, write_id):
        wanted = {k: v for k, v in changes.items() if v[0] != v[1]}
        done = swap(self.state, changes, us=self.last, write_id=write_id)
        assert (done is None) == (not wanted)
        if done:
            self.last += 1
            after = {**self.views[self.last - 1], **{k: new for k, (_, new) in wanted.items()}}
            self.views[self.last] = {k: v for k, v in after.items() if v is not None}
            if write_id:
                self.retry = (changes, write_id, done)

    @rule(key=KEYS, value=VALUES, stale=VALUES)
    def stale_swap(self, key, value, stale):
        if stale != self.now().get(key):
            with pytest.raises(RejectedError):
                swap(self.state, {key: (stale, value)})

    @rule()
    def retry_after_a_lost_reply(self):
        if self.retry:
            changes, write_id, done = self.retry
            assert swap(self.state, changes, write_id=write_id) == done

    @rule()
    def reopen(self):
        self.state.close()
        self.state = State.open(self.root.name)

    @rule(tail=st.binary(min_size=1, max_size=40))
    def tear(self, tail):
        with open(os.path.join(self.root.name, "oplog"), "ab") as file:
            file.write(tail)

    @rule(keep=st.integers(0, 5))
    def prune(self, keep):
        with self.state.locked("gc"):
            self.state.prune(keep_count=keep, time=moment())
        first = min(op.number for op in self.state.operations())
        assert first <= max(min(self.views), self.last - keep)
        self.views = {n: view for n, view in self.views.items() if n >= first}
        if self.retry and self.retry[2].number <= first:
            self.retry = None

    @invariant()
    def agrees(self):
        assert dict(self.state.view()) == self.now()
        assert self.state.view().number == self.last
        numbers = [op.number for op in self.state.operations()]
        assert sorted(self.views) == sorted(numbers)
        for number in list(self.views)[-3:]:
            assert dict(self.state.view_at(number)) == self.views[number]

    def teardown(self):
        if hasattr(self, "root"):
            self.state.close()
            self.root.cleanup()


Model.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestModel = Model.TestCase
