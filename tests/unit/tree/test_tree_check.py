"""Every kind of damage that bytes with a right hash can still have is found."""

import random

import pytest
from treekit import Memory, entry, limits, small, sorted_paths  # noqa: F401 -- fixtures

from oxcore import tree
from oxcore.codec.node import Inner, Leaf, decode, encode_inner, encode_leaf
from oxcore.errors import MissingError
from oxcore.model.ids import Kind, object_id
from oxcore.tree import rule


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("count", [0, 1, 20, 800])
def test_what_build_makes_is_right(count):
    memory = Memory()
    rows = [(path, entry(1)) for path in sorted_paths(random.Random(1), count)]
    root = tree.build(memory, rows)
    seen = {}
    assert list(tree.check(memory, root, seen)) == []
    assert (seen[root].files, seen[root].size) == (len(rows), len(rows))
    memory.reads = 0
    assert list(tree.check(memory, root, seen)) == []
    assert memory.reads <= 1


def put(memory, data):
    oid = object_id(Kind.TREE, data)
    memory.put(oid, Kind.TREE, data)
    return oid


def leaf(memory, *paths, size=1):
    count = len(paths)
    return put(memory, encode_leaf(list(paths), b"i" * 32 * count, [size] * count, b"\1" * count))


def inner(memory, *children, level=1):
    """Children are (key, id, size, count)."""
    keys, ids, sizes, counts = zip(*children, strict=True)
    return put(memory, encode_inner(level, keys, b"".join(ids), sizes, counts))


@pytest.fixture(name="never")
def _never(monkeypatch):
    """A rule that ends nodes after two entries exactly."""
    for name, number in (("MIN", 2), ("MID", 2), ("MAX", 2)):
        monkeypatch.setattr(rule, name, number)


def tree_of(memory, left, right, **wrong):
    first = {"key": left[-1], "oid": leaf(memory, *left), "size": len(left), "files": len(left)}
    first |= wrong
    rest = (right[-1], leaf(memory, *right), len(right), len(right))
    return inner(memory, tuple(first.values()), rest)


@pytest.mark.usefixtures("never")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({}, []),
        ({"size": 3}, ["not what is noted"]),
        ({"files": 3}, ["not what is noted"]),
        ({"key": b"bb"}, ["ends with 'b', not 'bb'"]),
    ],
)
def test_sums_and_keys(wrong, words):
    memory = Memory()
    problems = list(tree.check(memory, tree_of(memory, [b"a", b"b"], [b"c"], **wrong)))
    assert len(problems) == len(words)
    assert all(word in problem for word, problem in zip(words, problems, strict=True))


@pytest.mark.usefixtures("never")
@pytest.mark.parametrize(
    ("left", "right", "word"),
    [
        ([b"a"], [b"b"], "ends before the rule ends it"),
        ([b"a", b"b", b"c"], [b"d"], "goes on past"),
        ([b"a", b"d"], [b"c", b"e"], "starts with 'c'"),
        ([b"a", b"b"], [b"b/c"], "both a file and a folder: 'b'"),
        ([b"b", b"a"], [b"c"], "do not ascend"),
        ([b"a", b"b/.."], [b"c"], "not allowed"),
    ],
)
def test_order_cuts_and_paths(left, right, word):
    memory = Memory()
    problems = list(tree.check(memory, tree_of(memory, left, right)))
    assert any(word in problem for problem in problems), problems


@pytest.mark.usefixtures("never")
def test_levels_and_single_children():
    memory = Memory()
    low = inner(memory, (b"a", leaf(memory, b"a"), 1, 1))
    assert any("single child" in problem for problem in tree.check(memory, low))
    wrong = inner(memory, (b"a", leaf(memory, b"a"), 1, 1), level=2)
    assert any("of level 0 below" in problem for problem in tree.check(memory, wrong))


@pytest.mark.usefixtures("small")
def test_each_lost_or_broken_node_is_named():
    class Strict(Memory):
        def get(self, oid, kind):
            if oid not in self.data:
                raise MissingError("not here")
            return super().get(oid, kind)

    memory = Strict()
    root = tree.build(memory, [(path, entry(1)) for path in sorted_paths(random.Random(1), 60)])
    for oid, data in list(memory.data.items()):
        for bad in (None, data[:-1], b"junk", data[:8] + b"\xff" + data[9:]):
            del memory.data[oid]
            if bad is not None:
                memory.data[oid] = bad
            problems = list(tree.check(memory, root))
            assert any(oid.hex() in problem for problem in problems)
            memory.data[oid] = data
    assert list(tree.check(memory, root)) == []


@pytest.mark.usefixtures("small")
def test_random_damage_is_found():
    """Any node that is not what build makes gives another root, or a problem."""
    rng = random.Random(5)
    memory = Memory()
    root = tree.build(memory, [(path, entry(1)) for path in sorted_paths(rng, 200)])
    for _ in range(40):
        level_0 = [data for data in memory.data.values() if isinstance(decode(data), Leaf)]
        node = decode(rng.choice(level_0))
        if len(node.paths) < 2:
            continue
        cut = rng.randrange(1, len(node.paths))
        parts = [slice(0, cut), slice(cut, None)]
        new = [leaf(memory, *node.paths[part]) for part in parts]
        keys = [node.paths[part][-1] for part in parts]
        counts = [len(node.paths[part]) for part in parts]
        rows = zip(keys, new, counts, counts, strict=True)
        assert list(tree.check(memory, inner(memory, *rows)))
    assert isinstance(decode(memory.data[root]), Inner)
