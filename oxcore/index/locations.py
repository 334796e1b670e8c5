"""Where objects lie: a ``Locator`` over LMDB.

A location is packed little-endian: pack number (u32), offset (u64), stored and decoded length
(u32 each), kind and how (u8 each). The number of a pack is never given twice.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice, repeat, takewhile
from operator import itemgetter

from oxcore.codec.pack import PackIndex
from oxcore.index._env import LOCATIONS, NEXT_PACK, NUMBERS, PACKS, Database, Txn
from oxcore.model.protocols import Location

Rows = Iterable[tuple[bytes, Location]]

_ROW = struct.Struct("<IQIIBB")
_KIND_AT = 20  # the offset of the kind in a row
_ABSENT = bytes(_ROW.size)
_NUMBER = struct.Struct(">I")
_PAGE = 10_000
_MANY = 50_000  # rows of a write that touches most pages


class Locations:
    """Finds objects in packs. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_many(self, oids: Sequence[bytes]) -> list[Location | None]:
        """For each id its location, or None."""
        with self._database.read() as txn:
            if len(oids) == 1:
                one = txn.get(LOCATIONS + oids[0])
                return [None if one is None else Location._make(_ROW.unpack(one))]
            keys = [LOCATIONS + oid for oid in oids]
            # In the order of ids each page is visited once.
            found = dict(txn.cursor().getmulti(sorted(keys)))
        places = map(Location._make, _ROW.iter_unpack(b"".join(found.values())))
        by_key = dict(zip(found, places, strict=True))
        return [by_key.get(key) for key in keys]

    def kinds(self, oids: Sequence[bytes]) -> bytes:
        """For each id a byte, the kind of its object, or 0."""
        keys = [LOCATIONS + oid for oid in oids]
        with self._database.read() as txn:
            found = dict(txn.cursor().getmulti(sorted(keys)))
        return b"".join(map(found.get, keys, repeat(_ABSENT)))[_KIND_AT :: _ROW.size]

    def find_prefix(self, prefix: bytes, limit: int) -> list[tuple[bytes, Location]]:
        """Up to ``limit`` objects whose id starts with ``prefix``, in the order of their ids."""
        start = LOCATIONS + prefix
        with self._database.read() as txn:
            near = islice(_from(txn, start), limit)
            found = [item for item in near if item[0].startswith(start)]
        return [(key[1:], Location._make(_ROW.unpack(value))) for key, value in found]

    def packs(self) -> Mapping[int, bytes]:
        """Number -> name (32 bytes) of every pack that is indexed."""
        with self._database.read() as txn:
            found = takewhile(lambda item: item[0].startswith(PACKS), _from(txn, PACKS))
            return {_NUMBER.unpack(key[1:])[0]: name for key, name in found}

    def add_pack(self, name: bytes, rows: Rows) -> int:
        """Index a sealed pack; gives its number. ``Location.pack`` in the rows is ignored.

        An id that is indexed already keeps its old location. Adding a pack twice is harmless.
        """
        return self.add_packs([(name, rows)])[0]

    def add_packs(self, packs: Iterable[tuple[bytes, Rows]]) -> list[int]:
        """``add_pack`` of many in one transaction: one fsync, and each page is written once."""
        return self._add(packs, overwrite=False)

    def replace(self, name: bytes, rows: Rows) -> int:
        """Like ``add_pack``, but the new locations win (repair and repacking)."""
        return self._add([(name, rows)], overwrite=True)[0]

    def drop_packs(self, names: Sequence[bytes]) -> None:
        """Forget these packs and every location in them. Reads all locations."""
        self._database.write(lambda txn: self._drop(txn, names))

    def clear(self) -> None:
        """Forget all packs and locations; numbers of packs are still never given twice."""

        def work(txn: Txn) -> None:
            for table in (LOCATIONS, NUMBERS, PACKS):
                cursor = txn.cursor()
                more = cursor.set_range(table)
                while more and cursor.key().startswith(table):
                    more = cursor.delete()

        self._database.write(work)

    def ids(self) -> Iterator[tuple[bytes, Location]]:
        """Every indexed object, in the order of ids.

        Reads a page at a time: what is added meanwhile may or may not come up.
        """
        start = LOCATIONS
        while page := self._page(start):
            for key, value in page:
                yield key[1:], Location._make(_ROW.unpack(value))
            start = page[-1][0] + b"\0"

    def _page(self, start: bytes) -> list[tuple[bytes, bytes]]:
        with self._database.read() as txn:
            page = list(islice(_from(txn, start), _PAGE))
        return [item for item in page if item[0].startswith(LOCATIONS)]

    def _add(self, packs: Iterable[tuple[bytes, Rows]], *, overwrite: bool) -> list[int]:
        # What has a length can be gone through again where the map must grow.
        kept = [(name, rows if isinstance(rows, Sized) else list(rows)) for name, rows in packs]

        def work(txn: Txn) -> list[int]:
            numbers = [self._number(txn, name) for name, _ in kept]
            items: list[tuple[bytes, bytes]] = []
            for number, (_, rows) in zip(numbers, kept, strict=True):
                items += _items(number, rows)
            # By id only, and stable: of several places of one id the first wins, as it would
            # pack by pack.
            items.sort(key=itemgetter(0))
            txn.cursor().putmulti(items, overwrite=overwrite)
            return numbers

        numbers = self._database.write(work)
        if sum(len(rows) for _, rows in kept) >= _MANY:
            self._database.forget_pages()
        return numbers

    def _number(self, txn: Txn, name: bytes) -> int:
        known = txn.get(NUMBERS + name)
        if known is None:
            known = txn.get(NEXT_PACK, _NUMBER.pack(1))
            txn.put(NEXT_PACK, _NUMBER.pack(_NUMBER.unpack(known)[0] + 1))
            txn.put(PACKS + known, name)
            txn.put(NUMBERS + name, known)
        return int(_NUMBER.unpack(known)[0])

    def _drop(self, txn: Txn, names: Sequence[bytes]) -> None:
        gone = set()
        for name in names:
            number = txn.pop(NUMBERS + name)
            if number is not None:
                txn.delete(PACKS + number)
                gone.add(number[::-1])  # locations hold it little-endian
        if gone:
            every = takewhile(lambda item: item[0].startswith(LOCATIONS), _from(txn, LOCATIONS))
            for key in [key for key, value in every if value[:4] in gone]:
                txn.delete(key)


def _items(number: int, rows: Rows) -> Iterable[tuple[bytes, bytes]]:
    """Keys and values of the objects of a pack."""
    if not isinstance(rows, PackIndex):
        return [(LOCATIONS + oid, _ROW.pack(number, *where[1:])) for oid, where in rows]
    columns = (rows.starts(), rows.stored, rows.raws, rows.kinds, rows.hows)
    keys = [LOCATIONS + oid for oid in rows.split_ids()]
    return zip(keys, map(_ROW.pack, repeat(number), *columns), strict=True)


def _from(txn: Txn, start: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values from ``start`` on, through all tables that follow."""
    cursor = txn.cursor()
    return iter(cursor) if cursor.set_range(start) else iter(())
