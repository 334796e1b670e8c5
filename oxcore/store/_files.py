"""The folder of packs: names, open files, indexes."""

import os
import re
import threading
from collections import OrderedDict
from typing import NamedTuple

from oxcore.codec.pack import HEADER, TRAILER_SIZE, PackIndex, index_span, open_index
from oxcore.errors import CorruptError, MissingError
from oxcore.fs.atomic import storage_error

_NAME = r"([0-9a-f]{64})\.pack"
_OPEN = 64  # packs kept open


class VanishedError(MissingError):
    """A pack that the index knows is no longer there: another process collected garbage."""


class PackInfo(NamedTuple):
    """A sealed pack: size of the file in bytes, number of objects (0 if the trailer is damaged),
    when it was written in nanoseconds since the epoch."""

    name: bytes
    size: int
    objects: int
    mtime_ns: int


class PackHandle:
    """An open pack. It closes when nobody holds it any more, so that a thread may go on
    reading what another has put out of the cache."""

    __slots__ = ("_fd", "what")

    def __init__(self, path: str) -> None:
        self._fd = -1
        self.what = f"pack {os.path.basename(path)}"
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise VanishedError(f"{self.what} is gone") from error
        except OSError as error:
            raise storage_error("open a pack", error) from error

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def fileno(self) -> int:
        """The handle of the file."""
        return self._fd

    def stat(self) -> os.stat_result:
        """What the file system says about the file."""
        return os.fstat(self._fd)

    def size(self) -> int:
        """The length of the file in bytes."""
        return self.stat().st_size

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes from ``offset``; ``CorruptError`` if they can't be read."""
        try:
            data = os.pread(self._fd, length, offset)
        except OSError as error:
            raise CorruptError(f"{self.what} cannot be read: {error.strerror}") from error
        if len(data) != length:
            raise CorruptError(f"{self.what} is cut short")
        return data


class PackFiles:
    """The sealed packs of one folder; up to 64 are kept open, the least recently used go first."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._open: OrderedDict[bytes, PackHandle] = OrderedDict()
        self._lock = threading.Lock()

    def path(self, name: bytes) -> str:
        """Where the pack of this name lies."""
        return os.path.join(self.folder, f"{name.hex()}.pack")

    def names(self) -> set[bytes]:
        """The names of all sealed packs in the folder."""
        try:
            found = os.listdir(self.folder)
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise storage_error("list the packs", error) from error
        matches = (re.fullmatch(_NAME, name) for name in found)
        return {bytes.fromhex(match[1]) for match in matches if match}

    def open(self, name: bytes) -> PackHandle:
        """The pack, open; raises ``VanishedError`` if it is gone."""
        with self._lock:
            handle = self._open.get(name)
            if handle is None:
                handle = self._open[name] = PackHandle(self.path(name))
                if len(self._open) > _OPEN:
                    self._open.popitem(last=False)
            else:
                self._open.move_to_end(name)
            return handle

    def forget(self, name: bytes) -> None:
        """Stop holding the pack open: it was removed or replaced."""
        with self._lock:
            self._open.pop(name, None)

    def close(self) -> None:
        """Stop holding any pack open."""
        with self._lock:
            self._open.clear()

    def index(self, name: bytes) -> PackIndex:
        """The index of a pack, checked against the checksum and against the name."""
        handle = self.open(name)
        return read_index(handle, name)

    def info(self, name: bytes) -> PackInfo:
        """Size, count and time of a pack, from its last bytes."""
        handle = PackHandle(self.path(name))  # not the kept ones: this is asked for every pack
        stat = handle.stat()
        try:
            start = max(stat.st_size - TRAILER_SIZE, 0)
            trailer = handle.read(start, TRAILER_SIZE)
            index_span(trailer, stat.st_size, handle.what)
            count = int.from_bytes(trailer[:8], "little")
        except CorruptError:
            count = 0
        return PackInfo(name, stat.st_size, count, stat.st_mtime_ns)

    def remove(self, name: bytes) -> None:
        """Delete a pack; one that is gone already is no error."""
        self.forget(name)
        try:
            os.unlink(self.path(name))
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error("remove a pack", error) from error

    def make(self) -> None:
        """Make the folder, if it is not there."""
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise storage_error("make the folder of packs", error) from error


def read_index(handle: PackHandle, name: bytes) -> PackIndex:
    """The index at the end of an open pack that should have this name."""
    size = handle.size()
    if size < len(HEADER) + TRAILER_SIZE:
        raise CorruptError(f"{handle.what} is cut short")
    trailer = handle.read(size - TRAILER_SIZE, TRAILER_SIZE)
    start, length = index_span(trailer, size, handle.what)
    if start < len(HEADER):
        raise CorruptError(f"{handle.what} has no sound trailer")
    index, found = open_index(handle.read(0, len(HEADER)), handle.read(start, length), handle.what)
    if found != name:
        raise CorruptError(f"{handle.what} holds the index of pack {found.hex()}")
    return index
