"""Three-way merges against the rule for one path, and clashes of files with folders."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from treekit import Memory

from oxcore import tree
from oxcore.model.entries import Entry

A, B, C = (Entry(1, 1, letter * 32) for letter in (b"a", b"b", b"c"))
AX, BX = A._replace(mode=2), B._replace(mode=2)
LINK = Entry(3, 1, b"l" * 32)


def merged(base, ours, theirs):
    memory = Memory()
    roots = [tree.build(memory, sorted(model.items())) for model in (base, ours, theirs)]
    result = tree.merge(memory, *roots)
    edited = tree.edit(memory, memory, roots[1], result.changes)
    return result, dict(tree.walk(memory, edited))


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "after", "kind"),
    [
        (A, A, B, B, None),
        (A, B, A, B, None),
        (A, B, B, B, None),
        (A, A, None, None, None),
        (A, None, A, None, None),
        (A, None, None, None, None),
        (None, None, A, A, None),
        (None, A, A, A, None),
        (A, AX, B, BX, None),
        (A, B, AX, BX, None),
        (A, AX, BX, BX, None),
        (A, BX, AX, BX, None),
        (A, BX, B, BX, None),
        (A, B, C, B, "content"),
        (A, B, None, B, "deleted"),
        (A, None, B, None, "deleted"),
        (None, A, B, A, "added"),
        (None, A, AX, A, "added"),
        (A, LINK, B, LINK, "content"),
        (A, LINK, AX, LINK, "content"),
        (A, A, LINK, LINK, None),
    ],
)
def test_one_path(base, ours, theirs, after, kind):
    def model(value):
        return {b"other": C} if value is None else {b"f": value, b"other": C}

    result, files = merged(model(base), model(ours), model(theirs))
    assert files == model(after)
    wanted = [] if kind is None else [tree.Conflict(b"f", base, ours, theirs, kind)]
    assert result.conflicts == wanted


@pytest.mark.parametrize(
    ("ours", "theirs", "conflicts"),
    [
        ({b"d": A}, {b"d/x": B}, [(b"d/x", "folder")]),
        ({b"d/x": A}, {b"d": B}, [(b"d", "folder")]),
        ({b"f/x": A, b"f-": A}, {b"f": B}, [(b"f", "deleted")]),
        (
            {b"f": B},
            {b"f/x": A, b"f/y": A},
            [(b"f", "deleted"), (b"f/x", "folder"), (b"f/y", "folder")],
        ),
        ({b"f": C}, {b"f/x": A}, []),
        ({b"f/x": A}, {b"f": C}, []),
    ],
)
def test_a_file_against_a_folder(ours, theirs, conflicts):
    result, _ = merged({b"f": C}, ours, theirs)
    assert [(conflict.path, conflict.kind) for conflict in result.conflicts] == conflicts


names = st.sampled_from([b"a", b"a-b", b"a/b", b"a/b/c", b"a/c", b"ab", b"b", b"b/c"])
models = st.dictionaries(names, st.sampled_from([A, B, AX, BX, LINK]), max_size=6).map(
    lambda model: {
        path: value
        for path, value in model.items()
        if not any(path.startswith(other + b"/") for other in model)
    }
)


@settings(max_examples=800, deadline=None)
@given(models, models, models)
def test_any_merge_applies_and_loses_nothing(base, ours, theirs):
    result, files = merged(base, ours, theirs)
    paths = [path for path, _ in result.changes]
    conflicts = [conflict.path for conflict in result.conflicts]
    assert paths == sorted(set(paths))
    assert conflicts == sorted(set(conflicts))
    assert not set(paths) & set(conflicts)
    for path in base.keys() | ours.keys() | theirs.keys():
        was, own, their = base.get(path), ours.get(path), theirs.get(path)
        if path in conflicts or their in {was, own}:
            assert files.get(path) == own
        elif own == was:
            assert files.get(path) == their


@settings(max_examples=300, deadline=None)
@given(models, models)
def test_one_sided_merges_are_that_side(base, ours):
    assert merged(base, ours, base) == (tree.Merge([], []), ours)
    assert merged(base, base, ours)[1] == ours
    assert merged(base, ours, ours) == (tree.Merge([], []), ours)
