"""Reading files that others may be writing: either what was there at one moment, or an error."""

from __future__ import annotations

import os
import stat as st
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from blake3 import blake3

from oxcore.errors import OxError, StorageError, UnstableError
from oxcore.fs.atomic import storage_error
from oxcore.model.entries import Mode, show_path
from oxcore.worktree.rows import COARSE_NS, FINE_NS, UNKNOWN_STAT, mode_of, pack_stat, racy

TRIES = 3
_PIECE = 1 << 20

# O_NONBLOCK: a fifo that took the file's place must not hold us; for regular files it is void.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_ATIME: int = getattr(os, "O_NOATIME", 0)  # Linux; allowed to a file's owner only

T = TypeVar("T")


class Taken(NamedTuple):
    """A file as it was at one moment: its bytes (the target of a link), mode and stat prefix."""

    data: bytes
    mode: int
    stat: bytes


class StableRead:
    """An open file that is to be read to its end once; ``finish`` says whether it held still."""

    def __init__(self, handle: int, path: bytes) -> None:
        self._handle = handle
        self._path = path
        self._before = _settled(handle)
        self._opened = time.time_ns()
        self._left = self._before.st_size

    @property
    def size(self) -> int:
        """Its length in bytes when it was opened; never more is read."""
        return self._before.st_size

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes (-1: all that is left), b"" at the end or past a truncation."""
        want = self._left if size < 0 else min(size, self._left)
        if want == 0:
            return b""
        try:
            data = os.read(self._handle, want)
        except OSError as error:
            raise storage_error(f"read {show_path(self._path)}", error) from error
        self._left -= len(data)
        if size < 0 and data and self._left:
            return data + self.read()
        return data

    def readinto(self, view: memoryview) -> int:
        """Like ``read`` into a buffer; gives how many bytes."""
        want = min(len(view), self._left)
        if want == 0:
            return 0
        try:
            count = os.readv(self._handle, (view[:want],))
        except OSError as error:
            raise storage_error(f"read {show_path(self._path)}", error) from error
        self._left -= count
        return count

    def read_at(self, place: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``place`` on, whatever was read so far."""
        try:
            return os.pread(self._handle, size, max(place, 0))
        except OSError as error:
            raise storage_error(f"read {show_path(self._path)}", error) from error

    def finish(self) -> tuple[Mode, bytes]:
        """Mode and stat prefix of what was read; ``UnstableError`` if the file changed meanwhile.

        It must have been read to the end. The prefix is zeros where no stat can be trusted,
        because the clock was set back.
        """
        after = os.fstat(self._handle)
        stat = pack_stat(self._before)
        if self._left or stat != pack_stat(after):
            raise _unstable(self._path)
        doubtful = racy(stat, self._opened)
        if doubtful and after.st_ctime_ns <= self._opened:
            raise _unstable(self._path)  # written to within this very tick
        return mode_of(after.st_mode) or Mode.FILE, UNKNOWN_STAT if doubtful else stat


@contextmanager
def open_stable(root: str, path: bytes) -> Iterator[StableRead]:
    """Open a large file for one pass; call ``finish`` at its end, inside the block.

    Raises ``StorageError`` if it cannot be opened or is not a regular file. Whoever wants to
    try again after ``UnstableError`` opens it again: ``stable``.
    """
    handle = _open(root, path)
    try:
        yield StableRead(handle, path)
    finally:
        os.close(handle)


def stable(root: str, path: bytes, use: Callable[[StableRead], T]) -> tuple[T, Mode, bytes]:
    """What ``use`` makes of the file's bytes, with their mode and stat prefix.

    ``use`` must read to the end; it is called afresh while the file changes under it, up to
    three times, then ``UnstableError`` is raised.
    """
    for _ in range(TRIES - 1):
        try:
            return _once(root, path, use)
        except UnstableError:
            continue
    return _once(root, path, use)


def read_file(root: str, path: bytes) -> Taken:
    """A small file whole, or a link's target: the bytes of one moment.

    Up to three tries; then ``UnstableError``. ``StorageError`` if it is gone, cannot be read, or
    is neither a file nor a link. ``stat`` is zeros where it cannot be trusted.
    """
    try:
        return _read_quickly(root, path) or Taken(*stable(root, path, StableRead.read))
    except IsADirectoryError as error:
        raise _not_a_file(path) from error
    except OSError as error:
        raise storage_error(f"read {show_path(path)}", error) from error


def read_as_seen(place: bytes, stat: bytes, into: memoryview) -> bool:
    """Read the file at ``place`` into ``into``, which is as long as the file was at ``stat``.

    Gives whether it is the file that the walk saw, unchanged to the end of the read; that it was
    not ``racy`` by then is the caller's to know. Everything else, links and errors included, is
    left to ``read_file``.
    """
    try:
        handle = _open_handle(place)
        try:
            count = os.readv(handle, (into,))
            after = os.fstat(handle)
        finally:
            os.close(handle)
    except OSError:
        return False
    return count == len(into) and stat == pack_stat(after) and st.S_ISREG(after.st_mode)


def hash_file(root: str, path: bytes) -> tuple[bytes, int]:
    """Id and size of a file or link as it was at one moment, in bounded memory."""
    if os.path.islink(os.path.join(os.fsencode(root), path)):
        target = read_file(root, path).data
        return blake3(target).digest(), len(target)
    found, _, _ = stable(root, path, _digest)
    return found


def _digest(source: StableRead) -> tuple[bytes, int]:
    hasher = blake3()
    while piece := source.read(_PIECE):
        hasher.update(piece)
    return hasher.digest(), source.size


def _once(root: str, path: bytes, use: Callable[[StableRead], T]) -> tuple[T, Mode, bytes]:
    with open_stable(root, path) as source:
        result = use(source)
        mode, stat = source.finish()
    return result, mode, stat


def _read_quickly(root: str, path: bytes) -> Taken | None:
    """One try without ceremony, as nearly every file takes it; None if it takes care."""
    place = b"%s/%s" % (os.fsencode(root), path)
    before = os.lstat(place)
    if st.S_ISLNK(before.st_mode):
        return _read_link(place, path)
    if not st.S_ISREG(before.st_mode):
        raise _not_a_file(path)
    handle = _open_handle(place)
    try:
        data = os.read(handle, before.st_size)
        after = os.fstat(handle)
    finally:
        os.close(handle)
    stat = pack_stat(after)
    if stat != pack_stat(before) or len(data) != after.st_size or racy(stat, time.time_ns()):
        return None
    return Taken(data, mode_of(after.st_mode) or Mode.FILE, stat)


def _read_link(place: bytes, path: bytes) -> Taken:
    """A link's target cannot change in place: another link has another inode or another ctime."""
    for _ in range(TRIES):
        before = os.lstat(place)
        target = os.readlink(place)
        if pack_stat(before) == pack_stat(os.lstat(place)):
            return Taken(target, Mode.LINK, pack_stat(before))
    raise _unstable(path)


def _open_handle(place: bytes) -> int:
    try:
        return os.open(place, _FLAGS | _NO_ATIME)
    except PermissionError:
        return os.open(place, _FLAGS)


def _open(root: str, path: bytes) -> int:
    place = b"%s/%s" % (os.fsencode(root), path)
    try:
        handle = _open_handle(place)
    except OSError as error:
        raise storage_error(f"read {show_path(path)}", error) from error
    if st.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise _not_a_file(path)


def _settled(handle: int) -> os.stat_result:
    """The stat of a file that no one wrote to within the last tick of its clock.

    A write in the tick of the first stat would not show in the second; so wait that tick out,
    once: after that only a file that is still being written, or a clock set back, is racy.
    """
    stat = os.fstat(handle)
    now = time.time_ns()
    if racy(pack_stat(stat), now):
        tick = FINE_NS if stat.st_mtime_ns % 10**9 and stat.st_ctime_ns % 10**9 else COARSE_NS
        age = now - max(min(stat.st_mtime_ns, now), min(stat.st_ctime_ns, now))
        time.sleep(max(tick - age, 0) / 1e9 + 0.001)
        stat = os.fstat(handle)
    return stat


def _unstable(path: bytes) -> OxError:
    name = show_path(path)
    hint = "stop what writes to it, or leave it out with .oxignore"
    return UnstableError(f"{name} changed while it was read", items=[name], hint=hint)


def _not_a_file(path: bytes) -> StorageError:
    return StorageError(
        f"{show_path(path)} is neither a file nor a link", hint="leave it out with .oxignore"
    )
