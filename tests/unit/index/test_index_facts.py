"""Facts about files: kept, found again, and in nobody's way."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.index import Index
from oxcore.index._env import Database
from oxcore.index.facts import FOLDER, LARGEST

A, B, C = (bytes([n]) * 32 for n in (1, 2, 3))


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "index")


IDS = st.sampled_from([A, B, C, b"\xff" * 32])
KINDS = st.sampled_from(["table 1", "table 2", "stats 1"])
STEPS = st.lists(
    st.tuples(st.just("put"), KINDS, st.dictionaries(IDS, st.binary(max_size=30), max_size=3))
    | st.tuples(st.just("sweep"), st.just(""), st.sets(IDS))
    | st.tuples(st.just("reopen"), st.just(""), st.none()),
    max_size=12,
)


@given(STEPS)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_facts_are_a_dict(tmp_path_factory, steps):
    folder, model = str(tmp_path_factory.mktemp("facts")), {}
    index = Index.open(folder)
    for step, kind, what in steps:
        if step == "put":
            index.facts.put_many(kind, what.items())
            model |= {(oid, kind): fact for oid, fact in what.items()}
        elif step == "sweep":
            gone = [key for key in model if key[0] not in what]
            assert index.facts.sweep(lambda oids, what=what: [o in what for o in oids]) == len(gone)
            model = {key: fact for key, fact in model.items() if key not in gone}
        else:
            index.close()
            index = Index.open(folder)
    for kind in ("table 1", "table 2", "stats 1"):
        oids = [A, B, A, C, b"\xff" * 32]
        assert index.facts.get_many(oids, kind) == [model.get((oid, kind)) for oid in oids]
    index.close()


def test_asking_makes_no_files(folder):
    with Index.open(folder) as index:
        assert index.facts.get(A, "x") is None
        assert index.facts.sweep(lambda oids: [False] * len(oids)) == 0
        assert not os.path.exists(os.path.join(folder, FOLDER))
        index.facts.put(A, "x", b"1")
        assert index.facts.get(A, "x") == b"1"


def test_damage_is_not_known(folder):
    with Index.open(folder) as index:
        index.facts.put(A, "x", b"a fact of some length")
        index.facts.put(B, "x", b"another")
    place = os.path.join(folder, FOLDER, "data.mdb")
    with open(place, "rb") as file:
        data = bytearray(file.read())
    while (at := data.find(b"a fact of")) >= 0:
        data[at] ^= 1
    with open(place, "wb") as file:
        file.write(data)
    with Index.open(folder) as index:
        assert index.facts.get_many([A, B], "x") == [None, b"another"]
        index.facts.put(A, "x", b"anew")
        assert index.facts.get(A, "x") == b"anew"


def test_files_that_are_none_are_made_anew(folder):
    with Index.open(folder) as index:
        index.facts.put(A, "x", b"1")
        index.stat.apply(B, [])
    for name in ("data.mdb", "lock.mdb"):
        with open(os.path.join(folder, FOLDER, name), "wb") as file:
            file.write(b"no database" * 1000)
    with Index.open(folder) as index:
        assert index.facts.get(A, "x") is None
        index.facts.put(A, "x", b"2")
        assert index.facts.get(A, "x") == b"2"
        assert index.stat.root == B  # the index itself is another matter


def test_what_cannot_be_kept_is_not(folder):
    with Index.open(folder) as index:
        index.facts.put(A, "x", bytes(LARGEST + 1))
        assert index.facts.get(A, "x") is None
        shutil.rmtree(os.path.join(folder, FOLDER), ignore_errors=True)
    with open(os.path.join(folder, FOLDER), "wb"):  # a file where the folder should be
        pass
    with Index.open(folder) as index:
        index.facts.put(A, "x", b"1")
        assert index.facts.get(A, "x") is None
    with Index.open(folder, readonly=True) as index:
        index.facts.put(A, "x", b"1")
        assert index.facts.get(A, "x") is None
    index.facts.put(A, "x", b"1")  # closed
    assert index.facts.get(A, "x") is None


def test_a_writer_of_the_index_does_not_hold_facts_up(folder):
    with Index.open(folder) as index:
        database = index.locations._database
        txn = database.begin(write=True)
        index.facts.put(A, "x", b"1")
        assert index.facts.get(A, "x") == b"1"
        txn.abort()
        database.end()


def test_many_facts_are_one_transaction(folder, monkeypatch):
    runs, run = [], Database._run
    monkeypatch.setattr(Database, "_run", lambda *args: runs.append(1) or run(*args))
    with Index.open(folder) as index:
        index.facts.put_many("x", [(n.to_bytes(32), b"fact") for n in range(25_000)])
        assert len(runs) == 1
        assert index.facts.sweep(lambda oids: [oid[-1] % 2 for oid in oids]) == 12_500
