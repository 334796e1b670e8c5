"""Messages come back from their bytes; another shape is refused, never guessed."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import DeniedError, InvalidError, OxError
from oxcore.model.protocols import RefUpdate
from oxcore.wire import ids, messages, routes
from oxcore.wire.errors import error_from, error_record

IDS = st.binary(min_size=32, max_size=32)
HEXES = IDS.map(bytes.hex)
NAMES = st.text("abc/é-", min_size=1, max_size=9).map("refs/heads/".__add__)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(NAMES, HEXES, max_size=5), st.lists(IDS, max_size=3), st.booleans())
def test_refs_come_back(refs, shallow, write):
    value = messages.RefsReply("ref:refs/heads/main", refs, tuple(shallow), write)
    assert messages.RefsReply.decode(value.encode()) == value


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(NAMES, st.tuples(st.none() | HEXES, st.none() | HEXES), min_size=1, max_size=5),
    st.data(),
)
def test_swaps_come_back(rows, data):
    updates = tuple(RefUpdate(name, old, new) for name, (old, new) in rows.items())
    force = data.draw(st.sets(st.sampled_from(sorted(rows))))
    value = messages.SwapRequest(updates, "w" * 16, frozenset(force))
    assert messages.SwapRequest.decode(value.encode()) == value


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), max_size=70))
def test_bits_come_back(flags):
    assert ids.unpack_bits(ids.pack_bits(flags), len(flags)) == flags


@pytest.mark.parametrize(("data", "count"), [(b"", 1), (b"\0\0", 8), (b"\x02", 1), (b"\0", 0)])
def test_bits_of_another_length_are_refused(data, count):
    with pytest.raises(InvalidError):
        ids.unpack_bits(data, count)


def test_lists_of_ids_are_checked():
    assert ids.unpack_ids(ids.pack_ids([b"a" * 32, b"b" * 32])) == [b"a" * 32, b"b" * 32]
    for bad in (b"x", b"x" * 33, bytes(32 * (ids.MAX_IDS + 1))):
        with pytest.raises(InvalidError):
            ids.unpack_ids(bad)


ONE = "11" * 32
GOOD = {"updates": [{"name": "refs/heads/a", "old": None, "new": ONE}], "write_id": "12345678"}


@pytest.mark.parametrize(
    "change",
    [
        {"updates": []},
        {"updates": {}},
        {"updates": [1]},
        {"updates": GOOD["updates"] * 2},
        {"updates": [{"name": "refs/heads/a", "old": "zz", "new": None}]},
        {"updates": [{"name": "refs/heads/a\n", "old": None, "new": ONE}]},
        {"updates": [{"name": "refs/heads/a", "old": None, "new": ONE, "force": "yes"}]},
        {"write_id": "short"},
        {"write_id": None},
        {"write_id": "x" * 129},
    ],
)
def test_a_swap_of_another_shape_is_refused(change):
    assert messages.SwapRequest.decode(json.dumps(GOOD).encode())
    with pytest.raises(InvalidError):
        messages.SwapRequest.decode(json.dumps({**GOOD, **change}).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{",
        b'{"want":["' + b"0" * 63 + b'"]}',
        b'{"want":[],"depth":0}',
        b'{"want":[],"depth":1.5}',
        b'{"want":[],"depth":true}',
        b"[" * 100000,
        b"\xff",
    ],
)
def test_a_request_for_commits_of_another_shape_is_refused(data):
    with pytest.raises(InvalidError):
        messages.CommitsRequest.decode(data)


def test_keys_that_are_unknown_are_ignored():
    assert messages.PutReply.decode(b'{"received": 1, "kept": 2, "later": [1]}').kept == 2


def test_errors_keep_their_class_and_survive_odd_text():
    error = error_from(error_record(DeniedError("no \udcff", hint="h", items=["\ud800"])))
    assert isinstance(error, DeniedError)
    assert error.message == "no \\udcff"
    assert len(error_record(OxError("x", items=["i"] * 5000))["items"]) == 1000
    assert type(error_from({"kind": "of-the-future", "message": 7})) is OxError


@pytest.mark.parametrize(
    ("url", "base", "repo"),
    [
        ("http://h:1/a/b", "http://h:1", ("a", "b")),
        ("https://h/p/q/a/b/", "https://h/p/q", ("a", "b")),
        ("http://h:1/", "http://h:1", None),
        ("http://h:1", "http://h:1", None),
        ("http://[::1]:80/a/b", "http://[::1]:80", ("a", "b")),
    ],
)
def test_urls_are_taken_apart(url, base, repo):
    assert routes.parse_url(url) == (base, repo)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://h/a/b",
        "http:///a/b",
        "http://u:p@h/a/b",
        "http://h/a/b?q",
        "http://h/a/..",
        "a/b",
        "http://h:x/a/b",
        "http://h/a/%2e",
        "http://h/api/b",
        "http://h/a/.b",
        "http://h/a/b.git",
    ],
)
def test_other_urls_are_refused(url):
    with pytest.raises(InvalidError):
        routes.parse_url(url)


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a\0", "é", "a" * 97, "-a", "a\n", "A.GIT"])
def test_names_that_could_leave_their_folder_are_refused(name):
    with pytest.raises(InvalidError):
        routes.repo_name("ns", name)
    with pytest.raises(InvalidError):
        routes.repo_name(name, "n")


def test_paths_of_routes():
    repo = routes.repo_name("ns", "n.1")
    assert routes.action_path(repo, "has") == "/api/v1/repos/ns/n.1/has"
    assert routes.raw_path(repo, "a/b", b"d/\xff ?") == "/ns/n.1/raw/a%2Fb/d/%FF%20%3F"
