"""Atomic writes: after a fault at any call of the system the old content is there, or the new."""

import errno
import os

import pytest

from oxcore.errors import StorageError
from oxcore.fs import atomic
from oxcore.fs.atomic import (
    TEMPORARY,
    fsync_dir,
    remove_quietly,
    storage_error,
    storage_errors,
    write_all,
    write_atomic,
)

OLD, NEW = b"old" * 100, b"new" * 70_000
CALLS = ("open", "write", "fsync", "close", "replace")


class Fault:
    """Wraps calls of `os`; the `at`-th of them fails, before or after it took effect."""

    def __init__(self, monkeypatch, at, error, after=False):
        self.seen, self.at, self.error, self.after = [], at, error, after
        for name in CALLS:
            monkeypatch.setattr(atomic.os, name, self.wrap(name, getattr(os, name)))

    def wrap(self, name, real):
        def call(*args, **kwargs):
            self.seen.append(name)
            failing = len(self.seen) == self.at
            if failing and not self.after:
                if name == "close":
                    real(*args)  # as on Linux: closed, and failed
                raise self.error
            result = real(*args, **kwargs)
            if failing:
                if name == "open" and TEMPORARY in args[0]:
                    os.unlink(args[0])  # an open that fails makes no file
                raise self.error
            return result

        return call


def calls_of_a_write(path):
    with pytest.MonkeyPatch.context() as patch:
        fault = Fault(patch, 0, OSError())
        write_atomic(path, NEW)
    return fault.seen


def test_the_order_of_calls(tmp_path):
    seen = calls_of_a_write(str(tmp_path / "file"))
    assert seen == ["open", "write", "fsync", "close", "replace", "open", "fsync", "close"]


class Stop(BaseException):
    """What a signal handler may raise at any moment."""


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError(errno.EIO, "bad"), Stop()]
)
@pytest.mark.parametrize("at", range(1, 9))
def test_a_fault_leaves_old_or_new_and_nothing_beside(tmp_path, exists, after, error, at):
    path = tmp_path / "file"
    if exists:
        path.write_bytes(OLD)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(type(error)):
        Fault(patch, at, error, after)
        write_atomic(str(path), NEW)
    replaced = at > 5 or (at == 5 and after)
    assert (path.read_bytes() if path.exists() else None) == (
        NEW if replaced else OLD if exists else None
    )
    assert os.listdir(tmp_path) == (["file"] if exists or replaced else [])
    write_atomic(str(path), NEW)  # and the next try gets through
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("at", range(1, 9))
def test_a_machine_that_stops_leaves_old_or_new(tmp_path, at):
    """A real process that ends without any clean-up, before each call."""
    path = tmp_path / "file"
    path.write_bytes(OLD)
    child = os.fork()
    if child == 0:
        patch = pytest.MonkeyPatch()
        for name in CALLS:
            patch.setattr(atomic.os, name, dying(name, at))
        write_atomic(str(path), NEW)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert path.read_bytes() == (NEW if at > 5 else OLD)
    leftovers = [name for name in os.listdir(tmp_path) if name != "file"]
    assert all(name.startswith(TEMPORARY) for name in leftovers)
    assert len(leftovers) == (1 if 2 <= at <= 5 else 0)


count = 0


def dying(name, at):
    real = getattr(os, name)

    def call(*args, **kwargs):
        global count  # noqa: PLW0603 -- of a child that ends here
        count += 1
        if count == at:
            os._exit(9)
        return real(*args, **kwargs)

    return call


def test_without_sync_nothing_is_synced(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        fault = Fault(patch, 0, OSError())
        write_atomic(str(tmp_path / "cache"), NEW, sync=False)
    assert "fsync" not in fault.seen
    assert (tmp_path / "cache").read_bytes() == NEW


def test_a_path_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_atomic("file", NEW)
    assert (tmp_path / "file").read_bytes() == NEW


def test_the_mode_obeys_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write_atomic(str(tmp_path / "open"), b"")
        write_atomic(str(tmp_path / "closed"), b"", mode=0o600)
    finally:
        os.umask(old)
    assert (tmp_path / "open").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o600


def test_a_kernel_that_takes_little_at_a_time(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(atomic.os, "write", lambda handle, data: real(handle, data[:7]))
    handle = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    write_all(handle, b"x" * 100)
    os.close(handle)
    assert (tmp_path / "file").read_bytes() == b"x" * 100


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_folders_that_cannot_be_synced_are_let_be(tmp_path, monkeypatch, number):
    def refuse(handle):
        raise OSError(number, "no")

    monkeypatch.setattr(atomic.os, "fsync", refuse)
    fsync_dir(str(tmp_path))


def test_folders_that_fail_to_sync_are_told(tmp_path, monkeypatch):
    def refuse(handle):
        raise OSError(errno.EIO, "bad")

    monkeypatch.setattr(atomic.os, "fsync", refuse)
    with pytest.raises(OSError, match="bad"):
        fsync_dir(str(tmp_path))


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "permissions"),
        (errno.EPERM, "permissions"),
        (errno.EROFS, "permissions"),
        (errno.EIO, ""),
    ],
)
def test_errors_of_the_system_get_a_way_out(number, hint):
    with pytest.raises(StorageError) as caught, storage_errors("write a pack"):
        raise OSError(number, os.strerror(number), "/data/p")
    error = caught.value
    assert error.message == f"write a pack: {os.strerror(number)} (/data/p)"
    assert hint in error.hint
    assert bool(error.hint) == bool(hint)
    assert error.__cause__.errno == number


def test_a_place_that_was_named_is_not_named_twice():
    error = OSError(errno.EIO, "bad", b"/data/\xff")
    assert storage_error("write /data/\udcff", error).message == "write /data/\udcff: bad"
    assert storage_error("write", OSError("odd")).message == "write: odd"


def test_other_errors_pass_through():
    with pytest.raises(ValueError, match="mine"), storage_errors("x"):
        raise ValueError("mine")


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(StorageError, match="No such file"), storage_errors("write"):
        write_atomic(str(tmp_path / "none" / "file"), b"")


def test_removing_what_is_gone(tmp_path):
    remove_quietly(str(tmp_path / "none"))
    remove_quietly(str(tmp_path))
    assert tmp_path.exists()
