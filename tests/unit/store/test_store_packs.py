"""Packs on disk: how objects lie, what is shared between processes, what damage looks like."""

from __future__ import annotations

import os
import struct
import threading
import time
import tracemalloc
from array import array

import pytest
import zstandard

from oxcore.errors import CorruptError, MissingError, StorageError, UsageError
from oxcore.model.counters import Counters
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.model.protocols import How
from oxcore.store import MemoryLocator, PackStore, _coding
from oxcore.testing.faults import faulty, flip, truncate
from oxcore.testing.stores import noise

TEXT = b"label,width,height\n" * 400


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "packs")


def open_store(folder, **options):
    store = PackStore(folder, MemoryLocator(), Counters(), **options)
    store.refresh()
    return store


def fill(store, datas, kind=Kind.CHUNK):
    ids = [object_id(kind, data) for data in datas]
    with store.batch() as batch:
        batch.put_many(ids, kind, datas)
    return ids


def how(store, oid):
    return store.locate([oid])[0].how


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", How.RAW),
        (b"a" * 63, How.RAW),
        (TEXT, How.ZSTD),
        (noise(1, 50_000), How.RAW),
        (b"\x89PNG\r\n\x1a\n" + TEXT, How.RAW),
        (b"\xff\xd8\xff\xe0" + TEXT, How.RAW),
        (b"RIFF\0\0\0\0WEBP" + TEXT, How.RAW),
        (b"RIFF\0\0\0\0WAVE" + TEXT, How.ZSTD),
        (b"PK\x03\x04\x14\0\0\0\x08\0" + TEXT, How.RAW),
        (b"PK\x03\x04\x14\0\0\0\0\0" + TEXT, How.ZSTD),
        (noise(2, 3000) + TEXT * 2, How.ZSTD),
        (TEXT + noise(3, 12_000) + TEXT, How.RAW),
    ],
)
def test_compression_is_used_where_it_pays(folder, data, expected):
    store = open_store(folder)
    (oid,) = fill(store, [data])
    assert how(store, oid) == expected
    assert store.get(oid, Kind.CHUNK) == data


def test_float_weights_are_worth_compressing():
    values = [number / 65536 for number in array("H", noise(5, 40_000))]
    data = struct.pack(f"<{len(values)}f", *[value * 0.02 for value in values])
    assert _coding.encode(data, 1)[0] == How.ZSTD


def test_level_reaches_zstd():
    data = b"".join(b"%d,%d\n" % (n, n * n % 977) for n in range(8000))
    sizes = [len(_coding.encode(data, level)[1]) for level in (1, 9, 19)]
    assert sizes[0] > sizes[2]


def test_same_object_is_stored_once(folder):
    store = open_store(folder)
    ids = fill(store, [TEXT, TEXT, b"x", TEXT])
    assert store.counters.chunks_stored == 2
    stored = store.counters.bytes_stored
    assert fill(store, [TEXT, b"x"]) == ids[1:3]
    assert (store.counters.bytes_stored, len(store.packs())) == (stored, 1)


def test_batch_without_news_makes_no_file_and_no_sync(folder):
    store = open_store(folder)
    fill(store, [TEXT])
    with faulty() as faults:
        fill(store, [TEXT])
        fill(store, [])
    assert faults.log == []
    assert store.counters.fsyncs == 2


def test_counters(folder):
    store = open_store(folder)
    (leaf,) = fill(store, [noise(1, 1000)])
    (node,) = fill(store, [noise(2, 1000)], Kind.TREE)
    store.get(leaf, Kind.CHUNK)
    list(store.get_many([node, node], Kind.TREE))
    counts = store.counters
    assert (counts.chunks_stored, counts.bytes_stored, counts.fsyncs) == (1, 2000, 4)
    assert (counts.objects_read, counts.nodes_read) == (3, 2)


def test_order_of_writes(folder):
    store = open_store(folder)
    with faulty() as faults:
        fill(store, [noise(n, 3000) for n in range(5)])
    (name,) = [pack.name for pack in store.packs()]
    calls = [call for call, _ in faults.log]
    assert calls == ["writev", "fsync", "rename", "fsync"]
    assert faults.log[1][1] == faults.log[0][1] == faults.log[2][1]
    assert faults.log[3][1] == folder
    assert os.listdir(folder) == [f"{name.hex()}.pack"]


def test_few_system_calls_for_many_objects(folder):
    store = open_store(folder)
    with faulty() as faults:
        fill(store, [noise(n, 100) for n in range(5000)])
    assert [call for call, _ in faults.log].count("writev") <= 7


def test_packs_are_sealed_at_their_size(folder):
    store = open_store(folder, pack_size=100_000)
    ids = fill(store, [noise(n, 9000) for n in range(100)])
    packs = store.packs()
    assert len(packs) == 9
    assert sum(pack.objects for pack in packs) == 100
    assert all(pack.size < 110_000 for pack in packs)
    assert [content_id(data) for data in store.get_many(ids, Kind.CHUNK)] == ids


def test_object_beyond_the_limit_is_refused(folder, monkeypatch):
    monkeypatch.setattr("oxcore.store.batch.MAX_RAW", 1000)
    store = open_store(folder)
    with pytest.raises(UsageError):
        fill(store, [bytes(1001)])


def test_a_frame_that_claims_much_takes_no_memory(monkeypatch):
    bomb = zstandard.ZstdCompressor().compress(bytes(50 << 20))
    tracemalloc.start()
    with pytest.raises(CorruptError):
        _coding.decode(How.ZSTD, bomb, 10)
    monkeypatch.setattr(_coding, "MAX_RAW", 1 << 20)
    with pytest.raises(CorruptError):
        _coding.decode(How.ZSTD, bomb, 50 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_kernel_that_takes_only_a_part(folder, monkeypatch):
    real = os.writev
    monkeypatch.setattr(os, "writev", lambda fd, buffers: real(fd, [b"".join(buffers)[:777]]))
    store = open_store(folder)
    ids = fill(store, [noise(n, 500) for n in range(9)])
    assert store.check_pack(store.packs()[0].name).sound
    assert [content_id(data) for data in store.get_many(ids, Kind.CHUNK)] == ids


class TestDelta:
    def versions(self, count):
        made = [noise(9, 30_000) + TEXT]
        for n in range(1, count):
            made.append(made[-1][: n * 500] + b"edit %d" % n + made[-1][n * 500 :])
        return made, [content_id(data) for data in made]

    def test_chain_is_one_long(self, folder):
        store = open_store(folder)
        datas, ids = self.versions(4)
        for n, data in enumerate(datas):
            with store.batch() as batch:
                batch.put(ids[n], Kind.CHUNK, data, base=ids[n - 1] if n else None)
        assert [how(store, oid) for oid in ids] == [How.RAW] + [How.DELTA] * 3
        assert all(store.payload(oid, store.locate([oid])[0])[:32] == ids[0] for oid in ids[1:])
        assert store.counters.bytes_stored < len(datas[0]) + 600

    def test_base_in_the_same_batch(self, folder):
        store = open_store(folder)
        datas, ids = self.versions(3)
        with store.batch() as batch:
            for n, data in enumerate(datas):
                batch.put(ids[n], Kind.CHUNK, data, base=ids[n - 1] if n else None)
        assert [how(store, oid) for oid in ids] == [How.RAW, How.DELTA, How.DELTA]
        assert list(store.get_many(ids, Kind.CHUNK)) == datas

    def test_useless_base_is_not_used(self, folder):
        store = open_store(folder)
        (base,) = fill(store, [noise(1, 30_000)])
        for data, expected in ((noise(2, 30_000), How.RAW), (TEXT, How.ZSTD), (b"tiny", How.RAW)):
            oid = content_id(data)
            with store.batch() as batch:
                batch.put(oid, Kind.CHUNK, data, base=base)
            assert how(store, oid) == expected

    def test_large_chunks(self, folder):
        store = open_store(folder)
        old = noise(1, 1 << 20)
        new = b"some bytes in front" + old
        (base,) = fill(store, [old])
        with store.batch() as batch:
            batch.put(content_id(new), Kind.CHUNK, new, base=base)
        assert store.locate([content_id(new)])[0].stored < 20_000
        assert store.get(content_id(new), Kind.CHUNK) == new

    def test_received_delta_needs_its_base(self, folder, tmp_path):
        store, other = open_store(folder), open_store(str(tmp_path / "other"))
        (old, new), ids = self.versions(2)
        fill(store, [old])
        with store.batch() as batch:
            batch.put(ids[1], Kind.CHUNK, new, base=ids[0])
        where = store.locate(ids)[1]
        delta = store.get_stored(ids[1])._replace(
            how=How.DELTA, payload=store.payload(ids[1], where)
        )
        with other.batch() as batch:
            with pytest.raises(MissingError):
                batch.put_stored(delta)
            batch.put_stored(store.get_stored(ids[0]))
            batch.put_stored(delta)
        assert other.get(ids[1], Kind.CHUNK) == new


class TestTwoProcesses:
    def test_refresh_finds_packs_of_others(self, folder):
        mine, theirs = open_store(folder), open_store(folder)
        ids = fill(theirs, [TEXT, b"x"])
        assert mine.has_many(ids) == [False, False]
        report = mine.refresh()
        assert report == ((theirs.packs()[0].name,), (), ())
        assert mine.has_many(ids) == [True, True]

    def test_get_looks_again_before_it_gives_up(self, folder):
        mine, theirs = open_store(folder), open_store(folder)
        ids = fill(theirs, [TEXT])
        assert mine.get(ids[0], Kind.CHUNK) == TEXT

    def test_batch_knows_what_others_stored(self, folder):
        mine, theirs = open_store(folder), open_store(folder)
        fill(theirs, [TEXT])
        fill(mine, [TEXT])
        assert mine.counters.chunks_stored == 0

    @pytest.mark.parametrize("cached", [False, True])
    def test_repacking_by_another_is_followed(self, folder, cached):
        theirs = open_store(folder)
        datas = [noise(n, 2000) for n in range(20)]
        ids = fill(theirs, datas)
        mine = open_store(folder)
        if cached:
            mine.get(ids[0], Kind.CHUNK)
        live = set(ids[::2])
        theirs.rewrite(drop=[pack.name for pack in theirs.packs()], keep=live.__contains__)
        assert list(mine.get_many(ids[::2], Kind.CHUNK)) == datas[::2]
        assert mine.get_stored(ids[2]).payload == datas[2]
        mine.files.close()
        assert list(mine.get_many(ids[::2], Kind.CHUNK)) == datas[::2]
        with pytest.raises(MissingError):
            mine.get(ids[1], Kind.CHUNK)

    def test_vanished_pack_is_missing_objects(self, folder):
        store = open_store(folder)
        ids = fill(store, [TEXT])
        os.unlink(store.files.path(store.packs()[0].name))
        with pytest.raises(MissingError) as caught:
            store.get(ids[0], Kind.CHUNK)
        assert caught.value.items == (ids[0].hex(),)
        assert store.has_many(ids) == [False]
        assert store.packs() == []

    def test_damaged_pack_is_left_out(self, folder):
        store = open_store(folder)
        good = fill(store, [TEXT])
        bad = fill(store, [b"x"])
        (name,) = {pack.name for pack in store.packs()} - {open_store(folder).packs()[0].name}
        path = store.files.path(name)
        truncate(path, os.path.getsize(path) - 3)
        again = PackStore(folder, MemoryLocator(), Counters())
        assert again.refresh().unreadable == (name,)
        assert sorted(again.has_many([*good, *bad])) == [False, True]


class TestDamage:
    def damaged(self, folder, where):
        store = open_store(folder)
        ids = fill(store, [TEXT, noise(1, 5000), noise(2, 5000)])
        flip(store.files.path(store.packs()[0].name), where(store.locate(ids)))
        return store, ids

    @pytest.mark.parametrize("index", [0, 1, 2])
    def test_every_object_is_verified(self, folder, index):
        store, ids = self.damaged(folder, lambda places: places[index].offset + 20)
        name = store.packs()[0].name.hex()
        for n, oid in enumerate(ids):
            if n != index:
                store.get(oid, Kind.CHUNK)
                continue
            with pytest.raises(CorruptError, match=oid.hex()) as caught:
                store.get(oid, Kind.CHUNK)
            assert name in caught.value.message
            with pytest.raises(CorruptError, match=oid.hex()):
                list(store.get_many(ids, Kind.CHUNK))

    def test_short_file(self, folder):
        store = open_store(folder)
        ids = fill(store, [noise(1, 5000), noise(2, 5000)])
        truncate(store.files.path(store.packs()[0].name), 6000)
        store.get(ids[0], Kind.CHUNK)
        with pytest.raises(CorruptError, match=ids[1].hex()):
            store.get(ids[1], Kind.CHUNK)
        with pytest.raises(CorruptError, match=ids[1].hex()):
            list(store.get_many(ids, Kind.CHUNK))

    def test_every_bit_of_the_rest_is_under_the_checksum(self, folder):
        store = open_store(folder)
        fill(store, [b"abc", b"defg"])
        (pack,) = store.packs()
        path = store.files.path(pack.name)
        for at in [*range(16), *range(16 + 7, pack.size)]:
            flip(path, at)
            assert not store.check_pack(pack.name, deep=False).sound, at
            flip(path, at)
        assert store.check_pack(pack.name).sound

    def test_random_flips_never_give_wrong_bytes(self, folder):
        store = open_store(folder)
        datas = [TEXT[:200], noise(1, 100), TEXT[:70]]
        ids = fill(store, datas)
        (pack,) = store.packs()
        path = store.files.path(pack.name)
        for at in range(16, 16 + sum(place.stored for place in store.locate(ids))):
            flip(path, at, at % 8)
            for oid, data in zip(ids, datas, strict=True):
                try:
                    assert store.get(oid, Kind.CHUNK) == data
                except CorruptError:
                    continue
            flip(path, at, at % 8)


def test_disk_full_is_a_storage_error_and_leaves_nothing(folder):
    for stop in range(3):
        store = open_store(folder)
        with faulty(stop, error=28), pytest.raises(StorageError) as caught:
            fill(store, [noise(n, 9000) for n in range(3)])
        assert "free some space" in caught.value.hint
        assert os.listdir(folder) == []


def test_failure_in_the_background_reaches_the_caller(folder):
    store = open_store(folder, pack_size=5000)
    with faulty(1, error=5), pytest.raises(StorageError):
        fill(store, [noise(n, 3000) for n in range(20)])
    assert all(name.endswith(".pack") for name in os.listdir(folder))
    assert threading.active_count() < 10


def test_clean_removes_only_old_leftovers(folder):
    store = open_store(folder)
    fill(store, [TEXT])
    for name, age in ((".tmp-old", 90_000), (".tmp-new", 60), ("other", 90_000)):
        path = os.path.join(folder, name)
        with open(path, "wb"):
            pass
        os.utime(path, (time.time() - age,) * 2)
    assert store.clean() == 1
    assert {".tmp-new", "other"} < set(os.listdir(folder))
    assert open_store(folder + "-none").clean() == 0


def test_many_packs_few_open_files(folder):
    store = open_store(folder, pack_size=100)
    ids = fill(store, [noise(n, 200) for n in range(150)])
    assert len(store.packs()) == 150
    before = len(os.listdir("/proc/self/fd"))
    list(store.get_many(ids, Kind.CHUNK))
    assert len(os.listdir("/proc/self/fd")) - before <= 64
    store.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_threads_read_while_packs_are_put_out_of_the_cache(folder):
    store = open_store(folder, pack_size=100)
    ids = fill(store, [noise(n, 300) + TEXT for n in range(90)])
    wrong = []

    def work(shift):
        turned = ids[shift:] + ids[:shift]
        for _ in range(3):
            got = [content_id(data) for data in store.get_many(turned, Kind.CHUNK)]
            got += [content_id(store.get(oid, Kind.CHUNK)) for oid in turned]
            if got != turned * 2:
                wrong.append(shift)

    threads = [threading.Thread(target=work, args=(shift,)) for shift in (0, 20, 40, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
