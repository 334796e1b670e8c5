"""The rules of a path: one search over joined paths against a slow rule, part by part."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError
from oxcore.model.entries import (
    MAX_PATH,
    check_path,
    path_bytes,
    path_text,
    paths_are_valid,
    show_path,
)
from oxcore.testing.strategies import paths, trees

FORBIDDEN = {b"", b".", b"..", b".ox", b".git"}

# Bytes that can come near a rule; NUL apart, which joins paths.
near = st.lists(st.sampled_from(list(b"./oxgitOXGIT a\n\xff")), max_size=12).map(bytes)
parts = st.sampled_from([b".", b"..", b".ox", b".GiT", b".oX", b"", b"...", b".ox.", b".git2"])
joined_parts = st.lists(parts | near, max_size=5).map(b"/".join)


def slow_rule(path: bytes) -> bool:
    return all(part.lower() not in FORBIDDEN for part in path.split(b"/"))


@settings(max_examples=400, deadline=None)
@given(near | joined_parts)
def test_the_search_agrees_with_the_slow_rule(path):
    assert paths_are_valid(path) == slow_rule(path)


@settings(max_examples=200, deadline=None)
@given(st.lists(near | joined_parts, min_size=1, max_size=5))
def test_joined_paths_are_judged_as_if_one_by_one(some):
    assert paths_are_valid(b"\0".join(some)) == all(map(slow_rule, some))


@settings(max_examples=200, deadline=None)
@given(near | joined_parts | st.binary(max_size=10) | paths(long=True))
def test_check_path_raises_exactly_where_a_rule_is_broken(path):
    allowed = slow_rule(path) and b"\0" not in path and len(path) <= MAX_PATH
    if allowed:
        check_path(path)
    else:
        with pytest.raises(InvalidError):
            check_path(path)


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/a",
        b"a/",
        b"a//b",
        b".",
        b"a/..",
        b"../a",
        b"./a",
        b".ox/x",
        b"a/.OX",
        b"A/.Git/b",
        b"a\x00b",
        b"x" * (MAX_PATH + 1),
    ],
)
def test_refused_paths(path):
    with pytest.raises(InvalidError, match="cannot hold"):
        check_path(path)


@pytest.mark.parametrize(
    "path", [b"a", b"...", b".oxignore", b".gitignore", b"a\nb", b"\xff", b" "]
)
def test_allowed_paths(path):
    check_path(path)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=12))
def test_a_path_survives_the_way_through_text(path):
    assert path_bytes(path_text(path)) == path
    assert path_bytes(path) == path
    show_path(path).encode("utf-8")  # what people see is always valid Unicode


@settings(max_examples=50, deadline=None)
@given(trees())
def test_trees_of_the_strategy_hold_no_clash(tree):
    for path in tree:
        check_path(path)
        parents = path.split(b"/")
        assert not any(b"/".join(parents[:n]) in tree for n in range(1, len(parents)))
