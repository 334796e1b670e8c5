"""The stat cache against a dict."""

import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError, StorageError
from oxcore.index import UNKNOWN_STAT, Index, Row, pack_row, pack_stat, row_entry, unpack_row
from oxcore.model.entries import Entry, Mode

R1, R2, R3 = b"1" * 32, b"2" * 32, b"3" * 32


def row(n=0, size=7):
    return Row(size, 10**18 + n, -n, n, Entry(Mode.FILE, size, bytes([n % 256]) * 32))


@pytest.fixture
def index(tmp_path):
    with Index.open(str(tmp_path)) as index:
        yield index


def test_a_row_packs_into_73_bytes():
    entry = Entry(Mode.EXEC, 2**63, b"i" * 32)
    raw = pack_row(pack_stat(2**63, 2**62, -(2**62), 2**64 - 1), entry)
    assert len(raw) == 73
    assert unpack_row(raw) == Row(2**63, 2**62, -(2**62), 2**64 - 1, entry)
    assert row_entry(raw) == entry
    assert pack_stat(0, 0, 0, 0) == UNKNOWN_STAT


def test_apply_get_and_remove(index):
    stat = index.stat
    assert stat.root is None
    rows = [(b"a/x", row(1)), (b"top", row(2)), (b"a/b/y", row(3)), (b"a/x2", row(4))]
    stat.apply(R1, rows, [])
    assert stat.root == R1
    assert list(stat.folders()) == [b"", b"a", b"a/b"]
    assert stat.count() == 4
    assert stat.rows(b"a") == {b"x": row(1), b"x2": row(4)}
    assert list(stat.raw_rows(b"a")) == [b"x", b"x2"]
    assert stat.raw_rows(b"a")[b"x"].startswith(pack_stat(*row(1)[:4]))
    assert stat.rows(b"nothing") == {}
    assert stat.get_many([b"top", b"a/none", b"z/z", b"a/x"]) == [row(2), None, None, row(1)]
    stat.apply(R2, [(b"top", row(9))], [b"a/b/y", b"a/x", b"unknown", b"q/q"])
    assert list(stat.folders()) == [b"", b"a"]
    assert stat.get_many([b"top", b"a/x", b"a/b/y"]) == [row(9), None, None]
    stat.clear()
    assert (stat.root, stat.count(), list(stat.folders())) == (None, 0, [])


def test_names_fit_a_file_system(index):
    longest = b"d/" + b"n" * 255
    index.stat.apply(R1, [(longest, row(1))])
    assert index.stat.get_many([longest]) == [row(1)]
    for path in (b"d/" + b"n" * 256, b"d/", b""):
        with pytest.raises(InvalidError):
            index.stat.apply(R2, [(b"good", row()), (path, row())])
    with pytest.raises(InvalidError, match="73 bytes"):
        index.stat.apply(R2, [(b"good", b"short")])
    assert index.stat.root == R1
    assert index.stat.count() == 1


def test_touch_refreshes_stats_only(index):
    old = row(1)
    index.stat.apply(R1, [(b"f/a", old), (b"b", row(2))])
    fresh = old._replace(mtime_ns=5)
    other = old._replace(entry=Entry(Mode.FILE, 7, b"z" * 32))
    assert index.stat.touch(R1, [(b"f/a", fresh), (b"b", other), (b"none", old), (b"g/h", old)])
    assert index.stat.get_many([b"f/a", b"b", b"none"]) == [fresh, row(2), None]
    assert index.stat.count() == 2
    assert not index.stat.touch(R2, [(b"f/a", old)])
    assert index.stat.get_many([b"f/a"]) == [fresh]


def test_readonly(tmp_path):
    folder = str(tmp_path)
    with pytest.raises(StorageError):
        Index.open(folder, readonly=True)
    with Index.open(folder) as index:
        index.stat.apply(R1, [(b"a", row(1))])
    with Index.open(folder, readonly=True) as index:
        assert index.stat.get_many([b"a"]) == [row(1)]
        assert not index.stat.touch(R1, [(b"a", row(1))])
        with pytest.raises(StorageError):
            index.stat.apply(R2, [])


PATHS = st.lists(st.sampled_from([b"a", b"b", b"\xff", b"a0", b"lib"]), min_size=1, max_size=3).map(
    b"/".join
)
ROWS = st.integers(0, 300).map(row)
STEPS = st.lists(
    st.tuples(st.dictionaries(PATHS, ROWS, max_size=9), st.sets(PATHS, max_size=9)), max_size=6
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_it_is_a_dict(steps):
    model = {}
    with tempfile.TemporaryDirectory() as folder, Index.open(folder) as index:
        for put, gone in steps:
            gone = gone - put.keys()
            index.stat.apply(R1, iter(put.items()), iter(gone))
            model = {p: r for p, r in model.items() if p not in gone} | put
            folders = sorted({p.rpartition(b"/")[0] for p in model})
            assert list(index.stat.folders()) == folders
            found = {
                f + b"/" + name if f else name: r
                for f in folders
                for name, r in index.stat.rows(f).items()
            }
            assert found == model
            asked = sorted(model.keys() | put.keys() | gone)
            assert index.stat.get_many(asked) == [model.get(p) for p in asked]
            assert index.stat.count() == len(model)
