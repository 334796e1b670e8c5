"""Reading files that others really change, replace and truncate meanwhile."""

import os
import subprocess
import sys
import threading
import time

import pytest
from blake3 import blake3

from oxcore.errors import StorageError, UnstableError
from oxcore.model.entries import Mode
from oxcore.worktree import (
    UNKNOWN_STAT,
    hash_file,
    open_stable,
    pack_stat,
    racy,
    racy_places,
    racy_rows,
    read_file,
    stable,
)
from oxcore.worktree.rows import PREFIX, wait_out

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND + 123_456_789


def prefix(mtime, ctime=None):
    return PREFIX.pack(1, mtime, mtime if ctime is None else ctime, 7)


@pytest.mark.parametrize(
    ("mtime", "ctime", "expected"),
    [
        (NOW - 21_000_000, NOW - 21_000_000, False),
        (NOW - 19_000_000, NOW - 21_000_000, True),
        (NOW - 21_000_000, NOW - 19_000_000, True),
        (NOW, NOW, True),
        (NOW - 123_456_789 - 1 * SECOND, NOW - 3 * SECOND + 1, True),  # whole seconds: 2 s
        (NOW - 123_456_789 - 2 * SECOND, NOW - 3 * SECOND + 1, False),
        (NOW - SECOND, NOW + SECOND, True),  # the clock was set back
        (NOW + 3600 * SECOND, NOW - SECOND, False),  # an mtime set by hand
        (0, NOW - SECOND, False),
    ],
)
def test_racy(mtime, ctime, expected):
    assert racy(prefix(mtime, ctime), NOW) is expected
    assert racy_rows([prefix(0), prefix(mtime, ctime)], NOW) == ([1] if expected else [])
    assert racy_places(prefix(0) + prefix(mtime, ctime), NOW) == ([1] if expected else [])


def test_after_wait_out_a_write_has_another_stamp(tmp_path):
    place = tmp_path / "f"
    for turn in range(20):
        place.write_bytes(b"%d" % (turn % 10))
        before = os.stat(place).st_mtime_ns
        wait_out(before)
        place.write_bytes(b"x")
        assert os.stat(place).st_mtime_ns > before


def test_read_file_gives_bytes_mode_and_stat(tmp_path):
    place = tmp_path / "f"
    place.write_bytes(b"data")
    place.chmod(0o755)
    taken = read_file(str(tmp_path), b"f")
    assert taken == (b"data", Mode.EXEC, pack_stat(os.lstat(place)))
    assert not racy(taken.stat, time.time_ns())


def test_a_row_of_a_file_just_written_may_be_trusted(tmp_path):
    for turn in range(10):
        place = tmp_path / f"f{turn}"
        place.write_bytes(b"one")
        taken = read_file(str(tmp_path), place.name.encode())
        place.write_bytes(b"two")
        assert pack_stat(os.lstat(place)) != taken.stat


def test_empty_file(tmp_path):
    (tmp_path / "f").touch()
    assert read_file(str(tmp_path), b"f").data == b""
    assert hash_file(str(tmp_path), b"f") == (blake3(b"").digest(), 0)


def test_a_link_is_its_target(tmp_path):
    os.symlink(b"some\xff/where", os.fsencode(tmp_path) + b"/l")
    taken = read_file(str(tmp_path), b"l")
    assert taken[:2] == (b"some\xff/where", Mode.LINK)
    assert hash_file(str(tmp_path), b"l") == (blake3(b"some\xff/where").digest(), 11)


def test_large_files_come_in_pieces(tmp_path):
    data = os.urandom(3_000_001)
    (tmp_path / "f").write_bytes(data)
    with open_stable(str(tmp_path), b"f") as source:
        assert source.size == len(data)
        pieces = []
        while piece := source.read(70_000):
            assert len(piece) <= 70_000
            pieces.append(piece)
        mode, stat = source.finish()
    assert b"".join(pieces) == data
    assert (mode, stat) == (Mode.FILE, pack_stat(os.lstat(tmp_path / "f")))
    assert hash_file(str(tmp_path), b"f") == (blake3(data).digest(), len(data))


def test_what_was_not_read_to_its_end_is_not_stable(tmp_path):
    (tmp_path / "f").write_bytes(b"12345678")
    with open_stable(str(tmp_path), b"f") as source:
        source.read(4)
        with pytest.raises(UnstableError):
            source.finish()


@pytest.mark.parametrize(
    "change",
    [
        lambda place: place.write_bytes(b"B" * 8),
        lambda place: os.truncate(place, 4),
        lambda place: place.open("ab").close() or os.truncate(place, 20),
    ],
)
def test_a_change_during_the_read_is_seen(tmp_path, change):
    place = tmp_path / "f"
    place.write_bytes(b"A" * 8)
    with open_stable(str(tmp_path), b"f") as source:
        source.read(2)
        change(place)
        source.read()
        with pytest.raises(UnstableError):
            source.finish()


def test_a_change_with_its_mtime_put_back_is_seen(tmp_path):
    place = tmp_path / "f"
    place.write_bytes(b"A" * 8)
    with open_stable(str(tmp_path), b"f") as source:
        before = os.stat(place)
        source.read(2)
        place.write_bytes(b"B" * 8)
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
        source.read()
        with pytest.raises(UnstableError):
            source.finish()


def test_a_file_replaced_during_the_read_is_read_as_it_was(tmp_path):
    place = tmp_path / "f"
    place.write_bytes(b"A" * 8)

    def use(source):
        first = source.read(4)
        if not (tmp_path / "done").exists():
            (tmp_path / "new").write_bytes(b"B" * 8)
            os.replace(tmp_path / "new", place)
            (tmp_path / "done").touch()
        return first + source.read()

    data, _, _ = stable(str(tmp_path), b"f", use)
    assert data in (b"A" * 8, b"B" * 8)


def test_it_is_tried_three_times(tmp_path):
    place = tmp_path / "f"
    place.write_bytes(b"0" * 9)
    turns = []

    def use(source):
        turns.append(source.read())
        if len(turns) < 3:
            place.write_bytes(b"%d" % len(turns) * 9)
        return turns[-1]

    assert stable(str(tmp_path), b"f", use)[0] == b"2" * 9
    turns.clear()
    place.write_bytes(b"0" * 9)
    with pytest.raises(UnstableError):
        stable(str(tmp_path), b"f", lambda source: (source.read(), place.write_bytes(b"9" * 9)))


def refuses(root):
    try:
        read_file(str(root), b"f")
    except UnstableError as error:
        return error.items
    return None


def test_another_process_that_never_stops_writing(tmp_path):
    place = tmp_path / "f"
    size = 40_000
    code = (
        "import os, sys\n"
        f"handle = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)\nsize = {size}\n"
        "print(os.pwrite(handle, b'A' * size, 0), flush=True)\n"
        "while True:\n"
        "    os.pwrite(handle, b'B' * size, 0)\n"
        "    os.pwrite(handle, b'A' * size, 0)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, place], stdout=subprocess.PIPE)
    try:
        writer.stdout.readline()
        told = [refuses(tmp_path) for _ in range(10)]
    finally:
        writer.kill()
        writer.communicate()
    assert ("f",) in told  # a busy machine may stop the writer now and then
    assert len(read_file(str(tmp_path), b"f").data) == size


def test_a_thread_that_rewrites_now_and_then_never_yields_a_mix(tmp_path):
    place = tmp_path / "f"
    size = 300_000
    place.write_bytes(b"A" * size)
    stop = threading.Event()

    def rewrite():
        handle = os.open(place, os.O_WRONLY)
        letters = b"BCDEFGHIJ"
        turn = 0
        while not stop.is_set():
            os.pwrite(handle, letters[turn % 9 : turn % 9 + 1] * size, 0)
            turn += 1
            time.sleep(0.045)
        os.close(handle)

    thread = threading.Thread(target=rewrite)
    thread.start()
    good = 0
    try:
        for _ in range(30):
            try:
                data = read_file(str(tmp_path), b"f").data
            except UnstableError:
                continue
            assert len(set(data)) == 1
            assert len(data) == size
            good += 1
    finally:
        stop.set()
        thread.join()
    assert good


def test_a_clock_set_back_gives_no_row_to_trust(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"x")
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() - 3600 * SECOND)
    taken = read_file(str(tmp_path), b"f")
    assert (taken.data, taken.stat) == (b"x", UNKNOWN_STAT)


@pytest.mark.timeout(10)
def test_a_fifo_in_the_place_of_a_file_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for read in (read_file, hash_file):
        with pytest.raises(StorageError):
            read(str(tmp_path), b"pipe")
    with pytest.raises(StorageError), open_stable(str(tmp_path), b"pipe"):
        pass


def test_what_cannot_be_read_is_a_storage_error(tmp_path):
    (tmp_path / "folder").mkdir()
    os.symlink("folder", tmp_path / "link")
    for path in (b"nope", b"folder"):
        with pytest.raises(StorageError):
            read_file(str(tmp_path), path)
    with pytest.raises(StorageError), open_stable(str(tmp_path), b"link"):
        pass


def test_no_handle_is_left_open(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    before = len(os.listdir("/proc/self/fd"))
    read_file(str(tmp_path), b"f")
    hash_file(str(tmp_path), b"f")
    with pytest.raises(StorageError):
        hash_file(str(tmp_path), b"pipe")
    assert len(os.listdir("/proc/self/fd")) == before


def test_memory_stays_bounded_for_large_files(tmp_path):
    code = (
        "import sys\n"
        "from oxcore.worktree import hash_file\n"
        "def peak():\n"  # ru_maxrss would start from what the process that forked us had
        "    with open('/proc/self/status') as status:\n"
        "        return next(int(line.split()[1]) for line in status if 'VmHWM' in line)\n"
        "low = peak()\n"
        "hash_file(sys.argv[1], b'big')\n"
        "assert peak() - low < 20_000\n"
    )
    with open(tmp_path / "big", "wb") as file:
        file.truncate(300 << 20)
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
