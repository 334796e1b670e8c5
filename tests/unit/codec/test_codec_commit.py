"""Commits and tags: read back, and refused in any form but the canonical one."""

import json
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.codec import canonical
from oxcore.codec.commit import (
    decode_commit,
    decode_tag,
    encode_commit,
    encode_tag,
    signed_payload,
)
from oxcore.errors import CorruptError, InvalidError
from oxcore.model.commits import Commit, Moment, Person, Tag
from oxcore.testing.strategies import commits, tags

ID = bytes(range(32))
SOME = Commit(ID, (ID,), Person("A", "a@b"), Moment(5, 60), "why", {"k": [1, None]})
TAG = Tag(ID, "v1", Person("A"), Moment(5, -60), "first")


@settings(max_examples=100, deadline=None)
@given(commits())
def test_commits_read_back(commit):
    assert decode_commit(encode_commit(commit)) == commit


@settings(max_examples=50, deadline=None)
@given(tags())
def test_tags_read_back(tag):
    assert decode_tag(encode_tag(tag)) == tag


@settings(max_examples=100, deadline=None)
@given(commits())
def test_a_signature_covers_all_but_itself(commit):
    assert signed_payload(commit) == encode_commit(commit._replace(signature=None))
    assert signed_payload(commit._replace(signature="other")) == signed_payload(commit)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10_000), st.binary(max_size=2), st.sampled_from([SOME, TAG]))
def test_changed_bytes_are_refused_or_canonical_themselves(at, junk, value):
    is_tag = isinstance(value, Tag)
    encode, decode = (encode_tag, decode_tag) if is_tag else (encode_commit, decode_commit)
    data = encode(value)
    at %= len(data)
    changed = data[:at] + junk + data[at + 1 :]
    try:
        read = decode(changed)
    except CorruptError:
        return
    assert encode(read) == changed


def altered(value, **fields):
    """The canonical JSON of a commit with some of its fields put differently."""
    record = json.loads(encode_commit(value))
    record.update(fields)
    return canonical.dumps({key: item for key, item in record.items() if item is not Ellipsis})


@pytest.mark.parametrize(
    "fields",
    [
        {"tree": ID.hex().upper()},
        {"tree": ID.hex()[:-2]},
        {"tree": 5},
        {"tree": ...},
        {"parents": [ID.hex().upper()]},
        {"parents": ID.hex()},
        {"parents": [None]},
        {"author": {"name": "A"}},
        {"author": {"name": "", "email": ""}},
        {"author": {"name": "A\nB", "email": ""}},
        {"author": {"name": "A", "email": "<a>"}},
        {"author": {"name": "A", "email": "", "phone": ""}},
        {"author": "A"},
        {"time": {"us": True, "offset": 0}},
        {"time": {"us": 0, "offset": 1440}},
        {"time": {"us": 0, "offset": -1440}},
        {"time": {"us": "0", "offset": 0}},
        {"time": {"us": 0}},
        {"time": 0},
        {"message": None},
        {"meta": []},
        {"meta": ...},
        {"signature": None},
        {"signature": 1},
        {"ox": "commit 2"},
        {"ox": "tag 1"},
        {"ox": 1},
        {"extra": 1},
    ],
)
def test_fields_that_break_the_format(fields):
    with pytest.raises(CorruptError):
        decode_commit(altered(SOME, **fields))


@pytest.mark.parametrize(
    "change",
    [
        {"tree": b""},
        {"tree": ID + b"\0"},
        {"parents": (ID[:-1],)},
        {"author": Person("")},
        {"author": Person("A\0")},
        {"author": Person(5)},
        {"time": Moment(2**53)},
        {"time": Moment(True)},
        {"time": Moment(0, 1440)},
        {"message": "\ud800"},
        {"message": b"bytes"},
        {"meta": {"loss": 0.5}},
        {"signature": b"bytes"},
    ],
)
def test_what_does_not_decode_is_not_encoded(change):
    with pytest.raises(InvalidError):
        encode_commit(SOME._replace(**change))


@pytest.mark.parametrize("change", [{"name": 5}, {"target": b"x"}, {"tagger": Person("<")}])
def test_what_does_not_decode_as_a_tag_is_not_encoded(change):
    with pytest.raises(InvalidError):
        encode_tag(TAG._replace(**change))


def test_a_tag_in_capital_letters_is_refused():
    data = encode_tag(TAG)
    with pytest.raises(CorruptError, match="canonical"):
        decode_tag(data.replace(ID.hex().encode(), ID.hex().upper().encode()))


def test_a_tag_is_no_commit():
    with pytest.raises(CorruptError, match="commit 1"):
        decode_commit(encode_tag(TAG))
    with pytest.raises(CorruptError, match="tag 1"):
        decode_tag(encode_commit(SOME))


def test_what_was_decoded_cannot_be_changed():
    meta = decode_commit(encode_commit(SOME)).meta
    assert isinstance(meta, MappingProxyType)
