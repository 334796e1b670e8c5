"""Where objects lie in packs, what the work tree looked like, what files hold: LMDB, and a cache.

Thrown away it loses only time: locations come back from the packs, rows from the stage, facts from
the files.
"""

from __future__ import annotations

import weakref
from functools import cached_property
from typing import TYPE_CHECKING, Self

from oxcore.index._rows import (
    ROW_SIZE,
    STAT_SIZE,
    UNKNOWN_STAT,
    Row,
    pack_row,
    pack_stat,
    row_entry,
    unpack_row,
)
from oxcore.index._shared import acquire, release
from oxcore.index.locations import Locations
from oxcore.index.stat import StatCache

if TYPE_CHECKING:
    from oxcore.index._env import Database
    from oxcore.index.facts import Facts

__all__ = [
    "ROW_SIZE",
    "STAT_SIZE",
    "UNKNOWN_STAT",
    "Index",
    "Locations",
    "Row",
    "StatCache",
    "pack_row",
    "pack_stat",
    "row_entry",
    "unpack_row",
]


class Index:
    """``locations`` finds objects in packs, ``stat`` remembers the work tree, ``facts`` what
    files hold.

    ``fresh`` says that the index was empty or had to be thrown away: the caller rebuilds it.
    Close it, or use it as a context manager.
    """

    def __init__(self, database: Database, *, fresh: bool) -> None:
        self.fresh = fresh
        self._database = database
        self.locations = Locations(database)
        self.stat = StatCache(database)
        self._finalizer = weakref.finalize(self, release, database)

    @classmethod
    def open(cls, folder: str, *, readonly: bool = False, map_size: int | None = None) -> Self:
        """Open the index in ``folder``; make it if it is missing, damaged or of another version.

        ``map_size``: address space to start with, in bytes; it grows by itself. Raises
        ``StorageError`` where the file system refuses, or ``readonly`` finds no sound index.
        """
        database, fresh = acquire(folder, readonly=readonly, map_size=map_size)
        return cls(database, fresh=fresh)

    @cached_property
    def facts(self) -> Facts:
        """What was found out about files, by the id of their content; loads when it is asked."""
        from oxcore.index.facts import Facts

        return Facts(self._database.folder, readonly=self._database.readonly)

    def close(self) -> None:
        """Let go of the files; calling it twice is harmless."""
        if "facts" in vars(self):
            self.facts.close()
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
