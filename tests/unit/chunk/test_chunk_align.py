"""Which old chunk a new one replaces, told from the two lists of chunks alone."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.chunk import Aligner, _align


def bases(old, new):
    aligner = Aligner(old)
    return [aligner.base(oid, length) for oid, length in new]


def named(text, length=100):
    return [(letter.encode(), length) for letter in text]


def test_a_changed_chunk_replaces_the_one_in_its_place():
    assert bases(named("abcde"), named("abXde")) == [None, None, b"c", None, None]


def test_nothing_before_means_no_base():
    assert bases([], named("ab")) == [None, None]


def test_what_is_appended_has_no_base():
    assert bases(named("ab"), named("abXY")) == [None, None, None, None]


def test_an_insertion_and_a_deletion_shift_what_follows():
    assert bases(named("abcdef"), named("aNNNbcXef"))[6] == b"d"
    assert bases(named("abcdef"), named("aeX"))[2] == b"f"


def test_the_greater_share_of_the_place_decides():
    old = [(b"a", 100), (b"b", 100), (b"c", 100)]
    assert bases(old, [(b"X", 130), (b"Y", 90), (b"Z", 80)]) == [b"a", b"b", b"c"]
    assert bases(old, [(b"X", 40), (b"Y", 90)]) == [b"a", b"a"]


def test_a_chunk_that_occurs_often_does_not_mislead():
    old = named("0a0b0c0d")
    assert bases(old, named("0a0b0X0d"))[5] == b"c"


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 200), st.integers(0, 20))
def test_every_replaced_chunk_gets_the_one_it_replaces(seed, count, edits):
    source = random.Random(seed)
    old = [(b"%d" % n, source.randint(50, 200)) for n in range(count)]
    changed = set(source.choices(range(count), k=edits))
    new = [
        (b"new %d" % n, size) if n in changed else (oid, size) for n, (oid, size) in enumerate(old)
    ]
    expected = [old[n][0] if n in changed else None for n in range(count)]
    assert bases(old, new) == expected


def test_memory_is_bounded_and_the_old_version_read_as_needed(monkeypatch):
    monkeypatch.setattr(_align, "_AHEAD", 5_000)
    monkeypatch.setattr(_align, "_BEHIND", 16)
    read = 0

    def old():
        nonlocal read
        for n in range(10_000):
            read += 1
            yield b"%d" % n, 100

    aligner = Aligner(old())
    for n in range(9_000):
        if n % 10 == 5:
            assert aligner.base(b"new %d" % n, 100) == b"%d" % n
        else:
            assert aligner.base(b"%d" % n, 100) is None
        assert read <= n + 52
        assert len(aligner._ids) == len(aligner._starts) < 120
        assert len(aligner._at) < 120
