"""What fsck finds: every flipped bit of packs and log; and what it mends, from a clone or alone."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.api import Repo
from oxcore.codec.manifest import Manifest, decode_manifest, encode_manifest
from oxcore.errors import CorruptError, FormatError, MissingError, NotFoundError
from oxcore.model.commits import Moment, Person
from oxcore.model.entries import Entry
from oxcore.model.ids import ID_LEN, Kind, content_id
from oxcore.model.protocols import How, Location, Stored
from oxcore.model.settings import Settings
from oxcore.repo import Repository
from oxcore.testing.faults import flip, truncate
from oxcore.testing.stores import noise
from oxcore.verbs.fsck import fsck
from oxcore.verbs.gc import gc
from oxcore.verbs.reset import reset, restore
from oxcore.verbs.stash import push
from oxcore.verbs.upkeep.packindex import check_index

FILES = {
    "a.txt": b"one",
    "d/big.bin": noise(1, 300_000),
    "d/small.bin": noise(2, 3000),
    "text.csv": b"id,label\n" * 2000,
}


@pytest.fixture
def full(desk):
    """A repository with history, a stash, something staged, a tag; and a twin of it."""
    desk.commit(FILES)
    desk.commit({"a.txt": "two", "e": "3"})
    desk.repo.tag("v1", message="first")
    desk.write({"a.txt": "stashed"})
    push(desk.core)
    desk.write({"staged": "s"})
    desk.repo.add()
    return desk


@pytest.fixture
def twin(full, tmp_path_factory):
    """A copy of the repository, with its files, as it was when it was sound."""
    place = tmp_path_factory.mktemp("twin") / "copy"
    shutil.copytree(full.root, place, symlinks=True)
    return str(place)


def packs(desk):
    return sorted(Path(desk.core.folder, "packs").glob("*.pack"))


def pack_of(desk, oid):
    where = desk.core.store.locate([oid])[0]
    return str(desk.core.store.files.path(desk.core.index.locations.packs()[where.pack])), where


def spoil(desk, oid, at=0):
    """Flip a bit of the stored bytes of one object."""
    path, where = pack_of(desk, oid)
    flip(path, where.offset + at)
    desk.core.store.files.forget(bytes.fromhex(Path(path).stem))
    desk.core._commits.clear()


def lose(desk, *oids):
    gone = set(oids)
    names = sorted(desk.core.store.files.names())
    desk.core.store.rewrite(drop=names, keep=lambda one: one not in gone)
    desk.core._commits.clear()


def kinds(checked):
    return {problem.kind for problem in checked.problems}


class TestSound:
    def test_counts(self, full):
        done = fsck(full.core)
        assert done.sound
        store = full.core.store
        assert done.packs == len(store.packs())
        assert done.objects == sum(pack.objects for pack in store.packs())
        assert done.nbytes == sum(pack.size for pack in store.packs())
        assert done.operations == full.core.view().number
        assert (done.proved.commits, done.proved.tags) == (4, 1)
        assert done.proved.files >= 7
        assert done.proved.nbytes > 320_000

    def test_quick(self, full):
        done = fsck(full.core, quick=True)
        assert (done.sound, done.quick) == (True, True)
        assert done.proved.files == fsck(full.core).proved.files

    def test_empty_and_bare(self, desk, tmp_path):
        assert fsck(desk.core).sound
        with Repo.init(str(tmp_path / "bare"), bare=True) as api:
            assert fsck(api._repo).sound

    def test_a_shallow_clone_is_whole(self, full, tmp_path):
        shallow = Repo.clone("file://" + str(full.root), str(tmp_path / "s"), depth=1)
        with shallow:
            assert fsck(shallow._repo).sound

    def test_repair_of_nothing(self, full):
        assert fsck(full.core, repair=True).repaired == ()


class TestFinds:
    def test_every_kind_of_object(self, full):
        commit = full.core.head()
        for oid in (
            commit,
            full.core.commit(commit).tree,
            content_id(FILES["d/small.bin"]),
            content_id(FILES["d/big.bin"]),
            bytes.fromhex(full.core.view()["refs/tags/v1"]),
        ):
            spoil(full, oid, at=14)
            found = fsck(full.core)
            assert oid.hex() in {problem.what for problem in found.problems}
            spoil(full, oid, at=14)
            assert fsck(full.core).sound

    def test_names_the_file_that_needs_it(self, full):
        spoil(full, content_id(FILES["d/small.bin"]), at=9)
        (problem,) = fsck(full.core).problems
        assert (problem.kind, problem.path) == ("corrupt", "d/small.bin")
        assert "d/small.bin" in problem.text()

    def test_missing_things(self, full):
        manifest = full.core.store.get(content_id(FILES["d/big.bin"]), Kind.FILE)
        chunk = decode_manifest(manifest).children()[1]
        small = content_id(FILES["d/small.bin"])
        lose(full, chunk, small)
        for quick in (True, False):
            found = {p.what: p for p in fsck(full.core, quick=quick).problems}
            assert found[chunk.hex()].kind == found[small.hex()].kind == "missing"
            assert found[chunk.hex()].path == "d/big.bin"

    def test_a_missing_root(self, full):
        lose(full, full.core.stage())
        assert full.core.stage().hex() in {p.what for p in fsck(full.core).problems}

    def test_a_manifest_of_other_chunks(self, full):
        oid = content_id(FILES["d/big.bin"])
        right = decode_manifest(full.core.store.get(oid, Kind.FILE))
        ids = right.ids[ID_LEN:] + right.ids[:ID_LEN]
        lengths = [*right.lengths[1:], right.lengths[0]]
        data = encode_manifest(Manifest(0, ids, lengths))
        full.core.store.replace_objects([Stored(oid, 2, How.RAW, len(data), data)])
        found = fsck(full.core)
        assert {p.what for p in found.problems} == {oid.hex()}

    def test_an_index_that_lies(self, full):
        locations = full.core.index.locations
        oid = content_id(FILES["d/small.bin"])
        (name,) = [n for n in locations.packs().values() if n.hex() in pack_of(full, oid)[0]]
        locations.replace(name, [(b"\5" * 32, Location(0, 16, 4, 4, 1, 0))])
        locations.replace(name, [(oid, Location(0, 17, 4, 4, 1, 0))])
        found = fsck(full.core)
        assert kinds(found) == {"index"}
        assert [p.message.split()[0] for p in found.problems] == ["1", "1"]
        assert not check_index(full.core).sound
        done = fsck(full.core, repair=True)
        assert (done.sound, {p.kind for p in done.repaired}) == (True, {"index"})
        assert not full.core.store.has_many([b"\5" * 32])[0]

    def test_an_empty_index(self, full):
        full.core.index.locations.clear()
        fsck(full.core)
        assert check_index(full.core).sound  # any reader indexes packs that it does not know

    def test_a_log_that_ends_in_rubbish(self, full):
        log = Path(full.core.folder, "oplog")
        sound = log.read_bytes()
        log.write_bytes(sound + b"\0" * 30)
        assert kinds(fsck(full.core)) == {"log"}
        done = fsck(full.core, repair=True)
        assert done.sound
        assert log.read_bytes() == sound
        assert Path(full.core.folder, "oplog.cut").read_bytes() == b"\0" * 30


class TestRepair:
    def test_from_a_twin(self, full, twin):
        names = [content_id(data) for data in FILES.values()]
        tree, head = full.core.head_tree(), full.core.head()
        for oid in (*names, tree, head):
            spoil(full, oid, at=13)
        before = fsck(full.core)
        assert len(before.problems) >= 6
        done = fsck(full.core, repair=True, sources=[twin])
        assert done.sound, [p.text() for p in done.problems]
        assert done.aside
        assert {p.what for p in before.problems} <= {p.what for p in done.repaired}
        assert fsck(full.core).sound
        assert full.committed("v1") == full.committed("HEAD")
        with Repository.open(str(full.root)) as again:
            assert fsck(again).sound

    def test_everything_lost(self, full, twin):
        state = dict(full.core.view())
        for path in packs(full):
            path.unlink()
        done = fsck(full.core, repair=True, sources=[twin])
        assert done.sound, done.problems
        assert dict(full.core.view()) == state
        assert full.committed() == {
            **{path.encode(): data for path, data in FILES.items()},
            b"a.txt": b"two",
            b"e": b"3",
        }

    def test_configured_remotes_are_the_default(self, full, twin):
        full.repo.add_remote("gone", "/nowhere/at/all")
        full.repo.add_remote("origin", twin)
        spoil(full, full.core.head_tree(), at=20)
        done = fsck(full.core, repair=True)
        assert done.sound
        assert len(done.unreachable) == 1
        assert done.unreachable[0].startswith("gone: ")

    def test_an_unknown_source_is_an_error(self, full):
        spoil(full, full.core.head_tree(), at=20)
        with pytest.raises(NotFoundError):
            fsck(full.core, repair=True, sources=["nobody"])

    def test_alone_it_saves_what_is_sound(self, full):
        oid = content_id(FILES["d/small.bin"])
        path, _ = pack_of(full, oid)
        others = {row for row, _ in full.core.store.files.index(_name(path)).rows()} - {oid}
        spoil(full, oid, at=8)
        done = fsck(full.core, repair=True)
        assert [p.what for p in done.problems] == [oid.hex()]
        assert done.problems[0].kind == "missing"
        assert done.aside == (path + ".bad",)
        assert all(full.core.store.has_many(sorted(others)))
        assert not full.core.store.has_many([oid])[0]
        full.write({"again": FILES["d/small.bin"]})
        full.repo.add()  # the same bytes again: that is a repair too
        assert fsck(full.core).sound

    def test_gc_deletes_what_was_put_aside_once_nothing_is_missing(self, full, twin):
        oid = content_id(FILES["d/small.bin"])
        spoil(full, oid, at=8)
        bad = Path(fsck(full.core, repair=True).aside[0])
        size = bad.stat().st_size
        assert gc(full.core, grace=0).aside_left == size
        assert bad.exists()
        assert fsck(full.core, repair=True, sources=[twin]).aside_before == (str(bad),)
        young = gc(full.core)
        assert (young.aside_gone, young.aside_left, bad.exists()) == (0, size, True)
        told = gc(full.core, grace=0, dry_run=True)
        assert (told.aside_gone, told.aside_left, bad.exists()) == (size, 0, True)
        done = gc(full.core, grace=0)
        assert (done.aside_gone, done.aside_left, bad.exists()) == (size, 0, False)
        assert fsck(full.core).aside_before == ()

    def test_a_pack_without_a_sound_end_is_saved_by_the_index(self, full):
        oid = content_id(FILES["d/small.bin"])
        path, _ = pack_of(full, oid)
        flip(path, -20)
        full.core.store.files.forget(_name(path))
        assert not fsck(full.core).sound
        done = fsck(full.core, repair=True)
        assert done.sound
        assert full.core.store.get(oid, Kind.CHUNK) == FILES["d/small.bin"]

    def test_a_damaged_twin_helps_as_far_as_it_is_sound(self, full, twin):
        small, tree = content_id(FILES["d/small.bin"]), full.core.head_tree()
        other = Repository.open(twin)
        where = other.store.locate([small])[0]
        path = other.store.files.path(other.index.locations.packs()[where.pack])
        flip(path, where.offset + 3)
        other.close()
        spoil(full, small, at=8)
        spoil(full, tree, at=20)
        done = fsck(full.core, repair=True, sources=[twin])
        assert [p.what for p in done.problems] == [small.hex()]
        assert full.core.store.get(tree, Kind.TREE)

    def test_a_wrong_manifest_that_names_nothing(self, full, twin):
        oid = content_id(FILES["d/big.bin"])
        right = decode_manifest(full.core.store.get(oid, Kind.FILE))
        data = encode_manifest(Manifest(0, b"\1" * len(right.ids), right.lengths))
        full.core.store.replace_objects([Stored(oid, 2, How.RAW, len(data), data)])
        assert oid.hex() in {p.what for p in fsck(full.core).problems}
        done = fsck(full.core, repair=True, sources=[twin])
        assert done.sound, done.problems
        assert full.content(Entry(1, 300_000, oid)) == FILES["d/big.bin"]

    def test_a_long_line_of_lost_commits(self, desk, tmp_path):
        for number in range(12):
            desk.commit({"a": str(number)})
        place = str(tmp_path / "twin.copy")
        shutil.copytree(desk.root, place)
        commits, oid = [], desk.core.head()
        while oid:
            commits.append(oid)
            oid = next(iter(desk.core.commit(oid).parents), None)
        lose(desk, *commits[2:11])
        assert not fsck(desk.core).sound
        assert fsck(desk.core, repair=True, sources=[place]).sound


class TestNothingWrongReachesTheWorkTree:
    def test_restore_and_reset(self, full):
        oid = content_id(FILES["d/small.bin"])
        spoil(full, oid, at=8)
        place = full.root / "d/small.bin"
        place.write_bytes(b"mine")
        with pytest.raises(CorruptError, match=oid.hex()):
            restore(full.core, [b"d/small.bin"])
        assert place.read_bytes() == b"mine"
        with pytest.raises(CorruptError, match=oid.hex()):
            reset(full.core, full.core.head(), "hard")
        assert place.read_bytes() == b"mine"


def _name(path):
    return bytes.fromhex(Path(path).stem)


def _how_at(repo, name, at):
    rows = [row for _, row in repo.store.files.index(name).rows()]
    (how,) = [row.how for row in rows if row.offset <= at < row.offset + row.stored]
    return how


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    """One repository that each example copies, and its state."""
    folder = tmp_path_factory.mktemp("pristine") / "repo"
    options = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000))
    with Repo.init(str(folder), settings=options) as api:
        for path, data in FILES.items():
            place = folder / path
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(data)
        api.add()
        api.commit("one")
        (folder / "a.txt").write_bytes(b"changed")
        api.add()
        api.commit("two")
    return folder


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_flipped_bit_of_a_pack_is_found_and_healed(pristine, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("flip") / "repo"
    shutil.copytree(pristine, folder)
    names = sorted((folder / ".ox" / "packs").glob("*.pack"))
    target = data.draw(st.sampled_from(names))
    size = target.stat().st_size
    spots = st.integers(0, size - 1) | st.integers(0, 40) | st.integers(max(0, size - 90), size - 1)
    at = min(data.draw(spots), size - 1)
    flip(str(target), at, data.draw(st.integers(0, 7)))
    with Repository.open(str(folder)) as repo:
        found = fsck(repo)
        if found.sound:  # a zstd frame has a few bits without meaning
            assert _how_at(repo, _name(target), at) == How.ZSTD
            return
        done = fsck(repo, repair=True, sources=[str(pristine)])
        assert done.sound, (found.problems, done.problems)
        assert done.repaired
        assert fsck(repo).sound


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_pack_cut_short_is_found_and_healed(pristine, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("cut") / "repo"
    shutil.copytree(pristine, folder)
    target = data.draw(st.sampled_from(sorted((folder / ".ox" / "packs").glob("*.pack"))))
    truncate(str(target), data.draw(st.integers(0, target.stat().st_size - 1)))
    with Repository.open(str(folder)) as repo:
        assert not fsck(repo).sound
        assert fsck(repo, repair=True, sources=[str(pristine)]).sound


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_flipped_bit_of_the_log_is_found(pristine, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("log") / "repo"
    shutil.copytree(pristine, folder)
    log = folder / ".ox" / "oplog"
    at = data.draw(st.integers(0, log.stat().st_size - 1))
    flip(str(log), at, data.draw(st.integers(0, 7)))
    if 8 <= at < 16:  # the version: nothing that we know, and nothing that we may mend
        with pytest.raises(FormatError):
            Repository.open(str(folder))
        return
    with Repository.open(str(folder)) as repo:
        assert "log" in kinds(fsck(repo))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_flips_of_other_files_hurt_no_object(pristine, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("other") / "repo"
    shutil.copytree(pristine, folder)
    target = folder / ".ox" / data.draw(st.sampled_from(["format", "refs/snapshot", "lock"]))
    if not target.exists() or not target.stat().st_size:
        return
    flip(str(target), data.draw(st.integers(0, target.stat().st_size - 1)))
    with suppress(CorruptError, FormatError), Repository.open(str(folder)) as repo:
        assert fsck(repo).sound


def test_a_missing_object_says_so_when_it_is_read(full):
    oid = content_id(FILES["d/small.bin"])
    lose(full, oid)
    with pytest.raises(MissingError, match=oid.hex()):
        full.core.store.get(oid, Kind.CHUNK)
