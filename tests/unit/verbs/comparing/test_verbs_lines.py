"""Unified diffs: what they say, applied, gives the new text."""

import time
from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from oxcore.verbs.comparing import lines
from oxcore.verbs.comparing.lines import compare, split

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "x y\n"]), max_size=30).flatmap(
    lambda lines: st.sampled_from(["", "end"]).map(lambda end: ("".join(lines) + end).encode())
)


def apply(old, found):
    """The old lines with the hunks applied, checked on the way as patch(1) does."""
    source, out, at = split(old), [], 0
    for hunk in found.hunks:
        start = hunk.old_start - (hunk.old_count > 0)
        out += source[at:start]
        assert hunk.new_start - (hunk.new_count > 0) == len(out)
        before = len(out)
        at = start
        for line in hunk.lines:
            if line.startswith("\\"):
                continue
            if line[0] != "+":
                assert source[at].removesuffix("\n") == line[1:]
                at += 1
            if line[0] != "-":
                out.append(line[1:])
        assert len(out) - before == hunk.new_count
        assert at - start == hunk.old_count
    out += source[at:]
    return [line.removesuffix("\n") for line in out]


@given(TEXTS, TEXTS)
@example(b"a", b"a\n")
@example(b"", b"a\n")
@example(b"a\n" * 20, b"a\n" * 10 + b"b\n" + b"a\n" * 10)
def test_hunks_turn_old_into_new(old, new):
    found = compare(old, new)
    assert apply(old, found) == [line.removesuffix("\n") for line in split(new)]
    assert bool(found.hunks) == (old != new)
    assert found.added - found.removed == len(split(new)) - len(split(old))


@given(TEXTS, TEXTS)
def test_texts_too_long_to_search_through_are_right_too(old, new):
    before = lines._THOROUGH
    lines._THOROUGH = 0
    try:
        test_hunks_turn_old_into_new.hypothesis.inner_test(old, new)
    finally:
        lines._THOROUGH = before


def test_a_long_text_is_compared_at_its_unique_lines():
    old = [f"{n}\n" for n in range(20_000)]
    new = [line for line in old if line not in {"5\n", "15000\n"}]
    new.insert(9_000, "new\n")
    found = compare("".join(old).encode(), "".join(new).encode())
    assert (found.added, found.removed, len(found.hunks)) == (1, 2, 3)


def test_a_long_text_of_few_kinds_of_lines_takes_no_time():
    random = Random(1)
    old, new = (
        "".join(f"{random.randrange(1000)}\n" for _ in range(100_000)).encode() for _ in range(2)
    )
    start = time.perf_counter()
    assert compare(old, new).hunks
    assert time.perf_counter() - start < 5


def test_only_three_lines_round_a_change():
    old = "".join(f"{n}\n" for n in range(100))
    found = compare(old.encode(), old.replace("\n50\n", "\nfifty\n").encode())
    (hunk,) = found.hunks
    assert hunk.head == "@@ -48,7 +48,7 @@"
    assert hunk.lines == (" 47", " 48", " 49", "-50", "+fifty", " 51", " 52", " 53")


def test_an_added_text_starts_before_its_first_line():
    (hunk,) = compare(b"", b"a\nb").hunks
    assert hunk.head == "@@ -0,0 +1,2 @@"
    assert hunk.lines == ("+a", "+b", "\\ No newline at end of file")


def test_the_last_line_without_a_break_is_told():
    (hunk,) = compare(b"a\nb", b"a\nb\n").hunks
    assert hunk.lines == (" a", "-b", "\\ No newline at end of file", "+b")


def test_bytes_that_are_no_utf8_come_back():
    (hunk,) = compare(b"", b"gr\xfc\xdf\n").hunks
    assert hunk.lines[0].encode("utf-8", "surrogateescape") == b"+gr\xfc\xdf"
