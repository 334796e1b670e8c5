"""Costs of a comparison, prefixes, and the nodes that a transfer sends."""

import random

import pytest
from treekit import Memory, entry, limits, sorted_paths  # noqa: F401 -- `limits` is a fixture

from oxcore import tree
from oxcore.codec.node import Inner, decode
from oxcore.errors import MissingError
from oxcore.model.entries import Change, Entry


def big_tree(count):
    memory = Memory()
    rows = [(b"train/%04d/%07d.jpg" % (at // 1000, at), entry(at)) for at in range(count)]
    return memory, rows, tree.build(memory, rows)


def check_costs(count, bound):
    """100 changes touch at most 100 leaves of each tree, and all inner nodes; what is beside a
    moved cut is a few per cent more."""
    memory, rows, root = big_tree(count)
    rng = random.Random(3)
    changes = [(path, Entry(1, 5, b"n" * 32)) for path, _ in rng.sample(rows, 60)]
    changes += [(path, None) for path, _ in rng.sample(rows, 20)]
    changes += [(path + b".new", entry(9)) for path, _ in rng.sample(rows, 20)]
    changes = sorted(dict(changes).items())
    memory.reads = memory.puts = 0
    other = tree.edit(memory, memory, root, changes)
    assert memory.reads <= bound
    assert memory.puts <= bound
    memory.reads = 0
    found = list(tree.diff(memory, root, other))
    assert [(change.path, change.new) for change in found] == changes
    assert memory.reads <= 2 * bound
    memory.reads = 0
    sent = dict(tree.diff_nodes(memory, root, other))
    assert memory.reads <= 2 * bound
    assert len(sent) <= bound
    return memory.reads


def test_a_diff_costs_what_differs():
    # 200,000 entries: about 1,350 leaves, 9 inner nodes and the root.
    check_costs(200_000, 120)


@pytest.mark.deep
def test_a_diff_of_a_million_reads_under_400_nodes():
    # About 6,700 leaves, 45 inner nodes and the root: 2 * (100 + 46), and what is beside cuts.
    check_costs(1_000_000, 180)


def test_one_change_at_one_end_costs_a_path():
    memory, rows, root = big_tree(50_000)
    for path in (rows[0][0], rows[-1][0], b"a", b"z"):
        memory.puts = memory.reads = 0
        other = tree.edit(memory, memory, root, [(path, Entry(2, 1, b"x" * 32))])
        assert memory.reads <= 6
        assert memory.puts <= 6
        memory.reads = 0
        assert len(list(tree.diff(memory, root, other))) == 1
        assert memory.reads <= 12


def test_what_is_set_to_what_it_is_writes_nothing():
    memory, rows, root = big_tree(50_000)
    memory.puts = 0
    assert tree.edit(memory, memory, root, [(b"a", None), *rows[:9], *rows[20_000:21_000]]) == root
    assert tree.edit(memory, memory, root, []) == root
    assert memory.puts == 0


def test_a_folder_that_is_added_costs_no_more_than_itself():
    memory, _, root = big_tree(50_000)
    added = [(b"train/0020a/%05d" % at, entry(at)) for at in range(5000)]
    other = tree.edit(memory, memory, root, added)
    memory.reads = 0
    assert [change.path for change in tree.diff(memory, root, other)] == [p for p, _ in added]
    assert memory.reads <= 5000 // 100 + 20


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("seed", range(3))
def test_diff_of_unrelated_trees_with_prefixes(seed):
    rng = random.Random(seed)
    memory = Memory()
    models = [
        {path: entry(rng.randrange(3)) for path in sorted_paths(rng, count)}
        for count in (0, 1, 4, 30, 200, 700)
    ]
    roots = [tree.build(memory, sorted(model.items())) for model in models]
    for a, root_a in zip(models, roots, strict=True):
        for b, root_b in zip(models, roots, strict=True):
            for prefix in (b"", b"3", b"3/", b"3/4", b"z", *list(a)[:2]):
                expected = [
                    Change(path, a.get(path), b.get(path))
                    for path in sorted(a.keys() | b.keys())
                    if a.get(path) != b.get(path)
                    and (
                        path == prefix
                        or path.startswith(prefix.rstrip(b"/") + b"/" if prefix else b"")
                    )
                ]
                assert list(tree.diff(memory, root_a, root_b, prefix)) == expected


def test_a_prefix_limits_what_is_read():
    memory, rows, root = big_tree(50_000)
    other = tree.edit(memory, memory, root, [(path, entry(1)) for path, _ in rows[::10]])
    memory.reads = 0
    assert len(list(tree.diff(memory, root, other, b"train/0007"))) == 100
    assert memory.reads <= 2 * (1000 // 100 + 4)


def reachable(memory, root):
    node = decode(memory.data[root])
    below = node.children() if isinstance(node, Inner) else []
    return {root}.union(*(reachable(memory, child) for child in below))


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("seed", range(6))
def test_new_nodes_complete_a_tree_parents_first(seed):
    rng = random.Random(seed)
    memory = Memory()
    model = {path: entry(at) for at, path in enumerate(sorted_paths(rng, rng.choice([3, 900])))}
    roots = [tree.build(memory, sorted(model.items()))]
    for _ in range(4):
        paths = sorted_paths(rng, rng.choice([1, 5, 100, 2000]))
        changes = [(path, rng.choice([None, entry(rng.randrange(99))])) for path in paths]
        roots.append(tree.edit(memory, memory, roots[-1], changes))
    for count in range(5):
        known = roots[:count]
        have = set().union(*(reachable(memory, root) for root in known))
        seen = set(have)
        if roots[4] not in known:
            seen.add(roots[4])
        sent = []
        for oid, node in tree.new_nodes(memory, known, roots[4]):
            assert oid in seen
            assert oid not in sent
            sent.append(oid)
            seen.update(node.children() if isinstance(node, Inner) else [])
        assert have | set(sent) >= reachable(memory, roots[4])
        # Nodes do not move between places here, so nothing known is given.
        assert not have & set(sent)


def test_a_known_tree_that_is_not_here_is_as_if_not_named():
    class Partial(Memory):
        def get(self, oid, kind):
            if oid not in self.data:
                raise MissingError("not here")
            return super().get(oid, kind)

    memory = Partial()
    root = tree.build(memory, [(b"a", entry(1))])
    assert [oid for oid, _ in tree.new_nodes(memory, [b"?" * 32], root)] == [root]


def test_a_tree_that_became_part_of_a_larger_one_is_known():
    memory, _, larger = big_tree(3000)
    first = next(tree.walk_leaves(memory, larger))
    root = tree.build(memory, first.entries())
    assert list(tree.new_nodes(memory, [larger], root)) == []
    assert list(tree.new_nodes(memory, [larger], larger)) == []
