"""The locator against a dict."""

import os
import re
import tempfile
from contextlib import nullcontext
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.index import Index
from oxcore.model.protocols import Location


def oid(n):
    return blake3(str(n).encode()).digest()


def where(n, pack=0):
    return Location(pack, 2**40 + n, n, n + 1, n % 6 + 1, n % 3)


@pytest.fixture
def locations(tmp_path):
    with Index.open(str(tmp_path)) as index:
        yield index.locations


P1, P2, P3 = oid("p1"), oid("p2"), oid("p3")


def test_add_find_replace_drop(locations):
    assert locations.find_many([]) == []
    one = locations.add_pack(P1, ((oid(n), where(n)) for n in range(100)))
    two = locations.add_pack(P2, [(oid(n), where(n + 1)) for n in range(50, 150)])
    assert locations.packs() == {one: P1, two: P2}
    asked = [oid(149), oid(60), oid(999), oid(60)]
    assert locations.find_many(asked) == [where(150, two), where(60, one), None, where(60, one)]
    assert locations.find_many([oid(60)]) == [where(60, one)]
    assert locations.find_many([oid(999)]) == [None]
    assert locations.add_pack(P1, [(oid(1), where(1))]) == one
    three = locations.replace(P3, [(oid(60), where(7))])
    assert locations.find_many([oid(60)]) == [where(7, three)]
    locations.drop_packs([P1, oid("unknown")])
    assert locations.packs() == {two: P2, three: P3}
    assert locations.find_many([oid(1), oid(60)]) == [None, where(7, three)]
    assert len(list(locations.ids())) == 51
    assert locations.add_pack(P1, []) > three  # a number is never given twice


def test_ids_come_in_order_over_many_pages(locations, monkeypatch):
    monkeypatch.setattr("oxcore.index.locations._PAGE", 7)
    locations.add_pack(P1, [(oid(n), where(n)) for n in range(100)])
    assert list(locations.ids()) == [
        (i, where(n, 1)) for i, n in sorted((oid(n), n) for n in range(100))
    ]


def test_prefixes(locations):
    ids = [b"\xff" * 32, b"\xff" * 31 + b"\xfe", b"a" * 32, b"ab" * 16]
    locations.add_pack(P1, [(i, where(1)) for i in ids])
    found = locations.find_prefix(b"\xff" * 31, 10)
    assert [i for i, _ in found] == [ids[1], ids[0]]
    assert [i for i, _ in locations.find_prefix(b"\xff", 1)] == [ids[1]]
    assert locations.find_prefix(b"b", 10) == []
    assert locations.find_prefix(b"\xff\xff\xff\xfe", 10) == []
    assert locations.find_prefix(b"a", 0) == []
    assert [i for i, _ in locations.find_prefix(b"", 9)] == sorted(ids)


def test_many_packs_at_once_cost_one_transaction(tmp_path):
    with Index.open(str(tmp_path)) as index:
        before = index.locations._database._env.info()["last_txnid"]
        packs = [(P1, [(oid(1), where(1))]), (P2, [(oid(1), where(2)), (oid(2), where(2))])]
        assert index.locations.add_packs(iter(packs)) == [1, 2]
        assert index.locations._database._env.info()["last_txnid"] == before + 1
        assert index.locations.find_many([oid(1), oid(2)]) == [where(1, 1), where(2, 2)]


OIDS = st.integers(0, 30).map(oid)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "replace", "drop"]),
        st.sampled_from([P1, P2, P3]),
        st.dictionaries(OIDS, st.integers(0, 99).map(where), max_size=12),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_it_is_a_dict(steps):
    model = {}
    with tempfile.TemporaryDirectory() as folder, Index.open(folder) as index:
        for verb, name, rows in steps:
            if verb == "drop":
                numbers = {n for n, known in index.locations.packs().items() if known == name}
                model = {i: w for i, w in model.items() if w.pack not in numbers}
                index.locations.drop_packs([name])
                continue
            known = verb == "add"
            number = (index.locations.add_pack if known else index.locations.replace)(
                name, rows.items()
            )
            new = {i: w._replace(pack=number) for i, w in rows.items()}
            model = {**new, **model} if known else {**model, **new}
            assert index.locations.packs()[number] == name
        asked = [oid(n) for n in range(31)]
        assert index.locations.find_many(asked) == [model.get(i) for i in asked]
        assert list(index.locations.ids()) == sorted(model.items())


def test_conformance_is_kept_by_reopening(tmp_path):
    folder = os.path.join(tmp_path, "made", "on", "the", "way")
    with Index.open(folder) as index:
        assert index.fresh
        index.locations.add_pack(P1, [(oid(1), where(1))])
    with Index.open(folder) as index:
        assert not index.fresh
        assert index.locations.find_many([oid(1)]) == [where(1, 1)]


def resident(folder):
    """Bytes of the index that lie in the memory of this process."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            inside = line.endswith(os.path.join(os.path.realpath(folder), "data.mdb"))
        elif inside and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


@pytest.mark.skipif(not os.path.exists("/proc/self/smaps"), reason="needs Linux")
@pytest.mark.parametrize("reading", [False, True])
def test_a_large_write_lets_go_of_its_pages_unless_someone_reads(tmp_path, reading):
    rows = [(oid(n), Location(0, n, 1, 1, 0, 0)) for n in range(60_000)]
    with Index.open(str(tmp_path)) as index:
        index.locations.add_pack(oid(-1), rows[:100])
        index.locations.add_pack(oid(-2), rows[:55_000])
        assert resident(tmp_path) < 1 << 20
        index.locations.find_many([one for one, _ in rows])
        assert resident(tmp_path) > 2 << 20
        with index.locations._database.read() if reading else nullcontext():
            index.locations.add_pack(oid(-3), rows)
        assert (resident(tmp_path) < 1 << 20) != reading
        assert None not in index.locations.find_many([one for one, _ in rows])
