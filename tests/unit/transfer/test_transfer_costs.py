"""What sending and receiving cost, to the last call: runs, packs, fsyncs, index writes, steps."""

from contextlib import contextmanager

import pytest

from oxcore.model.ids import Kind, content_id
from oxcore.model.settings import Settings
from oxcore.repo import Repository
from oxcore.store import content
from oxcore.store._files import PackHandle
from oxcore.store._runs import RUN_BYTES
from oxcore.testing.histories import MAIN, commit_files, many_files, update
from oxcore.testing.stores import noise
from oxcore.transfer import LocalRemote, fetch, push, receive

FILES = many_files(3000)


class Steps:
    """A ``Progress`` that notes phases: name, total, steps, bytes."""

    visible = False

    def __init__(self):
        self.phases = []

    def start(self, what, total=None, unit=""):
        self.phases.append([what, total, 0, 0])

    def step(self, count=1, nbytes=0):
        self.phases[-1][2] += count
        self.phases[-1][3] += nbytes

    def done(self):
        pass


class Lots:
    """A remote that notes the runs that pass."""

    def __init__(self, inner):
        self.inner = inner
        self.put_runs = []
        self.got_runs = []

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def put(self, runs):
        return self.inner.put(self._noted(runs, self.put_runs))

    def fetch(self, oids):
        return self._noted(self.inner.fetch(oids), self.got_runs)

    def _noted(self, runs, into):
        for run in runs:
            into.append(len(run.ids))
            yield run


@pytest.fixture
def steps():
    return Steps()


@pytest.fixture
def here(tmp_path, steps):
    with Repository.init(
        str(tmp_path / "here"), bare=True, settings=Settings(progress=steps)
    ) as repo:
        yield repo


@pytest.fixture
def remote(tmp_path):
    Repository.init(str(tmp_path / "remote"), bare=True).close()
    found = LocalRemote(str(tmp_path / "remote"))
    yield Lots(found)
    found.close()


@contextmanager
def counted_calls(monkeypatch, owner, name):
    calls = []
    real = getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *args: (calls.append(args), real(*args))[1])
    yield calls


def stored_bytes(repo):
    return sum(where.stored for _, where in repo.index.locations.ids())


def test_a_push_moves_runs_not_objects(here, remote, monkeypatch):
    one = commit_files(here, FILES)
    with (
        counted_calls(monkeypatch, PackHandle, "read") as reads,
        counted_calls(monkeypatch, remote.repo.index.locations, "add_packs") as told,
    ):
        report = push(here, remote, [update(MAIN, None, one)])
    assert sum(remote.put_runs) == report.objects
    assert len(remote.put_runs) <= 5  # the files, which lie together; then nodes, then the commit
    payload = [length for _, _, length in reads if length > 1 << 16]
    size = sum(map(len, set(FILES.values())))
    assert len(payload) == -(-size // RUN_BYTES)  # the content of 3,000 files, with two calls
    assert len(told) == 1
    assert remote.repo.counters.fsyncs == 2 + 1  # one pack and its folder; the operation log
    assert len(remote.repo.store.packs()) == 1


def test_a_push_sends_what_is_stored_and_no_byte_more(here, remote):
    one = commit_files(here, {**FILES, b"big": noise(1, 2_000_000)})
    report = push(here, remote, [update(MAIN, None, one)])
    assert report.nbytes == stored_bytes(here) == stored_bytes(remote.repo)
    assert here.counters.objects_sent == report.objects == len(list(here.index.locations.ids()))


@pytest.mark.parametrize(("large", "threads"), [(receive._LARGE, 0), (1, 3)])
def test_only_a_large_file_is_proved_by_two_threads(here, remote, monkeypatch, large, threads):
    files = {b"%d" % at: noise(at, 400_000) for at in range(3)}
    monkeypatch.setattr(receive, "_LARGE", large)
    with counted_calls(monkeypatch, receive, "Ahead") as started:
        push(here, remote, [update(MAIN, None, commit_files(here, files))])
    assert len(started) == threads
    for data in files.values():
        assert b"".join(content.read(remote.repo.store, content_id(data))) == data


def test_a_fetch_takes_runs_and_tells_the_index_little(here, remote, tmp_path, monkeypatch):
    one = commit_files(here, FILES)
    push(here, remote, [update(MAIN, None, one)])
    with Repository.init(str(tmp_path / "there"), bare=True) as there:
        with counted_calls(monkeypatch, there.index.locations, "add_packs") as told:
            report = fetch(there, remote, [one])
        assert report.objects == len(list(here.index.locations.ids()))
        assert sum(remote.got_runs) == report.objects - 1  # the commit came by itself
        assert len(remote.got_runs) <= 6
        assert len(told) <= 2
        assert stored_bytes(there) == stored_bytes(here)


def test_who_sends_knows_how_much_there_is_to_do(here, remote, steps):
    data = noise(2, 2_000_000)
    first = commit_files(here, {**FILES, b"big": data})
    steps.phases.clear()
    push(here, remote, [update(MAIN, None, first)])
    (comparing, sending) = steps.phases
    assert comparing[:2] == ["comparing", None]
    assert sending == [
        "sending",
        here.counters.objects_sent,
        here.counters.objects_sent,
        here.counters.bytes_sent,
    ]
    second = commit_files(here, {**FILES, b"big": data[:900_000] + b"!" + data[900_000:]}, [first])
    steps.phases.clear()
    push(here, remote, [update(MAIN, first, second)])
    _, total, done, _ = steps.phases[-1]
    parts = [part for part in content.parts(here.store, content_id(data)) if part.kind != Kind.FILE]
    assert total == done > len(parts)  # chunks that are there already count as done


def test_who_receives_knows_how_much_there_is_to_do(here, remote, steps):
    one = commit_files(here, FILES)
    push(here, remote, [update(MAIN, None, one)])
    with Repository.init(
        f"{here.folder}-there", bare=True, settings=Settings(progress=steps)
    ) as there:
        steps.phases.clear()
        fetch(there, remote, [one])
    history, files = steps.phases
    assert history[0] == "receiving history"
    assert files[:3] == ["receiving", len(set(FILES.values())), len(set(FILES.values()))]
    assert files[3] == sum(map(len, set(FILES.values())))
