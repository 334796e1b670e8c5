"""A process that dies at any step: the next one finds each file as it was or as it was to be."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oxcore import tree
from oxcore.api import Repo
from oxcore.model.commits import Person
from oxcore.model.settings import Settings
from oxcore.testing.faults import CALLS
from oxcore.verbs.moving import writeout
from oxcore.verbs.undo import undo
from oxcore.worktree import placing

ROOT = Path(__file__).parents[4]
DYING = (*CALLS, "symlink", "mkdir", "rmdir")
SETTINGS = Settings(Person("A"))


def dies_at(number, act):
    """Run ``act`` in a child that is killed at its ``number``-th change of the disk.

    Gives whether it came to that. A write that is the one happens by half.
    """
    child = os.fork()
    if child == 0:
        status = 70
        try:
            _arm(number)
            act()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _arm(number):
    left = [number]

    def armed(real, name):
        def call(*args, **named):
            if left[0] == 0:
                if name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                elif name == "writev":
                    os.pwrite(args[0], bytes(args[1][0])[:1000], 0)
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return real(*args, **named)

        return call

    for name in DYING:
        setattr(os, name, armed(getattr(os, name), name))
    writeout._LARGE = 100_000  # so that a file is read ahead in a thread
    native = placing.rename_new
    placing.rename_new = lambda: armed(native(), "rename_new")


def read_all(folder):
    found = {}
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".ox"]
        for name in names:
            place = os.path.join(here, name)
            found[os.path.relpath(place, folder)] = (
                os.readlink(place).encode()
                if os.path.islink(place)
                else Path(place).read_bytes() + (b" run" if os.access(place, os.X_OK) else b"")
            )
    return found


def stage_of(repo):
    core = repo._repo
    return dict(tree.walk(core.store, core.stage()))


def write(folder, files):
    for path, data in files.items():
        place = Path(folder, path)
        if data is None:
            place.unlink()
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)


def noise(seed):
    """A file that the kernel copies: nothing can compress it."""
    return random.Random(seed).randbytes(100_100)


def prepare(folder):
    """main and topic, which differ in every way that paths can; main is checked out."""
    with Repo.init(folder, settings=SETTINGS) as repo:
        write(
            folder, {"same": b"same", "a": b"1", "d/x": b"1", "d/y": b"1", "f": b"file", "g": b"1"}
        )
        write(folder, {"large": bytes(range(256)) * 2000, "noise/1": noise(1), "noise/2": noise(2)})
        repo.add()
        repo.commit("main")
        repo.switch(create="topic")
        write(folder, {"a": b"22", "d/x": None, "d/y": None, "f": None, "g": None, "new/n": b"3"})
        os.rmdir(os.path.join(folder, "d"))
        write(folder, {"d": b"now a file", "f/in": b"now a folder", "large": bytes(999_999)})
        write(folder, {"noise/1": noise(3), "noise/2": noise(4), "new/noise": noise(5)})
        os.symlink("nowhere", os.path.join(folder, "link"))
        repo.add()
        repo.commit("topic")
        repo.switch("main")


def scenario_switch(folder):
    """What the user has removed must not come back by a crash."""
    write(folder, {"a": None, "d/x": None})

    def act():
        with Repo.open(folder, settings=SETTINGS) as repo:
            repo.switch("topic")

    return act


def scenario_hard(folder):
    """Unsaved work is overwritten on purpose: until it is done, it must come back."""
    write(folder, {"a": b"unsaved", "g": None, "same": b"unsaved too", "new/n": b"untracked"})

    def act():
        with Repo.open(folder, settings=SETTINGS) as repo:
            repo.reset("topic", "hard")

    return act


def scenario_stash(folder):
    write(folder, {"a": b"unsaved", "g": None, "extra/e": b"untracked"})

    def act():
        with Repo.open(folder, settings=SETTINGS) as repo:
            repo.stash_push(untracked=True)

    return act


def scenario_mv(folder):
    def act():
        with Repo.open(folder, settings=SETTINGS) as repo:
            repo.mv([b"a", b"large", b"d"], b"box")

    os.mkdir(os.path.join(folder, "box"))
    return act


def scenario_cells(folder):
    """Both branches changed a table, by rows but for two cells: one of them is settled."""
    rows = {"base": b"id,x\n1,a\n2,b\n", "here": b"id,x\n1,h\n2,h\n", "there": b"id,x\n1,t\n2,t\n"}
    with Repo.open(folder, settings=SETTINGS) as repo:
        repo.switch(create="base")
        for branch, text in rows.items():
            if branch != "base":
                repo.switch("base", create=branch)
            write(folder, {"l.csv": text})
            repo.add(["l.csv"])
            repo.commit(branch)
        repo.switch("here")
        repo.merge("there")

    def act():
        with Repo.open(folder, settings=SETTINGS) as repo:
            repo.resolve_cells("l.csv", ["1.x=q"])

    return act


@pytest.mark.parametrize(
    ("scenario", "stride"),
    [
        (scenario_switch, 2),
        (scenario_hard, 3),
        (scenario_stash, 3),
        (scenario_mv, 1),
        (scenario_cells, 3),
    ],
)
def test_killed_at_every_step(tmp_path, scenario, stride):
    """Before the operation is in the log, the next verb finds the old state; after it, the new."""
    outcomes, number = set(), 0
    while True:
        folder = tmp_path / f"at{number}"
        folder.mkdir()
        prepare(str(folder))
        act = scenario(str(folder))
        old = read_all(folder)
        with Repo.open(str(folder), settings=SETTINGS) as repo:
            before = repo.refs(), stage_of(repo)
        killed = dies_at(number, act)
        outcomes.add(_check(folder, before, old))
        if not killed:
            break
        number += stride
    assert number > 10
    assert outcomes == {"old", "new"}


def _check(folder, before, old):
    with Repo.open(str(folder), settings=SETTINGS) as repo:
        repo.add(["same"])  # a verb that takes the lock puts things back
        now = read_all(folder)
        assert not any(".ox-tmp" in path for path in now)
        if (repo.refs(), stage_of(repo)) == before or _only_same_staged(repo, before):
            assert now == old
            return "old"
        changed = repo.status().changed
        assert not changed.total, changed.changes
        undo(repo._repo)
        assert {path: data for path, data in read_all(folder).items() if path != "same"} == {
            path: data for path, data in old.items() if path != "same"
        }
        return "new"


def _only_same_staged(repo, before):
    refs, stage = before
    now = stage_of(repo)
    return repo.refs() == refs and {k: v for k, v in now.items() if k != b"same"} == {
        k: v for k, v in stage.items() if k != b"same"
    }


CHILD = """
import sys
from oxcore.api import Repo
from oxcore.model.commits import Person
from oxcore.model.settings import Settings
with Repo.open(sys.argv[1], settings=Settings(Person("A"))) as repo:
    print("open", flush=True)
    repo.add()
    repo.commit("all")
"""


def test_add_killed_at_random_moments_then_tried_again(tmp_path):
    Repo.init(str(tmp_path)).close()
    pick = random.Random(7)
    files = {}
    for turn in range(6):
        new = {f"{turn}/{i}": pick.randbytes(pick.choice([10, 9_000, 300_000])) for i in range(60)}
        write(tmp_path, new)
        files.update(new)
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
        )
        child.stdout.readline()
        time.sleep(pick.uniform(0, 0.12))
        child.kill()
        child.wait()
        child.stdout.close()
    with Repo.open(str(tmp_path), settings=SETTINGS) as repo:
        repo.add()
        repo.commit("at last", allow_empty=True)
        assert repo.status().clean
        names = {os.fsdecode(path) for path, _ in tree.walk(repo._repo.store, repo._repo.stage())}
    assert names == set(files)
    assert read_all(tmp_path) == files


@pytest.mark.parametrize("number", range(0, 60, 7))
def test_add_killed_at_a_step(tmp_path, number):
    with Repo.init(str(tmp_path), settings=SETTINGS):
        write(tmp_path, {f"f{i}": b"%d" % i * 1000 for i in range(9)})

    def act():
        with Repo.open(str(tmp_path), settings=SETTINGS) as repo:
            repo.add()
            repo.commit("one")

    dies_at(number, act)
    with Repo.open(str(tmp_path), settings=SETTINGS) as repo:
        repo.add()
        repo.commit("two", allow_empty=True)
        assert repo.status().clean
        assert len(stage_of(repo)) == 9
