"""Helpers write folders of a large move: the outcome is that of one process, whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from oxcore.api import Repo
from oxcore.errors import UnsavedError
from oxcore.model.commits import Person
from oxcore.model.protocols import Quiet
from oxcore.repo import Settings
from oxcore.verbs.moving import share
from oxcore.worktree import is_temporary

FOLDERS, FILES = 12, 80
SETTINGS = Settings(Person("A"))
ROOT = Path(__file__).parents[4]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    for number in range(FOLDERS):
        inner = folder / ("a" if number % 2 else "b/c") / f"d{number}"
        inner.mkdir(parents=True)
        for name in range(FILES):
            (inner / f"f{name}").write_bytes(b"%d %d" % (number, name) * (name + 1))
    (folder / "a" / "d1" / "big").write_bytes(os.urandom(3 << 20))
    (folder / "b" / "run").write_bytes(b"#!/bin/sh\n")
    (folder / "b" / "run").chmod(0o755)
    with Repo.init(str(folder), settings=SETTINGS) as repo:
        repo.add()
        repo.commit("one")
    return str(folder)


@pytest.fixture
def eager(monkeypatch):
    monkeypatch.setattr(share, "_ENOUGH", 1)
    monkeypatch.setattr(share, "_AHEAD", FILES)
    monkeypatch.setattr(share, "helpers_for", lambda _: 1)


def files(folder):
    found = {}
    for place in sorted(Path(folder).rglob("*")):
        if ".ox" not in place.relative_to(folder).parts and place.is_file():
            name = str(place.relative_to(folder))
            found[name] = place.read_bytes(), place.stat().st_mode
    return found


def leftovers(folder):
    return [one for one in Path(folder).rglob(".ox-tmp-*") if is_temporary(os.fsencode(one.name))]


def checked_out(source, target):
    with Repo.clone(source, target, settings=SETTINGS) as repo:
        assert repo.status().clean
        return files(target), repo._repo.counters.objects_read


def given_over(monkeypatch, act=lambda hand: None):
    """Counts what helpers are given, and acts after each."""
    given = []
    real = share._Hand.give

    def give(hand, *args):
        real(hand, *args)
        given.append(hand)
        act(hand)

    monkeypatch.setattr(share._Hand, "give", give)
    return given


def test_all_is_as_without_helpers(source, tmp_path, eager, monkeypatch):
    given = given_over(monkeypatch)
    shared = checked_out(source, str(tmp_path / "shared"))
    assert given
    monkeypatch.setattr(share, "_ENOUGH", 1 << 30)
    assert shared == checked_out(source, str(tmp_path / "alone"))
    assert shared[0] == files(source)
    assert not leftovers(tmp_path)


def test_what_a_dead_helper_was_given_is_written_here(source, tmp_path, eager, monkeypatch):
    given = given_over(monkeypatch, lambda hand: hand._process.kill())
    found, _ = checked_out(source, str(tmp_path / "target"))
    assert given
    assert found == files(source)
    assert not leftovers(tmp_path)


def test_a_file_of_somebody_else_stays(source, tmp_path, eager, monkeypatch):
    target = tmp_path / "target"
    target.mkdir()  # what clone makes itself goes as a whole when it fails
    theirs = target / "b" / "c" / "d10" / "f3"

    def theirs_too(hand):
        theirs.parent.mkdir(parents=True, exist_ok=True)
        theirs.write_bytes(b"theirs")

    given = given_over(monkeypatch, theirs_too)
    with pytest.raises(UnsavedError):
        checked_out(source, str(target))
    assert given
    assert theirs.read_bytes() == b"theirs"
    assert list(files(target)) == ["b/c/d10/f3"]
    assert not leftovers(tmp_path)


def test_an_error_here_takes_back_what_helpers_wrote(source, tmp_path, eager):
    class Stop(Quiet):
        def start(self, what, *args, **named):
            self.what = what

        def step(self, *args, **named):
            if self.what == "checkout":
                raise KeyboardInterrupt

    target = tmp_path / "target"
    with pytest.raises(KeyboardInterrupt):
        Repo.clone(source, str(target), settings=Settings(Person("A"), progress=Stop()))
    assert not files(target)
    assert not leftovers(tmp_path)


DIES = """
import os, signal, sys, time
from oxcore.api import Repo
from oxcore.verbs.moving import share
share._ENOUGH, share._AHEAD, share.helpers_for = 1, 80, lambda _: 1
real, left = share.Share._keep, [int(sys.argv[3])]
def keep(self, given, stats):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(self, given, stats)
def own(self, real=share.Share.own):
    for span in real(self):
        deadline = time.monotonic() + 20  # the helper is to be quicker than this process
        while any(hand.given and not hand.has_answer() for hand in self._hands):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        yield span
share.Share._keep, share.Share.own = keep, own
Repo.clone(sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize("number", [0, 1, 3])
def test_the_next_one_clears_up_after_a_dead_parent(source, tmp_path, number):
    target = str(tmp_path / "target")
    command = [sys.executable, "-c", DIES, source, target, str(number)]
    ended = subprocess.run(command, check=False, cwd=ROOT, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    found, _ = checked_out(source, target)
    assert found == files(source)
    assert not leftovers(tmp_path)


def test_a_helper_keeps_the_lock_until_it_has_ended(source, tmp_path):
    """The parent's end alone does not let another writer in."""
    with Repo.open(source, settings=SETTINGS) as repo, repo._repo.lock("test"):
        handle = repo._repo.state.lock_handle
        assert handle is not None
        hand = share._Hand(share.pack_packs("", {}), handle)
        try:
            told = os.readlink(f"/proc/{hand._process.pid}/fd/{handle}")
        finally:
            hand.close()
    assert told == os.path.join(source, ".ox", "lock")
