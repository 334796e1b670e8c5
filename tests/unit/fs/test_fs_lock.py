"""The writer's lock, between real processes."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from oxcore.errors import BusyError, StorageError
from oxcore.fs import lock
from oxcore.fs.lock import writer_lock

HOLD = """
import sys
from oxcore.fs.lock import writer_lock
with writer_lock(sys.argv[1], purpose="commit of 3 files"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "lock")


@pytest.fixture
def holder(path):
    """Another process that holds the lock until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def free(path):
    with writer_lock(path, purpose="test", wait=0):
        return True


def test_a_second_process_is_told_who_holds_it(path, holder):
    before = time.monotonic()
    with pytest.raises(BusyError) as caught:
        free(path)
    assert time.monotonic() - before < 1
    assert f"process {holder.pid} (commit of 3 files, " in caught.value.message
    assert caught.value.hint


def test_a_second_process_waits_for_its_time(path, holder):
    before = time.monotonic()
    with pytest.raises(BusyError), writer_lock(path, purpose="test", wait=0.2):
        pass
    assert time.monotonic() - before >= 0.2


def test_a_second_process_goes_on_when_the_first_ends(path, holder):
    threading.Timer(0.1, holder.stdin.close).start()
    with writer_lock(path, purpose="test", wait=10):
        assert holder.wait(10) == 0


def test_a_killed_holder_leaves_no_lock(path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with writer_lock(path, purpose="test", wait=1):
        with open(path, "rb") as file:
            note = json.load(file)
        assert note["pid"] == os.getpid()
        assert note["purpose"] == "test"


def test_the_note_goes_with_the_lock(path):
    with pytest.raises(ZeroDivisionError), writer_lock(path, purpose="test"):
        raise ZeroDivisionError
    assert os.path.getsize(path) == 0
    assert free(path)


def test_a_forked_child_that_lives_on_holds_nothing(path):
    with writer_lock(path, purpose="test"):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
    assert free(path)
    os.close(writing)
    os.close(reading)
    os.waitpid(child, 0)


def test_threads_exclude_each_other_too(path):
    with writer_lock(path, purpose="outer"), pytest.raises(BusyError, match=str(os.getpid())):
        free(path)


@pytest.mark.parametrize("note", [b"", b"[]", b"{}", b"null", b'{"pid": 1}', b"\xff", b"{" * 9000])
def test_a_holder_whose_note_cannot_be_read(path, note):
    with writer_lock(path, purpose="outer"):
        with open(path, "wb") as file:
            file.write(note)
        with pytest.raises(BusyError, match="another process"):
            free(path)


def test_a_full_disk_does_not_keep_the_lock_from_gc(path, monkeypatch):
    def refuse(*args):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(lock.os, "pwrite", refuse)
    monkeypatch.setattr(lock.os, "ftruncate", refuse)
    assert free(path)
    assert free(path)


def test_a_file_system_without_locks_is_told(path, monkeypatch):
    def refuse(*args):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with pytest.raises(StorageError, match="no locks"):
        free(path)


def test_a_missing_folder_is_told(path):
    with pytest.raises(StorageError, match="open the lock"):
        free(os.path.join(path, "none"))


def test_errors_of_the_block_pass_through(path):
    with pytest.raises(OSError, match="mine"), writer_lock(path, purpose="test"):
        raise OSError("mine")
