"""The index of a pack: read back, and refused where a length or the checksum is wrong."""

import struct

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.codec import pack
from oxcore.codec.pack import HEADER, TRAILER_SIZE, PackIndex, index_span, open_index, seal
from oxcore.errors import CorruptError, FormatError, InvalidError
from oxcore.testing.strategies import ids

objects = st.lists(
    st.tuples(
        ids(),
        st.integers(1, 6),
        st.integers(0, 2),
        st.integers(0, 2**32 - 1),
        st.binary(max_size=9),
    ),
    max_size=6,
)


def pack_of(rows):
    index, payloads = PackIndex(), b""
    for oid, kind, how, raw, payload in rows:
        index.add(oid, kind, how, raw, len(payload))
        payloads += payload
    tail, name = seal(index)
    return HEADER + payloads + tail, name


def read(data):
    start, length = index_span(data[-TRAILER_SIZE:], len(data), "a pack")
    return open_index(data[: len(HEADER)], data[start : start + length], "a pack")


@settings(max_examples=100, deadline=None)
@given(objects)
def test_packs_read_back(rows):
    data, name = pack_of(rows)
    index, found = read(data)
    assert found == name
    assert len(index) == len(rows)
    for (oid, location), (want, kind, how, raw, payload) in zip(index.rows(7), rows, strict=True):
        assert (oid, location.pack) == (want, 7)
        assert (location.kind, location.how, location.raw) == (kind, how, raw)
        assert data[location.offset : location.offset + location.stored] == payload


@settings(max_examples=100, deadline=None)
@given(objects)
def test_the_order_of_columns_is_that_of_the_format(rows):
    data, name = pack_of(rows)
    count, payloads = len(rows), b"".join(row[4] for row in rows)
    body = b"".join(
        [
            *(row[0] for row in rows),
            *(struct.pack("<I", len(row[4])) for row in rows),
            *(struct.pack("<I", row[3]) for row in rows),
            bytes(row[1] for row in rows),
            bytes(row[2] for row in rows),
        ]
    )
    tail = struct.pack("<QQ", count, 16 + len(payloads))
    header = b"OXPACK\r\n\1\1" + bytes(6)
    assert name == blake3(header + body + tail).digest()
    assert data == header + payloads + body + tail + name + b"OXPKEND\n"


@settings(max_examples=200, deadline=None)
@given(objects, st.integers(0, 2000), st.binary(max_size=2))
def test_changed_bytes_outside_the_payloads_are_refused(rows, at, junk):
    data, _ = pack_of(rows)
    at %= len(data)
    payloads = sum(len(row[4]) for row in rows)
    changed = data[:at] + junk + data[at + 1 :]
    if changed == data or (16 <= at < 16 + payloads and len(junk) == 1):
        return
    with pytest.raises((CorruptError, FormatError)):
        read(changed)


@settings(max_examples=100, deadline=None)
@given(objects, st.integers(1, 2000))
def test_truncated_packs_are_refused(rows, cut):
    data, _ = pack_of(rows)
    with pytest.raises(CorruptError):
        read(data[: max(0, len(data) - cut)])


def resealed(count, end, body):
    """What an attacker can make: a sound checksum over an unsound index."""
    tail = struct.pack("<QQ", count, end)
    return body + tail + blake3(HEADER + body + tail).digest() + b"OXPKEND\n"


@pytest.mark.parametrize(
    ("count", "end", "body"),
    [
        (2, 16, b"x" * 41),
        (1, 16, b"x" * 43),
        (2**60, 16, b""),
        (0, 16, b"x"),
        (0, 17, b""),
        (1, 16, bytes(32) + b"\1\0\0\0" + bytes(4) + b"\1\0"),
    ],
)
def test_lengths_that_do_not_add_up(count, end, body):
    with pytest.raises(CorruptError):
        open_index(HEADER, resealed(count, end, body), "a pack")


@pytest.mark.parametrize(("kind", "how"), [(0, 0), (7, 0), (1, 3), (255, 255)])
def test_kinds_of_a_later_release(kind, how):
    body = bytes(40) + bytes([kind, how])
    with pytest.raises(FormatError, match="kind"):
        open_index(HEADER, resealed(1, 16, body), "a pack")


@pytest.mark.parametrize("size", [0, 7, 8, 9, 15])
def test_a_header_that_is_cut_short(size):
    with pytest.raises(CorruptError, match="no pack"):
        open_index(HEADER[:size], resealed(0, 16, b""), "a pack")


@pytest.mark.parametrize("size", [0, 8, TRAILER_SIZE - 1])
def test_an_index_that_is_cut_short(size):
    with pytest.raises(CorruptError, match="cut short"):
        open_index(HEADER, resealed(0, 16, b"")[:size], "a pack")


@pytest.mark.parametrize("at", [8, 9, 12])
def test_packs_of_a_later_release(at):
    header = bytearray(HEADER)
    header[at] += 1
    with pytest.raises(FormatError, match="version"):
        open_index(bytes(header), resealed(0, 16, b""), "a pack")


@pytest.mark.parametrize(("raw", "stored"), [(2**32, 0), (0, 2**32), (2**40, 2**40)])
def test_an_object_too_large_leaves_the_index_as_it_was(raw, stored):
    index = PackIndex()
    with pytest.raises(InvalidError, match="4 GiB"):
        index.add(bytes(32), 1, 0, raw, stored)
    assert seal(index) == seal(PackIndex())


def test_columns_have_four_bytes_a_number_on_every_machine(monkeypatch):
    index = PackIndex()
    index.add(bytes(32), 1, 0, 0x01020304, 5)
    assert (index.raws.itemsize, index.stored.itemsize) == (4, 4)
    little = pack.pack_u32(index.raws)
    monkeypatch.setattr(pack, "_SWAP", not pack._SWAP)
    assert pack.pack_u32(index.raws) == little[::-1]
    assert list(pack.unpack_u32(little[::-1])) == [0x01020304]
    assert list(index.raws) == [0x01020304]
