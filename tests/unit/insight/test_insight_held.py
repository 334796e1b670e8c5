"""Shards are read once, ahead of their use, and by piece where that does not work."""

import os
from pathlib import Path

import pytest

from oxcore import verbs
from oxcore.errors import CorruptError, InvalidError
from oxcore.insight import held
from oxcore.insight.held import Held, InMemory, listed
from oxcore.store.content import read
from oxcore.tables import direct
from oxcore.testing import captured


@pytest.fixture
def shards(wild):
    """The repository, its shards, and what each holds."""
    for at in range(4):
        records = [{"output": f"a{at}"} for _ in range(30)]
        wild.commit(records, [{"record_id": f"r{at:06}", "value": "a1"}])
    repo = wild.repo._repo
    found = listed(repo, verbs.names.resolve_tree(repo, "deployed"), b"wild")
    entries = [entry for each in found for _, entry in each]
    assert len(entries) == 8
    return repo, found, {entry: b"".join(read(repo.store, entry.id)) for entry in entries}


@pytest.fixture(params=["in files", "in memory"])
def way(request, monkeypatch):
    """Both ways in which shards are held: as files that lie in memory, and as bytes."""
    if request.param == "in memory":
        monkeypatch.setattr(held, "_NAMED", 0)
    elif not hasattr(os, "memfd_create"):
        pytest.skip("files in memory are Linux's")
    return request.param


def is_held(file):
    name = str(getattr(getattr(file, "raw", file), "name", ""))
    return isinstance(file, InMemory) or name.startswith("/proc/self/fd/")


def handles():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def test_each_is_read_once(shards, way):
    repo, found, datas = shards
    before, opened = repo.counters.objects_read, handles()
    with Held(repo, found) as files:
        for _ in range(3):
            for entry, data in datas.items():
                with files.open(entry) as file:
                    assert is_held(file)
                    assert isinstance(file, InMemory) == (way == "in memory")
                    assert file.read() == data
                place = files.place(entry)
                assert (place is None) == (way == "in memory")
                if place is not None:
                    assert Path(place).read_bytes() == data
        assert repo.counters.objects_read - before == len(datas)
    assert handles() <= opened + 1  # of the packs, one may have been opened


def test_no_more_handles_than_there_should_be_are_taken(shards, monkeypatch):
    repo, found, datas = shards
    monkeypatch.setattr(held, "_NAMED", 3)
    with Held(repo, found) as files:
        places = [files.place(entry) for entry in datas]
        assert sum(place is not None for place in places) == 3
        for entry, data in datas.items():
            with files.open(entry) as file:
                assert is_held(file)
                assert file.read() == data


def test_a_report_leaves_handles_where_there_are_few(wild):
    resource = pytest.importorskip("resource")
    with wild.repo.transaction("deployed", message="captured") as change:
        for at in range(100):
            for path, data in captured.files(at, "wild", [{"record_id": f"r{at}"}], []).items():
                change.put(path, data)
    assert wild.repo.report("deployed", "wild", slices=()).whole.n == 100  # libraries are open
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (handles() + 60, limits[1]))
    try:
        assert wild.repo.report("deployed", "wild", slices=()).whole.n == 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_reports_at_once_leave_handles_too(shards, monkeypatch):
    repo, found, datas = shards
    monkeypatch.setattr(held, "_free", lambda: 24)
    with Held(repo, found) as one, Held(repo, found) as two, Held(repo, found) as three:
        each = [[files.place(entry) for entry in datas] for files in (one, two, three)]
    assert [len(places) - places.count(None) for places in each] == [8, 2, 1]
    with Held(repo, found) as files:
        assert None not in map(files.place, datas)


@pytest.mark.parametrize("reason", ["none here", "no room", "no handle"])
def test_where_no_file_lies_in_memory_bytes_do(shards, monkeypatch, reason):
    repo, found, datas = shards

    def refuse(*_):
        raise OSError(reason)

    if reason == "none here":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    elif reason == "no room":
        monkeypatch.setattr(held.os, "writev", lambda *_: 0)
    else:
        monkeypatch.setattr(held.os, "memfd_create", refuse)
    before = handles()
    with Held(repo, found) as files:
        for entry, data in datas.items():
            with files.open(entry) as file:
                assert isinstance(file, InMemory)
                assert file.data == data
            assert files.place(entry) is None
        assert handles() <= before + 1


@pytest.mark.parametrize("room", [0, 1])
def test_what_does_not_fit_is_read_by_piece(shards, way, room):
    repo, found, datas = shards
    one = max(entry.size for entry in datas)
    with Held(repo, found, room * one) as files:
        kept = []
        for entry, data in datas.items():
            with files.open(entry) as file:
                kept.append(is_held(file))
                assert file.read() == data
        assert 0 < sum(kept) * room < len(datas) or not any(kept)
        files.release()
        assert files.place(entry) is None
        with files.open(entry) as file:
            assert not is_held(file)
            assert file.read() == data


def test_who_opens_a_damaged_one_is_told(shards, way, monkeypatch):
    repo, found, datas = shards
    break_store(monkeypatch)
    with Held(repo, found) as files:
        for entry, data in datas.items():
            with files.open(entry) as file:
                assert file.read() == data
        monkeypatch.setattr(held, "ContentFile", broken)
        with pytest.raises(CorruptError):
            files.open(entry)


def test_a_disk_that_fails_is_told_by_who_opens(shards, way, monkeypatch):
    def fail(*_):
        raise OSError("the disk fails")

    repo, found, datas = shards
    for name in ("whole", "proved"):
        monkeypatch.setattr(held, name, fail)
    with Held(repo, found) as files:  # its threads say nothing
        for entry, data in datas.items():
            with files.open(entry) as file:
                assert file.read() == data


def break_store(monkeypatch):
    """Nothing of it comes out as a whole."""
    for name in ("whole", "proved"):
        monkeypatch.setattr(held, name, broken)


def broken(*_):
    raise CorruptError("it is damaged")


@pytest.mark.parametrize("least", [0, 1 << 30])
def test_a_damaged_shard_ends_a_report(wild, way, monkeypatch, least):
    monkeypatch.setattr(direct, "LEAST", least)
    wild.commit([{"output": "a"} for _ in range(300)], [{"record_id": "r000000", "value": "a"}])
    break_store(monkeypatch)
    monkeypatch.setattr(held, "open_shard", broken)
    with pytest.raises(CorruptError):
        wild.repo.report("deployed", "wild")


def test_a_chunk_that_is_not_sound_is_taken_from_another_copy(shards, way, monkeypatch):
    repo, found, datas = shards

    def unproved(_, oid):
        yield [b"something else"]
        raise CorruptError("its chunks do not give its id")

    monkeypatch.setattr(held, "proved", unproved)  # `whole` asks again, chunk by chunk
    with Held(repo, found) as files:
        for entry, data in datas.items():
            with files.open(entry) as file:
                assert isinstance(file, InMemory)
                assert file.read() == data


def test_an_engine_reads_shards_that_are_held_each_way_together(wild, monkeypatch):
    for at in range(6):
        wild.commit([{"output": f"a{at % 5}", "record_id": f"r{at}-{n}"} for n in range(30)])
    monkeypatch.setattr(held, "_NAMED", 3)  # the others are read through Python
    with wild.repo.examples("deployed", "wild") as found:
        known = found.sql.rows("SELECT prediction, count(*) FROM examples GROUP BY 1 ORDER BY 1")
        with pytest.raises(InvalidError, match="disabled"):
            found.sql.rows("SELECT * FROM read_text('/proc/self/status')")
    assert known == [("a0", 60), *((f"a{at}", 30) for at in range(1, 5))]


def test_two_shards_of_the_same_bytes_are_two(wild):
    wild.commit([{"output": "a", "record_id": "r1"}])
    (path,) = [one.path for one in wild.repo.ls("wild", "deployed", recursive=True)]
    data = wild.repo.read(path, "deployed")
    with wild.repo.transaction("deployed", message="again") as change:
        change.put(path.replace(b".parquet", b"-2.parquet"), data)
    with wild.repo.examples("deployed", "wild") as found:
        assert found.sql.rows("SELECT count(*) FROM r") == [(2,)]
        assert found.sql.rows("SELECT count(*) FROM examples") == [(1,)]


def test_labels_of_one_source_that_contradict_each_other(wild):
    events = [
        {"record_id": "r000001", "value": value, "source": "human", "ts": 10**15 + at}
        for at, value in enumerate(["a", "b", {"class": "c"}])
    ]
    wild.commit([{"output": name} for name in "abc"], events)
    with wild.repo.examples("deployed", "wild") as found:
        known = found.sql.rows("SELECT prediction, truth, truth_source FROM examples ORDER BY ALL")
    assert known == [("a", None, None), ("b", "c", "human"), ("c", None, None)]


def test_who_labelled_is_known_where_it_is_asked_for(wild):
    wild.commit([{"output": "a"}], [{"record_id": "r000000", "value": "a", "source": "gold"}])
    report = wild.repo.report("deployed", "wild", by=["TRUTH_SOURCE"])
    assert [group.name for group in report.groups] == ["TRUTH_SOURCE = gold"]
    wild.commit(files={"slices/s.yaml": b"where: truth_author is null and Truth_Source = 'gold'\n"})
    assert wild.repo.report("deployed", "wild").groups[0].measures.n == 1
