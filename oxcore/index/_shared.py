"""The environments that this process has open: one a folder, replaced when it is damaged.

LMDB allows one environment a file and process, and none that a fork took along.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from typing import Final

from oxcore.errors import BusyError, StorageError
from oxcore.fs.atomic import storage_errors
from oxcore.fs.lock import writer_lock
from oxcore.index._env import Damaged, Database, remove

_FORK_PATIENCE: Final = 2.0  # seconds that a fork waits for the transactions of other threads

_open: dict[str, Database] = {}
# Re-entrant: the collector may finalise a forgotten handle while its thread is in `acquire`.
_open_lock = threading.RLock()


def acquire(folder: str, *, readonly: bool, map_size: int | None) -> tuple[Database, bool]:
    """The environment in ``folder``, and whether it was made anew.

    LMDB allows one environment a file and process: whoever opens it again shares it.
    """
    folder = os.path.realpath(folder)
    with _open_lock:
        known = _open.get(folder)
        if known is not None and known.process != os.getpid():
            known.renew()
        if known is not None and _is_current(known):
            known.holders += 1
            return known, False
        if not readonly:
            with storage_errors("make the folder of the index"):
                os.makedirs(folder, exist_ok=True)
        database = _open_or_replace(folder, readonly=readonly, map_size=map_size)
        database.holders = 1
        _open[folder] = database
        return database, database.fresh


class _Standstill:
    """While the process forks, no transaction runs: a child cannot close what is in use."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self._amid: list[Database] = []

    def begin(self) -> None:
        """Wait for those that run, but not for long: the forking thread may be in one itself."""
        if not _open_lock.acquire(timeout=_FORK_PATIENCE):
            self._amid = list(_open.values())
            return
        self._held.callback(_open_lock.release)
        for database in _open.values():
            try:
                self._held.enter_context(database.held(_FORK_PATIENCE))
            except BusyError:
                self._amid.append(database)

    def end(self) -> None:
        """Go on, in the parent."""
        self._amid.clear()
        self._held.close()

    def end_in_child(self) -> None:
        """Go on, with locks of our own."""
        global _open_lock  # noqa: PLW0603 -- of the process; who holds it may not be here
        for database in self._amid:
            database.amid = True
        self.end()
        _open_lock = threading.RLock()


_standstill = _Standstill()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_standstill.begin,
        after_in_parent=_standstill.end,
        after_in_child=_standstill.end_in_child,
    )


def release(database: Database) -> None:
    """Give an environment back; the last one closes it.

    A forked child only reads what its parent opened: the files are the parent's to close.
    """
    if database.process != os.getpid():
        return
    with _open_lock:
        database.holders -= 1
        if database.holders:
            return
        if _open.get(database.folder) is database:
            del _open[database.folder]
        database.close()


def _is_current(database: Database) -> bool:
    try:
        status = os.stat(os.path.join(database.folder, "data.mdb"))
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == database.identity


def _open_or_replace(folder: str, *, readonly: bool, map_size: int | None) -> Database:
    try:
        return Database(folder, readonly=readonly, map_size=map_size)
    except Damaged as error:
        if readonly:
            raise StorageError(
                f"no usable index in {folder}: {error}",
                hint="open the repository once where it may be written",
            ) from None
    # Another process may be replacing it as well: the second one finds it sound.
    with writer_lock(os.path.join(folder, "replacing"), purpose="replace the index"):
        try:
            return Database(folder, readonly=False, map_size=map_size)
        except Damaged:
            remove(folder)
        return Database(folder, readonly=False, map_size=map_size)
