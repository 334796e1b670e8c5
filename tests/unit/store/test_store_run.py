"""Runs of encoded objects give the packs that the same objects give one by one."""

from __future__ import annotations

import errno
import os
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.codec.pack import PackIndex
from oxcore.errors import InvalidError, StorageError
from oxcore.model.counters import Counters
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.store import MemoryLocator, PackStore, Run, _outbox, _runs, encode, prove_run
from oxcore.testing.faults import faulty
from oxcore.testing.stores import noise

TEXT = b"label,width,height\n" * 400


def open_store(folder):
    store = PackStore(str(folder), MemoryLocator(), Counters())
    store.refresh()
    return store


def run_of(datas, kind=Kind.CHUNK):
    coded = [encode(data, 1) for data in datas]
    return Run(
        [object_id(kind, data) for data in datas],
        bytes([kind]) * len(datas),
        bytes(how for how, _ in coded),
        array("I", map(len, datas)),
        array("I", [len(payload) for _, payload in coded]),
        b"".join(payload for _, payload in coded),
    )


@pytest.mark.parametrize("ids", [list, tuple])
def test_sound_chunks_are_hashed_once(monkeypatch, ids):
    run = run_of([noise(seed, 5000) for seed in range(3)])
    run = run._replace(ids=ids(run.ids))
    monkeypatch.setattr(_runs, "prove", None)  # who asks for one by one has hashed them already
    prove_run(run)
    with pytest.raises(TypeError):
        prove_run(run._replace(ids=ids(reversed(run.ids))))


def packs(folder):
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


DATA = st.sampled_from([b"", b"a", b"b", TEXT, TEXT[:700], noise(1, 5000), noise(2, 300)])


@given(runs=st.lists(st.lists(DATA, max_size=6), max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_run_gives_the_pack_and_the_counts_of_its_objects_one_by_one(tmp_path_factory, runs):
    home = tmp_path_factory.mktemp("run")
    single, many = open_store(home / "single"), open_store(home / "many")
    seen, new = set(), []
    with single.batch() as one, many.batch() as other:
        for datas in runs:
            one.put_many([content_id(data) for data in datas], Kind.CHUNK, datas)
            new.append(len(set(datas) - seen))
            seen.update(datas)
            assert other.put_run(run_of(datas)) == new[-1]
            assert all(other.get(content_id(data), Kind.CHUNK) == data for data in datas)
    assert packs(home / "many") == packs(home / "single")
    assert many.counters.as_dict()["chunks_stored"] == len(seen)
    assert many.counters.bytes_stored == single.counters.bytes_stored
    with many.batch() as again:
        assert sum(again.put_run(run_of(datas)) for datas in runs) == 0


def test_the_blob_may_be_used_again_at_once(tmp_path):
    store = open_store(tmp_path)
    room = bytearray(noise(3, 4000))
    run = run_of([bytes(room)])._replace(blob=memoryview(room))
    with store.batch() as writer:
        writer.put_run(run)
        room[:] = bytes(4000)
    assert store.get(run.ids[0], Kind.CHUNK) == noise(3, 4000)


def test_nodes_in_a_run_are_counted_as_nodes(tmp_path):
    store = open_store(tmp_path)
    with store.batch() as writer:
        writer.put_run(run_of([b"x" * 40], Kind.TREE))
    assert (store.counters.nodes_written, store.counters.chunks_stored) == (1, 0)


def test_a_pack_of_tiny_objects_is_sealed_by_their_number(tmp_path, monkeypatch):
    monkeypatch.setattr(_outbox, "_PACK_OBJECTS", 10)
    store = open_store(tmp_path)
    with store.batch() as writer:
        for start in range(0, 40, 8):
            writer.put_run(run_of([b"%d" % n for n in range(start, start + 8)]))
        writer.put_many([content_id(b"last")], Kind.CHUNK, [b"last"])
    assert sorted(info.objects for info in store.packs()) == [9, 16, 16]


def test_an_object_too_long_for_a_pack_leaves_the_index_as_it_was():
    index = PackIndex()
    with pytest.raises(InvalidError, match="4 GiB"):
        index.extend(bytes(32), b"\0", b"\0", [1 << 32], [1])
    assert (len(index), index.end) == (0, PackIndex().end)


def test_a_run_that_cannot_be_written_ends_the_batch(tmp_path):
    store = open_store(tmp_path)
    with pytest.raises(StorageError), store.batch() as writer:
        with faulty(1, error=errno.ENOSPC), pytest.raises(StorageError, match="No space"):
            writer.put_run(run_of([noise(4, 900)]))
        writer.put_run(run_of([b"another"]))
    assert store.packs() == []
