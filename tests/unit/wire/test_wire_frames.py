"""Streams come back whole however they are cut into parts, and a cut one is recognised."""

import struct

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
from oxcore.wire.frames import FRAME, HEADER, StreamReader, encode_stream, end_frame

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


@settings(max_examples=100, deadline=None)
@given(OBJECTS, st.lists(IDS, max_size=3), st.lists(st.integers(0, 60), max_size=20))
def test_a_stream_comes_back_however_it_is_cut(objects, missing, sizes):
    data = b"".join(encode_stream(objects, lambda: missing))
    reader = StreamReader(cut(data, sizes))
    assert list(reader) == objects
    assert reader.missing == missing
    assert reader.count == len(objects)


@settings(max_examples=60, deadline=None)
@given(OBJECTS, st.data())
def test_a_stream_that_is_cut_is_recognised_and_gives_what_came(objects, data):
    whole = b"".join(encode_stream(objects))
    length = data.draw(st.integers(0, len(whole) - 1))
    got = []
    with pytest.raises(UnreachableError, match="broke off"):
        got.extend(iter_into(StreamReader([whole[:length]]), got))
    assert got == objects[: len(got)]


def iter_into(reader, got):
    for item in reader:
        got.append(item)
    return ()


def test_parts_are_of_about_the_size_asked_for():
    item = Stored(bytes(32), 1, 0, 1000, bytes(1000))
    sizes = [len(part) for part in encode_stream([item] * 100, part=10_000)]
    assert len(sizes) == 11
    assert max(sizes) < 12_000


def test_an_error_while_sending_reaches_the_reader():
    def objects():
        yield Stored(bytes(32), 1, 0, 1, b"x")
        raise CorruptError("pack 7 is damaged", hint="ox fsck", items=["a"])

    reader = StreamReader(encode_stream(objects()))
    with pytest.raises(CorruptError) as caught:
        list(reader)
    assert (caught.value.message, caught.value.hint) == ("pack 7 is damaged", "ox fsck")
    assert reader.count == 1


def frame(kind=1, how=0, raw=1, stored=1, payload=b"x"):
    return HEADER + FRAME.pack(kind, how, bytes(32), raw, stored) + payload + end_frame(1)


@pytest.mark.parametrize(
    "data",
    [
        frame(kind=7),
        frame(kind=255),
        frame(how=2),
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
    with pytest.raises(FormatError, match="version 2"):
        list(StreamReader([struct.pack("<8sB7x", b"OXSTREAM", 2) + end_frame(0)]))


def test_missing_ids_can_be_an_error():
    reader = StreamReader([HEADER + end_frame(0, [b"\7" * 32])])
    assert list(reader) == []
    with pytest.raises(MissingError) as caught:
        reader.require_all()
    assert caught.value.items == ("07" * 32,)
