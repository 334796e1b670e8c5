"""Canonical JSON: one value, one byte string, and every other spelling refused."""

import json
from enum import IntEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.codec import canonical
from oxcore.errors import CorruptError, InvalidError
from oxcore.testing.strategies import json_values

MAX = canonical.MAX_INT


@settings(max_examples=200, deadline=None)
@given(json_values())
def test_values_read_back(value):
    data = canonical.dumps(value)
    assert canonical.loads(data, "a value") == value
    assert json.loads(data) == value


@settings(max_examples=200, deadline=None)
@given(json_values(), st.integers(0, 1000), st.binary(max_size=3))
def test_changed_bytes_are_refused_or_canonical_themselves(value, at, junk):
    data = canonical.dumps(value)
    at %= len(data)
    changed = data[:at] + junk + data[at + 1 :]
    try:
        read = canonical.loads(changed, "a value")
    except CorruptError:
        return
    assert canonical.dumps(read) == changed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" 1",
        b"1 ",
        b"1\n",
        b"-0",
        b"01",
        b"1.0",
        b"1e3",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        str(MAX + 1).encode(),
        str(-MAX - 1).encode(),
        b"9" * 5000,  # beyond what Python turns into an integer
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b"[1,]",
        b'"\\u0061"',
        b'"\\/"',
        b'"\\u000a"',
        b'"\\u001F"',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\x01"',
        b"\xef\xbb\xbf1",
        '"a"'.encode("utf-16"),
        '"a"'.encode("utf-16-le"),
        '"a"'.encode("utf-32-be"),
        b"1 2",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_other_spellings_are_refused(data):
    with pytest.raises(CorruptError, match="a value"):
        canonical.loads(data, "a value")


@pytest.mark.parametrize(
    "value",
    [
        0.0,
        1.5,
        float("nan"),
        MAX + 1,
        -MAX - 1,
        [10**5000],
        b"a",
        (1,),
        {1: 2},
        {None: 1},
        "\ud800",
        {"\ud800": 1},
        [{"a": 0.5}],
        object(),
    ],
)
def test_values_that_cannot_be_stored(value):
    with pytest.raises(InvalidError):
        canonical.dumps(value)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (MAX, b"9007199254740991"),
        (-MAX, b"-9007199254740991"),
        (True, b"true"),
        ({"b": [], "a": {}}, b'{"a":{},"b":[]}'),
        ('\x00\x1f\x7f\n\t\b\f\r"\\/', b'"\\u0000\\u001f\x7f\\n\\t\\b\\f\\r\\"\\\\/"'),
        ("\u20ac\u2028", "\u20ac\u2028".join('""').encode()),
        # by code point: in UTF-16, as RFC 8785 sorts, the first would come last
        ({"\uff5e": 1, "\U00010000": 2}, '{"\uff5e":1,"\U00010000":2}'.encode()),
    ],
)
def test_canonical_bytes_by_example(value, data):
    assert canonical.dumps(value) == data
    assert canonical.loads(data, "a value") == value


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value] if depth % 2 else {"a": value}
    return value


@pytest.mark.parametrize("depth", [64, 63])
def test_nesting_up_to_the_limit(depth):
    assert canonical.loads(canonical.dumps(nested(depth)), "a value") == nested(depth)


@pytest.mark.parametrize("depth", [65, 66, 5000])
def test_nesting_beyond_the_limit(depth):
    with pytest.raises(InvalidError, match="64"):
        canonical.dumps(nested(depth))


def test_an_enumeration_is_stored_as_its_number():
    assert canonical.dumps(IntEnum("E", "a b")["b"]) == b"2"
