"""What the tests of costs share: a repository taken through a story once, what each step cost.

Costs are counted, never timed. Where a number is exact, it is what the data at hand need; a change
that makes it larger has to say why.
"""

import os
from contextlib import contextmanager
from itertools import count

import pytest
from support import hubs
from support.costs_data import FILES, FOLDERS, HUNDRED, LARGE, content, noise, settle

from oxcore.api import Repo
from oxcore.index._env import Database
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings


class Ledger:
    """Counters of each step, by name; fsyncs and index writes as they truly happened."""

    def __init__(self, monkeypatch):
        self.steps = {}
        self.synced = self.written = 0
        self._ticks = count(1_700_000_000, 60)
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._counted(getattr(os, name)))
        monkeypatch.setattr(Database, "_run", self._transacting(Database._run))

    def settings(self):
        return Settings(Person("Ann"), lambda: Moment(next(self._ticks) * 1_000_000, 60))

    @contextmanager
    def step(self, name, repo):
        before = repo.counters.as_dict()
        with self.noting(name) as counters:
            yield
            after = repo.counters.as_dict()
            counters |= {key: after[key] - before[key] for key in after}

    @contextmanager
    def noting(self, name):
        counters, synced, written = {}, self.synced, self.written
        yield counters
        calls = {"synced": self.synced - synced, "index_writes": self.written - written}
        self.steps[name] = counters | calls

    def __getitem__(self, name):
        return self.steps[name]

    def _counted(self, call):
        def counting(fd):
            self.synced += 1
            return call(fd)

        return counting

    def _transacting(self, call):
        def counting(database, work):
            self.written += 1
            return call(database, work)

        return counting


@pytest.fixture(scope="session")
def story(tmp_path_factory):
    """20,000 files from the first add to a clone over HTTP; what each step cost."""
    with pytest.MonkeyPatch.context() as patch:
        ledger = Ledger(patch)
        _tell(ledger, tmp_path_factory.mktemp("costs"))
        return ledger


def _tell(ledger, folder):
    root = folder / "data"
    for number in range(FOLDERS):
        (root / f"{number:02}").mkdir(parents=True)
    places = [root / f"{number % FOLDERS:02}" / f"{number:05}.bin" for number in range(FILES)]
    for number, place in enumerate(places):
        place.write_bytes(content(number))
    with Repo.init(str(root), settings=ledger.settings()) as repo:
        settle()
        with ledger.step("add", repo):
            repo.add()
        with ledger.step("commit", repo):
            repo.commit("all")
        with ledger.step("status", repo):
            assert repo.status().clean
        _share(ledger, repo, folder, "path", str(folder / "far"))
        places[FILES // 2].write_bytes(content(0, 2))
        settle()
        with ledger.step("add one", repo):
            repo.add()
        with ledger.step("commit one", repo):
            repo.commit("one")
        for number in range(0, FILES, FILES // 100 + 1):
            places[number].write_bytes(content(number, 3))
        settle()
        with ledger.step("add hundred", repo):
            repo.add()
        with ledger.step("commit hundred", repo):
            repo.commit("a hundred")
        with ledger.step("diff", repo):
            assert len(list(repo.diff("HEAD~1", "HEAD"))) == HUNDRED
        with ledger.step("push again", repo):
            repo.push("path")
        with ledger.step("switch", repo):
            repo.checkout("HEAD~1")
        repo.checkout("main")
        with hubs.serving(folder / "hub", anonymous="write") as hub:
            _share(ledger, repo, folder, "hub", f"{hub.url}/costs/data")


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """A file of 16 MiB, then 1 KiB inserted near its start: the same steps."""
    with pytest.MonkeyPatch.context() as patch:
        ledger, folder = Ledger(patch), tmp_path_factory.mktemp("large")
        place = folder / "data" / "large.bin"
        place.parent.mkdir()
        body = noise("large", LARGE)
        place.write_bytes(body)
        with Repo.init(str(place.parent), settings=ledger.settings()) as repo:
            settle()
            with ledger.step("add", repo):
                repo.add()
            repo.commit("one")
            _share(ledger, repo, folder, "path", str(folder / "far"))
            place.write_bytes(body[:10_000] + noise("inserted", 1024) + body[10_000:])
            settle()
            with ledger.step("add again", repo):
                repo.add()
            repo.commit("two")
            with ledger.step("push again", repo):
                repo.push("path")
            with ledger.step("switch", repo):
                repo.checkout("HEAD~1")
        return ledger


def _share(ledger, repo, folder, name, url):
    if name == "path":
        Repo.init(url, bare=True).close()
    repo.add_remote(name, url)
    with ledger.step(f"push {name}", repo):
        repo.push(name)
    place = str(folder / f"clone {name}")
    with (
        ledger.noting(f"clone {name}") as counters,
        Repo.clone(url, place, settings=ledger.settings()) as copy,
    ):
        counters |= copy.counters.as_dict()
