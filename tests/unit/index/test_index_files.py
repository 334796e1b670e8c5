"""The files of the index: shared, killed, grown, damaged, refused."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading

import lmdb
import pytest

from oxcore.errors import BusyError, CorruptError, StorageError
from oxcore.index import Index, Row
from oxcore.index import _env as env
from oxcore.index import _shared as shared
from oxcore.model.entries import Entry
from oxcore.model.protocols import Location

R1, R2 = b"1" * 32, b"2" * 32


def rows(count, n=0, folder=b"f"):
    row = Row(n, n, n, n, Entry(1, n, bytes([n]) * 32))
    return [(b"%s/%06d" % (folder, i), row) for i in range(count)]


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "index")


def run(code, *args):
    command = [sys.executable, "-c", textwrap.dedent(code), *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def finish(process):
    process.stdin.close()
    process.stdout.close()
    return process.wait(30)


def test_one_environment_a_process(folder):
    first, second = Index.open(folder), Index.open(os.path.join(folder, "..", "index"))
    first.stat.apply(R1, rows(2))
    assert second.stat.root == R1
    first.close()
    first.close()
    assert second.stat.count() == 2
    second.close()
    assert os.path.realpath(folder) not in shared._open
    with Index.open(folder) as third:
        assert third.stat.count() == 2


def test_an_index_made_anew_at_the_same_place_is_another(folder):
    old = Index.open(folder)
    old.stat.apply(R1, rows(2))
    env.remove(folder)
    with Index.open(folder) as new:
        assert new.fresh
        assert new.stat.root is None
        assert old.stat.root == R1
    old.close()


KILLED = """
    import os, signal, sys
    from oxcore.index import Index, Row
    from oxcore.model.entries import Entry
    index = Index.open(sys.argv[1])
    def put():
        for i in range(20_000):
            yield b"f/%06d" % i, Row(2, 2, 2, 2, Entry(1, 2, b"2" * 32))
    stat = index.stat
    forget = stat._forget_empty
    def die(txn, touched):
        print("written", flush=True)
        sys.stdin.read()
    stat._forget_empty = die  # between the last row and the root
    stat.apply(b"2" * 32, put(), [])
"""


def test_a_writer_that_is_killed_leaves_the_old_rows(folder):
    with Index.open(folder) as index:
        index.stat.apply(R1, rows(1000, 1))
    process = run(KILLED, folder)
    assert process.stdout.readline() == "written\n"
    with Index.open(folder) as index:  # a reader does not wait for the writer
        assert index.stat.root == R1
        assert len(index.stat.raw_rows(b"f")) == 1000
        process.send_signal(signal.SIGKILL)
        assert finish(process) == -signal.SIGKILL
        assert index.stat.get_many([b"f/000000"]) == [rows(1, 1)[0][1]]
        index.stat.apply(R2, rows(10, 3), [b"f/000999"])  # and the lock is free again
        assert index.stat.root == R2
        assert len(index.stat.raw_rows(b"f")) == 999


WRITER = """
    import sys
    from oxcore.index import Index, Row
    from oxcore.model.entries import Entry
    with Index.open(sys.argv[1]) as index:
        for n in range(1, 40):
            row = Row(n, n, n, n, Entry(1, n, bytes([n]) * 32))
            index.stat.apply(bytes([n]) * 32, [(b"f/%06d" % i, row) for i in range(500)], [])
"""


def test_a_reader_sees_one_state_while_another_process_writes(folder):
    with Index.open(folder) as index:
        process, seen = run(WRITER, folder), set()
        while process.poll() is None:
            found = index.stat.raw_rows(b"f")
            assert len(found) in {0, 500}
            assert len(set(found.values())) <= 1
            seen |= set(found.values())
        assert finish(process) == 0
        assert index.stat.root == bytes([39]) * 32
        assert len(seen) > 1


def test_threads_read_while_the_map_grows(folder):
    done, wrong = threading.Event(), []

    def read(index):
        while not done.wait(0.001):
            found = index.stat.raw_rows(b"f0")
            if len(found) not in {0, 300}:
                wrong.append(len(found))

    with Index.open(folder, map_size=1 << 16) as index:
        threads = [threading.Thread(target=read, args=(index,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for n in range(60):
            index.stat.apply(R1, iter(rows(300, n, b"f%d" % n)))
        done.set()
        for thread in threads:
            thread.join()
        assert not wrong
        assert index.stat.count() == 18_000
        assert index.stat._database._env.info()["map_size"] > 1 << 20
    with Index.open(folder, map_size=1 << 16) as index:
        assert index.stat.count() == 18_000


GROWER = """
    import sys
    from oxcore.index import Index
    from oxcore.model.protocols import Location
    with Index.open(sys.argv[1]) as index:
        index.locations.add_pack(b"p" * 32, [
            (b"%032d" % i, Location(0, i, i, i, 1, 0)) for i in range(20_000)])
"""


def test_another_process_grows_the_map(folder):
    with Index.open(folder, map_size=1 << 16) as index:
        assert finish(run(GROWER, folder)) == 0
        assert index.locations.find_many([b"%032d" % 7]) == [Location(1, 7, 7, 7, 1, 0)]
        index.stat.apply(R1, rows(3))
        assert len(list(index.locations.ids())) == 20_000


def test_growing_gives_up_on_a_reader_that_stays(folder, monkeypatch):
    monkeypatch.setattr(env, "_PATIENCE", 0.05)
    with Index.open(folder, map_size=1 << 16) as index:
        with index.stat._database.read(), pytest.raises(BusyError):
            index.stat.apply(R1, rows(5000))
        index.stat.apply(R1, rows(5000))


@pytest.mark.parametrize("cut", [1, 100, 4095, 4096, 8191, 8192, 20_000])
def test_a_file_cut_short_is_replaced(folder, cut):
    with Index.open(folder) as index:
        index.stat.apply(R1, rows(3000))
    with open(folder + "/data.mdb", "r+b") as file:
        file.truncate(cut)
    with pytest.raises(StorageError):
        Index.open(folder, readonly=True)
    with Index.open(folder) as index:
        assert index.fresh
        assert index.stat.root is None
        index.stat.apply(R2, rows(3))
    with Index.open(folder) as index:
        assert not index.fresh
        assert index.stat.root == R2


@pytest.mark.parametrize("data", [b"garbage" * 5000, b"\0" * 40_000, b""])
def test_a_file_of_something_else_is_replaced(folder, data):
    with Index.open(folder) as index:
        index.stat.apply(R1, rows(3000))
    with open(folder + "/data.mdb", "wb") as file:
        file.write(data)
    with Index.open(folder) as index:
        assert index.fresh
        assert index.stat.root is None


def test_another_version_is_replaced(folder):
    with Index.open(folder) as index:
        index.stat.apply(R1, rows(3))
        index.stat._database.write(lambda txn: txn.put(b"mversion", b"ox index 99"))
    with Index.open(folder) as index:
        assert index.fresh
        assert index.stat.count() == 0


def test_an_lmdb_file_of_somebody_else_is_replaced(folder):
    os.makedirs(folder)
    with lmdb.open(folder, max_dbs=1) as other:
        other.open_db(b"other")
    with Index.open(folder) as index:
        assert index.fresh


@pytest.mark.parametrize("writing", [False, True])
def test_damage_that_shows_later_is_told_and_mended(folder, writing):
    def find(txn):
        raise lmdb.CorruptedError("mdb_get: MDB_CORRUPTED")

    with Index.open(folder) as index:
        index.stat.apply(R1, rows(20))
        with pytest.raises(CorruptError, match="thrown away"):
            if writing:
                index.stat._database.write(find)
            with index.stat._database.read() as txn:
                find(txn)
        with Index.open(folder) as again:
            assert again.fresh


@pytest.mark.parametrize("code", [errno.ENODEV, errno.EINVAL])
def test_a_file_system_without_maps(folder, monkeypatch, code):
    monkeypatch.setattr(lmdb, "open", refuse(code))
    with pytest.raises(StorageError, match="map files"):
        Index.open(folder)


def test_little_address_space(folder, monkeypatch):
    sizes, real = [], lmdb.open

    def choosy(path, *, map_size, **more):
        sizes.append(map_size)
        if map_size > 1 << 33:
            raise lmdb.MemoryError("x: " + os.strerror(errno.ENOMEM))
        return real(path, map_size=map_size, **more)

    monkeypatch.setattr(lmdb, "open", choosy)
    with Index.open(folder) as index:
        assert index.stat.root is None
    assert sizes == [1 << 40, 1 << 36, 1 << 32]
    monkeypatch.setattr(lmdb, "open", refuse(errno.ENOMEM))
    with pytest.raises(StorageError):
        Index.open(folder)


def refuse(code):
    def refusing(path, **more):
        raise lmdb.Error("x: " + os.strerror(code))

    return refusing


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        Index.open(str(tmp_path / "file"))


FORKED = """
    import os, sys
    from oxcore.index import Index
    index = Index.open(sys.argv[1])
    if not os.fork():
        for _ in range(200):
            assert len(index.stat.raw_rows(b"f")) == 500
        index.close()
        with Index.open(sys.argv[1]) as again:
            assert again.stat.root == b"1" * 32
        os._exit(7)
    for n in range(200):
        assert len(index.stat.raw_rows(b"f")) == 500
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
    index.stat.apply(b"2" * 32, [], [])
"""


def test_a_forked_child_reads(folder):
    with Index.open(folder) as index:
        index.stat.apply(R1, rows(500))
        assert finish(run(FORKED, folder)) == 0
        assert index.stat.root == R2
