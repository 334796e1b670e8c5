"""Neighbouring chunks of a file, whole or as differences: what lies there, and what it costs."""

import random

import pytest

from oxcore.errors import CorruptError
from oxcore.model.counters import Counters
from oxcore.model.ids import Kind, content_id
from oxcore.model.protocols import How
from oxcore.store import MemoryLocator, PackStore, Wanted, _coding, _deltas, encode_chunks
from oxcore.testing.faults import flip
from oxcore.testing.stores import noise

SIZE = 60_000


@pytest.fixture
def store(tmp_path):
    return PackStore(str(tmp_path / "packs"), MemoryLocator(), Counters())


def put(store, datas, bases=None):
    """Store chunks of one file; gives their ids."""
    ids = [content_id(data) for data in datas]
    wanted = [Wanted(*row) for row in zip(ids, datas, bases or [None] * len(ids), strict=True)]
    with store.batch() as batch:
        batch.put_encoded(encode_chunks(store, wanted))
    return ids


def edited(data, seed=0, count=1):
    source, out = random.Random(seed), bytearray(data)
    for _ in range(count):
        at = source.randrange(len(out))
        out[at : at + 8] = source.randbytes(9)
    return bytes(out)


def text(seed, size=SIZE):
    source = random.Random(seed)
    return "".join(f"{n},{source.random():.4f},red\n" for n in range(size // 14)).encode()


def where(store, ids):
    return store.locate(ids)


class TestReadTogether:
    """``get_chunks_at``: what many deltas rest on is located and read together."""

    def make(self, store):
        """Chunks of every kind in one order: raw, zstd, deltas of both, a tiny one."""
        old = [noise(1, SIZE), text(2), noise(3, SIZE), text(4)]
        bases = put(store, old)
        new = [edited(data, seed) for seed, data in enumerate(old)]
        rest = [b"", b"tiny"]
        datas = [old[0], new[1], new[0], old[3], rest[1], new[3], rest[0], new[2], old[1]]
        put(store, new, bases)
        put(store, rest)
        return [content_id(data) for data in datas], datas

    def test_all_kinds_in_their_order(self, store):
        ids, datas = self.make(store)
        before = store.counters.objects_read
        found = store.get_chunks_at(ids, store.locate(ids))
        assert list(map(bytes, found)) == datas
        assert store.counters.objects_read == before + len(ids)

    def test_bases_cost_one_question_and_neighbours_one_read(self, store, monkeypatch):
        ids, _ = self.make(store)
        deltas = [
            oid for oid, at in zip(ids, store.locate(ids), strict=True) if at.how == How.DELTA
        ]
        assert len(deltas) == 4
        asked, reads = [], []
        locator, handle = type(store.locator), type(store.files.open(store.packs()[0].name))
        find, read = locator.find_many, handle.read
        monkeypatch.setattr(
            locator, "find_many", lambda self, oids: asked.append(len(oids)) or find(self, oids)
        )
        monkeypatch.setattr(handle, "read", lambda *row: reads.append(row[1:]) or read(*row))
        assert len(list(store.get_chunks_at(deltas, store.locate(deltas)))) == 4
        assert asked == [4, 4]  # the deltas, their bases
        assert len(reads) == 2

    @pytest.mark.parametrize("bad", [0, 1])
    def test_what_is_damaged_is_named(self, store, bad):
        base = put(store, [text(1)])
        ids = [*base, *put(store, [edited(text(1))], base)]
        place = store.locate(ids)[bad]
        pack = store.locator.packs()[place.pack]
        flip(store.files.path(pack), place.offset + place.stored - 9)
        store.close()
        found = store.get_chunks_at(ids, store.locate(ids))
        with pytest.raises(CorruptError, match=ids[bad].hex()):
            list(found)

    def test_a_base_that_is_a_delta_by_now(self, store, tmp_path):
        """As where two processes stored the same at once, and the index was made anew."""
        first = noise(1, SIZE)
        second, third = edited(first, 1), edited(first, 2)
        put(store, [first])
        put(store, [second], [content_id(first)])
        base = _deltas.Base(content_id(second), second, direct=True)
        how, payload = _deltas.encode_against(third, 1, base)
        assert how == How.DELTA
        with store.batch() as batch:
            batch.put_encoded([_deltas.Encoded(content_id(third), how, len(third), payload)])
        ids = [content_id(third), content_id(first)]
        assert list(map(bytes, store.get_chunks_at(ids, store.locate(ids)))) == [third, first]


class TestBases:
    @pytest.mark.parametrize("make", [text, lambda seed: noise(seed, SIZE)])
    def test_a_few_changed_bytes_take_little(self, store, make):
        old = [make(seed) for seed in range(4)]
        new = [edited(data) for data in old]
        bases = put(store, old)
        ids = put(store, new, bases)
        assert all(one.how == How.DELTA and one.stored < 300 for one in where(store, ids))
        assert list(store.get_many(ids, Kind.CHUNK)) == new
        assert [store.get(oid, Kind.CHUNK) for oid in ids] == new

    def test_each_base_is_read_once(self, store):
        old = [text(1), text(2)]
        bases = put(store, old)
        before = store.counters.objects_read
        first, second = bases
        put(store, [edited(old[0], 1), edited(old[0], 2), edited(old[1])], [first, first, second])
        assert store.counters.objects_read == before + 2

    def test_a_delta_of_a_delta_goes_against_its_base(self, store):
        versions = [noise(1, SIZE)]
        ids = put(store, versions)
        for n in range(1, 5):
            versions.append(edited(versions[-1], n))
            ids += put(store, versions[-1:], ids[-1:])
        places = where(store, ids)
        assert [one.how for one in places] == [How.RAW] + [How.DELTA] * 4
        assert all(store.payload(b"", one)[:32] == ids[0] for one in places[1:])
        assert list(store.get_many(ids, Kind.CHUNK)) == versions

    def test_what_has_moved_far_is_stored_whole_and_serves_as_base(self, store):
        versions = [noise(1, SIZE)]
        ids = put(store, versions)
        hows = []
        for n in range(1, 8):
            data = versions[-1]
            versions.append(noise(100 + n, 4_000) + data[: (n - 1) * 4_000] + data[n * 4_000 :])
            ids += put(store, versions[-1:], ids[-1:])
            hows.append(where(store, ids[-1:])[0].how)
        again = hows.index(How.RAW)
        assert 1 < again < 6
        assert hows[again + 1] == How.DELTA
        assert store.payload(b"", where(store, ids)[again + 2])[:32] == ids[again + 1]

    @pytest.mark.parametrize(("new", "expected"), [(noise(2, SIZE), How.RAW), (text(5), How.ZSTD)])
    def test_a_base_of_no_use_is_left(self, store, new, expected):
        (base,) = put(store, [noise(1, SIZE)])
        assert where(store, put(store, [new], [base]))[0].how == expected

    def test_where_bases_are_of_no_use_few_are_tried(self, store):
        bases = put(store, [noise(n, SIZE) for n in range(40)])
        before = store.counters.objects_read
        put(store, [noise(100 + n, SIZE) for n in range(40)], bases)
        assert store.counters.objects_read - before == 4 + 4

    def test_a_part_that_begins_is_tried_anew(self, store):
        bases = put(store, [noise(n, SIZE) for n in range(40)])
        before = store.counters.objects_read
        new = [noise(100 + n, SIZE) for n in range(40)]
        rows = zip(map(content_id, new), new, bases, strict=True)
        encode_chunks(store, [Wanted(*row, place == 20) for place, row in enumerate(rows)])
        assert store.counters.objects_read - before == (4 + 2) + (4 + 2)

    def test_missing_and_damaged_bases_are_left(self, store):
        (base,) = put(store, [noise(1, SIZE)])
        gone = content_id(b"never there")
        new = [edited(noise(1, SIZE), seed) for seed in range(2)]
        assert where(store, put(store, new[:1], [gone]))[0].how == How.RAW
        flip(store.files.path(store.packs()[0].name), 16 + 100)
        flip(store.files.path(store.packs()[1].name), 16 + 100)
        store.close()
        assert where(store, put(store, new[1:], [base]))[0].how == How.RAW

    def test_a_received_delta_of_what_is_a_delta_here_is_encoded_anew(self, store, tmp_path):
        other = PackStore(str(tmp_path / "other"), MemoryLocator(), Counters())
        first = noise(1, SIZE)
        second, third = edited(first, 1), edited(edited(first, 1), 2)
        put(other, [second])
        (oid,) = put(other, [third], [content_id(second)])
        (run,) = other.get_runs_at([(oid, other.locate([oid])[0])], deltas=True)
        base = put(store, [second], put(store, [first]))
        with store.batch() as batch:
            batch.put_stored(next(run.objects()))
            assert batch.get(oid, Kind.CHUNK) == third
        where_it_lies = store.locate([oid])[0]
        assert where_it_lies.how == How.DELTA
        assert store.payload(oid, where_it_lies)[:32] == content_id(first)
        assert store.get(oid, Kind.CHUNK) == third
        assert base == [content_id(second)]

    def test_a_chunk_is_no_base_of_itself(self, store):
        data = noise(1, SIZE)
        (base,) = put(store, [data])
        wanted = Wanted(base, data, base)
        assert encode_chunks(store, [wanted])[0].how == How.RAW


class TestRuns:
    def test_level_three_where_it_saves(self):
        datas = [text(seed) for seed in range(20)]
        weak = [_coding.encode(data, 1) for data in datas]
        strong = [_coding.encode(data, 3) for data in datas]
        both = [sum(len(payload) for _, payload in one) for one in (weak, strong)]
        found = _coding.encode_run(datas, 1)
        assert sum(len(payload) for _, payload in found) <= min(both) * 1.01
        assert all(how == How.ZSTD for how, _ in found)

    def test_few_trials_where_nothing_compresses(self, monkeypatch):
        calls = []
        real = _coding.encode
        monkeypatch.setattr(_coding, "encode", lambda *args: calls.append(1) or real(*args))
        datas = [noise(n, SIZE) for n in range(40)]
        found = _coding.encode_run(datas, 1)
        assert found == [(How.RAW, data) for data in datas]
        assert len(calls) == 12 + 7

    def test_what_compresses_again_is_found(self):
        datas = [noise(n, SIZE) for n in range(20)] + [text(n) for n in range(20)]
        hows = [how for how, _ in _coding.encode_run(datas, 1)]
        assert hows[:20] == [How.RAW] * 20
        assert hows[23:] == [How.ZSTD] * 17

    def test_views_are_taken_and_kept_as_they_are(self, store):
        window = noise(1, SIZE) + text(1)
        view = memoryview(window)
        chunks = [view[:SIZE], view[SIZE:]]
        ids = [content_id(chunk) for chunk in chunks]
        wanted = [Wanted(oid, chunk, None) for oid, chunk in zip(ids, chunks, strict=True)]
        raw, packed = encode_chunks(store, wanted)
        assert raw.payload is chunks[0]
        assert type(packed.payload) is bytes
        with store.batch() as batch:
            batch.put_encoded([raw, packed, raw])
            assert batch.get(ids[0], Kind.CHUNK) == chunks[0]
        assert list(store.get_many(ids, Kind.CHUNK)) == chunks
        assert store.counters.chunks_stored == 2


def test_a_share_of_the_base_is_enough_to_try():
    base = noise(1, SIZE)
    assert _deltas._resembles(noise(2, SIZE // 2) + base[: SIZE // 2], base)
    assert not _deltas._resembles(noise(2, SIZE), base)
    assert _deltas._resembles(b"tiny", b"a tiny base")
    assert not _deltas._resembles(b"", base)
