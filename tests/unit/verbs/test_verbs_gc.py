"""Collecting garbage: nothing needed is lost, whatever stops it; the dry run tells exactly."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore import tree
from oxcore.api import Repo
from oxcore.codec.commit import encode_commit
from oxcore.errors import CorruptError, MissingError, OxError
from oxcore.model.commits import Commit, Moment, Person
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.model.settings import Settings
from oxcore.repo import Repository
from oxcore.testing.faults import Crash, faulty, flip
from oxcore.testing.stores import noise
from oxcore.verbs.branch import create as create_branch
from oxcore.verbs.branch import delete as delete_branch
from oxcore.verbs.gc import gc
from oxcore.verbs.reset import reset
from oxcore.verbs.stash import drop, push
from oxcore.verbs.switch import switch
from oxcore.verbs.undo import undo
from oxcore.verbs.upkeep import packplan
from oxcore.verbs.upkeep.packindex import check_index
from oxcore.verbs.upkeep.prove import Prover

ROOT = Path(__file__).parents[3]
NOW = {"grace": 0, "keep_operations": 0}  # all that no ref needs goes


def sizes(repo):
    return sum(pack.size for pack in repo.store.packs())


def count(repo):
    return sum(pack.objects for pack in repo.store.packs())


def sound(repo):
    prover = Prover(repo, full=True)
    prover.state()
    return check_index(repo).sound and not prover.problems


def forget(desk, path, data):
    """A file that no commit, stage or kept operation needs."""
    desk.write({path: data})
    desk.repo.add()
    desk.write({path: None})
    desk.repo.add()


def collect(desk, **options):
    """A dry run, the run, and that both tell the same, which is also true."""
    repo = desk.core
    told, size, rows = gc(repo, dry_run=True, **options), sizes(repo), count(repo)
    done = gc(repo, **options)
    assert (told.objects, told.nbytes, told.packs_after) == (
        done.objects,
        done.nbytes,
        done.packs_after,
    )
    assert (rows - count(repo), size - sizes(repo)) == (done.objects, done.nbytes)
    assert done.packs_after == len(repo.store.packs())
    assert (done.kept_bytes, done.kept_objects) == (sizes(repo), count(repo))
    return done


class TestWhatGoes:
    def test_nothing_from_a_young_repository(self, desk):
        desk.commit({"a": "1"})
        forget(desk, "b", b"gone")
        done = collect(desk)
        assert (done.objects, done.nbytes, done.young) == (0, 0, len(desk.core.store.packs()))

    def test_nothing_that_undo_needs(self, desk):
        desk.commit({"a": "1"})
        forget(desk, "b", b"kept")
        assert collect(desk, grace=0).objects == 0
        undo(desk.core)
        assert b"b" in desk.tree()

    def test_what_no_operation_names_any_more(self, desk):
        desk.commit({"a": "1"})
        forget(desk, "b", noise(1, 5000))
        done = collect(desk, **NOW)
        assert done.objects >= 2
        assert done.nbytes > 5000
        assert done.operations > 0
        assert not desk.core.store.has_many([content_id(noise(1, 5000))])[0]
        assert desk.tree() == {b"a": b"1"}
        assert sound(desk.core)

    def test_operations_are_kept_on_demand(self, desk):
        desk.commit({"a": "1"})
        forget(desk, "b", noise(1, 5000))
        done = collect(desk, grace=0, keep_operations=None)
        assert (done.objects, done.operations) == (0, 0)

    def test_a_deleted_branch(self, desk):
        desk.commit({"a": "1"})
        create_branch(desk.core, "side")
        switch(desk.core, "side")
        desk.commit({"big": noise(2, 300_000)})
        switch(desk.core, "main")
        delete_branch(desk.core, ["side"], force=True)
        collect(desk, grace=0)
        assert desk.core.store.has_many([content_id(noise(2, 300_000))])[0]
        done = collect(desk, **NOW)
        assert done.nbytes > 300_000
        assert sound(desk.core)

    def test_stashes_and_merges_that_wait_are_needed(self, desk):
        desk.commit({"a": "1"})
        create_branch(desk.core, "side")
        desk.commit({"a": "ours"})
        desk.write({"a": "stashed"})
        push(desk.core)
        switch(desk.core, "side")
        desk.commit({"a": "theirs"})
        desk.repo.merge("main")
        assert desk.core.view()["merge"]
        collect(desk, **NOW)
        assert sound(desk.core)
        for text in (b"ours", b"theirs", b"stashed"):
            assert desk.core.store.get(content_id(text), Kind.CHUNK) == text

    def test_dropped_stash(self, desk):
        desk.commit({"a": "1"})
        desk.write({"a": "stashed"})
        push(desk.core)
        drop(desk.core)
        collect(desk, **NOW)
        assert not desk.core.store.has_many([content_id(b"stashed")])[0]

    def test_bare(self, tmp_path):
        with Repo.init(str(tmp_path / "b"), bare=True, settings=Settings(Person("Ann"))) as api:
            for text in (b"one", b"two"):
                with api.transaction("main", message="x") as edit:
                    edit.put("a", text)
            gc(api._repo, **NOW)
            assert sound(api._repo)


class TestPacks:
    def test_a_pack_that_is_mostly_needed_stays(self, desk):
        desk.write({f"f{n}": noise(n, 4000) for n in range(20)})
        desk.repo.add()
        desk.write({"f3": None})
        desk.commit({})
        (pack,) = [p.name for p in desk.core.store.packs() if p.objects == 20]
        done = collect(desk, **NOW)
        assert done.objects > 0
        assert pack in desk.core.store.files.names()
        assert desk.core.store.has_many([content_id(noise(3, 4000))]) == [True]
        desk.write({f"f{n}": None for n in range(4, 12)})
        desk.commit({})
        _new_start(desk)
        assert collect(desk, **NOW).nbytes > 9 * 4000
        assert pack not in desk.core.store.files.names()
        assert collect(desk, **NOW).nbytes == 0

    def test_many_small_packs_become_one(self, desk):
        for number in range(30):
            desk.commit({"a": str(number)})
        assert len(desk.core.store.packs()) > 50
        done = collect(desk, grace=0)
        assert (done.objects, done.packs_after) == (0, 1)
        assert sound(desk.core)

    def test_young_packs_keep_what_they_refer_to(self, desk):
        big = noise(7, 400_000)
        forget(desk, "big", big)  # its chunks are old, and needed by nobody
        for pack in desk.core.store.packs():
            os.utime(desk.core.store.files.path(pack.name), (1, 1))
        where = desk.core.store.locate([content_id(big)])[0]
        stored = desk.core.store.get_stored(content_id(big))
        assert where.kind == Kind.FILE
        desk.core.store.replace_objects([stored])  # a young manifest
        collect(desk, grace=3600, keep_operations=0)
        assert desk.content(_entry(big)) == big

    def test_a_manifest_never_stays_without_its_chunks(self, desk):
        big, small = noise(8, 400_000), noise(9, 15_000)
        desk.commit({"small": small})
        forget(desk, "big", big)
        both = [desk.core.store.get_stored(content_id(data)) for data in (big, small)]
        desk.core.store.replace_objects(both)  # a pack that is needed nearly as a whole
        collect(desk, **NOW)
        assert desk.core.store.has_many([content_id(big)]) == [False]
        desk.commit({"again": big})
        assert sound(desk.core)

    def test_deltas_keep_their_bases(self, desk):
        base, other = noise(3, 60_000), noise(3, 59_000) + b"end"
        ids = [content_id(base), content_id(other)]
        with desk.core.batch() as batch:
            batch.put(ids[0], Kind.CHUNK, base)
        with desk.core.batch() as batch:
            batch.put(ids[1], Kind.CHUNK, other, base=ids[0])
        assert desk.core.store.locate(ids)[1].how == 2
        desk.commit({"other": other[:10]})
        _commit_file(desk.core, "kept", other)
        collect(desk, **NOW)
        assert desk.core.store.get(ids[1], Kind.CHUNK) == other
        assert desk.core.store.has_many(ids) == [True, True]

    def test_a_second_copy_goes_only_if_the_first_is_sound(self, desk):
        desk.commit({"a": noise(4, 5000)})
        oid = content_id(noise(4, 5000))
        (old,) = [p.name for p in desk.core.store.packs() if _holds(desk.core, p.name, oid)]
        also = desk.core.store.get_stored(desk.core.head())
        desk.core.store.replace_objects([desk.core.store.get_stored(oid), also])
        (new,) = [
            p.name
            for p in desk.core.store.packs()
            if p.name != old and _holds(desk.core, p.name, oid)
        ]
        os.utime(desk.core.store.files.path(old), (1, 1))
        flip(desk.core.store.files.path(new), 50)
        with pytest.raises(CorruptError, match=oid.hex()):
            gc(desk.core, grace=3600, keep_operations=0)
        assert {old, new} <= desk.core.store.files.names()

    def test_the_index_is_rebuilt_first_if_it_is_wrong(self, desk):
        desk.commit({"a": noise(5, 5000)})
        desk.core.index.locations.clear()
        desk.core.index.locations.add_pack(b"\7" * 32, [])
        collect_index = check_index(desk.core)
        assert not collect_index.sound
        gc(desk.core, **NOW)
        assert sound(desk.core)


class TestRefusals:
    def test_a_gap_stops_it(self, desk):
        desk.commit({"a": "1"})
        forget(desk, "b", b"gone")
        _lose(desk.core, desk.core.head_tree())
        names = desk.core.store.files.names()
        with pytest.raises(MissingError, match="nothing was deleted"):
            gc(desk.core, **NOW)
        assert desk.core.store.files.names() == names
        assert desk.core.view().number == 5

    def test_lost_files_do_not(self, desk):
        desk.commit({"a": noise(6, 2000), "b": "2"})
        _lose(desk.core, content_id(noise(6, 2000)))
        gc(desk.core, **NOW)
        assert desk.core.store.get(content_id(b"2"), Kind.CHUNK) == b"2"

    def test_what_old_operations_lack_does_not(self, desk):
        desk.commit({"a": "1"})
        root = desk.core.stage()
        desk.commit({"a": "2"})
        reset(desk.core, desk.core.commit(desk.core.head()).parents[0], "soft")
        assert root != desk.core.stage()
        gc(desk.core, grace=0)

    def test_needed_but_damaged_objects_stay_and_are_named(self, desk):
        data = noise(10, 9000)
        desk.write({"kept": data, "gone": noise(11, 90_000)})
        desk.repo.add()
        desk.write({"gone": None})
        desk.commit({})
        _new_start(desk)
        where = desk.core.store.locate([content_id(data)])[0]
        name = desk.core.index.locations.packs()[where.pack]
        flip(desk.core.store.files.path(name), where.offset + 9)
        assert gc(desk.core, **NOW).damaged == (content_id(data),)
        assert name in desk.core.store.files.names()

    def test_a_damaged_pack_stops_it(self, desk):
        desk.commit({"a": "1"})
        (name, *_) = sorted(desk.core.store.files.names())
        flip(desk.core.store.files.path(name), -1)
        desk.core.store.files.forget(name)
        with pytest.raises(CorruptError, match="nothing was deleted"):
            gc(desk.core, **NOW)

    def test_on_a_full_disk_the_log_stays_and_space_is_made(self, desk):
        desk.commit({"a": "1"})
        with desk.core.batch() as batch:
            batch.put(content_id(noise(30, 5000)), Kind.CHUNK, noise(30, 5000))
        with faulty() as faults:
            gc(desk.core, dry_run=True, **NOW)
        assert faults.log == []
        place = _first_write(desk, "oplog")
        with faulty(place, error=errno.ENOSPC):
            done = gc(desk.core, **NOW)
        assert (done.operations, done.objects) == (0, 1)
        assert len(list(desk.core.state.operations())) == 3
        assert sound(desk.core)


class TestShallow:
    def test_parents_beyond_the_edge_are_no_gap(self, desk, tmp_path):
        for number in range(4):
            desk.commit({"a": str(number)})
        shallow = Repo.clone(
            "file://" + str(desk.root), str(tmp_path / "s"), depth=1, settings=Settings(Person("B"))
        )
        with shallow:
            gc(shallow._repo, **NOW)
            shallow.fetch(unshallow=True)
            gc(shallow._repo, **NOW)
            assert sound(shallow._repo)
            assert len(list(shallow._repo.state.operations())) >= 1


def _first_write(desk, name):
    """Which call of ``gc`` first writes what becomes the file ``name``, tried on a copy."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "copy")
        shutil.copytree(desk.root, copy)
        with Repository.open(copy, desk.core.settings) as repo, faulty() as faults:
            gc(repo, **NOW)
    calls = [place for place, (call, _) in enumerate(faults.log) if call in ("write", "writev")]
    return calls[0]


def _entry(data):
    from oxcore.model.entries import Entry

    return Entry(1, len(data), content_id(data))


def _new_start(desk):
    """A branch without history: only the present tree is needed."""
    repo = desk.core
    made = Commit(repo.stage(), (), Person("Ann"), Moment(0), "m")
    oid = object_id(Kind.COMMIT, encode_commit(made))
    with repo.lock("test"), repo.batch() as batch:
        batch.put(oid, Kind.COMMIT, encode_commit(made))
    with repo.lock("test"):
        repo.operate("test", "", {"refs/heads/main": (repo.head().hex(), oid.hex())})


def _holds(repo, name, oid):
    return any(row == oid for row, _ in repo.store.files.index(name).rows())


def _lose(repo, oid):
    """Write every pack anew without this object."""
    names = sorted(repo.store.files.names())
    repo.store.rewrite(drop=names, keep=lambda one: one != oid)
    assert not repo.store.has_many([oid])[0]
    repo._commits.clear()


def _commit_file(repo, path, data):
    with repo.lock("test"), repo.batch() as batch:
        root = tree.edit(batch, batch, repo.stage(), [(path.encode(), _entry(data))], replace=True)
        made = Commit(root, (), Person("Ann"), Moment(0), "m")
        oid = object_id(Kind.COMMIT, encode_commit(made))
        batch.put(oid, Kind.COMMIT, encode_commit(made))
    with repo.lock("test"):
        repo.operate("test", "", {"refs/heads/kept": (None, oid.hex())})


# -- whatever happens, nothing needed is lost


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["commit", "add", "branch", "delete", "reset", "stash", "drop", "undo"]),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=12,
)


def act(desk, verb, number):
    path, data = f"f{number % 3}", noise(number, 30_000 if number % 2 else 40)
    branch = f"b{number % 2}"
    actions = {
        "commit": lambda: desk.commit({path: data}),
        "add": lambda: (desk.write({path: data}), desk.repo.add()),
        "branch": lambda: create_branch(desk.core, branch),
        "delete": lambda: delete_branch(desk.core, [branch], force=True),
        "reset": lambda: reset(desk.core, desk.core.commit(desk.core.head()).parents[0], "hard"),
        "stash": lambda: (desk.write({path: data}), push(desk.core)),
        "drop": lambda: drop(desk.core),
        "undo": lambda: undo(desk.core),
    }
    try:
        actions[verb]()
    except (OxError, IndexError, TypeError):  # also where there is no commit to go back to
        return


def everything(desk):
    """All that can be reached, with bytes, and that it is whole."""
    assert sound(desk.core)
    view = desk.core.view()
    return {key: value for key, value in view.items() if key != "work"}, desk.tree()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, grace=st.booleans(), keep=st.booleans())
def test_nothing_needed_is_lost(desks, steps, grace, keep):
    desk = desks()
    desk.commit({"f0": "first"})
    for verb, number in steps:
        act(desk, verb, number)
    before, number = everything(desk), desk.core.view().number
    collect(desk, grace=3600 if grace else 0, keep_operations=None if keep else 0)
    assert everything(desk) == before
    collect(desk, **({**NOW, "keep_operations": None} if keep else NOW))
    assert everything(desk) == before
    while keep and number:
        number -= 1
        try:
            undo(desk.core)
        except OxError:
            break
        assert sound(desk.core)


def prepare(desk):
    big = noise(20, 200_000)
    desk.commit({"a": "1", "keep": noise(21, 200_000)})
    forget(desk, "big", big)
    create_branch(desk.core, "side")
    desk.commit({"b": noise(22, 50_000)})
    reset(desk.core, desk.core.commit(desk.core.head()).parents[0], "hard")
    for number in range(4):
        desk.commit({"n": str(number)})


def test_stopped_at_any_call_nothing_is_lost(desks, monkeypatch):
    monkeypatch.setattr(packplan, "FEW", 5)
    place, stopped = 0, True
    while stopped:
        desk = desks()
        prepare(desk)
        before, stopped = everything(desk), False
        with faulty(place):
            try:
                gc(desk.core, **NOW)
            except Crash:
                stopped = True
        with Repository.open(str(desk.root), desk.core.settings) as again:
            prover = Prover(again, full=True)
            prover.state()
            assert not prover.problems
            gc(again, **NOW)
            assert len(again.store.packs()) <= 2
        assert everything(desk) == before
        place += 1 if place < 6 else 6
    assert place > 10


def test_leftovers_of_crashes_go_and_other_files_stay(desk):
    desk.commit({"a": "1"})
    folder = Path(desk.core.folder)
    stale = [folder / ".tmp-00", folder / "packs" / ".tmp-11", folder / "refs" / ".tmp-22"]
    fresh = folder / "packs" / ".tmp-33"
    other = folder / "packs" / "notes.txt"
    for path in [*stale, fresh, other]:
        path.write_bytes(b"x")
    for path in [*stale, other]:
        os.utime(path, (1, 1))
    assert gc(desk.core, dry_run=True).leftovers == 3
    assert stale[0].exists()
    assert gc(desk.core).leftovers == 3
    assert [path.exists() for path in [*stale, fresh, other]] == [False] * 3 + [True] * 2


READER = """
import sys, time
from oxcore.repo import Repository
from oxcore import tree
from oxcore.store import content
with Repository.open(sys.argv[1]) as repo:
    root, rounds = repo.head_tree(), 0
    print("ready", flush=True)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for path, entry in tree.walk(repo.store, root):
            b"".join(content.read(repo.store, entry.id))
        rounds += 1
        if sys.stdin in __import__("select").select([sys.stdin], [], [], 0)[0]:
            break
    print("rounds", rounds, flush=True)
"""


def test_a_reader_in_another_process_goes_on(desk):
    desk.commit({f"f{n}": noise(n, 40_000) for n in range(10)})
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(desk.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert reader.stdout.readline() == b"ready\n"
    for number in range(4):
        forget(desk, "x", noise(100 + number, 400_000))
        done = gc(desk.core, **NOW)
        assert done.objects > 0
        desk.core.store.rewrite(drop=sorted(desk.core.store.files.names()), keep=lambda _: True)
    time.sleep(0.05)
    out, err = reader.communicate(b"stop\n", timeout=60)
    assert reader.returncode == 0, err.decode()
    assert out.startswith(b"rounds ")


def test_the_stat_cache_survives(desk):
    desk.commit({"a": "1"})
    desk.write({"a": "2"})
    desk.repo.add()
    undo(desk.core)  # the stage went back; the cache did not follow yet
    gc(desk.core, **NOW)
    assert desk.repo.status().changed.counts
