"""Which shards lie below a folder of a version, and their bytes, read once and ahead of their use.

Shards are small and read several times: footers first, then columns. So each is taken out of the
store whole, and proved once, by a thread while the caller loads libraries; what does not fit into
the room that there is, is read piece by piece as any file. Where the machine has files that lie in
memory alone (``memfd_create(2)``), it is one of these, which an engine reads without Python, and
which goes with the process, however that ends.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import BufferedReader, BytesIO
from typing import BinaryIO, NamedTuple, Self

from oxcore import tree
from oxcore.errors import CorruptError, NotFoundError, OxError
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.model.ids import Buffer
from oxcore.repo import Repository
from oxcore.store import ContentFile
from oxcore.store.stream import proved, whole

ROOM = 128 << 20  # bytes of shards that are held
_LARGEST = 8 << 20  # bytes of one
_READERS = 2  # threads: most of what they do is outside of Python's lock
_NAMED = 256  # shards that are files in memory: each takes a handle
_BUFFER = 64 << 10  # bytes that another reads ahead
_SHARD = re.compile(rb"(?:^|/)dt=[0-9-]{10}/[^/]+\.parquet$")


class Listed(NamedTuple):
    """Paths and entries of the shards of ``records``, and of those of ``events``."""

    records: list[tuple[bytes, Entry]]
    events: list[tuple[bytes, Entry]]


def listed(repo: Repository, root: bytes, folder: bytes) -> Listed:
    """The shards below ``folder`` in the tree ``root``; ``NotFoundError`` if there is none."""
    found = Listed([], [])
    for path, entry in tree.walk(repo.store, root, folder + b"/" if folder else b""):
        if _SHARD.search(path) and entry.mode != Mode.LINK:
            found[b"/feedback/" in b"/" + path].append((path, entry))
    if not any(found):
        name = show_path(folder) or "the dataset"
        raise NotFoundError(f"no record lies below {name}", hint="ox.save(...) makes them")
    return found


def open_shard(repo: Repository, entry: Entry) -> BinaryIO:
    """A shard as any file: read and verified where it is needed."""
    return BufferedReader(ContentFile(repo.store, entry.id, entry.size), _BUFFER)


class InMemory(BytesIO):
    """An open file whose bytes are all there: ``data``."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


class InFile:
    """Pieces of bytes as a file that lies in memory, and is found at ``place``. Raises ``OSError``
    where there can be none, and what the pieces raise."""

    def __init__(self, pieces: Iterable[Sequence[Buffer]]) -> None:
        self._handle = _memory()
        self.place = f"/proc/self/fd/{self._handle}"
        try:
            for piece in pieces:
                if os.writev(self._handle, piece) < sum(map(len, piece)):
                    raise OSError("no room in memory")
        except BaseException:
            self.close()
            raise

    def open(self) -> BinaryIO:
        """The file, open for reading."""
        return open(self.place, "rb")

    def close(self) -> None:
        """Let go of it; who has it open may go on."""
        os.close(self._handle)


def _memory() -> int:
    """A new file that lies in memory."""
    make = getattr(os, "memfd_create", None)  # Linux
    if make is None or not os.path.isdir("/proc/self/fd"):
        raise OSError("no files in memory")
    handle: int = make("ox-shard")
    return handle


class _Handles:
    """Handles of this process that files in memory may take: an engine that is out of them does
    not raise an error, it ends the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lent = 0

    def lend(self) -> int:
        """How many files there may be; each is opened once more by who reads it."""
        with self._lock:
            third = (_free() - 2 * self._lent) // 3  # one is for who reads, one for all others
            count = max(0, min(_NAMED, third))
            self._lent += count
        return count

    def give_back(self, count: int) -> None:
        """So many files are gone."""
        with self._lock:
            self._lent -= count


_HANDLES = _Handles()


def _free() -> int:
    """Handles that are free; 0 where nothing tells."""
    try:
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return most - len(os.listdir("/proc/self/fd"))
    except (ImportError, OSError):  # no such system, or no handle at all
        return 0


class Held:
    """The bytes of shards, as long as the block lasts; ``room`` for so many of them."""

    def __init__(self, repo: Repository, shards: Listed, room: int = ROOM) -> None:
        self._repo = repo
        self._waiting = _fitting(shards, room)
        self._busy: set[bytes] = set()
        self._data: dict[bytes, InFile | bytes | None] = {}
        self._named = self._lent = 0
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._ahead, daemon=True) for _ in range(_READERS)]

    def __enter__(self) -> Self:
        self._named = self._lent = _HANDLES.lend()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        for thread in self._threads:
            thread.join()
        _HANDLES.give_back(self._lent)

    def release(self) -> None:
        """Hold nothing from now on: who opens a shard reads it piece by piece."""
        with self._changed:
            gone = self._data
            self._waiting, self._data = {}, {}
        for data in gone.values():
            if isinstance(data, InFile):
                data.close()

    def open(self, entry: Entry) -> BinaryIO:
        """The shard, open for reading; raises as ``ContentFile`` does."""
        data = self._whole(entry.id)
        if isinstance(data, InFile):
            return data.open()
        return open_shard(self._repo, entry) if data is None else InMemory(data)

    def place(self, entry: Entry) -> str | None:
        """A file that has the bytes of the shard, until they are released."""
        data = self._whole(entry.id)
        return data.place if isinstance(data, InFile) else None

    def _whole(self, oid: bytes) -> InFile | bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: oid not in self._busy)
            if oid not in self._waiting:
                return self._data.get(oid)
            self._take(oid)
        return self._load(oid)

    def _ahead(self) -> None:
        while True:
            with self._changed:
                oid = next(iter(self._waiting), None)
                if oid is None:
                    return
                self._take(oid)
            self._load(oid)

    def _take(self, oid: bytes) -> None:
        del self._waiting[oid]
        self._busy.add(oid)

    def _load(self, oid: bytes) -> InFile | bytes | None:
        """Read what was taken; None where that fails: who reads it by piece is told why."""
        kept: InFile | bytes | None = None
        data = self._data
        try:
            kept = self._read(oid)
        except (OxError, OSError):
            pass
        finally:
            with self._changed:
                if data is self._data:
                    data[oid] = kept
                elif isinstance(kept, InFile):  # it was released meanwhile
                    kept.close()
                    kept = None
                self._busy.discard(oid)
                self._changed.notify_all()
        return kept

    def _read(self, oid: bytes) -> InFile | bytes:
        with self._changed:
            self._named -= 1
            named = self._named >= 0
        if named:
            with suppress(OSError, CorruptError):  # no more files; or bytes of which others may do
                return InFile(proved(self._repo.store, oid))
        return whole(self._repo.store, oid)


def _fitting(shards: Listed, room: int) -> dict[bytes, None]:
    """Ids of those that are held, in the order in which they are read."""
    kept: dict[bytes, None] = {}
    for _, entry in (*shards.events, *shards.records):
        if entry.size <= min(_LARGEST, room) and entry.id not in kept:
            kept[entry.id] = None
            room -= entry.size
    return kept
