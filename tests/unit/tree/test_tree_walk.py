"""Look-ups against a plain dict."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from treekit import Memory, entry, limits, sorted_paths  # noqa: F401 -- `limits` is a fixture

from oxcore import tree
from oxcore.errors import MissingError
from oxcore.testing import strategies


def below(model, prefix):
    if prefix.endswith(b"/"):
        return {path: value for path, value in model.items() if path.startswith(prefix)}
    return {
        path: value
        for path, value in model.items()
        if not prefix or path == prefix or path.startswith(prefix + b"/")
    }


def children(model, folder):
    start = folder + b"/" if folder else b""
    items = {}
    for path, value in sorted(model.items()):
        if not path.startswith(start):
            continue
        name, slash, _ = path[len(start) :].partition(b"/")
        old = items.get(name, (0, 0))
        items[name] = (old[0] + 1, old[1] + value.size)
        if not slash:
            items[name] = value
    return [
        tree.Item(name, item, 1, item.size) if len(item) == 3 else tree.Item(name, None, *item)
        for name, item in items.items()
    ]


def check_all(memory, root, model, prefixes):
    assert list(tree.walk(memory, root)) == sorted(model.items())
    for prefix in prefixes:
        found = below(model, prefix)
        assert list(tree.walk(memory, root, prefix)) == sorted(found.items())
        size = sum(value.size for value in found.values())
        assert tree.summary(memory, root, prefix) == (len(found), size)
        folder = prefix.rstrip(b"/")
        assert list(tree.listing(memory, root, prefix)) == children(model, folder)
        is_folder = not folder or any(path.startswith(folder + b"/") for path in model)
        assert tree.exists_folder(memory, root, prefix) == is_folder
        assert tree.get(memory, root, prefix) == model.get(prefix)
    asked = sorted({*prefixes, *model})
    assert tree.get_many(memory, root, asked) == [model.get(path) for path in asked]


@settings(max_examples=80, deadline=None)
@given(strategies.trees(), st.lists(strategies.paths(), max_size=3))
def test_any_tree(model, extra):
    memory = Memory()
    root = tree.build(memory, sorted(model.items()))
    folders = {path[:at] for path in model for at in range(len(path)) if path[at : at + 1] == b"/"}
    check_all(memory, root, model, [b"", *folders, *model, *extra])


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("count", [1, 5, 40, 600])
def test_trees_of_many_levels(count):
    memory = Memory()
    paths = sorted_paths(random.Random(count), count)
    model = {path: entry(at) for at, path in enumerate(paths)}
    root = tree.build(memory, sorted(model.items()))
    prefixes = {path[:3] for path in model} | {path[:1] for path in model} | set(paths[:20])
    more = [b"", b"0/", b"z", b"0", b"00", b"0/0/", b"0/0/f", paths[-1] + b"/x"]
    check_all(memory, root, model, [*prefixes, *more])


def test_a_walk_in_columns_is_clipped_to_the_prefix():
    memory = Memory()
    model = {b"a/%04d" % at: entry(at) for at in range(2000)} | {b"b": entry(1)}
    root = tree.build(memory, sorted(model.items()))
    leaves = list(tree.walk_leaves(memory, root, b"a"))
    assert [path for leaf in leaves for path in leaf.paths] == sorted(model)[:-1]
    assert b"".join(leaf.ids for leaf in leaves) == b"".join(entry(at).id for at in range(2000))


def test_lookups_seek_and_do_not_scan():
    memory = Memory()
    rows = [(b"%03d/%05d" % divmod(at, 500), entry(at)) for at in range(40_000)]
    root = tree.build(memory, rows)
    for look, limit in [
        (lambda: tree.get(memory, root, b"040/00007"), 3),
        (lambda: next(tree.walk(memory, root, b"040")), 4),
        (lambda: tree.summary(memory, root, b"040"), 5),
        (lambda: tree.exists_folder(memory, root, b"041"), 4),
        (lambda: list(tree.listing(memory, root)), 2 * 80 + 10),
    ]:
        memory.reads = 0
        assert look()
        assert memory.reads <= limit


def test_nodes_keeps_decoded_nodes():
    memory = Memory()
    root = tree.build(memory, [(b"%05d" % at, entry(at)) for at in range(3000)])
    nodes = tree.Nodes(memory)
    for at in range(0, 100, 7):
        assert tree.get(nodes, root, b"%05d" % at) == entry(at)
    assert memory.reads <= 4


def test_a_missing_node_is_named():
    class Hollow(Memory):
        def get(self, oid, kind):
            raise MissingError("gone", items=[oid.hex()])

    with pytest.raises(MissingError):
        tree.get(Hollow(), b"r" * 32, b"a")
