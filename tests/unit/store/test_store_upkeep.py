"""Audit, repacking, repair, links."""

from __future__ import annotations

import errno
import os

import pytest

from oxcore.errors import CorruptError, MissingError
from oxcore.model.counters import Counters
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.model.protocols import How
from oxcore.store import MemoryLocator, PackStore
from oxcore.testing.faults import flip, truncate
from oxcore.testing.stores import noise

DATAS = [noise(n, 3000) for n in range(30)]
IDS = [content_id(data) for data in DATAS]


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "packs")


def open_store(folder, **options):
    store = PackStore(folder, MemoryLocator(), Counters(), **options)
    store.refresh()
    return store


def fill(store, datas, kind=Kind.CHUNK):
    ids = [object_id(kind, data) for data in datas]
    with store.batch() as batch:
        batch.put_many(ids, kind, datas)
    return ids


def names(store):
    return [pack.name for pack in store.packs()]


def readable(store, ids):
    return [content_id(data) for data in store.get_many(ids, Kind.CHUNK)] == list(ids)


class TestCheck:
    def test_sound(self, folder):
        store = open_store(folder)
        fill(store, DATAS)
        (pack,) = store.packs()
        report = store.check_pack(pack.name)
        assert report.sound
        assert (report.objects, report.size) == (30, pack.size)

    def test_names_bad_objects(self, folder):
        store = open_store(folder)
        fill(store, DATAS)
        (name,) = names(store)
        for index in (0, 7, 29):
            flip(store.files.path(name), store.locate(IDS)[index].offset + 5)
        assert store.check_pack(name, deep=False).sound
        report = store.check_pack(name, deep=True)
        assert not report.sound
        assert report.problem == ""
        assert set(report.bad) == {IDS[0], IDS[7], IDS[29]}

    def test_names_what_is_wrong_with_the_whole(self, folder):
        store = open_store(folder)
        fill(store, DATAS)
        (name,) = names(store)
        path = store.files.path(name)
        size = os.path.getsize(path)
        os.rename(path, store.files.path(bytes(32)))
        assert "index of pack" in store.check_pack(bytes(32)).problem
        os.rename(store.files.path(bytes(32)), path)
        for cut in (size - 1, 1000, 20, 0):
            truncate(path, cut)
            assert store.check_pack(name).problem
        os.unlink(path)
        assert "gone" in store.check_pack(name).problem

    def test_newer_version_is_said(self, folder):
        store = open_store(folder)
        fill(store, DATAS)
        (name,) = names(store)
        flip(store.files.path(name), 8, 1)
        assert "version 3" in store.check_pack(name).problem

    def test_delta_without_base_is_bad(self, folder):
        store = open_store(folder)
        fill(store, [DATAS[0]])
        (first,) = names(store)
        new = DATAS[0] + b"more"
        with store.batch() as batch:
            batch.put(content_id(new), Kind.CHUNK, new, base=IDS[0])
        (second,) = set(names(store)) - {first}
        assert store.check_pack(second).sound
        os.unlink(store.files.path(first))
        store.refresh()
        assert store.check_pack(second).bad == (content_id(new),)


class TestRewrite:
    def test_keeps_what_lives(self, folder):
        store = open_store(folder, pack_size=20_000)
        fill(store, DATAS)
        old = names(store)
        live = set(IDS[::3])
        report = store.rewrite(drop=old, keep=live.__contains__)
        assert readable(store, IDS[::3])
        assert not any(store.has_many(sorted(set(IDS) - live)))
        assert report.copied == 10
        assert set(names(store)) == set(report.made)
        assert set(report.removed) == set(old)
        assert report.bytes_after == sum(pack.size for pack in store.packs()) < 35_000
        assert report.bytes_before > 90_000
        fresh = open_store(folder)
        assert readable(fresh, IDS[::3])

    def test_other_packs_stay(self, folder):
        store = open_store(folder)
        fill(store, DATAS[:10])
        first = names(store)
        fill(store, DATAS[10:])
        store.rewrite(drop=first, keep=lambda _: False)
        assert store.has_many(IDS) == [False] * 10 + [True] * 20
        assert readable(store, IDS[10:])

    def test_a_pack_that_loses_nothing_survives(self, folder):
        store = open_store(folder)
        fill(store, DATAS)
        old = names(store)
        report = store.rewrite(drop=old, keep=lambda _: True)
        assert report.removed == ()
        assert names(store) == old
        assert readable(store, IDS)

    def test_nothing_to_keep_makes_no_pack(self, folder):
        store = open_store(folder)
        fill(store, DATAS)
        report = store.rewrite(drop=names(store), keep=lambda _: False)
        assert (report.made, names(store), os.listdir(folder)) == ((), [], [])

    def test_second_copy_elsewhere_is_enough(self, folder):
        one, two = open_store(folder), open_store(folder)
        with one.batch() as mine, two.batch() as theirs:
            mine.put_many(IDS[:5], Kind.CHUNK, DATAS[:5])
            theirs.put_many(IDS[:6], Kind.CHUNK, DATAS[:6])
        one.refresh()
        where = one.locate(IDS[:1])[0].pack
        other = next(name for number, name in one.locator.packs().items() if number != where)
        report = one.rewrite(drop=[other], keep=lambda _: True)
        assert report.copied == 1
        assert readable(one, IDS[:6])

    def test_delta_survives_the_loss_of_its_base(self, folder):
        store = open_store(folder)
        new = DATAS[0] + b"more"
        oid = content_id(new)
        with store.batch() as batch:
            batch.put(IDS[0], Kind.CHUNK, DATAS[0])
            batch.put(oid, Kind.CHUNK, new, base=IDS[0])
        assert store.locate([oid])[0].how == How.DELTA
        store.rewrite(drop=names(store), keep={oid}.__contains__)
        assert store.has_many([IDS[0], oid]) == [False, True]
        assert store.get(oid, Kind.CHUNK) == new

    def test_base_of_a_delta_elsewhere_is_kept(self, folder):
        store = open_store(folder)
        fill(store, DATAS[:2])
        first = names(store)
        new = DATAS[0] + b"more"
        oid = content_id(new)
        with store.batch() as batch:
            batch.put(oid, Kind.CHUNK, new, base=IDS[0])
        store.rewrite(drop=first, keep={oid}.__contains__)
        assert store.has_many([IDS[0], IDS[1], oid]) == [True, False, True]
        assert store.get(oid, Kind.CHUNK) == new

    def test_delta_with_a_living_base_stays_a_delta(self, folder):
        store = open_store(folder)
        new = DATAS[0] + b"more"
        oid = content_id(new)
        with store.batch() as batch:
            batch.put_many(IDS[:2], Kind.CHUNK, DATAS[:2])
            batch.put(oid, Kind.CHUNK, new, base=IDS[0])
        store.rewrite(drop=names(store), keep={oid, IDS[0]}.__contains__)
        assert store.locate([oid])[0].how == How.DELTA
        assert store.get(oid, Kind.CHUNK) == new

    def test_damaged_living_object_keeps_its_pack(self, folder):
        store = open_store(folder)
        fill(store, DATAS)
        (name,) = names(store)
        flip(store.files.path(name), store.locate(IDS)[3].offset)
        flip(store.files.path(name), store.locate(IDS)[4].offset)
        live = set(IDS) - {IDS[4]}
        report = store.rewrite(drop=[name], keep=live.__contains__)
        assert (report.stuck, report.damaged, report.removed) == ((name,), (IDS[3],), ())
        assert name in names(store)
        assert readable(store, [oid for oid in IDS if oid not in (IDS[3], IDS[4])])

    def test_unreadable_pack_stays(self, folder):
        store = open_store(folder)
        fill(store, DATAS)
        (name,) = names(store)
        flip(store.files.path(name), -20)
        report = store.rewrite(drop=[name], keep=lambda _: False)
        assert report.stuck == (name,)
        assert names(store) == [name]


class TestRepair:
    def test_replaced_objects_win(self, folder, tmp_path):
        store, remote = open_store(folder), open_store(str(tmp_path / "remote"))
        fill(store, DATAS)
        fill(remote, DATAS)
        (name,) = names(store)
        flip(store.files.path(name), store.locate(IDS)[3].offset)
        bad = store.check_pack(name).bad
        assert store.replace_objects(remote.get_stored_many(bad)) == 1
        assert readable(store, IDS)
        report = store.rewrite(drop=[name], keep=lambda _: True)
        assert (report.stuck, report.removed) == ((), (name,))
        assert readable(store, IDS)
        assert readable(open_store(folder), IDS)

    def test_a_twin_of_the_whole_pack(self, folder, tmp_path):
        """The repaired pack has the name of the damaged one, which is open."""
        store, remote = open_store(folder), open_store(str(tmp_path / "remote"))
        fill(store, DATAS)
        fill(remote, DATAS)
        (name,) = names(store)
        flip(store.files.path(name), store.locate(IDS)[3].offset)
        with pytest.raises(CorruptError):
            store.get(IDS[3], Kind.CHUNK)
        store.replace_objects(remote.get_stored_many(IDS))
        assert names(store) == [name]
        assert readable(store, IDS)
        assert store.check_pack(name).sound

    def test_damaged_replacements_are_refused(self, folder):
        store = open_store(folder)
        fill(store, DATAS)
        good = store.get_stored(IDS[0])
        with pytest.raises(CorruptError):
            store.replace_objects([good, good._replace(id=IDS[1])])
        assert readable(store, IDS)

    def test_quarantine(self, folder):
        one, two = open_store(folder), open_store(folder)
        with one.batch() as mine, two.batch() as theirs:
            mine.put_many(IDS[:5], Kind.CHUNK, DATAS[:5])
            theirs.put_many(IDS[3:9], Kind.CHUNK, DATAS[3:9])
        one.refresh()
        number = one.locate(IDS[:1])[0].pack
        path = one.quarantine(one.locator.packs()[number])
        assert path.endswith(".pack.bad")
        assert os.path.exists(path)
        assert one.has_many(IDS[:9]) == [False] * 3 + [True] * 6
        assert readable(one, IDS[3:9])
        assert len(names(one)) == 1
        with pytest.raises(MissingError):
            one.get(IDS[0], Kind.CHUNK)


class TestLinks:
    def test_links_share_the_bytes(self, folder, tmp_path):
        source, target = open_store(folder, pack_size=20_000), open_store(str(tmp_path / "two"))
        fill(source, DATAS)
        assert target.link_from(folder) == names(source)
        assert readable(target, IDS)
        path = target.files.path(names(target)[0])
        assert os.stat(path).st_nlink == 2
        assert target.link_from(folder) == []
        assert target.counters.bytes_stored == 0

    @pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
    def test_copies_where_links_fail(self, folder, tmp_path, monkeypatch, code):
        source, target = open_store(folder), open_store(str(tmp_path / "two"))
        fill(source, DATAS)

        def refuse(*_):
            raise OSError(code, "no links")

        monkeypatch.setattr(os, "link", refuse)
        target.link_from(folder)
        assert readable(target, IDS)
        assert os.stat(target.files.path(names(target)[0])).st_nlink == 1
        assert target.counters.bytes_stored == source.packs()[0].size
        assert all(name.endswith(".pack") for name in os.listdir(tmp_path / "two"))

    def test_damaged_source_is_refused(self, folder, tmp_path):
        source, target = open_store(folder), open_store(str(tmp_path / "two"))
        fill(source, DATAS)
        flip(source.files.path(names(source)[0]), -20)
        with pytest.raises(CorruptError):
            target.link_from(folder)
        assert names(target) == []

    def test_empty_source(self, folder, tmp_path):
        assert open_store(str(tmp_path / "two")).link_from(folder) == []
