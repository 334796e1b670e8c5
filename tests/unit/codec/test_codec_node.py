"""Tree nodes: read back, and refused where the layout or a rule of the paths is broken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.codec import node as codec
from oxcore.codec.node import Inner, Leaf, decode, encode_inner, encode_leaf, validate
from oxcore.errors import CorruptError
from oxcore.model.entries import MAX_PATH
from oxcore.testing.strategies import ids, paths, trees

ONE = bytes(range(32))


def leaf_of(tree):
    pairs = sorted(tree.items())
    return (
        [path for path, _ in pairs],
        b"".join(entry.id for _, entry in pairs),
        [entry.size for _, entry in pairs],
        bytes(entry.mode for _, entry in pairs),
    )


rows = st.tuples(ids(), st.integers(0, 2**40), st.integers(1, 2**20))
inner_nodes = st.dictionaries(paths(long=True), rows, min_size=1, max_size=8)


def inner_of(level, table):
    keys = sorted(table)
    found = [table[key] for key in keys]
    sizes, counts = [row[1] for row in found], [row[2] for row in found]
    return Inner(level, keys, b"".join(row[0] for row in found), sizes, counts)


@settings(max_examples=100, deadline=None)
@given(trees(max_size=12))
def test_leaves_read_back(tree):
    node = decode(encode_leaf(*leaf_of(tree)))
    validate(node)
    assert dict(node.entries()) == tree
    assert [node.entry(index) for index in range(len(tree))] == [tree[path] for path in node.paths]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 255), inner_nodes)
def test_inner_nodes_read_back(level, table):
    node = inner_of(level, table)
    read = decode(encode_inner(*node))
    validate(read)
    assert read._replace(sizes=list(read.sizes), counts=list(read.counts)) == node
    assert read.children() == [read.child(index) for index in range(len(table))]


def encode(node):
    return encode_leaf(*node) if isinstance(node, Leaf) else encode_inner(*node)


@settings(max_examples=300, deadline=None)
@given(trees(max_size=4), st.integers(0, 1000), st.binary(max_size=3))
def test_changed_bytes_are_refused_or_canonical_themselves(tree, at, junk):
    data = encode_leaf(*leaf_of(tree))
    at %= len(data)
    for changed in (data[:at] + junk + data[at + 1 :], data[:at] + junk):
        try:
            read = decode(changed)
            validate(read)
        except CorruptError:
            continue
        assert encode(read) == changed


@settings(max_examples=100, deadline=None)
@given(inner_nodes, st.integers(0, 1000), st.binary(max_size=3))
def test_changed_inner_nodes_likewise(table, at, junk):
    data = encode_inner(*inner_of(1, table))
    at %= len(data)
    for changed in (data[:at] + junk + data[at + 1 :], data[:at] + junk):
        try:
            read = decode(changed)
            validate(read)
        except CorruptError:
            continue
        assert encode(read) == changed


def refused(data):
    with pytest.raises(CorruptError):
        validate(decode(data))


@pytest.mark.parametrize(
    "keys",
    [
        [b"b", b"a"],
        [b"a", b"a"],
        [b""],
        [b"/a"],
        [b"a/../b"],
        [b"a", b"b/.ox/c"],
        [b".GIT"],
        [b"x" * (MAX_PATH + 1)],
    ],
)
def test_keys_that_break_a_rule(keys):
    count = len(keys)
    refused(encode_leaf(keys, ONE * count, [0] * count, b"\1" * count))
    refused(encode_inner(1, keys, ONE * count, [0] * count, [1] * count))


@pytest.mark.parametrize("mode", [0, 4, 255])
def test_unknown_modes(mode):
    refused(encode_leaf([b"a", b"b", b"c"], ONE * 3, [0] * 3, bytes([1, mode, 2])))


def test_numbers_out_of_range():
    refused(encode_leaf([b"a"], ONE, [codec.MAX_FILE + 1], b"\1"))
    refused(encode_inner(1, [b"a"], ONE, [codec.MAX_TOTAL + 1], [1]))
    refused(encode_inner(1, [b"a", b"b"], ONE * 2, [codec.MAX_TOTAL] * 2, [1, 1]))
    refused(encode_inner(1, [b"a"], ONE, [0], [0]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"OXTN",
        b"OXTM\1\0\0\0\0\0\0\0",
        b"OXTN\2\0\0\0\0\0\0\0",
        b"OXTN\1\0\1\0\0\0\0\0",
        b"OXTN\1\0\0\0\0\0\0\0a",  # a key without an entry
        b"OXTN\1\1\0\0\0\0\0\0",  # an inner node without children
        b"OXTN\1\0\0\0\xff\xff\xff\xff" + b"a" * 50,  # more entries than bytes
    ],
)
def test_other_layouts(data):
    refused(data)


def test_the_empty_leaf():
    data = encode_leaf([], b"", [], b"")
    assert len(data) == 12
    assert decode(data).paths == []
    validate(decode(data))


@pytest.mark.parametrize(
    "columns",
    [
        ([b"a"], b"", [1], b"\1"),
        ([b"a"], ONE, [], b"\1"),
        ([b"a"], ONE, [1], b""),
        ([], ONE, [], b""),
    ],
)
def test_columns_of_a_leaf_that_differ_in_length(columns):
    with pytest.raises(ValueError, match="equally long"):
        encode_leaf(*columns)


def test_columns_of_an_inner_node_that_differ_in_length():
    with pytest.raises(ValueError, match="equally long"):
        encode_inner(1, [b"a"], ONE, [1], [])
    with pytest.raises(ValueError, match="level"):
        encode_inner(256, [b"a"], ONE, [1], [1])
    with pytest.raises(ValueError, match="level"):
        encode_inner(0, [b"a"], ONE, [1], [1])
