"""build, edit and diff against a plain dict."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from treekit import Memory, entry, limits, sorted_paths  # noqa: F401 -- `limits` is a fixture

from oxcore import tree
from oxcore.errors import InvalidError
from oxcore.model.entries import Change, Entry
from oxcore.tree.order import Guard


def changed(before, after):
    return [
        Change(path, before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]


def check_edit(memory, root, model, changes):
    after = {**model, **changes}
    after = {path: value for path, value in after.items() if value is not None}
    edited = tree.edit(memory, memory, root, sorted(changes.items()))
    assert edited == tree.build(Memory(), sorted(after.items()))
    assert list(tree.walk(memory, edited)) == sorted(after.items())
    assert list(tree.diff(memory, root, edited)) == changed(model, after)
    assert list(tree.diff(memory, edited, root)) == changed(after, model)
    return edited, after


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("seed", range(3))
def test_random_edits_give_what_build_gives(seed):
    rng = random.Random(seed)
    memory, model, root = Memory(), {}, tree.EMPTY
    for step in range(80):
        grow = rng.choice([1, 3, 10, 60, 300]) if step % 3 else 0
        shrink = rng.choice([0, 1, 5, len(model) // 2, len(model)]) if step % 2 else 0
        names = sorted_paths(rng, grow) + rng.sample(sorted(model), min(shrink, len(model)))
        changes = {path: rng.choice([None, entry(rng.randrange(1000))]) for path in names}
        root, model = check_edit(memory, root, model, changes)


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("seed", range(2))
def test_single_edits_at_every_place(seed):
    rng = random.Random(seed)
    memory = Memory()
    model = {path: entry(at) for at, path in enumerate(sorted_paths(rng, 300))}
    root = tree.build(memory, sorted(model.items()))
    for path in [*model, *(path + b"x" for path in model), b"!", b"z"][:: 5 if seed else 3]:
        changes = {path: None if path in model else entry(7)}
        check_edit(memory, root, model, changes)


names = st.lists(st.sampled_from([b"a", b"a-b", b"a.b", b"ab", b"b"]), min_size=1, max_size=3).map(
    b"/".join
)


def clashes(paths):
    return {(one, other) for one in paths for other in paths if other.startswith(one + b"/")}


@settings(max_examples=300, deadline=None)
@given(st.sets(names, max_size=12))
def test_build_refuses_a_file_that_is_a_folder(paths):
    rows = [(path, entry(1)) for path in sorted(paths)]
    if clashes(paths):
        with pytest.raises(InvalidError):
            tree.build(Memory(), rows)
    else:
        memory = Memory()
        assert list(tree.walk(memory, tree.build(memory, rows))) == rows


@settings(max_examples=600, deadline=None)
@given(
    st.sets(names, max_size=8), st.dictionaries(names, st.none() | st.just(entry(2)), max_size=4)
)
def test_edit_refuses_or_replaces_a_file_that_is_a_folder(paths, changes):
    paths -= {one for one, _ in clashes(paths)}
    adds = {path for path, value in changes.items() if value is not None}
    model = dict.fromkeys(paths, entry(1))
    memory = Memory()
    root = tree.build(memory, sorted(model.items()))
    rows = sorted(changes.items())
    if clashes(adds):
        with pytest.raises(InvalidError):
            tree.edit(memory, memory, root, rows, replace=True)
        return
    after = {path: value for path, value in {**model, **changes}.items() if value is not None}
    pairs = clashes(after)
    if pairs:
        with pytest.raises(InvalidError) as caught:
            tree.edit(memory, memory, root, rows)
        gone = {one if other in adds else other for one, other in pairs}
        assert set(caught.value.items) == {path.decode() for path in gone}
        after = {path: value for path, value in after.items() if path not in gone}
    edited = tree.edit(memory, memory, root, rows, replace=True)
    assert list(tree.walk(memory, edited)) == sorted(after.items())


@pytest.mark.parametrize(
    "rows",
    [
        [(b"b", entry(1)), (b"a", entry(1))],
        [(b"a", entry(1)), (b"a", entry(1))],
        [(b"", entry(1))],
        [(b"a/../b", entry(1))],
        [(b"a\0b", entry(1))],
        [(b"a" * 5000, entry(1))],
        [(b".OX/config", entry(1))],
        [(b"a", Entry(0, 1, b"i" * 32))],
        [(b"a", Entry(4, 1, b"i" * 32))],
        [(b"a", Entry(300, 1, b"i" * 32))],
        [(b"a", Entry(1, -1, b"i" * 32))],
        [(b"a", Entry(1, 2**64, b"i" * 32))],
        [(b"a", Entry(1, 1, b"i" * 31))],
    ],
)
def test_bad_rows_are_refused(rows):
    with pytest.raises(InvalidError):
        tree.build(Memory(), rows)
    memory = Memory()
    root = tree.build(memory, [(b"m", entry(1))])
    with pytest.raises(InvalidError):
        tree.edit(memory, memory, root, rows)


def test_clashes_and_order_are_seen_across_batches():
    bad = ([b"a", b"a-1", b"a-2", b"a/b"], [b"a", b"b", b"b/c"], [b"0", b"a", b"a"])
    for paths in bad:
        guard = Guard()
        with pytest.raises(InvalidError):
            for at in range(0, len(paths), 2):
                guard.check(paths[at : at + 2])
    paths, guard = [b"a", b"a-1", b"a-2", b"aa", b"ab/c", b"ab/d", b"b"], Guard()
    for at in range(0, len(paths), 2):
        guard.check(paths[at : at + 2])


def test_the_empty_tree_is_put_and_needs_no_store():
    memory = Memory()
    assert tree.build(memory, []) == tree.EMPTY
    assert tree.EMPTY in memory.data
    root = tree.build(memory, [(b"a", entry(1))])
    memory = Memory()
    memory.data[root] = b""
    empty = Memory()
    assert list(tree.walk(empty, tree.EMPTY)) == []
    assert tree.edit(empty, empty, tree.EMPTY, [(b"a", None)]) == tree.EMPTY
    assert tree.edit(empty, empty, tree.EMPTY, [(b"a", entry(1))]) == root
    assert tree.edit(empty, empty, root, [(b"a", None)]) == tree.EMPTY
