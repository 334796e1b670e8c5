from __future__ import annotations

import io
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.codec.manifest import Manifest, encode_manifest, encode_segment
from oxcore.errors import CorruptError, MissingError, UsageError
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.store import ContentFile, MemoryStore, content
from oxcore.testing.stores import noise


def put_chunk(store, data):
    store.put(content_id(data), Kind.CHUNK, data)
    return content_id(data)


def put_file(store, pieces, *, segment=0, oid=None):
    """A file of these chunks; with ``segment`` of two levels, so many chunks a segment."""
    ids = [put_chunk(store, piece) for piece in pieces]
    lengths = [len(piece) for piece in pieces]
    manifest = Manifest(0, b"".join(ids), array("Q", lengths))
    if segment:
        spans = [slice(at, at + segment) for at in range(0, len(ids), segment)]
        runs = [Manifest(0, b"".join(ids[span]), array("Q", lengths[span])) for span in spans]
        encoded = [encode_segment(run) for run in runs]
        names = [object_id(Kind.SEGMENT, data) for data in encoded]
        for name, data in zip(names, encoded, strict=True):
            store.put(name, Kind.SEGMENT, data)
        manifest = Manifest(1, b"".join(names), array("Q", [run.size for run in runs]))
    oid = oid or content_id(b"".join(pieces))
    store.objects[oid] = (Kind.FILE, encode_manifest(manifest))
    return oid


PIECES = [noise(n, 700 + 13 * n) for n in range(9)]
WHOLE = b"".join(PIECES)


@pytest.fixture(params=[0, 2, 100], ids=["flat", "segments", "one segment"])
def stored(request):
    store = MemoryStore()
    return store, put_file(store, PIECES, segment=request.param)


def test_one_chunk_is_a_file():
    store = MemoryStore()
    for data in (b"", b"abc"):
        oid = put_chunk(store, data)
        assert content.kind_of(store, oid) == Kind.CHUNK
        assert list(content.read(store, oid)) == [data]
        assert [part[:3] for part in content.parts(store, oid)] == [(oid, Kind.CHUNK, len(data))]
        assert list(content.chunks(store, oid)) == [(oid, len(data))]
        assert ContentFile(store, oid, len(data)).read() == data


def test_read(stored):
    store, oid = stored
    assert content.kind_of(store, oid) == Kind.FILE
    assert list(content.read(store, oid)) == PIECES


def test_chunks(stored):
    store, oid = stored
    assert list(content.chunks(store, oid)) == [(content_id(p), len(p)) for p in PIECES]


def test_parts_names_every_object_and_reads_no_chunk(stored):
    store, oid = stored
    objects = set(store.objects)
    for piece in PIECES:
        del store.objects[content_id(piece)]
    listed = list(content.parts(store, oid))
    assert {part.oid for part in listed} == objects
    assert listed[0][:3] == (oid, Kind.FILE, len(WHOLE))
    assert sum(part.length for part in listed if part.kind == Kind.CHUNK) == len(WHOLE)


def test_missing_chunk_is_named(stored):
    store, oid = stored
    gone = content_id(PIECES[4])
    del store.objects[gone]
    with pytest.raises(MissingError) as caught:
        list(content.read(store, oid))
    assert caught.value.items == (gone.hex(),)
    file = ContentFile(store, oid, len(WHOLE))
    assert file.read(10) == WHOLE[:10]
    with pytest.raises(MissingError):
        file.readall()


def test_no_such_content():
    store = MemoryStore()
    for act in (content.kind_of, lambda *a: list(content.read(*a)), lambda *a: ContentFile(*a, 3)):
        with pytest.raises(MissingError):
            act(store, content_id(b"x"))


def test_a_tree_is_no_content():
    store = MemoryStore()
    oid = object_id(Kind.TREE, b"t")
    store.put(oid, Kind.TREE, b"t")
    with pytest.raises(CorruptError):
        content.kind_of(store, oid)
    wrong = put_file(store, [b"ab", b"cd"])
    store.objects[content_id(b"cd")] = (Kind.TREE, b"t")
    with pytest.raises(CorruptError):
        list(content.read(store, wrong))


def test_wrong_manifest_never_gives_its_last_piece(stored):
    store, oid = stored
    store.objects[content_id(b"other")] = store.objects[oid]
    pieces = content.read(store, content_id(b"other"))
    got = [next(pieces) for _ in PIECES[1:]]
    assert got == PIECES[:-1]
    with pytest.raises(CorruptError, match=content_id(b"other").hex()):
        next(pieces)


def test_wrong_lengths_are_found():
    store = MemoryStore()
    oid = put_file(store, [b"abc", b"de"])
    ids = content_id(b"abc") + content_id(b"de")
    store.objects[oid] = (Kind.FILE, encode_manifest(Manifest(0, ids, (2, 3))))
    with pytest.raises(CorruptError, match=oid.hex()):
        list(content.read(store, oid))
    with pytest.raises(CorruptError):
        ContentFile(store, oid, 5).readall()
    with pytest.raises(CorruptError):
        ContentFile(store, oid, 6)


def test_segment_of_another_length_is_found():
    store = MemoryStore()
    oid = put_file(store, PIECES, segment=2)
    manifest = content.decode_manifest(store.get(oid, Kind.FILE))
    lengths = [n + 1 for n in manifest.lengths]
    store.objects[oid] = (Kind.FILE, encode_manifest(Manifest(1, manifest.ids, lengths)))
    with pytest.raises(CorruptError):
        list(content.read(store, oid))
    with pytest.raises(CorruptError):
        ContentFile(store, oid, sum(lengths)).read(5)


class TestNested:
    """A chunk that the store holds as a file of smaller chunks."""

    def store(self, *, segment=0):
        store = MemoryStore()
        oid = put_file(store, [b"first", PIECES[3], b"last"], segment=segment)
        halves = [PIECES[3][:100], PIECES[3][100:]]
        put_file(store, halves)
        return store, oid, b"first" + PIECES[3] + b"last"

    @pytest.mark.parametrize("segment", [0, 2])
    def test_is_followed(self, segment):
        store, oid, whole = self.store(segment=segment)
        assert b"".join(content.read(store, oid)) == whole
        assert ContentFile(store, oid, len(whole)).read() == whole
        assert [length for _, length in content.chunks(store, oid)] == [5, 100, 639, 4]
        assert {part.oid for part in content.parts(store, oid)} == set(store.objects)

    def test_two_levels_are_refused(self):
        store, oid, _ = self.store()
        put_file(store, [PIECES[3][:50], PIECES[3][50:100]])
        with pytest.raises(CorruptError):
            list(content.read(store, oid))
        with pytest.raises(CorruptError):
            list(content.parts(store, oid))

    @pytest.mark.parametrize("lengths", [(8,), (4, 4)])
    def test_circles_end(self, lengths):
        store = MemoryStore()
        oid = content_id(b"a circle")
        manifest = Manifest(0, oid * len(lengths), lengths)
        store.objects[oid] = (Kind.FILE, encode_manifest(manifest))
        for act in (content.read, content.parts):
            with pytest.raises(CorruptError):
                list(act(store, oid))
        with pytest.raises(CorruptError):
            ContentFile(store, oid, 8).readall()

    def test_length_of_the_inner_file_counts(self):
        store, oid, _ = self.store()
        inner = content_id(PIECES[3])
        store.objects[inner] = (Kind.FILE, encode_manifest(Manifest(0, content_id(b"last"), (4,))))
        with pytest.raises(CorruptError):
            list(content.parts(store, oid))


def test_prove_manifest(stored):
    store, oid = stored
    data = store.get(oid, Kind.FILE)
    content.prove_manifest(store, oid, data)
    with pytest.raises(CorruptError):
        content.prove_manifest(store, content_id(b"x"), data)
    del store.objects[content_id(PIECES[0])]
    with pytest.raises(MissingError):
        content.prove_manifest(store, oid, data)


def test_content_file_is_a_file(stored):
    store, oid = stored
    file = io.BufferedReader(ContentFile(store, oid, len(WHOLE)), 1000)
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    assert file.read() == WHOLE
    assert file.seek(-5, io.SEEK_END) == len(WHOLE) - 5
    assert file.read(100) == WHOLE[-5:]
    assert file.read(1) == b""
    file.seek(len(WHOLE) + 9)
    assert file.read(1) == b""
    raw = ContentFile(store, oid, len(WHOLE))
    with pytest.raises(UsageError):
        raw.seek(-1)
    with pytest.raises(UsageError):
        raw.seek(0, 9)
    with raw:
        pass
    with pytest.raises(ValueError):
        raw.read(1)


def test_content_file_reads_only_what_it_needs():
    store = MemoryStore()
    oid = put_file(store, PIECES, segment=2)
    keep = {oid, content_id(PIECES[5])}
    store.objects = {
        name: value
        for name, value in store.objects.items()
        if name in keep or value[0] == Kind.SEGMENT
    }
    start = sum(map(len, PIECES[:5]))
    file = ContentFile(store, oid, len(WHOLE))
    file.seek(start + 3)
    assert file.read(100) == PIECES[5][3:103]


def test_a_read_of_several_chunks_of_which_one_is_damaged_moves_nothing():
    store = MemoryStore()
    oid = put_file(store, PIECES)
    file = ContentFile(store, oid, len(WHOLE))
    store.objects[content_id(PIECES[3])] = (Kind.CHUNK, bytes(len(PIECES[3])))
    file.seek(7)
    with pytest.raises(CorruptError):
        file.readinto(bytearray(len(WHOLE)))
    assert file.tell() == 7
    assert file.read(5) == WHOLE[7:12]


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=12),
    segment=st.integers(0, 4),
    steps=st.lists(st.tuples(st.integers(0, 800), st.integers(0, 300)), max_size=15),
)
def test_content_file_agrees_with_bytes(sizes, segment, steps):
    store = MemoryStore()
    pieces = [noise(n, size) for n, size in enumerate(sizes)]
    whole = b"".join(pieces)
    oid = put_file(store, pieces, segment=segment) if pieces[1:] else put_chunk(store, whole)
    assert b"".join(content.read(store, oid)) == whole
    ours, theirs = ContentFile(store, oid, len(whole)), io.BytesIO(whole)
    for position, count in steps:
        assert ours.seek(position) == theirs.seek(position)
        assert _read_full(ours, count) == theirs.read(count)
        assert ours.tell() == theirs.tell()


def _read_full(file, count):
    out = b""
    while len(out) < count and (part := file.read(count - len(out))):
        out += part
    return out
