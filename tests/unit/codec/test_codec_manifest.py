"""Manifests, segments and the cuts between segments."""

import struct
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.codec import manifest as codec
from oxcore.codec.manifest import (
    SEGMENT_MAX,
    SEGMENT_MIN,
    Manifest,
    decode_manifest,
    decode_segment,
    encode_manifest,
    encode_segment,
    segment_bounds,
)
from oxcore.errors import CorruptError, InvalidError
from oxcore.testing.strategies import ids

children = st.lists(st.tuples(ids(), st.integers(1, 1 << 40)), min_size=1, max_size=6)


def manifest_of(depth, pairs):
    return Manifest(depth, b"".join(oid for oid, _ in pairs), [size for _, size in pairs])


def plain(manifest):
    return manifest._replace(lengths=list(manifest.lengths))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1), children)
def test_manifests_read_back(depth, pairs):
    manifest = manifest_of(depth, pairs)
    read = decode_manifest(encode_manifest(manifest))
    assert plain(read) == manifest
    assert read.children() == [oid for oid, _ in pairs]
    assert read.size == sum(size for _, size in pairs)


@settings(max_examples=50, deadline=None)
@given(children)
def test_segments_read_back(pairs):
    segment = manifest_of(0, pairs)
    assert plain(decode_segment(encode_segment(segment))) == segment
    with pytest.raises(CorruptError):
        decode_manifest(encode_segment(segment))


@settings(max_examples=300, deadline=None)
@given(children, st.integers(0, 400), st.binary(max_size=3))
def test_changed_bytes_are_refused_or_canonical_themselves(pairs, at, junk):
    data = encode_manifest(manifest_of(0, pairs))
    at %= len(data)
    for changed in (data[:at] + junk + data[at + 1 :], data[:at] + junk):
        try:
            read = decode_manifest(changed)
        except CorruptError:
            continue
        assert encode_manifest(read) == changed


@pytest.mark.parametrize(
    "manifest",
    [
        Manifest(0, b"", []),
        Manifest(0, bytes(32), [0]),
        Manifest(0, bytes(64), [1]),
        Manifest(0, bytes(31), [1]),
        Manifest(2, bytes(32), [1]),
        Manifest(0, bytes(64), [2**52, 2**52]),
        Manifest(0, bytes(32) * (SEGMENT_MAX + 1), [1] * (SEGMENT_MAX + 1)),
    ],
)
def test_manifests_that_break_a_rule(manifest):
    with pytest.raises(InvalidError):
        encode_manifest(manifest)
    count = len(manifest.lengths)
    data = struct.pack("<4sBBHI", b"OXMF", 1, manifest.depth, 0, count) + manifest.ids
    with pytest.raises(CorruptError):
        decode_manifest(data + struct.pack(f"<{count}Q", *manifest.lengths))


@pytest.mark.parametrize("header", [b"OXMG\1\0\0\0", b"OXMF\2\0\0\0", b"OXMF\1\0\1\0", b"OXMF"])
def test_other_headers(header):
    with pytest.raises(CorruptError):
        decode_manifest(header + b"\1\0\0\0" + bytes(32) + b"\1" + bytes(7))


def test_a_segment_holds_chunks_only():
    with pytest.raises(InvalidError):
        encode_segment(Manifest(1, bytes(32), [1]))
    data = bytearray(encode_segment(Manifest(0, bytes(32), [1])))
    data[5] = 1
    with pytest.raises(CorruptError, match="segments"):
        decode_segment(bytes(data))


def slow_bounds(chunks):
    """The rule of docs/format.md, chunk by chunk."""
    ends, length = [], 0
    for index, oid in enumerate(chunks):
        length += 1
        low = int.from_bytes(oid[:2], "big") < 128
        if length == 2048 or (low and length >= 128) or index + 1 == len(chunks):
            ends.append(index + 1)
            length = 0
    return ends


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 6000), st.integers(0, 99), st.sampled_from([0, 1 / 512, 0.02]))
def test_segments_follow_the_rule(count, seed, share):
    random = Random(seed)
    chunks = [
        (b"\0" if random.random() < share else b"\xff") + random.randbytes(31) for _ in range(count)
    ]
    ends = segment_bounds(b"".join(chunks))
    assert ends == slow_bounds(chunks)
    lengths = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    assert all(SEGMENT_MIN <= length <= SEGMENT_MAX for length in lengths[:-1])


def test_an_edit_changes_only_the_segments_near_it():
    chunks = [Random(number).randbytes(32) for number in range(20_000)]
    before = segments(chunks)
    after = segments([*chunks[:9000], Random(-1).randbytes(32), *chunks[9001:]])
    assert len(before) > 20
    assert len(before ^ after) <= 4


def segments(chunks):
    ends = segment_bounds(b"".join(chunks))
    return {tuple(chunks[start:end]) for start, end in zip([0, *ends], ends, strict=False)}


def test_the_constants_are_those_of_the_format():
    assert (codec.SEGMENT_MIN, codec.SEGMENT_MAX, codec.SEGMENT_CUT) == (128, 2048, 128)
