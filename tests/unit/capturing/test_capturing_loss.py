"""Nothing is lost whose save had returned, and what is dropped is counted: killed, forked, filled,
damaged, restarted, by many at once. What came out is counted against what went in."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
from support.captures import gaps, in_child, killed, moment, records, told, waited

import oxcore as ox
from oxcore.api.capturing import recorder
from oxcore.capturing import REGISTRY, Background, Options, Recorder, Spool, Where
from oxcore.capturing.trouble import Trouble
from oxcore.errors import StorageError, UnreachableError

QUICK = {"seal_seconds": 0.02, "seal_records": 20}


def leftovers(repo):
    """Ship what dead processes left, as the next process does."""
    one = recorder(repo.path, "deployed", "wild")
    one.background.flush(one)


def all_ids(repo):
    found = [row["record_id"] for row in records(repo)]
    assert len(found) == len(set(found)), "a record is there twice"
    return set(found)


class Unwilling:
    """A target that refuses, until it is told to let things pass."""

    def __init__(self):
        self.refuses = True
        self.landed = []

    def __call__(self, where):
        return self

    def land(self, files, message):
        if self.refuses:
            raise UnreachableError("the hub is down", hint="wait")
        known = {file.path for file in self.landed}
        self.landed += [file for file in files if file.path not in known]

    def close(self):
        pass

    def rows(self):
        import io

        import pyarrow.parquet as pq

        shards = [file for file in self.landed if file.path.endswith(b".parquet")]
        return [row for file in shards for row in pq.read_table(io.BytesIO(file.data)).to_pylist()]


@pytest.fixture
def unwilling():
    return Unwilling()


@pytest.fixture
def lonely(tmp_path, unwilling):
    """``lonely(**options)``: a recorder with a spool of its own, whose target is unwilling."""
    made = []

    def make(**options):
        where = Where("nowhere", "b", "d")
        spool = Spool(str(tmp_path / "spool"), where)
        made.append(Recorder(spool, Options(**options), Background(unwilling)))
        return made[-1]

    yield make
    for one in made:
        one.close(1)


# -- killed


def saver(repo, **options):
    """Saves until it is killed, with two threads, and tells each id when save has returned."""

    def work(tell):
        def save(size):
            while True:
                tell(ox.save(repo.path, "deployed", "wild", os.urandom(size), {}, **options))
                time.sleep(0.002)

        threading.Thread(target=save, args=(3000,), daemon=True).start()
        save(100)

    return work


@pytest.mark.parametrize("rounds", [25, pytest.param(200, marks=pytest.mark.deep)])
def test_a_kill_loses_nothing_that_was_saved(repo, rounds):
    saved = set()
    for _ in range(rounds):
        saved.update(killed(*in_child(saver(repo, **QUICK)), 0.02 + moment(0.15)))
    leftovers(repo)
    found = all_ids(repo)
    assert saved <= found
    assert len(found - saved) <= 2 * rounds  # appended, and killed before the id was told
    assert gaps(repo) == []
    assert len(saved) > rounds


def test_a_kill_between_the_commit_and_the_removal_sends_nothing_twice(repo, monkeypatch):
    def work(tell):
        from oxcore.capturing import ship

        monkeypatch.setattr(ship.os, "unlink", lambda _: os.kill(os.getpid(), signal.SIGKILL))
        tell(ox.save(repo.path, "deployed", "wild", b"x", {}))
        ox.flush()

    pid, out = in_child(work)
    saved = told(out)
    os.waitpid(pid, 0)
    assert all_ids(repo) == set(saved)
    before = repo.refs()
    leftovers(repo)
    assert all_ids(repo) == set(saved)
    assert repo.refs() == before
    assert os.listdir(os.path.join(repo.folder, "capture")) != []
    assert Spool.found(spool_of(repo)).writers() == []


def spool_of(repo):
    return os.path.join(repo.folder, "capture", Where(repo.path, "deployed", "wild").key)


def test_power_waits_for_the_disk(repo, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fdatasync", lambda handle: synced.append(os.fstat(handle).st_size))
    one = recorder(repo.path, "deployed", "wild", durability="power")
    for _ in range(3):
        one.save(b"x" * 100, {})
        assert synced[-1] >= one.writer.segment.size


def test_one_sync_serves_all_who_wait(lonely, monkeypatch):
    one = lonely(durability="power")
    one.save(b"first", {})
    slow, calls = threading.Event(), []

    def sync(handle):
        calls.append(handle)
        slow.wait(5)

    monkeypatch.setattr(os, "fdatasync", sync)
    threads = [threading.Thread(target=one.save, args=(b"x", {})) for _ in range(8)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 5
    while one.writer.segment.count < 9 and time.monotonic() < deadline:
        time.sleep(0.005)
    slow.set()
    for thread in threads:
        thread.join()
    assert len(calls) == 2  # the first alone, and one for those that came meanwhile


# -- forked


def test_a_forked_child_saves_under_a_name_of_its_own(repo):
    mine = [ox.save(repo.path, "deployed", "wild", b"x", {"who": "parent"}) for _ in range(3)]

    def work(tell):
        for _ in range(3):
            tell(ox.save(repo.path, "deployed", "wild", b"x", {"who": "child"}))
        ox.flush()

    theirs = waited(*in_child(work))
    mine.append(ox.save(repo.path, "deployed", "wild", b"x", {"who": "parent"}))
    ox.flush()
    rows = {row["record_id"]: row for row in records(repo)}
    assert set(rows) == {*mine, *theirs}
    writers = {row["writer_id"]: json.loads(row["output"])["who"] for row in rows.values()}
    assert sorted(writers.values()) == ["child", "parent"]
    assert [rows[one]["seq"] for one in mine] == [1, 2, 3, 4]


def test_children_forked_amid_the_saving_of_many_threads(repo):
    stop, mine = threading.Event(), [[] for _ in range(4)]

    def save(into):
        while not stop.is_set():
            into.append(ox.save(repo.path, "deployed", "wild", os.urandom(50), {}, **QUICK))
            time.sleep(0.001)

    def work(tell):
        for _ in range(5):
            tell(ox.save(repo.path, "deployed", "wild", b"child", {}))
        ox.flush()

    threads = [threading.Thread(target=save, args=(into,)) for into in mine]
    for thread in threads:
        thread.start()
    theirs = []
    for _ in range(6):
        time.sleep(0.03)
        theirs += waited(*in_child(work))
    stop.set()
    for thread in threads:
        thread.join()
    ox.flush()
    assert len(theirs) == 30
    assert all_ids(repo) == {*theirs, *(one for into in mine for one in into)}


# -- many at once


def test_many_processes_and_threads_on_one_branch(repo):
    def work(tell):
        def save():
            for _ in range(40):
                made = ox.save(repo.path, "deployed", "wild", os.urandom(9), {}, seal_records=50)
                tell(made)

        threads = [threading.Thread(target=save) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        REGISTRY.close()

    children = [in_child(work) for _ in range(4)]
    saved = [one for child in children for one in waited(*child)]
    assert len(saved) == 640
    leftovers(repo)
    assert all_ids(repo) == set(saved)
    assert len(list(repo.log("deployed"))) <= 24
    seqs = {}
    for row in records(repo):
        seqs.setdefault(row["writer_id"], []).append(row["seq"])
    assert [sorted(each) for each in seqs.values()] == [list(range(1, 161))] * 4


def test_another_writer_of_the_branch_loses_nothing_either(repo):
    ox.save(repo.path, "deployed", "wild", b"x", {})
    ox.flush()
    with repo.transaction("deployed", message="by hand") as edit:
        edit.put("notes.txt", b"mine")
        ox.save(repo.path, "deployed", "wild", b"y", {})
        ox.flush()
    assert len(all_ids(repo)) == 2
    assert repo.read("notes.txt", "deployed") == b"mine"


# -- filled


def counted(rows):
    """Records kept, and records that gaps tell of."""
    kept = [row for row in rows if row["status"] != "gap"]
    lost = [json.loads(row["params"]) for row in rows if row["status"] == "gap"]
    return len(kept), sum(one["dropped"] for one in lost), lost


def sized(folder):
    return sum(os.path.getsize(os.path.join(at, n)) for at, _, ns in os.walk(folder) for n in ns)


def test_a_full_spool_drops_and_says_so(lonely, unwilling, tmp_path):
    one = lonely(max_bytes=20_000, seal_records=5)
    for n in range(100):
        one.save(bytes(500), {"n": n})
    assert sized(tmp_path / "spool") < 22_000
    unwilling.refuses = False
    one.background.flush(one)
    one.save(b"after", {"n": 100})
    one.background.flush(one)
    kept, lost, [gap] = counted(unwilling.rows())
    assert kept + lost == 101
    assert 20 < kept < 40
    assert gap["reason"] == "full"
    assert (gap["first_seq"], gap["last_seq"]) == (kept, 100)
    assert gap["bytes"] > 500 * lost
    seqs = {row["seq"] for row in unwilling.rows() if row["status"] == "ok"}
    assert seqs == {*range(1, kept), 101}


@pytest.mark.parametrize("full", ["drop", "block", "thin"])
def test_a_full_spool_stays_within_its_bound_however_long(lonely, unwilling, full):
    one = lonely(max_bytes=20_000, full=full, patience=0.001, seal_seconds=0.001)
    for place in range(600):
        one.save(bytes(200 + place), {}, {"status": "error" if place % 7 == 0 else "ok"})
        one.seal(0)
        held = sum(one.spool.sizes().values())
        assert held <= 20_000, place
    assert held > 15_000
    unwilling.refuses = False
    one.background.flush(one)
    kept, lost, _ = counted(unwilling.rows())
    assert kept + lost == 600
    assert sum(one.spool.sizes().values()) == 0


def test_a_full_spool_is_sent_at_once(lonely, unwilling):
    unwilling.refuses = False
    one = lonely(max_bytes=20_000, seal_seconds=1000)
    deadline = time.monotonic() + 20
    while not unwilling.landed and time.monotonic() < deadline:
        one.save(bytes(500), {})
        time.sleep(0.005)
    assert unwilling.landed


def test_drops_do_not_hurry_on_a_target_that_failed(unwilling):
    background = Background(unwilling)
    background._fail()
    background.wake()
    assert not background._wake.is_set()
    background._not_before = 0
    background.wake()
    assert background._wake.is_set()


def test_a_gap_outlives_a_kill(repo):
    def work(tell):
        for _ in range(50):
            made = ox.save(repo.path, "deployed", "wild", bytes(400), {}, max_bytes=6_000)
            tell(made)
        os.kill(os.getpid(), signal.SIGKILL)

    pid, out = in_child(work)
    assert len(told(out)) == 50
    os.waitpid(pid, 0)
    leftovers(repo)
    rows = records(repo) + gaps(repo)
    kept, lost, found = counted(rows)
    assert kept + lost == 50
    assert lost > 30
    assert [one["reason"] for one in found] == ["full"]
    leftovers(repo)
    assert records(repo) + gaps(repo) == rows


def test_strict_tells_of_a_full_spool(lonely):
    one = lonely(max_bytes=2_000, strict=True)
    with pytest.raises(StorageError, match="full"):
        for _ in range(9):
            one.save(bytes(500), {})


def test_block_waits_until_there_is_room(lonely, unwilling):
    one = lonely(max_bytes=5_000, full="block", patience=20, seal_records=2, seal_seconds=0.01)
    timer = threading.Timer(0.2, lambda: setattr(unwilling, "refuses", False))
    timer.start()
    for _ in range(30):
        one.save(bytes(700), {})
    one.background.flush(one)
    assert counted(unwilling.rows()) == (30, 0, [])


def test_block_has_an_end(lonely, unwilling):
    one = lonely(max_bytes=2_000, full="block", patience=0.05)
    begun = time.monotonic()
    for _ in range(5):
        one.save(bytes(700), {})
    assert time.monotonic() - begun < 5
    unwilling.refuses = False
    one.background.flush(one)
    kept, lost, _ = counted(unwilling.rows())
    assert (kept, lost) == (1, 4)


def test_thin_keeps_errors_and_says_with_which_probability_it_kept_the_rest(lonely, unwilling):
    one = lonely(max_bytes=100_000, full="thin", low_confidence=0.5)
    for n in range(2000):
        one.save(None, {"n": n, "score": 0.9})
        if n % 50 == 0:
            one.save(None, {"n": n}, {"error": "failed"})
    unwilling.refuses = False
    one.background.flush(one)
    rows = unwilling.rows()
    kept, lost, found = counted(rows)
    assert kept + lost == 2040
    assert sum(row["status"] == "error" for row in rows) == 40
    assert {one["reason"] for one in found} <= {"thinned", "full,thinned"}
    rest = [row["sample_rate"] for row in rows if row["status"] == "ok"]
    assert min(rest) < 0.5
    assert rest[0] == 1.0


def test_a_disk_that_refuses_is_a_gap(lonely, unwilling, monkeypatch):
    one = lonely()
    one.save(b"before", {})
    true = os.pwritev

    def refuse(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwritev", refuse)
    one.save(b"lost", {})
    monkeypatch.setattr(os, "pwritev", true)
    one.save(b"after", {})
    unwilling.refuses = False
    one.background.flush(one)
    kept, lost, [gap] = counted(unwilling.rows())
    assert (kept, lost, gap["reason"]) == (2, 1, "storage")
    assert gap["first_seq"] == gap["last_seq"] == 2
    assert "No space left" in Trouble(one.spool.trouble.path).all()[-1].message


def test_a_write_that_was_cut_short_is_finished(lonely, unwilling, monkeypatch):
    one = lonely()
    true = os.pwritev
    monkeypatch.setattr(os, "pwritev", lambda h, parts, at: true(h, [b"".join(parts)[:30]], at))
    one.save(b"whole", {"n": 1})
    monkeypatch.setattr(os, "pwritev", true)
    unwilling.refuses = False
    one.background.flush(one)
    assert counted(unwilling.rows())[0] == 1


# -- damaged, and a target that fails


def test_damage_costs_what_it_hit_and_is_kept_for_people(repo):
    def work(tell):
        for n in range(20):
            tell(ox.save(repo.path, "deployed", "wild", bytes(100), {"n": n}))
        os.kill(os.getpid(), signal.SIGKILL)

    pid, out = in_child(work)
    saved = told(out)
    os.waitpid(pid, 0)
    spool = Spool.found(spool_of(repo))
    [writer] = spool.writers()
    path = os.path.join(spool.folder, writer, "000001.seg")
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        file.write(b"\xff\xff\xff")
    leftovers(repo)
    found = all_ids(repo)
    assert len(found) == 19
    assert found < set(saved)
    assert os.listdir(spool.bad) == [f"{writer}-000001.seg"]
    assert [one.kind for one in spool.trouble.all()] == ["corrupt"]


def test_a_target_that_fails_is_asked_again_and_is_told_of(lonely, unwilling):
    one = lonely(seal_seconds=0.01)
    one.save(b"x", {})
    with pytest.raises(UnreachableError):
        one.background.flush(one)
    assert unwilling.landed == []
    trouble = Trouble(one.spool.trouble.path).all()
    assert (trouble[-1].kind, trouble[-1].hint) == ("unreachable", "wait")
    unwilling.refuses = False
    deadline = time.monotonic() + 10
    while not unwilling.landed and time.monotonic() < deadline:
        time.sleep(0.02)  # the background does it
    assert counted(unwilling.rows())[0] == 1


def test_an_end_in_good_order_leaves_nothing(repo):
    ox.save(repo.path, "deployed", "wild", b"x", {})
    REGISTRY.close()
    assert len(all_ids(repo)) == 1
    assert Spool.found(spool_of(repo)).writers() == []


def test_the_end_of_a_process_sends_what_is_left(repo, tmp_path):
    code = f"import oxcore as ox; ox.save({repo.path!r}, 'deployed', 'wild', b'x', dict(a=1))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert len(all_ids(repo)) == 1


def ended(repo, tmp_path, pandas):
    """A process that saves and ends at once, where pandas is installed, of which pyarrow asks."""
    (tmp_path / "pandas").mkdir()
    (tmp_path / "pandas/__init__.py").write_text(pandas)
    code = f"import oxcore as ox; ox.save({repo.path!r}, 'deployed', 'wild', b'x', dict(a=1))"
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=env)


def test_the_end_of_a_process_sends_what_is_left_where_pandas_is(repo, tmp_path):
    ended(repo, tmp_path, "from concurrent.futures import ThreadPoolExecutor\nraise ImportError")
    assert len(all_ids(repo)) == 1


def test_what_cannot_be_sent_at_the_end_waits_for_another_process(repo):
    code = (
        "import oxcore as ox\nimport oxcore.capturing.ship as ship\n"
        "def pack(*given): raise RuntimeError('too late')\n"
        f"ship.pack = pack\nox.save({repo.path!r}, 'deployed', 'wild', b'x', dict(a=1))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert "refs/heads/deployed" not in repo.refs()
    ox.save(repo.path, "deployed", "wild", b"y", {"a": 2})
    ox.flush()
    assert len(all_ids(repo)) == 2


def test_a_spool_that_somebody_removed_is_made_anew(repo):
    ox.save(repo.path, "deployed", "wild", b"1", {}, seal_records=1, seal_seconds=1000)
    ox.flush()
    shutil.rmtree(spool_of(repo))
    ox.save(repo.path, "deployed", "wild", b"lost, with the spool", {})
    made = ox.save(repo.path, "deployed", "wild", b"3", {})
    ox.flush()
    assert made in all_ids(repo)


def test_a_save_amid_a_save_of_the_same_thread_loses_neither(repo, monkeypatch):
    """As a handler of signals does, or the collector that ends a stream."""
    place = (repo.path, "deployed", "wild")
    true, made = os.pwritev, [ox.save(*place, b"first", {}, seal_seconds=1000)]

    def interrupted(handle, parts, start):
        if len(made) == 1:
            made.append("")
            done = true(handle, parts, start)
            made[1] = ox.save(*place, b"amid", {})
            return done
        return true(handle, parts, start)

    monkeypatch.setattr(os, "pwritev", interrupted)
    made.append(ox.save(*place, b"outer", {}))
    ox.flush()
    assert all_ids(repo) == set(made)
    assert sorted(row["seq"] for row in records(repo)) == [1, 2, 3]


CALLS = ("open", "read", "write", "pwrite", "writev", "pwritev", "fsync", "fdatasync", "stat")


def test_a_save_is_one_call_of_the_system(repo, monkeypatch):
    place = (repo.path, "deployed", "wild")
    ox.save(*place, bytes(1000), {"label": "cat"}, seal_seconds=1000)
    calls, mine = [], threading.get_ident()

    def counted(name, true):
        def call(*args, **named):
            if threading.get_ident() == mine:
                calls.append(name)
            return true(*args, **named)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, counted(name, getattr(os, name)))
    for _ in range(3):
        ox.save(*place, bytes(200_000), {"label": "cat"}, model="m@1", tags=["a"])
    assert calls == ["pwritev"] * 3


FORKING = """
import os, signal, sys, time
import oxcore as ox
place = (sys.argv[1], "deployed", "wild")
print(ox.save(*place, b"parent", {}, seal_seconds=0.0), flush=True)
children = []
for _ in range(12):
    time.sleep(0.025)
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        os.write(1, (ox.save(*place, b"child", {}) + "\\n").encode())
        ox.flush()
        os._exit(0)
    children.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 12
"""


def test_children_forked_while_the_first_round_loads_its_modules(repo):
    command = [sys.executable, "-c", FORKING, repo.path]
    done = subprocess.run(command, check=True, timeout=90, stdout=subprocess.PIPE, text=True)
    leftovers(repo)
    assert all_ids(repo) == set(done.stdout.split())
    assert len(all_ids(repo)) == 13
