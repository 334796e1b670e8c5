"""Shards are read once, ahead of their use, and by piece where that does not work."""

import pytest

from oxcore import verbs
from oxcore.errors import CorruptError
from oxcore.insight import held
from oxcore.insight.held import Held, InMemory, listed
from oxcore.store.content import read
from oxcore.tables import direct


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


def test_each_is_read_once(shards):
    repo, found, datas = shards
    before = repo.counters.objects_read
    with Held(repo, found) as files:
        for _ in range(3):
            for entry, data in datas.items():
                with files.open(entry) as file:
                    assert isinstance(file, InMemory)
                    assert (file.data, file.read()) == (data, data)
        assert repo.counters.objects_read - before == len(datas)


@pytest.mark.parametrize("room", [0, 1])
def test_what_does_not_fit_is_read_by_piece(shards, room):
    repo, found, datas = shards
    one = max(entry.size for entry in datas)
    with Held(repo, found, room * one) as files:
        kept = []
        for entry, data in datas.items():
            with files.open(entry) as file:
                kept.append(isinstance(file, InMemory))
                assert file.read() == data
        assert 0 < sum(kept) * room < len(datas) or not any(kept)
        files.release()
        with files.open(entry) as file:
            assert not isinstance(file, InMemory)
            assert file.read() == data


def test_who_opens_a_damaged_one_is_told(shards, monkeypatch):
    repo, found, datas = shards
    monkeypatch.setattr(held, "whole", broken)
    with Held(repo, found) as files:
        for entry, data in datas.items():
            with files.open(entry) as file:
                assert file.read() == data
        monkeypatch.setattr(held, "ContentFile", broken)
        with pytest.raises(CorruptError):
            files.open(entry)


def broken(*_):
    raise CorruptError("it is damaged")


@pytest.mark.parametrize("least", [0, 1 << 30])
def test_a_damaged_shard_ends_a_report(wild, monkeypatch, least):
    monkeypatch.setattr(direct, "LEAST", least)
    wild.commit([{"output": "a"} for _ in range(300)], [{"record_id": "r000000", "value": "a"}])
    monkeypatch.setattr(held, "whole", broken)
    monkeypatch.setattr(held, "open_shard", broken)
    with pytest.raises(CorruptError):
        wild.repo.report("deployed", "wild")


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
