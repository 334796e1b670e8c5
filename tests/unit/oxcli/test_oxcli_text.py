"""Text for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxcli.render import text
from oxcore.model.commits import Moment


@pytest.mark.parametrize(
    ("nbytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (102_400, "100 KiB"),
        (1023 * 1024, "1.0 MiB"),
        (5 * 2**30, "5.0 GiB"),
        (2**70, "1024 EiB"),
    ],
)
def test_sizes(nbytes, shown):
    assert text.human_size(nbytes) == shown


def test_plurals_and_numbers():
    assert text.plural(1, "file") == "1 file"
    assert text.plural(0, "file") == "0 files"
    assert text.plural(3600, "entry", "entries") == "3,600 entries"
    assert text.number(1234567) == "1,234,567"


def test_dates():
    assert text.iso_date(Moment(1_000_000, 90)) == "1970-01-01 01:30:01 +0130"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "in the future"),
        (0, "0 seconds ago"),
        (89, "89 seconds ago"),
        (90, "1 minute ago"),
        (5400, "1 hour ago"),
        (2 * 86400, "2 days ago"),
        (15 * 86400, "2 weeks ago"),
        (100 * 86400, "3 months ago"),
        (800 * 86400, "2 years ago"),
    ],
)
def test_relative_dates(seconds, shown):
    assert text.relative_date(Moment(0), Moment(seconds * 1_000_000)) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.42, "0.4 s"), (42, "42 s"), (187, "3:07"), (3723, "1:02:03")]
)
def test_durations(seconds, shown):
    assert text.duration(seconds) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"data/a b.png", "data/a b.png"),
        ("caf\u00e9/\u732b.png".encode(), "caf\u00e9/\u732b.png"),
        (b"a\nb", '"a\\nb"'),
        (b'say "hi"', '"say \\"hi\\""'),
        (b"back\\slash", '"back\\\\slash"'),
        (b"\xff\xfe", '"\\xff\\xfe"'),
        (b"\x1b[31m", '"\\x1b[31m"'),
        ("a\u202eb".encode(), '"a\\xe2\\x80\\xaeb"'),
    ],
)
def test_paths(path, shown):
    assert text.show_path(path) == shown


@given(st.binary(min_size=1, max_size=20), st.binary(min_size=1, max_size=20))
def test_two_paths_never_look_the_same_and_none_breaks_the_line(a, b):
    assert (text.show_path(a) == text.show_path(b)) == (a == b)
    assert text.show_path(a).isprintable()


def test_a_table_aligns_its_columns():
    rows = [("a", "1", "x"), ("long", "22", "")]
    assert text.table(rows, "lr") == ["a      1  x", "long  22"]
    assert text.table([]) == []


def test_columns_read_downwards_and_fit():
    names = ["a", "bb", "ccc", "d", "e"]
    assert text.columns(names, 13) == ["a    ccc  e", "bb   d"]
    assert text.columns(names, 1) == names
    assert text.columns([], 80) == []


@given(st.lists(st.text("abc", min_size=1, max_size=9), max_size=30), st.integers(1, 90))
def test_columns_hold_every_name_within_the_width(names, width):
    lines = text.columns(names, width)
    assert sorted(" ".join(lines).split()) == sorted(names)
    assert all(len(line) <= max(width, *map(len, names)) for line in lines)


@given(st.text(max_size=40), st.integers(5, 30))
def test_fit(line, width):
    assert len(text.fit(line, width)) <= max(width, 0)


def test_paint():
    assert text.Paint(False)("x", "red") == "x"
    assert text.Paint(True)("x", "red", "bold") == "\x1b[31;1mx\x1b[0m"
    assert text.Paint(True)("") == ""


def test_a_table_holds_nothing_that_a_terminal_obeys():
    assert text.table([("a\x1b[2J\n", "b"), ("c", "d")]) == ["a\\u001b[2J\\n  b", "c             d"]
