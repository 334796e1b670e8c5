"""Files in the making: how one is made, and a large one that is filled beside."""

from __future__ import annotations

import os
from typing import NamedTuple

from oxcore.errors import CorruptError, OxError
from oxcore.fs.atomic import storage_error
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.model.extents import Extents
from oxcore.worktree.copying import Copy
from oxcore.worktree.placing import Placing, unlink_quietly
from oxcore.worktree.rows import pack_stat
from oxcore.worktree.temporary import temporary_name

_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Order(NamedTuple):
    """What is to be written: ``expect`` is what may lie there, see ``Writer``."""

    path: bytes
    entry: Entry
    expect: bytes | None


class Making:
    """A large file that a thread fills, with handles of its own: whatever else is written
    meanwhile. ``placing`` puts it in its place; None where it is made there, in a hidden folder.

    Either ``finish`` or ``abandon`` it: after that the thread has ended, and nothing is left
    of the file unless it is in its place. Making one raises ``OSError``.
    """

    def __init__(
        self, folder: int, order: Order, content: Extents, placing: Placing | None
    ) -> None:
        self._order = order
        self._placing = placing
        self._name = temporary_name() if placing else order.path.rpartition(b"/")[2]
        self._outcome: bytes | OxError | None = None
        self._folder = os.dup(folder)
        try:
            self._handle = create(self._name, order.entry, self._folder)
        except BaseException:
            os.close(self._folder)
            raise
        self._copy: Copy | None = None
        try:
            self._copy = Copy(self._handle, content)
        except BaseException:  # there are too many threads
            unlink_quietly(self._name, self._folder)
            self._close()
            raise

    def finish(self) -> bytes:
        """Wait for all of it, prove it, put it in its place; gives its stat prefix.

        Raises as ``Writer.write`` does. Asked again, it gives or raises the same.
        """
        if self._outcome is None:
            try:
                self._outcome = self._finish()
            except OSError as error:
                self._outcome = storage_error(f"write {show_path(self._order.path)}", error)
                self._outcome.__cause__ = error
            except OxError as error:
                self._outcome = error
        if isinstance(self._outcome, OxError):
            raise self._outcome
        return self._outcome

    def abandon(self) -> None:
        """Remove it, unless it is finished."""
        if self._copy is not None:
            self._copy.close()
            unlink_quietly(self._name, self._folder)
            self._close()

    def _finish(self) -> bytes:
        if self._copy is None:
            raise ValueError("it was abandoned")
        try:
            self._prove(*self._copy.measure())
        except BaseException:
            self.abandon()
            raise
        try:
            if self._placing is not None:
                self._placing.put(self._folder, self._name, self._order.path, self._order.expect)
            return pack_stat(os.fstat(self._handle))
        finally:
            self._close()

    def _prove(self, size: int, oid: bytes) -> None:
        path, entry, _ = self._order
        check_size(path, entry, size)
        if oid != entry.id:
            raise CorruptError(
                f"{show_path(path)}: its chunks do not give its id",
                hint="repair it from a remote that has it: ox fsck --repair",
                items=(entry.id.hex(),),
            )

    def _close(self) -> None:
        if self._copy is not None:
            self._copy.close()
        self._copy = None
        os.close(self._handle)
        os.close(self._folder)


def create(name: bytes, entry: Entry, folder: int) -> int:
    """A new file under a name that must be free, open for reading too."""
    bits = 0o777 if entry.mode == Mode.EXEC else 0o666  # the kernel takes the umask off
    return os.open(name, _CREATE, bits, dir_fd=folder)


def check_size(path: bytes, entry: Entry, size: int) -> None:
    """Raise ``CorruptError`` unless the content has as many bytes as its entry says."""
    if size != entry.size:
        raise CorruptError(
            f"{show_path(path)} should have {entry.size} bytes, its content has {size}",
            hint="run ox fsck",
        )
