"""Reading ahead in a thread gives what ``content.read`` gives, and fails as it does."""

import threading
from array import array

import pytest

from oxcore.codec.manifest import Manifest, encode_manifest, encode_segment
from oxcore.errors import CorruptError, MissingError
from oxcore.model.counters import Counters
from oxcore.model.extents import Extent
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.store import MemoryLocator, MemoryStore, PackStore, content
from oxcore.store._files import VanishedError
from oxcore.store.stream import extents, stream
from oxcore.testing.stores import noise

PIECES = [noise(n, 100_000 + 1300 * n) for n in range(60)]  # more than waits in the queue
WHOLE = b"".join(PIECES)


def put_file(store, pieces, *, deep=False, oid=None):
    for piece in pieces:
        store.put(content_id(piece), Kind.CHUNK, piece)
    ids = [content_id(piece) for piece in pieces]
    manifest = Manifest(0, b"".join(ids), array("Q", map(len, pieces)))
    if deep:
        data = encode_segment(manifest)
        name = object_id(Kind.SEGMENT, data)
        store.put(name, Kind.SEGMENT, data)
        manifest = Manifest(1, name, array("Q", [manifest.size]))
    oid = oid or content_id(b"".join(pieces))
    store.put(oid, Kind.FILE, encode_manifest(manifest))
    return oid


@pytest.fixture(autouse=True)
def _no_thread_stays():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


@pytest.mark.parametrize("deep", [False, True])
def test_it_gives_the_file(deep):
    store = MemoryStore()
    oid = put_file(store, PIECES, deep=deep)
    assert list(stream(store, oid)) == list(content.read(store, oid)) == PIECES


def test_a_damaged_chunk_shows_in_the_whole():
    """Chunks are not proved one by one: the file is, before its end is given."""
    store = MemoryStore()
    oid = put_file(store, PIECES)
    bad = content_id(PIECES[30])
    store.objects[bad] = (Kind.CHUNK, bytes(len(PIECES[30])))
    taken = []
    with pytest.raises(CorruptError):
        for piece in stream(store, oid):
            taken.append(piece)  # noqa: PERF402 -- what comes before the error counts
    assert len(taken) < len(PIECES)


def test_a_file_of_one_chunk():
    store = MemoryStore()
    for data in (b"", b"abc"):
        store.put(content_id(data), Kind.CHUNK, data)
        assert b"".join(stream(store, content_id(data))) == data


def test_out_of_packs(tmp_path):
    store = PackStore(str(tmp_path / "packs"), MemoryLocator(), Counters())
    with store.batch() as batch:
        for piece in PIECES:
            batch.put(content_id(piece), Kind.CHUNK, piece)
        lengths = array("Q", map(len, PIECES))
        ids = b"".join(map(content_id, PIECES))
        batch.put(content_id(WHOLE), Kind.FILE, encode_manifest(Manifest(0, ids, lengths)))
    before = store.counters.objects_read
    assert b"".join(stream(store, content_id(WHOLE))) == WHOLE
    assert store.counters.objects_read - before == len(PIECES) + 1, "each is read once"


@pytest.mark.parametrize("which", [0, 30, 59])
def test_a_chunk_that_is_missing(which):
    store = MemoryStore()
    oid = put_file(store, PIECES)
    del store.objects[content_id(PIECES[which])]
    with pytest.raises(MissingError):
        list(stream(store, oid))


def test_the_last_piece_waits_for_the_proof():
    """Sound chunks that give another file: whoever writes it never gets to the end."""
    store = MemoryStore()
    oid = put_file(store, PIECES, oid=bytes(32))
    got = []
    with pytest.raises(CorruptError):
        got.extend(stream(store, oid))
    taken = []
    with pytest.raises(CorruptError):
        for piece in stream(store, oid):
            taken.append(piece)  # noqa: PERF402 -- what comes before the error counts
    assert 0 < sum(map(len, taken)) < len(WHOLE)
    assert taken == PIECES[: len(taken)]


def test_a_chunk_of_another_length():
    store = MemoryStore()
    oid = put_file(store, PIECES)
    wrong = array("Q", map(len, PIECES))
    wrong[3], wrong[4] = wrong[3] + 1, wrong[4] - 1
    ids = b"".join(map(content_id, PIECES))
    store.objects[oid] = (Kind.FILE, encode_manifest(Manifest(0, ids, wrong)))
    with pytest.raises(CorruptError, match="bytes, not"):
        list(stream(store, oid))


@pytest.mark.parametrize("taken", [0, 1, 20])
def test_who_stops_early_leaves_nothing_behind(taken):
    store = MemoryStore()
    pieces = stream(store, put_file(store, PIECES))
    for _ in range(taken):
        next(pieces)
    pieces.close()


def packed(tmp_path, pieces, size=1 << 20):
    """A store that has a file of these pieces, and its id."""
    store = PackStore(str(tmp_path / "packs"), MemoryLocator(), Counters(), pack_size=size)
    oid = content_id(b"".join(pieces))
    with store.batch() as batch:
        for piece in pieces:
            batch.put(content_id(piece), Kind.CHUNK, piece)
        ids = b"".join(map(content_id, pieces))
        manifest = Manifest(0, ids, array("Q", map(len, pieces)))
        batch.put(oid, Kind.FILE, encode_manifest(manifest))
    return store, oid


def as_bytes(piece):
    return piece.file.read(piece.offset, piece.size) if isinstance(piece, Extent) else bytes(piece)


TEXTS = [b"%d, " % n * 20_000 for n in range(9)]


@pytest.mark.parametrize(
    "pieces",
    [PIECES, [*PIECES[:9], *TEXTS, *PIECES[9:]], PIECES[:1], [PIECES[0], TEXTS[0], PIECES[1]]],
)
def test_what_is_not_compressed_is_told_by_its_place(tmp_path, pieces):
    store, oid = packed(tmp_path, pieces)
    before = store.counters.objects_read
    found = list(extents(store, oid))
    assert b"".join(map(as_bytes, found)) == b"".join(pieces)
    assert store.counters.objects_read - before <= len(pieces) + 1
    told = [piece for piece in found if isinstance(piece, Extent)]
    assert sum(one.size for one in told) == sum(len(one) for one in pieces if one in PIECES)
    assert len(told) <= len(store.files.names()) + (2 if set(pieces) & set(TEXTS) else 0)


def test_what_is_mostly_compressed_is_to_be_streamed(tmp_path):
    store, oid = packed(tmp_path, [*TEXTS, PIECES[0]])
    assert extents(store, oid) is None


def test_a_pack_that_is_gone_is_not_missed_where_its_objects_lie_elsewhere(tmp_path, monkeypatch):
    store, oid = packed(tmp_path, PIECES)

    def gone(_):
        raise VanishedError("gone")

    monkeypatch.setattr(store, "extents", gone)
    assert list(extents(store, oid)) == PIECES
