"""One LMDB environment, which grows when it is full; ``_shared`` opens it once a process.

All tables share LMDB's unnamed database, told apart by the first byte of the key: to open a named
one takes the writer's lock, and a reader would wait. Facts have an environment of their own.

    b   facts       id of a file, kind -> fact (``facts``)
    f   folders     first 16 bytes of the BLAKE3 of the path -> number (u32 big-endian), path
    l   locations   id -> location
    m   scalars     name -> value
    n   numbers     name of a pack -> number (u32 big-endian)
    p   packs       number -> name
    r   rows        folder's number, name of the file -> row; last, so that new ones are appended
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Final, TypeAlias, TypeVar

import lmdb

from oxcore.errors import BusyError, CorruptError, OxError, StorageError
from oxcore.fs.atomic import remove_quietly, storage_error, storage_errors

Txn: TypeAlias = "lmdb.Transaction[bytes]"  # quoted: the class is generic in its stubs only
T = TypeVar("T")

FACTS: Final = b"b"
FOLDERS: Final = b"f"
LOCATIONS: Final = b"l"
NUMBERS: Final = b"n"
PACKS: Final = b"p"
ROWS: Final = b"r"

ROOT: Final = b"mroot"
NEXT_FOLDER: Final = b"mfolder"
NEXT_PACK: Final = b"mpack"
_VERSION_KEY: Final = b"mversion"
_VERSION: Final = b"ox index 1"

# Address space, not disk: the file grows as it is written. Smaller ones are for machines that
# limit address space.
_MAP_SIZES: Final = (1 << 40, 1 << 36, 1 << 32, 1 << 29)
_MAX_READERS: Final = 510
_PATIENCE: Final = 30.0  # seconds to wait for this process's own readers before growing

_DAMAGE: Final = (
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.PanicError,
    lmdb.InvalidError,
    lmdb.VersionMismatchError,
    lmdb.IncompatibleError,
)
_NO_MAPS: Final = (errno.ENODEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
_TOLD_APART: Final = (
    *_NO_MAPS,
    errno.ENOMEM,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
)


class Damaged(Exception):
    """The files in the folder are no index that this release can use."""


class Gate:
    """Counts the transactions that run, and waits for none before the map moves.

    ``mdb_env_set_mapsize`` unmaps the file: a reader in another thread would crash.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._running = 0
        self._waiting = 0
        self._closed = False

    def enter(self) -> None:
        """A transaction begins."""
        with self._lock:
            while self._closed:
                self._changed.wait()
            self._running += 1

    def leave(self) -> None:
        """It has ended."""
        with self._lock:
            self._running -= 1
            if self._waiting:
                self._changed.notify_all()

    @contextmanager
    def alone(self, patience: float = _PATIENCE) -> Iterator[None]:
        """Hold all transactions back; ``BusyError`` if those that run do not end within
        ``patience`` seconds."""
        with self._lock:
            self._waiting += 1
            while self._closed:
                self._changed.wait()
            self._closed = True
            try:
                if not self._changed.wait_for(lambda: self._running == 0, patience):
                    raise BusyError("the index is being read and cannot grow")
                yield
            finally:
                self._closed = False
                self._waiting -= 1
                self._changed.notify_all()


class Snapshot:
    """A reading transaction for the length of a ``with``."""

    __slots__ = ("_database", "_txn")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Txn:
        self._txn = self._database.begin(write=False)
        return self._txn

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self._txn.abort()
            del self._txn
        finally:
            self._database.end()
        if isinstance(error, lmdb.Error):
            raise self._database.told(error) from error


class Database:
    """The environment in ``folder``; ``fresh`` if it was empty when it was opened."""

    def __init__(self, folder: str, *, readonly: bool, map_size: int | None) -> None:
        self.folder = folder
        self.readonly = readonly
        self.holders = 0
        self._map_size = map_size
        self.amid = False  # whether the process was forked while a transaction ran
        self._begin()

    def _begin(self) -> None:
        folder = self.folder
        self.process = os.getpid()
        self._gate = Gate()
        self._writer = threading.Lock()
        with storage_errors("open the index"), _opening(folder):
            self._env = _open_env(folder, self.readonly, self._map_size)
            try:
                self._check_size()
                self.fresh = self._check_version()
            except BaseException:
                self._env.close()
                raise
        status = os.stat(os.path.join(folder, "data.mdb"))
        self.identity = (status.st_dev, status.st_ino)

    def held(self, patience: float) -> AbstractContextManager[None]:
        """No transaction runs for the length of the block; ``BusyError`` as ``Gate.alone``."""
        return self._gate.alone(patience)

    def renew(self) -> None:
        """In a forked child: an environment of its own in place of the parent's, which LMDB allows
        nobody else to write with. What the parent has open is not touched."""
        if not self.amid:  # else LMDB would wait for a thread that is not here
            self._env.close()
            self._begin()

    def close(self) -> None:
        """Unmap the file."""
        with self._gate.alone():
            self._env.close()

    def read(self) -> Snapshot:
        """A snapshot. Keep it short, and open no other one within."""
        return Snapshot(self)

    def write(self, work: Callable[[Txn], T]) -> T:
        """Run ``work`` in one transaction: all of it is on disk afterwards, or nothing.

        ``work`` is run again from the start if the map had to grow.
        """
        if self.readonly:
            raise StorageError("the index was opened for reading only")
        while True:
            try:
                with self._writer:
                    return self._run(work)
            except lmdb.MapFullError:
                self._resize(2 * self._env.info()["map_size"])
            except lmdb.Error as error:
                raise self.told(error) from error

    def forget_pages(self) -> None:
        """Map the file anew: after a large write every page of a table is in this process's
        memory, and few will be wanted again soon. Nothing happens while others read."""
        with suppress(BusyError, lmdb.Error):  # what was written is safe either way
            self._resize(self._env.info()["map_size"], patience=0)

    def begin(self, *, write: bool) -> Txn:
        """A transaction, to be ended by ``end``. Follows another process that grew the map."""
        while True:
            self._gate.enter()
            try:
                return self._env.begin(write=write)
            except lmdb.MapResizedError:
                self._gate.leave()
                self._resize(0)
            except lmdb.ReadersFullError as error:
                self._gate.leave()
                if not self._env.reader_check():  # frees the slots of processes that died
                    raise BusyError("too many processes read the index") from error
            except lmdb.Error as error:
                self._gate.leave()
                raise self.told(error) from error

    def end(self) -> None:
        """The transaction of ``begin`` was committed or aborted."""
        self._gate.leave()

    def told(self, error: lmdb.Error) -> OxError:
        """What to raise for an error of LMDB. A damaged index is thrown away."""
        if not isinstance(error, _DAMAGE):
            return _storage("use the index", self.folder, error)
        if not self.readonly:
            remove(self.folder)
        return CorruptError(
            f"the index is damaged and was thrown away ({error})",
            hint="run it again: the index is rebuilt from the packs",
        )

    def _run(self, work: Callable[[Txn], T]) -> T:
        txn = self.begin(write=True)
        try:
            with txn:
                return work(txn)
        finally:
            self.end()

    def _resize(self, size: int, patience: float = _PATIENCE) -> None:
        with self._gate.alone(patience):
            self._env.set_mapsize(size)

    def _check_size(self) -> None:
        # LMDB maps the file: pages that are missing would end the process by a signal.
        needed = (self._env.info()["last_pgno"] + 1) * self._env.stat()["psize"]
        if 0 < os.path.getsize(os.path.join(self.folder, "data.mdb")) < needed:
            raise Damaged("the file was cut short")

    def _check_version(self) -> bool:
        """Whether there is nothing yet; then the version is written."""
        with self._env.begin() as txn:
            version = txn.get(_VERSION_KEY)
            empty = not txn.stat()["entries"]
        if version == _VERSION:
            return False
        if not empty or self.readonly:
            raise Damaged("it is empty" if empty else "it is of another version")
        with self._env.begin(write=True) as txn:
            txn.put(_VERSION_KEY, _VERSION)
        return True


def remove(folder: str) -> None:
    """Take the files away; the folder stays."""
    # Whoever has the old files open goes on with them, unseen by others.
    remove_quietly(os.path.join(folder, "data.mdb"))
    remove_quietly(os.path.join(folder, "lock.mdb"))


@contextmanager
def _opening(folder: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise Damaged(str(error)) from error
    except lmdb.Error as error:
        if _code(error) in _NO_MAPS:
            raise StorageError(
                f"the file system of {folder} cannot map files into memory",
                hint="keep the repository on a local disk",
            ) from error
        raise _storage("open the index", folder, error) from error


def _open_env(folder: str, readonly: bool, map_size: int | None) -> lmdb.Environment:
    sizes = _MAP_SIZES if map_size is None else (map_size,)
    for size in sizes:
        try:
            return lmdb.open(
                folder,
                map_size=size,
                max_readers=_MAX_READERS,
                max_spare_txns=0,  # a forked child would share the slot of a spare one
                readonly=readonly,
                readahead=False,
            )
        except lmdb.Error as error:
            if _code(error) != errno.ENOMEM or size == sizes[-1]:
                raise
    raise AssertionError("unreachable")


def _code(error: lmdb.Error) -> int:
    """The system's number for an error; LMDB's binding gives its text only. 0: another."""
    text = str(error)
    return next((code for code in _TOLD_APART if text.endswith(os.strerror(code))), 0)


def _storage(what: str, folder: str, error: lmdb.Error) -> OxError:
    code = _code(error)
    reason = os.strerror(code) if code else str(error)
    return storage_error(f"{what} in {folder}", OSError(code, reason))
