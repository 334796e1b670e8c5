"""The stat prefix of a row in the stat cache, and when such a row may be trusted."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterable
from stat import S_IFLNK, S_IFMT, S_IFREG

from oxcore.model.entries import Mode

PREFIX = struct.Struct("<QqqQ")  # size in bytes, mtime and ctime in ns, inode: 32 bytes

STAT_SIZE = PREFIX.size
UNKNOWN_STAT = bytes(STAT_SIZE)  # fits no file: inode 0 does not exist

FINE_NS = 20_000_000  # a kernel's clock ticks every 1 to 10 ms; twice that is safe
COARSE_NS = 2_000_000_000  # FAT counts in steps of two seconds
_SECOND = 1_000_000_000
_IS_LINUX = os.uname().sysname == "Linux"
_REALTIME_COARSE = 5  # linux/time.h: the clock that stamps files


def pack_stat(stat: os.stat_result) -> bytes:
    """The 32-byte prefix (size, mtime_ns, ctime_ns, inode), little endian."""
    return PREFIX.pack(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


def ctime_of(prefix: bytes) -> int:
    """The ctime of a prefix, in ns."""
    ctime: int = PREFIX.unpack(prefix)[2]
    return ctime


def is_same(stat: os.stat_result, prefix: bytes) -> bool:
    """Whether it is the file of the prefix, unchanged, though its name may have changed: that
    moves its ctime."""
    size, mtime, _, inode = PREFIX.unpack(prefix)
    found: bool = (stat.st_size, stat.st_mtime_ns, stat.st_ino) == (size, mtime, inode)
    return found


def mode_of(st_mode: int) -> Mode | None:
    """The ``Mode`` of a ``st_mode``; None for a folder, fifo, socket or device.

    As in git, the owner's executable bit alone makes a file executable.
    """
    kind = S_IFMT(st_mode)
    if kind == S_IFREG:
        return Mode.EXEC if st_mode & 0o100 else Mode.FILE
    return Mode.LINK if kind == S_IFLNK else None


def racy(prefix: bytes, now_ns: int) -> bool:
    """Whether a file may yet change without its prefix changing; ``now_ns``: when it was taken.

    A time stamp moves in ticks. A write in the tick of the stat, after the stat, leaves size,
    mtime, ctime and inode as they are; so a row is trusted only if both times lie more than
    one tick before the stat: 20 ms, or 2 s where a time has no part below the second. Source:
    git's ``Documentation/technical/racy-git.txt``. A ctime in the future (the clock was set
    back) is never trusted; an mtime far ahead was set by hand, and ctime stands guard.
    """
    times: tuple[int, int] = PREFIX.unpack(prefix)[1:3]
    mtime, ctime = times
    if now_ns - ctime <= _tick(ctime):
        return True
    return -COARSE_NS <= now_ns - mtime <= _tick(mtime)


def racy_rows(prefixes: Iterable[bytes], now_ns: int) -> list[int]:
    """The positions of the prefixes that are ``racy``."""
    limit = now_ns - COARSE_NS  # older than this on both counts is never racy: the usual case
    unpack = PREFIX.unpack
    recent = [
        (place, prefix)
        for place, prefix in enumerate(prefixes)
        if max(unpack(prefix)[1:3]) >= limit
    ]
    return [place for place, prefix in recent if racy(prefix, now_ns)]


def racy_places(column: bytes, now_ns: int) -> list[int]:
    """``racy_rows`` of prefixes that lie one behind the other."""
    limit = now_ns - COARSE_NS
    recent = [
        place
        for place, (_, mtime, ctime, _) in enumerate(PREFIX.iter_unpack(column))
        if mtime >= limit or ctime >= limit
    ]
    return [at for at in recent if racy(column[at * STAT_SIZE : (at + 1) * STAT_SIZE], now_ns)]


def wait_out(stamp: int) -> None:
    """Return when the kernel's clock for time stamps has gone past ``stamp`` (ns), or after 20 ms.

    After that, whoever changes a file of that stamp gives it another one. Costs up to one tick,
    mostly 1 to 4 ms.
    """
    deadline = time.monotonic_ns() + FINE_NS
    while _stamp_clock() <= stamp and time.monotonic_ns() < deadline:
        time.sleep(0.0005)


def _stamp_clock() -> int:
    if _IS_LINUX:
        return time.clock_gettime_ns(_REALTIME_COARSE)
    return time.time_ns()


def _tick(stamp: int) -> int:
    return FINE_NS if stamp % _SECOND else COARSE_NS
