"""What crashes and repairs leave behind: files that never got their name, damaged packs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import NamedTuple

from oxcore.fs.atomic import TEMPORARY, remove_quietly
from oxcore.repo import Repository

_OLD = 86_400  # seconds; no write takes as long
_FOLDERS = ("", "packs", "refs", "index")


class BadPack(NamedTuple):
    """A damaged pack that ``fsck`` put aside: its path, its size in bytes, and when that was (in
    seconds since the epoch)."""

    path: str
    nbytes: int
    since: float


def bad_packs(repo: Repository) -> list[BadPack]:
    """The damaged packs that lie aside, by name."""
    found = []
    with os.scandir(repo.store.files.folder) as entries:
        for entry in entries:
            if entry.name.endswith(".pack.bad") and entry.is_file(follow_symlinks=False):
                status = entry.stat()
                # To rename a file changes this time, and leaves that of its content alone.
                found.append(BadPack(entry.path, status.st_size, status.st_ctime))
    return sorted(found)


def clean_leftovers(repo: Repository, *, dry_run: bool = False) -> int:
    """Remove temporary files of ox that nobody wrote to for a day; how many there were.

    It needs the lock. Files that a person or another program put there are left alone.
    """
    limit = time.time() - _OLD
    found = [path for folder in _FOLDERS for path in _stale(repo, folder, limit)]
    for path in found:
        if not dry_run:
            remove_quietly(path)
    return len(found)


def _stale(repo: Repository, folder: str, limit: float) -> Iterator[str]:
    try:
        with os.scandir(os.path.join(repo.folder, folder)) as entries:
            for entry in entries:
                if entry.name.startswith(TEMPORARY) and _is_old(entry, limit):
                    yield entry.path
    except FileNotFoundError:
        return


def _is_old(entry: os.DirEntry[str], limit: float) -> bool:
    try:
        return entry.is_file(follow_symlinks=False) and entry.stat().st_mtime < limit
    except FileNotFoundError:
        return False
