"""Packs of another store taken over, and what a crash left swept away."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence

from oxcore.fs.atomic import fsync_dir, remove_quietly, storage_errors
from oxcore.store._files import PackFiles, VanishedError
from oxcore.store._read import PackReader
from oxcore.store._write import TEMPORARY

_DAY = 86400  # seconds
_TRIES = 3  # of listing a folder that another process repacks


def link_from(reader: PackReader, folder: str) -> list[bytes]:
    """Take every pack of another store: as hard links or, where that fails, as copies.

    Gives the names of the packs that were taken. Raises ``CorruptError`` for a pack whose index
    is damaged; packs taken before it stay.
    """
    source = PackFiles(folder)
    reader.files.make()
    taken: set[bytes] = set()
    for _ in range(_TRIES):
        fresh = source.names() - reader.files.names()
        if not fresh or _take_packs(reader, source, sorted(fresh), taken):
            break
    if taken:
        with storage_errors("link packs"):
            fsync_dir(reader.files.folder)
        reader.counters.fsyncs += 1
    reader.refresh()
    return sorted(taken)


def clean(files: PackFiles) -> int:
    """Remove unsealed packs that nobody wrote to for a day; gives how many."""
    limit = time.time() - _DAY
    count = 0
    try:
        with os.scandir(files.folder) as entries:
            for entry in entries:
                if entry.name.startswith(TEMPORARY) and _is_older(entry, limit):
                    remove_quietly(entry.path)
                    count += 1
    except FileNotFoundError:
        return 0
    return count


def _is_older(entry: os.DirEntry[str], limit: float) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_mtime < limit
    except FileNotFoundError:
        return False


def _take_packs(
    reader: PackReader, source: PackFiles, names: Sequence[bytes], taken: set[bytes]
) -> bool:
    """Link or copy these packs; whether none of them vanished meanwhile."""
    whole = True
    for name in names:
        try:
            source.index(name)
            _link_or_copy(source.path(name), reader)
        except (VanishedError, FileNotFoundError):
            whole = False
        else:
            taken.add(name)
    return whole


def _link_or_copy(path: str, reader: PackReader) -> None:
    target = os.path.join(reader.files.folder, os.path.basename(path))
    try:
        os.link(path, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        _copy(path, target)
        reader.counters.bytes_stored += os.stat(target).st_size
        reader.counters.fsyncs += 1


def _copy(path: str, target: str) -> None:
    from shutil import copyfile  # slow to load, and seldom needed

    beside = os.path.join(os.path.dirname(target), TEMPORARY + os.path.basename(target)[:32])
    try:
        copyfile(path, beside)
        handle = os.open(beside, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(beside, target)
    except BaseException:
        remove_quietly(beside)
        raise
