"""What was found out about files, by the id of their content: a cache beside the other.

A fact is what a function gives for the bytes of a file alone (of a table its schema and counts,
of an image its size), under the name of that function with its version. It lies in an environment
of its own, ``facts`` in the folder of the index, which opens with its first use: who keeps a fact
never waits for a writer of the index, nor lets it wait. Nothing here fails: what cannot be read is
not known, what cannot be written is not kept.

Key: id, kind. Value: the first 8 bytes of the BLAKE3 of key and fact, then the fact; one that does
not fit is damaged, and is not known.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice, takewhile
from threading import Lock
from typing import Final, TypeVar

from blake3 import blake3

from oxcore.errors import OxError
from oxcore.index._env import FACTS, Database, Txn
from oxcore.index._shared import acquire, release

T = TypeVar("T")

FOLDER: Final = "facts"
LARGEST: Final = 4 << 20  # bytes of a fact; a larger one is not kept
_ID: Final = 32
_SUM: Final = 8
_PAGE: Final = 10_000  # keys looked at in one transaction


class Facts:
    """Facts by id and kind. Safe to use from several threads."""

    def __init__(self, folder: str, *, readonly: bool = False) -> None:
        self._folder = os.path.join(folder, FOLDER)
        self._readonly = readonly
        self._lock = Lock()
        self._database: Database | None = None
        self._closed = False

    def get(self, oid: bytes, kind: str) -> bytes | None:
        """The fact, or None."""
        return self.get_many([oid], kind)[0]

    def get_many(self, oids: Sequence[bytes], kind: str) -> list[bytes | None]:
        """For each id the fact of this kind, or None."""
        keys = [_key(oid, kind) for oid in oids]
        wanted = sorted(set(keys))
        found = dict(self._read(lambda txn: list(txn.cursor().getmulti(wanted))) or ())
        return [_opened(key, found.get(key)) for key in keys]

    def put(self, oid: bytes, kind: str, fact: bytes) -> None:
        """Keep a fact."""
        self.put_many(kind, [(oid, fact)])

    def put_many(self, kind: str, facts: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep facts of one kind, in one transaction; those that are there are replaced."""
        keys = ((_key(oid, kind), fact) for oid, fact in facts if len(fact) <= LARGEST)
        items = sorted((key, _sum(key, fact) + fact) for key, fact in keys)
        if items:
            self._write(lambda txn: txn.cursor().putmulti(items))

    def sweep(self, known: Callable[[Sequence[bytes]], Sequence[object]]) -> int:
        """Forget the facts of ids that ``known`` denies; how many these were."""
        gone, start = 0, FACTS
        while keys := self._read(partial(_page, start=start)):
            kept = known([key[1 : 1 + _ID] for key in keys])
            lost = [key for key, stays in zip(keys, kept, strict=True) if not stays]
            if lost:
                self._write(partial(_delete, keys=lost))
            gone, start = gone + len(lost), keys[-1] + b"\0"
        return gone

    def close(self) -> None:
        """Let go of the files; whoever asks later gets nothing, and nothing is kept."""
        with self._lock:
            self._closed = True
            if self._database is not None:
                self._finalizer()
            self._database = None

    def _open(self, *, make: bool) -> Database | None:
        with self._lock:
            there = make or os.path.exists(os.path.join(self._folder, "data.mdb"))
            if self._database is None and there and not self._closed:
                try:
                    database, _ = acquire(self._folder, readonly=self._readonly, map_size=None)
                except OxError:
                    self._closed = True  # where it cannot be, there is none
                else:
                    self._database = database
                    self._finalizer = weakref.finalize(self, release, database)
            return self._database

    def _read(self, work: Callable[[Txn], T]) -> T | None:
        database = self._open(make=False)
        if database is not None:
            with suppress(OxError), database.read() as txn:
                return work(txn)
        return None

    def _write(self, work: Callable[[Txn], object]) -> None:
        database = self._open(make=True)
        if database is not None:
            with suppress(OxError):
                database.write(work)


def _page(txn: Txn, *, start: bytes) -> list[bytes]:
    """The next keys of facts, from ``start`` on."""
    cursor = txn.cursor()
    if not cursor.set_range(start):
        return []
    page = islice(cursor.iternext(keys=True, values=False), _PAGE)
    return list(takewhile(lambda key: key.startswith(FACTS), page))


def _delete(txn: Txn, *, keys: Iterable[bytes]) -> None:
    for key in keys:
        txn.delete(key)


def _key(oid: bytes, kind: str) -> bytes:
    return FACTS + oid + kind.encode()


def _sum(key: bytes, fact: bytes) -> bytes:
    return blake3(key + fact).digest(length=_SUM)


def _opened(key: bytes, value: bytes | None) -> bytes | None:
    if value is None:
        return None
    fact = value[_SUM:]
    return fact if value[:_SUM] == _sum(key, fact) else None
