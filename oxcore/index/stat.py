"""What the work tree looked like when its entries were known: the cache behind ``status``.

A row is found by the number of its folder and its name: so a path is stored once a folder, and
the rows of a folder lie together. ``oxcore.index._rows`` has the layout of a row.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice, takewhile

from blake3 import blake3

from oxcore.errors import InvalidError
from oxcore.index._env import FOLDERS, NEXT_FOLDER, ROOT, ROWS, Database, Txn
from oxcore.index._rows import ROW_SIZE, STAT_SIZE, Row, packed, unpack_row
from oxcore.model.entries import show_path

MAX_NAME = 255  # bytes, NAME_MAX of every file system that can hold a work tree

_NUMBER = struct.Struct(">I")
_HEAD = len(ROWS) + _NUMBER.size  # bytes of a row's key before the name
_BATCH = 50_000  # rows that are sorted at a time


class StatCache:
    """One row a tracked file; safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def root(self) -> bytes | None:
        """The tree whose entries are exactly those of the rows; None if there is none such."""
        with self._database.read() as txn:
            return txn.get(ROOT)

    def count(self) -> int:
        """How many rows there are. Looks at each."""
        with self._database.read() as txn:
            cursor = txn.cursor()
            if not cursor.set_range(ROWS):
                return 0
            return sum(1 for _ in cursor.iternext(keys=True, values=False))

    def folders(self) -> Iterator[bytes]:
        """Every folder that holds a row, sorted (the folder ``b""`` is the root)."""
        with self._database.read() as txn:
            cursor = txn.cursor()
            cursor.set_range(FOLDERS)
            every = takewhile(lambda item: item[0].startswith(FOLDERS), cursor)
            found = sorted(value[_NUMBER.size :] for _, value in every)
        yield from found

    def raw_rows(self, folder: bytes) -> dict[bytes, bytes]:
        """Name -> packed row of every file of ``folder`` itself, sorted."""
        return dict(zip(*self.raw_range(folder), strict=True))

    def raw_range(
        self, folder: bytes, after: bytes | None = None, upto: bytes | None = None
    ) -> tuple[list[bytes], list[bytes]]:
        """Names, ascending, and packed rows of the files of ``folder`` itself whose name lies
        behind ``after`` and not behind ``upto``; None sets no bound."""
        names: list[bytes] = []
        rows: list[bytes] = []
        with self._database.read() as txn:
            prefix = self._prefix(txn, folder)
            if prefix is None:
                return names, rows
            cursor = txn.cursor()
            if not cursor.set_range(prefix if after is None else prefix + after + b"\0"):
                return names, rows
            # No name holds a NUL, and no number of a folder is the highest.
            stop = _next_prefix(prefix) if upto is None else prefix + upto + b"\0"
            for key, value in cursor:
                if key >= stop:
                    break
                names.append(key[_HEAD:])
                rows.append(value)
        return names, rows

    def rows(self, folder: bytes) -> dict[bytes, Row]:
        """Name -> row of every file of ``folder`` itself, sorted."""
        return {name: unpack_row(value) for name, value in self.raw_rows(folder).items()}

    def get_raw(self, paths: Sequence[bytes]) -> list[bytes | None]:
        """For each path its packed row, or None."""
        with self._database.read() as txn:
            keys = self._keys(txn, paths)
            wanted = sorted(key for key in keys if key)
            found = dict(txn.cursor().getmulti(wanted))
        return [found.get(key) for key in keys]

    def get_many(self, paths: Sequence[bytes]) -> list[Row | None]:
        """For each path its row, or None."""
        return [None if raw is None else unpack_row(raw) for raw in self.get_raw(paths)]

    def apply(
        self,
        new_root: bytes,
        put: Iterable[tuple[bytes, Row | bytes]],
        remove: Iterable[bytes] = (),
    ) -> None:
        """Put and remove rows, and say of which tree they are now: all in one transaction.

        Rows may be packed; what has a length is gone through again where the map must grow.
        Raises ``InvalidError`` for a name of over 255 bytes or a bad row.
        """
        rows = put if isinstance(put, Sized) else list(put)
        gone = list(remove)

        def work(txn: Txn) -> None:
            touched = self._remove(txn, gone)
            self._put(txn, rows)
            self._forget_empty(txn, touched)
            txn.put(ROOT, new_root)

        self._database.write(work)

    def touch(self, root: bytes, rows: Iterable[tuple[bytes, Row | bytes]]) -> bool:
        """Refresh stats of files that hold what the tree ``root`` says; gives whether it did.

        Rows of paths that are not tracked, or with another entry, are left out. Nothing happens
        if the rows are of another tree by now, or the index was opened for reading.
        """
        if self._database.readonly:
            return False
        offered = [(path, packed(row)) for path, row in rows]

        def work(txn: Txn) -> bool:
            if txn.get(ROOT) != root:
                return False
            keys = self._keys(txn, [path for path, _ in offered])
            fresh = zip(keys, (value for _, value in offered), strict=True)
            items = sorted((key, value) for key, value in fresh if key)
            there = dict(txn.cursor().getmulti([key for key, _ in items]))
            same = [
                (key, value)
                for key, value in items
                if there.get(key, b"")[STAT_SIZE:] == value[STAT_SIZE:]
            ]
            txn.cursor().putmulti(same)
            return True

        return self._database.write(work)

    def clear(self) -> None:
        """Forget all rows and the root."""

        def work(txn: Txn) -> None:
            for table in (ROWS, FOLDERS):
                cursor = txn.cursor()
                more = cursor.set_range(table)
                while more and cursor.key().startswith(table):
                    more = cursor.delete()
            txn.delete(ROOT)

        self._database.write(work)

    # -- inside

    def _prefix(self, txn: Txn, folder: bytes) -> bytes | None:
        """What the keys of a folder's rows start with; None if it has none."""
        value = txn.get(_folder_key(folder))
        return None if value is None else ROWS + value[: _NUMBER.size]

    def _keys(self, txn: Txn, paths: Iterable[bytes]) -> list[bytes]:
        """The key of each path's row; empty where the folder has none."""
        prefixes: dict[bytes, bytes | None] = {}
        keys = []
        for path in paths:
            cut = path.rfind(b"/")
            folder = path[:cut] if cut >= 0 else b""
            if folder not in prefixes:
                prefixes[folder] = self._prefix(txn, folder)
            prefix = prefixes[folder]
            keys.append(b"" if prefix is None else prefix + path[cut + 1 :])
        return keys

    def _put(self, txn: Txn, rows: Iterable[tuple[bytes, Row | bytes]]) -> None:
        prefixes: dict[bytes, bytes] = {}
        source = iter(rows)
        while batch := list(islice(source, _BATCH)):
            items = []
            for path, row in batch:
                cut = path.rfind(b"/")
                folder = path[:cut] if cut >= 0 else b""
                prefix = prefixes.get(folder)
                if prefix is None:
                    prefix = prefixes[folder] = self._new_prefix(txn, folder)
                items.append((prefix + path[cut + 1 :], packed(row)))
            self._put_items(txn, items)

    def _put_items(self, txn: Txn, items: list[tuple[bytes, bytes]]) -> None:
        for key, value in items:
            if not _HEAD < len(key) <= _HEAD + MAX_NAME or len(value) != ROW_SIZE:
                raise _unfit(key[_HEAD:])
        items.sort()
        cursor = txn.cursor()
        last = cursor.key() if cursor.last() else b""
        # What lies behind the last row needs no search, and fills its pages.
        behind = bisect_right(items, (last, b"\xff" * ROW_SIZE))
        cursor.putmulti(items[:behind])
        cursor.putmulti(items[behind:], append=True)

    def _new_prefix(self, txn: Txn, folder: bytes) -> bytes:
        """``_prefix``, with a new number where the folder has none."""
        known = self._prefix(txn, folder)
        if known is not None:
            return known
        number = txn.get(NEXT_FOLDER, _NUMBER.pack(1))
        txn.put(NEXT_FOLDER, _NUMBER.pack(_NUMBER.unpack(number)[0] + 1))
        txn.put(_folder_key(folder), number + folder)
        return ROWS + number

    def _remove(self, txn: Txn, paths: list[bytes]) -> dict[bytes, bytes]:
        """Delete rows; gives the prefix and the path of every folder concerned."""
        touched: dict[bytes, bytes] = {}
        for start in range(0, len(paths), _BATCH):
            span = paths[start : start + _BATCH]
            found = zip(self._keys(txn, span), span, strict=True)
            for key, path in sorted((key, path) for key, path in found if key):
                if txn.delete(key):
                    touched[key[:_HEAD]] = path.rpartition(b"/")[0]
        return touched

    def _forget_empty(self, txn: Txn, touched: dict[bytes, bytes]) -> None:
        cursor = txn.cursor()
        for prefix, folder in touched.items():
            if not (cursor.set_range(prefix) and cursor.key().startswith(prefix)):
                txn.delete(_folder_key(folder))


def _folder_key(folder: bytes) -> bytes:
    return FOLDERS + blake3(folder).digest(length=16)


def _next_prefix(prefix: bytes) -> bytes:
    """The first key behind all those that start with ``prefix``."""
    return (int.from_bytes(prefix, "big") + 1).to_bytes(len(prefix), "big")


def _unfit(name: bytes) -> InvalidError:
    if 0 < len(name) <= MAX_NAME:
        return InvalidError(f"the row of {show_path(name)!r} does not have {ROW_SIZE} bytes")
    return InvalidError(
        f"the name {show_path(name)!r} has {len(name)} bytes; a work tree holds 1 to {MAX_NAME}"
    )
