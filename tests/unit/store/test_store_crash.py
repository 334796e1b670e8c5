"""The machine stops at any call: what was sealed stays readable, and no half pack is seen."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

import pytest

from oxcore.errors import StorageError
from oxcore.model.counters import Counters
from oxcore.model.ids import Kind, content_id
from oxcore.store import MemoryLocator, PackStore
from oxcore.testing.faults import Crash, faulty
from oxcore.testing.stores import noise

OLD = [noise(n, 400) for n in range(12)]
NEW = [noise(100 + n, 400) for n in range(12)]
OLD_IDS = [content_id(data) for data in OLD]
NEW_IDS = [content_id(data) for data in NEW]


def open_store(folder, locator=None):
    store = PackStore(folder, locator or MemoryLocator(), Counters(), pack_size=2500)
    store.refresh()
    return store


def write(store):
    with store.batch() as batch:
        batch.put_many(NEW_IDS, Kind.CHUNK, NEW)


def write_partly(store):
    with store.batch() as batch:
        batch.seal_partial()
        batch.put_many(NEW_IDS, Kind.CHUNK, NEW)


def repack(store):
    drop = [pack.name for pack in store.packs()]
    store.rewrite(drop=drop, keep=set(OLD_IDS[::2]).__contains__)


def repair(store):
    store.replace_objects(list(store.get_stored_many(OLD_IDS)))


SCENARIOS = [(write, OLD_IDS), (write_partly, OLD_IDS), (repack, OLD_IDS[::2]), (repair, OLD_IDS)]


@pytest.fixture
def before(tmp_path):
    folder = tmp_path / "before"
    store = open_store(str(folder))
    with store.batch() as batch:
        batch.put_many(OLD_IDS, Kind.CHUNK, OLD)
    return folder


def check(store, safe):
    assert [content_id(data) for data in store.get_many(safe, Kind.CHUNK)] == list(safe)
    for pack in store.packs():
        assert store.check_pack(pack.name).sound
    known = [oid for oid, _ in store.locator.ids()]
    assert [content_id(data) for data in store.get_many(known, Kind.CHUNK)] == known


@pytest.mark.parametrize(
    ("act", "safe"), SCENARIOS, ids=lambda value: getattr(value, "__name__", "")
)
def test_crash_at_every_call(before, tmp_path, act, safe):
    stop = 0
    while True:
        folder = tmp_path / f"run-{stop}"
        shutil.copytree(before, folder)
        store = open_store(str(folder))
        try:
            with faulty(stop):
                act(store)
        except Crash:
            check(open_store(str(folder)), safe)
            check(open_store(str(folder), store.locator), safe)
            act(open_store(str(folder), store.locator))  # the retry
            check(open_store(str(folder)), safe)
            stop += 1
        else:
            break
    assert stop > 6


@pytest.mark.parametrize(
    ("act", "safe"), SCENARIOS, ids=lambda value: getattr(value, "__name__", "")
)
def test_error_at_every_call(before, tmp_path, act, safe):
    for stop in range(12):
        folder = tmp_path / f"run-{stop}"
        shutil.copytree(before, folder)
        store = open_store(str(folder))
        with faulty(stop, error=28), suppress(StorageError):
            act(store)
        check(open_store(str(folder)), safe)
        check(open_store(str(folder), store.locator), safe)
        assert not [name for name in os.listdir(folder) if not name.endswith(".pack")]


def test_a_full_disk_is_told_to_the_end(before):
    store = open_store(str(before))
    errors = []
    full = pytest.raises(StorageError, match="No space left on device")
    with full as told, store.batch() as batch, faulty(0, error=28):
        for oid, data in zip(NEW_IDS, NEW, strict=True):
            try:
                batch.put(oid, Kind.CHUNK, data)
            except StorageError as error:  # as who adds many files, and goes on with the next
                errors.append(error)
    assert errors
    assert told.value.hint == "free some space and run it again"
    check(open_store(str(before)), OLD_IDS)


def test_nothing_is_renamed_before_it_is_durable(before):
    store = open_store(str(before))
    with faulty() as faults:
        write(store)
        repack(store)
    synced, dirty = set(), False
    for call, path in faults.log:
        if call == "writev":
            synced.discard(path)
        elif call == "fsync":
            synced.add(path)
            dirty = dirty and path != str(before)
        elif call == "rename":
            assert path in synced
            dirty = True
        elif call == "unlink":
            assert not dirty, "an old pack went before the new one's name was durable"
