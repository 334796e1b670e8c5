"""Streams come back whole however they are cut into parts, and a cut one is recognised."""

import struct
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import (
    CorruptError,
    FormatError,
    InvalidError,
    MissingError,
    UnreachableError,
)
from oxcore.model.protocols import Stored
from oxcore.model.run import objects_of, run_of
from oxcore.wire.frames import (
    FRAME,
    HEADER,
    StreamReader,
    encode_stream,
    end_frame,
    frame_header,
    run_header,
)

IDS = st.binary(min_size=32, max_size=32)
OBJECTS = st.lists(
    st.builds(
        lambda oid, kind, how, data, more: Stored(oid, kind, how, len(data) + more * how, data),
        IDS,
        st.integers(1, 6),
        st.integers(0, 1),
        st.binary(max_size=40),
        st.integers(0, 9),
    ),
    max_size=8,
)


def cut(data, sizes):
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


def lots(objects, sizes=()):
    """Runs of the objects, of these sizes, then of three."""
    left = list(objects)
    for size in [*sizes, *[3] * len(left)]:
        lot, left = left[: size % 5], left[size % 5 :]
        if lot:
            yield run_of(lot)


def old(objects):
    """A stream of version 1."""
    frames = b"".join(frame_header(item) + item.payload for item in objects)
    return struct.pack("<8sB7x", b"OXSTREAM", 1) + frames + end_frame(len(objects))


def ends_of(objects, whole):
    """Where the payload of each object ends in a stream of either version."""
    if whole[8] == 1:
        return list(accumulate((42 + len(one.payload) for one in objects), initial=16))[1:]
    ends, at = [], 16
    for lot in lots(objects):
        at += len(run_header(lot))
        for length in lot.stored:
            at += length
            ends.append(at)
    return ends


@settings(max_examples=50, deadline=None)
@given(OBJECTS, st.lists(st.integers(0, 60), max_size=20))
def test_a_stream_of_version_1_is_read(objects, sizes):
    reader = StreamReader(cut(old(objects), sizes))
    assert list(objects_of(reader)) == objects
    assert reader.count == len(objects)


@settings(max_examples=100, deadline=None)
@given(OBJECTS, st.lists(IDS, max_size=3), st.lists(st.integers(0, 60), max_size=20))
def test_a_stream_comes_back_however_it_is_cut(objects, missing, sizes):
    data = b"".join(encode_stream(lots(objects, sizes), lambda: missing))
    reader = StreamReader(cut(data, sizes))
    assert list(objects_of(reader)) == objects
    assert reader.missing == missing
    assert reader.count == len(objects)


@settings(max_examples=60, deadline=None)
@given(OBJECTS, st.data())
def test_a_stream_that_is_cut_is_recognised_and_gives_what_came(objects, data):
    whole = data.draw(st.sampled_from([b"".join(encode_stream(lots(objects))), old(objects)]))
    length = data.draw(st.integers(0, len(whole) - 1))
    got = []
    with pytest.raises(UnreachableError, match="broke off"):
        got.extend(iter_into(StreamReader([whole[:length]]), got))
    ends = ends_of(objects, whole)
    assert got == objects[: sum(end <= length for end in ends)]


def iter_into(reader, got):
    for item in objects_of(reader):
        got.append(item)
    return ()


def test_parts_are_of_about_the_size_asked_for():
    item = Stored(bytes(32), 1, 0, 1000, bytes(1000))
    sizes = [len(part) for part in encode_stream([run_of([item])] * 100, part=10_000)]
    assert len(sizes) == 11
    assert max(sizes) < 12_000


def test_the_payload_of_a_large_run_is_not_copied():
    run = run_of([Stored(bytes(32), 1, 0, 1 << 19, bytes(1 << 19))])
    parts = list(encode_stream([run]))
    assert [part is run.blob for part in parts] == [False, True, False]


def test_an_error_while_sending_reaches_the_reader():
    def objects():
        yield run_of([Stored(bytes(32), 1, 0, 1, b"x")])
        raise CorruptError("pack 7 is damaged", hint="ox fsck", items=["a"])

    reader = StreamReader(encode_stream(objects()))
    with pytest.raises(CorruptError) as caught:
        list(reader)
    assert (caught.value.message, caught.value.hint) == ("pack 7 is damaged", "ox fsck")
    assert reader.count == 1


def frame(kind=1, how=0, raw=1, stored=1, payload=b"x"):
    return HEADER + FRAME.pack(kind, how, bytes(32), raw, stored) + payload + end_frame(1)


def many(count=2, how=0, lengths=(1, 2), raws=(1, 2), kinds=b"\1\1", hows=b"\0\0"):
    columns = bytes(64) + struct.pack("<IIII", *lengths, *raws) + kinds + hows
    head = FRAME.pack(7, how, bytes(32), count, len(columns) + 3)
    return HEADER + head + columns + b"abc" + end_frame(2)


def test_a_run_that_keeps_the_rules_is_read():
    (run,) = StreamReader([many()])
    assert [item.payload for item in run.objects()] == [b"a", b"bc"]


@pytest.mark.parametrize(
    "data",
    [
        frame(kind=7),
        frame(kind=8),
        many(count=0),
        many(count=70_000),
        many(how=1),
        many(lengths=(1, 3)),
        many(kinds=b"\1\7"),
        many(hows=b"\0\3"),
        many(raws=(1, 3)),
        many(raws=(1, 1 << 25), hows=b"\1\1"),
        frame(kind=255),
        frame(how=3),
        frame(kind=4, how=2),
        frame(raw=1 << 25, how=1),
        frame(raw=1 << 25, stored=1 << 25),
        frame(raw=2),
        b"NOTASTRM" + HEADER[8:] + end_frame(0),
        HEADER + end_frame(1),
        HEADER + end_frame(0) + b"x",
        HEADER + FRAME.pack(0, 2, bytes(32), 0, 2) + b"{}",
        HEADER + FRAME.pack(0, 0, b"\1" * 32, 0, 2) + b"{}",
        HEADER + FRAME.pack(0, 0, bytes(32), 0, 2) + b"[]",
        HEADER + FRAME.pack(0, 0, bytes(32), 0, 14) + b'{"missing": 1}',
    ],
)
def test_a_frame_that_breaks_the_rules_is_refused(data):
    with pytest.raises(InvalidError):
        list(StreamReader([data]))


def test_a_stream_of_another_version_is_told():
    with pytest.raises(FormatError, match="version 3"):
        list(StreamReader([struct.pack("<8sB7x", b"OXSTREAM", 3) + end_frame(0)]))


def test_missing_ids_can_be_an_error():
    reader = StreamReader([HEADER + end_frame(0, [b"\7" * 32])])
    assert list(reader) == []
    with pytest.raises(MissingError) as caught:
        reader.require_all()
    assert caught.value.items == ("07" * 32,)
