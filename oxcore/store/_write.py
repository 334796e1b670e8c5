"""One pack while it is written: a file without a name that becomes a pack at the end."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from itertools import accumulate

from oxcore.codec.pack import HEADER, PackIndex, seal
from oxcore.fs.atomic import fsync_dir, remove_quietly, storage_errors, write_all
from oxcore.model.protocols import Location
from oxcore.model.run import Run

TEMPORARY = ".tmp-"
_GATHER = 4 << 20  # bytes gathered for one system call
_BUFFERS = 1000  # and buffers, below IOV_MAX (1024 on Linux)


class PackWriter:
    """An unsealed pack. What was added can be read back before it is sealed."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.index = PackIndex()
        self.rows: dict[bytes, int] = {}  # id -> ordinal in the index
        self._starts = array("Q")
        self._path = os.path.join(folder, TEMPORARY + os.urandom(16).hex())
        self._buffers: list[bytes | memoryview] = [HEADER]
        self._gathered = len(HEADER)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with storage_errors("make a pack"):
            self._fd = os.open(self._path, flags, 0o444)

    def add(self, oid: bytes, kind: int, how: int, raw: int, payload: bytes | memoryview) -> None:
        """Append an object; it reaches the file some megabytes later."""
        index = self.index
        self.rows[oid] = len(self._starts)
        self._starts.append(index.end)
        size = len(payload)
        index.add(oid, kind, how, raw, size)
        self._buffers.append(payload)
        self._gathered += size
        if self._gathered >= _GATHER or len(self._buffers) >= _BUFFERS:
            self.drain()

    def add_run(self, run: Run, payloads: Sequence[bytes | memoryview] = ()) -> None:
        """Append the objects of a run; its blob reaches the file before this returns, and after
        it ``payloads``, which a run may have instead of a blob."""
        index, first = self.index, len(self._starts)
        starts = array("Q", accumulate(run.stored, initial=index.end))
        starts.pop()
        index.extend(b"".join(run.ids), run.kinds, run.hows, run.raws, run.stored)
        self.rows.update(zip(run.ids, range(first, first + len(run.ids)), strict=True))
        self._starts.extend(starts)
        self.drain()
        with storage_errors("write a pack"):
            write_all(self._fd, run.blob)
        for at in range(0, len(payloads), _BUFFERS):
            self._buffers = list(payloads[at : at + _BUFFERS])
            self._gathered = sum(map(len, self._buffers))
            self.drain()

    def drain(self) -> None:
        """Hand to the kernel what was gathered."""
        buffers, total = self._buffers, self._gathered
        self._buffers, self._gathered = [], 0
        with storage_errors("write a pack"):
            written = os.writev(self._fd, buffers) if buffers else 0
            if written != total:  # a signal or a full disk: the rest, in one piece
                write_all(self._fd, b"".join(buffers)[written:])

    def place(self, ordinal: int) -> Location:
        """Where the object lies in this file; the number of the pack is -1."""
        index = self.index
        return Location(
            -1,
            self._starts[ordinal],
            index.stored[ordinal],
            index.raws[ordinal],
            index.kinds[ordinal],
            index.hows[ordinal],
        )

    def read(self, where: Location) -> bytes:
        """The payload at a ``place``."""
        if self._buffers:
            self.drain()
        with storage_errors("read an unsealed pack"):
            return os.pread(self._fd, where.stored, where.offset)

    def seal(self) -> bytes:
        """Write the index, make the file durable, give it its name and return that.

        Two fsyncs: of the file and, after the rename, of the folder.
        """
        tail, name = seal(self.index)
        self._buffers.append(tail)
        self._gathered += len(tail)
        self.drain()
        with storage_errors("seal a pack"):
            os.fsync(self._fd)
            os.rename(self._path, os.path.join(self.folder, f"{name.hex()}.pack"))
            self._path = ""
            fsync_dir(self.folder)
        return name

    def close(self) -> None:
        """Close the file and remove it if it was not sealed. Calling it again does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            if self._path:
                remove_quietly(self._path)
