"""Ids, entries, changes, moments and errors as values."""

from datetime import datetime

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore import errors
from oxcore.errors import InvalidError, OxError
from oxcore.model.commits import Commit, Moment, Person
from oxcore.model.counters import Counters
from oxcore.model.entries import Change, Entry, Mode
from oxcore.model.ids import CONTEXTS, Kind, content_id, object_id, parse_id
from oxcore.testing.strategies import ids, moments

PIECE = Entry(Mode.FILE, 1, b"\1" * 32)


def test_a_chunk_has_the_id_of_its_bytes():
    assert object_id(Kind.CHUNK, b"ox") == content_id(b"ox") == blake3(b"ox").digest()


def test_no_two_kinds_give_one_id():
    kinds = [Kind.CHUNK, *CONTEXTS]
    assert len({object_id(kind, b"ox") for kind in kinds}) == len(kinds) == len(Kind) - 1


def test_a_manifest_has_no_id_of_its_own():
    with pytest.raises(KeyError):
        object_id(Kind.FILE, b"")


@settings(max_examples=50, deadline=None)
@given(ids())
def test_ids_read_back(oid):
    assert parse_id(oid.hex()) == oid == parse_id(oid.hex().upper())


@pytest.mark.parametrize(
    "text", ["", "0" * 63, "0" * 65, "g" * 64, " " * 64, "0" * 62 + " 0", "\u0660" * 64, "00 " * 32]
)
def test_what_is_no_id(text):
    with pytest.raises(InvalidError, match="not an id"):
        parse_id(text)


@pytest.mark.parametrize(
    ("old", "new", "letter"),
    [
        (None, PIECE, "A"),
        (PIECE, None, "D"),
        (PIECE, PIECE._replace(mode=Mode.EXEC), "M"),
        (PIECE, PIECE._replace(id=b"\2" * 32), "M"),
        (PIECE, PIECE._replace(mode=Mode.LINK), "T"),
        (PIECE._replace(mode=Mode.LINK), PIECE._replace(mode=Mode.EXEC), "T"),
    ],
)
def test_letters_are_those_of_git(old, new, letter):
    assert Change(b"a", old, new).letter == letter


def test_modes_for_git_and_for_people():
    assert [mode.octal for mode in Mode] == ["100644", "100755", "120000"]
    assert [mode.word for mode in Mode] == ["file", "executable", "symlink"]


@settings(max_examples=100, deadline=None)
@given(moments())
def test_iso_names_the_same_moment(moment):
    read = datetime.fromisoformat(moment.iso())
    assert round(read.timestamp() * 1e6) == pytest.approx(moment.us, abs=2)
    assert read.utcoffset().total_seconds() == 60 * moment.offset


def test_iso_by_example():
    assert Moment(1_795_295_279_000_001, 60).iso() == "2026-11-21T22:07:59.000001+01:00"


@given(st.text(), st.text())
def test_the_title_is_the_first_line(first, rest):
    commit = Commit(b"\0" * 32, (), Person("a"), Moment(0), first.replace("\n", "") + "\n" + rest)
    assert commit.title == first.replace("\n", "")


def test_persons_for_people():
    assert str(Person("A", "a@b")) == "A <a@b>"
    assert str(Person("A")) == "A"


def test_counters_start_at_zero_and_are_listed():
    counters = Counters(requests=2)
    assert counters.as_dict()["requests"] == 2
    assert sum(counters.as_dict().values()) == 2


def test_every_error_has_a_kind_of_its_own():
    tree = [error for error in OxError.__subclasses__() if error.__module__ == errors.__name__]
    assert len({error.kind for error in tree}) == len(tree) == 19
    assert all(error.kind in (errors.__doc__ or "") for error in tree)


def test_an_error_carries_its_hint_and_items():
    error = errors.UnsavedError("two files", hint="commit them", items=["a", "b"])
    assert (str(error), error.hint, error.items) == ("two files", "commit them", ("a", "b"))
