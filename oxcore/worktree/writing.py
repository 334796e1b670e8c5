"""Putting files into the work tree: each is written beside its place and renamed into it.

Where the folder is new, that is done with the folder: see ``oxcore.worktree.hidden``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from oxcore.errors import OxError
from oxcore.fs.atomic import storage_error, write_all
from oxcore.model.entries import MAX_PATH, Entry, Mode, check_path, show_path
from oxcore.model.extents import Extents
from oxcore.model.ids import Buffer
from oxcore.worktree.folders import Folders
from oxcore.worktree.hidden import in_the_way
from oxcore.worktree.making import Making, Order, check_size, create
from oxcore.worktree.placing import Placing, may_go, unlink_quietly
from oxcore.worktree.rows import ctime_of, pack_stat, wait_out
from oxcore.worktree.temporary import temporary_name

_TOGETHER = 1 << 20  # bytes written with one call
_MOST = 512  # pieces written with one call; the kernel takes 1024
_DOUBTFUL = b"."  # how a name must start to be a wrong one; an empty one is in it, too

Content = Buffer | Iterable[Buffer]


class Writer:
    """Writes and removes files under ``root``; one thread, one ``with`` block.

    Remove first, then write: a file may take the place of a folder. ``expect`` is what may
    lie at a path: the stat prefix of a file or link that has not changed since that stat, or
    None for nothing. If something else is found there, a folder included, ``UnsavedError``
    names the path and it stays as it is: so does what this writer wrote under another name,
    where a file system takes two names for one. Nothing at all is always welcome. A link in
    place of a parent folder is never passed through.

    A new folder shows, with all its files, once something outside of it is written, or in
    ``close``; where the block is left by an error, it goes. Large files may be in the making
    beside (``begin``, ``finish``): none shows before it is proved, and what nobody finished goes.

    What is there is looked at right before it is replaced, and again behind, where the file system
    can exchange two files; where it cannot, a change within those microseconds is lost. That
    nothing is there where nothing was expected, the kernel itself holds to. Nothing is fsynced:
    what is written here can be written again from the store.
    """

    def __init__(self, root: str) -> None:
        self._folders = Folders(root, self._complete)
        self._making: list[Making] = []
        self._temporary = temporary_name()
        self._placing = Placing()
        self._emptied: set[bytes] = set()
        self._checked: bytes | None = None  # the folder of the last path, which is a sound one
        self._last = 0  # ctime in ns of what was written last

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._abandon()
            self._folders.discard()
        self.close()

    def close(self) -> None:
        """Remove the folders that ``remove`` left empty, and let go of all handles.

        Waits for the clock's next tick, so that a file which its owner changes from now on
        cannot keep the prefix that ``write`` gave.
        """
        self._abandon()
        try:
            self._prune()
            self._folders.settle()
            wait_out(self._last)
        finally:
            self._placing.wait()
            self._folders.discard()
            self._folders.close()

    def write(
        self,
        path: bytes,
        entry: Entry,
        content: Content,
        *,
        expect: bytes | None = None,
    ) -> bytes:
        """Make ``path`` hold ``content`` with the mode of ``entry``; gives its new stat prefix.

        Pieces of an iterable are written as they come, a MiB at a time. Raises
        ``UnsavedError`` (see above), ``CorruptError`` if the content has not the size of the
        entry, ``StorageError`` if the file system refuses; each leaves what was there.
        """
        folder = self._enter(path)
        try:
            found = self._place(folder, Order(path, entry, expect), content)
        except OSError as error:
            raise storage_error(f"write {show_path(path)}", error) from error
        self._last = found.st_ctime_ns
        return pack_stat(found)

    def begin(
        self, path: bytes, entry: Entry, content: Extents, *, expect: bytes | None = None
    ) -> Making:
        """Begin to make ``path`` as ``write`` would, of bytes that lie in the store: they are
        copied beside, in a thread, and it is for ``finish`` to put the file in its place.

        Raises as ``write`` does; what reading the content raises, ``finish`` raises.
        """
        folder = self._enter(path)
        placing = None if self._folders.hidden else self._placing
        try:
            making = Making(folder, Order(path, entry, expect), content, placing)
        except FileExistsError as error:
            raise in_the_way([path]) from error
        except OSError as error:
            raise storage_error(f"write {show_path(path)}", error) from error
        self._making.append(making)
        return making

    def finish(self, making: Making) -> bytes:
        """Prove, by the id of its entry, the file that was made, and put it in its place; gives its
        stat prefix. Raises as ``write`` does, and ``CorruptError`` if it fails that proof."""
        self._making.remove(making)
        stat = making.finish()
        self.note(stat)
        return stat

    def _enter(self, path: bytes) -> int:
        """The folder in which the file ``path`` is to be made."""
        above, _, name = path.rpartition(b"/")
        if above != self._checked or _is_doubtful(path, name):
            check_path(path)
            self._checked = above
        if self._emptied:
            self._prune()
        folder = self._folders.get(above, make=True)
        if folder is None:
            raise in_the_way([path])
        return folder

    def note(self, stat: bytes) -> None:
        """A file was written for this writer, or by another process: ``close`` waits for its
        stamp, too."""
        self._last = max(self._last, ctime_of(stat))

    def remove(self, path: bytes, *, expect: bytes | None) -> bool:
        """Remove the file or link at ``path``; False if nothing is there.

        Folders that become empty go with it, in ``close`` or before the next ``write``. Raises
        ``UnsavedError`` if what is there is not what was expected.
        """
        check_path(path)
        above, _, name = path.rpartition(b"/")
        folder = self._folders.get(above, make=False)
        try:
            if folder is None or not may_go(folder, path, expect):
                return False
            os.unlink(name, dir_fd=folder)
        except OSError as error:
            raise storage_error(f"remove {show_path(path)}", error) from error
        if above:
            self._emptied.add(above)
        return True

    def _place(self, folder: int, order: Order, content: Content) -> os.stat_result:
        path, entry, expect = order
        name = path.rpartition(b"/")[2]
        if self._folders.hidden:
            try:
                return _finish(_make(folder, name, path, entry, content), folder, name)
            except FileExistsError as error:
                raise in_the_way([path]) from error
        handle = _make(folder, self._temporary, path, entry, content)
        try:
            self._placing.put(folder, self._temporary, path, expect)
        except BaseException:
            self._temporary = temporary_name()  # the old one may be somebody's by now
            if handle is not None:
                os.close(handle)
            raise
        return _finish(handle, folder, name)

    def _complete(self) -> None:
        """Finish all that is in the making; what fails is gone, and ``finish`` tells."""
        for making in self._making:
            with suppress(OxError):
                making.finish()

    def _abandon(self) -> None:
        while self._making:
            self._making.pop().abandon()

    def _prune(self) -> None:
        """Remove what has become empty, from the deepest folder up; never the root."""
        if not self._emptied:
            return
        self._folders.forget()
        waiting = self._emptied
        self._emptied = set()
        while waiting:
            path = max(waiting, key=lambda one: one.count(b"/"))
            waiting.remove(path)
            above, _, name = path.rpartition(b"/")
            folder = self._folders.get(above, make=False)
            if folder is not None and _remove_empty(name, folder) and above:
                waiting.add(above)
        self._folders.forget()


def make_file(folder: int, path: bytes, entry: Entry, content: Buffer) -> bytes:
    """Make the file ``path`` in its folder, which is hidden (``Folders``); gives its stat prefix.

    Raises as ``Writer.write`` does, but ``OSError`` where the file system refuses.
    """
    name = path.rpartition(b"/")[2]
    if _is_doubtful(path, name):
        check_path(path)
    return pack_stat(_finish(_make(folder, name, path, entry, content), folder, name))


def _is_doubtful(path: bytes, name: bytes) -> bool:
    return name[:1] in _DOUBTFUL or b"\0" in name or len(path) > MAX_PATH


def _make(folder: int, name: bytes, path: bytes, entry: Entry, content: Content) -> int | None:
    """The finished file under ``name``, which must be free; its handle, None for a link."""
    if entry.mode == Mode.LINK:
        target = bytes(content) if isinstance(content, Buffer) else b"".join(content)
        check_size(path, entry, len(target))
        os.symlink(target, name, dir_fd=folder)
        return None
    handle = create(name, entry, folder)
    try:
        _fill(handle, path, entry, content)
    except BaseException:
        os.close(handle)
        unlink_quietly(name, folder)
        raise
    return handle


def _finish(handle: int | None, folder: int, name: bytes) -> os.stat_result:
    """Close the file, and give what the file system says about it."""
    if handle is None:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    try:
        return os.fstat(handle)
    finally:
        os.close(handle)


def _fill(handle: int, path: bytes, entry: Entry, content: Content) -> None:
    if isinstance(content, Buffer):
        check_size(path, entry, len(content))
        done = os.write(handle, content)
        if done < entry.size:
            write_all(handle, memoryview(content)[done:])
        return
    check_size(path, entry, sum(_write_together(handle, pieces) for pieces in _gather(content)))


def _gather(content: Iterable[Buffer]) -> Iterator[list[Buffer]]:
    """The pieces in groups of about a MiB, one system call each."""
    held: list[Buffer] = []
    size = 0
    for piece in content:
        held.append(piece)
        size += len(piece)
        if size >= _TOGETHER or len(held) >= _MOST:
            yield held
            held, size = [], 0
    if held:
        yield held


def _write_together(handle: int, pieces: list[Buffer]) -> int:
    total = sum(map(len, pieces))
    done = os.writev(handle, pieces)
    if done < total:  # a full disk, or a limit: the next write tells
        write_all(handle, b"".join(pieces)[done:])
    return total


def _remove_empty(name: bytes, folder: int) -> bool:
    try:
        os.rmdir(name, dir_fd=folder)
    except OSError:
        return False  # something is left in it
    return True
