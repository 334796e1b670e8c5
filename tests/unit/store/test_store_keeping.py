"""Two files read side by side: what they share is decoded once, and verified each time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from oxcore.model.counters import Counters
from oxcore.model.ids import content_id
from oxcore.model.protocols import How
from oxcore.store import (
    ContentFile,
    KeepingReader,
    MemoryLocator,
    PackStore,
    Wanted,
    _together,
    encode_chunks,
)
from oxcore.testing.stores import noise


def text(seed, size=40_000):
    return "".join(f"{n},{seed * n % 977},red\n" for n in range(size // 10)).encode()


@pytest.fixture
def store(tmp_path):
    return PackStore(str(tmp_path / "packs"), MemoryLocator(), Counters())


@pytest.fixture
def versions(store):
    """Ids and bytes of the chunks of two versions: raw, zstd, shared, and deltas."""
    old = [noise(1, 50_000), *map(text, range(1, 9))]
    new = [*old[:4], *(data[:99] + b"!" + data[100:] for data in old[4:])]
    ids = [content_id(data) for data in old]
    changed = [content_id(data) for data in new]
    first = zip(ids, old, strict=True)
    with store.batch() as batch:
        batch.put_encoded(encode_chunks(store, [Wanted(*row, None) for row in first]))
    rows = list(zip(changed, new, ids, strict=True))[4:]
    with store.batch() as batch:
        batch.put_encoded(encode_chunks(store, [Wanted(*row) for row in rows]))
    hows = [one.how for one in store.locate([*ids, *changed[4:]])]
    assert hows == [How.RAW] + [How.ZSTD] * 8 + [How.DELTA] * 5
    return (ids, old), (changed, new)


@pytest.fixture
def decodings(monkeypatch):
    """How each payload was stored that was decoded."""
    seen = []
    decode, delta = _together.decode, _together.decode_delta
    spies = {
        "decode": lambda how, *row: seen.append(how) or decode(how, *row),
        "decode_delta": lambda *row: seen.append(How.DELTA) or delta(*row),
    }
    for name, spy in spies.items():
        monkeypatch.setattr(_together, name, spy)
    return seen


def read(reader, ids):
    return list(map(bytes, reader.get_chunks_at(ids, reader.locate(ids))))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_each_chunk_is_decoded_once(store, versions, decodings, order):
    reader = KeepingReader(store)
    for side in order:
        assert read(reader, versions[side][0]) == versions[side][1]
    assert decodings.count(How.ZSTD) == 8
    assert decodings.count(How.DELTA) == 5
    for side in order:
        assert read(store, versions[side][0]) == versions[side][1]
    assert decodings.count(How.ZSTD) == 8 + 8 + 3 + 5


def test_no_more_is_kept_than_there_is_room_for(store, versions, decodings):
    room = sum(map(len, versions[0][1][-2:]))
    reader = KeepingReader(store, room)
    (ids, datas), _ = versions
    for oid, data in zip(ids, datas, strict=True):
        assert read(reader, [oid]) == [data]
        assert sum(map(len, reader._kept.values())) <= room
    before = len(decodings)
    assert read(reader, ids[-2:]) == datas[-2:]
    assert len(decodings) == before
    assert read(reader, ids[1:2]) == datas[1:2]
    assert len(decodings) == before + 1


def test_what_is_kept_is_verified_again(store, versions):
    reader = KeepingReader(store)
    (ids, old), (changed, new) = versions
    assert read(reader, ids) == old
    for oid, data in reader._kept.items():
        reader._kept[oid] = bytes(len(data))
    assert read(reader, ids) == old
    assert read(reader, changed) == new


def test_threads_read_side_by_side(store, versions):
    reader = KeepingReader(store, 200_000)
    with ThreadPoolExecutor(4) as pool:
        sides = [versions[at % 2] for at in range(40)]
        found = pool.map(lambda side: read(reader, side[0]), sides)
        assert list(found) == [side[1] for side in sides]


def test_a_file_is_read_through_it(store, versions, decodings):
    reader = KeepingReader(store)
    for _ in range(2):
        file = ContentFile(reader, versions[0][0][1], len(versions[0][1][1]))
        assert file.read() == versions[0][1][1]
    assert decodings == [How.ZSTD]
