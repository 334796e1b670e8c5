"""docs/protocol.md says what oxcore/wire does: vectors, tables and names are read back from it."""

import re
from pathlib import Path

import pytest

from oxcore import errors
from oxcore.codec import canonical
from oxcore.model.ids import content_id
from oxcore.model.protocols import RefUpdate, Stored
from oxcore.model.run import objects_of, run_of
from oxcore.wire import append, frames, ids, messages, routes
from oxcore.wire.errors import STATUS, error_from, error_record

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
BYTES = {
    name: bytes.fromhex(data)
    for name, data in re.findall(r"^\| `([a-z-]+)` \|.*\| `([0-9a-f]+)` \|$", TEXT, re.MULTILINE)
}
BLOCK = re.search(r"```json-vectors\n(.*?)```", TEXT, re.DOTALL)
JSON = dict(line.split(" ", 1) for line in BLOCK.group(1).splitlines())

HELLO = Stored(content_id(b"hello\n"), 1, 0, 6, b"hello\n")
WORLD = Stored(content_id(b"world\n"), 1, 0, 6, b"world\n")
BOTH = run_of([HELLO, WORLD])
ONE, TWO, THREE = ("11" * 32, "22" * 32, "33" * 32)
FLAGS = [True, False, False, True, True, False, False, False, True]


def test_every_byte_vector_is_what_the_code_writes():
    written = {
        "stream-header": frames.HEADER,
        "frame": frames.frame_header(HELLO) + HELLO.payload,
        "end": frames.end_frame(2),
        "end-missing": frames.end_frame(0, [b"\xab" * 32]),
        "end-broken": frames.broken_frame(2, errors.CorruptError("bad pack")),
        "run": frames.run_header(BOTH) + BOTH.blob,
        "stream": b"".join(frames.encode_stream([BOTH])),
        "bits": ids.pack_bits(FLAGS),
    }
    assert written == BYTES


def test_the_stream_vector_is_read():
    reader = frames.StreamReader([BYTES["stream"]])
    assert list(objects_of(reader)) == [HELLO, WORLD]
    assert reader.missing == []
    assert BYTES["stream"] == BYTES["stream-header"] + BYTES["run"] + BYTES["end"]
    single = (BYTES["stream-header"], BYTES["frame"], BYTES["frame"], BYTES["end"])
    assert list(objects_of(frames.StreamReader(single))) == [HELLO, HELLO]


def test_the_end_vectors_are_read():
    reader = frames.StreamReader([BYTES["stream-header"], BYTES["end-missing"]])
    assert list(reader) == []
    assert reader.missing == [b"\xab" * 32]
    two = BYTES["frame"] * 2
    with pytest.raises(errors.CorruptError, match="bad pack"):
        list(frames.StreamReader([BYTES["stream-header"], two, BYTES["end-broken"]]))


def test_the_bits_vector_is_read():
    assert ids.unpack_bits(BYTES["bits"], len(FLAGS)) == FLAGS


VALUES = {
    "refs": messages.RefsReply(
        "ref:refs/heads/main", {"refs/heads/main": ONE}, (bytes.fromhex(TWO),), True
    ),
    "commits": messages.CommitsRequest(
        *((bytes.fromhex(one),) for one in (ONE, TWO, THREE)), depth=5
    ),
    "put": messages.PutReply(7, 3),
    "swap": messages.SwapRequest(
        (RefUpdate("refs/heads/main", None, ONE), RefUpdate("refs/tags/v1", TWO, None)),
        "0123456789abcdef",
        frozenset({"refs/tags/v1"}),
    ),
    "append": append.AppendRequest(
        "deployed", "capture", (append.Appended("wild/a.bin", bytes.fromhex(ONE), 7),)
    ),
    "appended": append.AppendReply(TWO, 1),
    "swapped": messages.SwapReply(12, False),
    "whoami": messages.WhoAmI("ann", "write", ("lab-*", "pets"), None),
}


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_json_vector_is_the_message(name):
    value = VALUES[name]
    assert value.encode() == JSON[name].encode()
    assert type(value).decode(JSON[name].encode()) == value


def test_the_other_json_vectors():
    repos = [messages.RepoInfo("pets", "cats", True)]
    assert messages.encode_repos(repos) == JSON["repos"].encode()
    assert messages.decode_repos(JSON["repos"].encode()) == repos
    record = canonical.loads(JSON["error"].encode(), "the vector")
    error = error_from(record)
    assert isinstance(error, errors.RejectedError)
    assert error_record(error) == record
    assert set(JSON) == {*VALUES, "repos", "error"}


def test_the_table_of_errors_is_the_map_of_statuses():
    section = TEXT.split("### Errors", 1)[1].split("## ", 1)[0]
    table = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", section, re.MULTILINE)
    assert {kind: int(status) for kind, status in table} == STATUS
    classes = [one for one in vars(errors).values() if isinstance(one, type)]
    assert {one.kind for one in classes if issubclass(one, errors.OxError)} == set(STATUS)


def test_the_reserved_names_and_the_limits_are_told():
    listed = re.search(r"MUST NOT be, in any case, one of: `([^`]+)`", TEXT).group(1)
    assert set(listed.split()) == routes.RESERVED
    assert f"at most {ids.MAX_IDS:,}" in TEXT
    assert f"at most {messages.MAX_UPDATES:,}" in TEXT
    assert f"{routes.MAX_TARGET:,} bytes of path" in TEXT
    assert f"{frames.MAX_OBJECT >> 20} MiB" in TEXT
    assert f"{frames.MAX_RUN >> 20} MiB" in TEXT
    assert f"1 to {frames.MAX_COUNT:,}" in TEXT


def test_every_route_is_in_the_table():
    rows = re.findall(r"^\| ([A-Z, ]+) \| `([^`]+)`", TEXT, re.MULTILINE)
    told = {path: tuple(methods.split(", ")) for methods, path in rows}
    repo = routes.RepoName("NS", "NAME")
    for action, methods in routes.ACTIONS.items():
        assert told[routes.action_path(repo, action)] == methods
    assert {routes.HEALTH, routes.WHOAMI, routes.REPOS} <= set(told)
