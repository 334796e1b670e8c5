"""The operation log: records read back, and only sound ones."""

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.codec import canonical, oplog
from oxcore.codec.oplog import HEADER, Operation, check_header, encode, scan
from oxcore.errors import CorruptError, FormatError
from oxcore.model.commits import Moment
from oxcore.testing.strategies import moments, texts

values = st.none() | texts(12)
operations = st.builds(
    Operation,
    number=st.integers(1, 2**40),
    verb=texts(8),
    note=texts(),
    who=texts(),
    time=moments(),
    changes=st.dictionaries(texts(8), st.tuples(values, values), max_size=3),
    write_id=values,
    undoes=st.none() | st.integers(1, 9),
)
SOME = Operation(1, "add", "", "A", Moment(0), {"stage": (None, "00")})


@settings(max_examples=100, deadline=None)
@given(st.lists(operations, max_size=4))
def test_records_read_back(some):
    data = HEADER + b"".join(map(encode, some))
    check_header(data)
    found = list(scan(data, len(HEADER)))
    assert [operation for _, operation in found] == some
    assert [end for end, _ in found][-1:] == [len(data)][: len(some)]


@settings(max_examples=100, deadline=None)
@given(st.lists(operations, min_size=1, max_size=3), st.integers(1, 200))
def test_a_torn_end_gives_the_whole_records_before_it(some, lost):
    frames = [encode(operation) for operation in some]
    data = b"".join(frames)
    found = list(scan(data[: max(0, len(data) - lost)]))
    assert [operation for _, operation in found] == some[: len(found)]
    assert len(found) < len(some)
    assert found[-1][0] == sum(map(len, frames[: len(found)])) if found else True


@settings(max_examples=100, deadline=None)
@given(operations, st.integers(0, 5000), st.integers(1, 255))
def test_a_flipped_bit_ends_the_scan_before_the_record(operation, at, flip):
    data = bytearray(encode(SOME) + encode(operation))
    at = len(encode(SOME)) + at % len(encode(operation))
    data[at] ^= flip
    assert [found for _, found in scan(bytes(data))] == [SOME]


def framed(record):
    payload = canonical.dumps(record)
    length = len(payload).to_bytes(4, "little")
    return length + blake3(length + payload).digest(length=16) + payload


GOOD = {
    "number": 1,
    "verb": "add",
    "note": "",
    "who": "A",
    "us": 0,
    "offset": 0,
    "changes": {"stage": [None, "00"]},
    "write_id": None,
    "undoes": None,
}


def test_the_record_is_that_of_the_format():
    assert encode(SOME) == framed(GOOD)


@pytest.mark.parametrize(
    "change",
    [
        {"number": "1"},
        {"number": True},
        {"number": None},
        {"verb": 1},
        {"us": "0"},
        {"changes": []},
        {"changes": [None, None]},
        {"changes": None},
        {"changes": {"stage": None}},
        {"changes": {"stage": ["a"]}},
        {"changes": {"stage": ["a", "b", "c"]}},
        {"changes": {"stage": "ab"}},
        {"changes": {"stage": [1, None]}},
        {"write_id": 1},
        {"undoes": "1"},
        {"undoes": True},
        {"extra": 1},
    ],
)
def test_sound_frames_with_unsound_records(change):
    with pytest.raises(CorruptError):
        list(scan(framed({**GOOD, **change})))


@pytest.mark.parametrize("record", [[], 1, None, {}, {"number": 1}])
def test_sound_frames_with_something_else(record):
    with pytest.raises(CorruptError):
        list(scan(framed(record)))


def test_headers():
    with pytest.raises(CorruptError):
        check_header(b"")
    with pytest.raises(CorruptError):
        check_header(b"OXOPLOG\r" + HEADER[8:])
    for other in (oplog.MAGIC + b"\2" + bytes(7), oplog.MAGIC + b"\1\1" + bytes(6), oplog.MAGIC):
        with pytest.raises(FormatError):
            check_header(other)
