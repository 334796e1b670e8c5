"""Handles of the folders under a root that never lead through a symbolic link."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable

from oxcore.errors import UnsavedError
from oxcore.fs.atomic import storage_error
from oxcore.model.entries import show_path
from oxcore.worktree.hidden import FLAGS, Hidden, in_the_way

_KEPT = 64  # handles held open at once


class Folders:
    """Opens folders from the root down, one component at a time, without following links.

    A handle stands for the folder itself: whoever replaces a folder by a link later cannot
    lead a write elsewhere. A folder that is not there is made under a temporary name, and gets
    its own when the next call asks for something outside of it: until then it is ``hidden``,
    and so is all below it. ``ready`` is called before: no file in it may be half made then.
    """

    def __init__(self, root: str, ready: Callable[[], None] | None = None) -> None:
        self._ready = ready
        try:
            self._root = os.open(root, FLAGS & ~os.O_NOFOLLOW)
        except OSError as error:
            raise storage_error(f"open the folder {root}", error) from error
        self._open: OrderedDict[bytes, int] = OrderedDict()
        self._new: Hidden | None = None
        self._last: tuple[bytes, int | None] | None = None  # what ``get`` gave

    @property
    def hidden(self) -> bool:
        """Whether the last folder that ``get`` gave is one that nobody else can know yet."""
        return self._new is not None

    def get(self, path: bytes, *, make: bool) -> int | None:
        """A handle, good until the next call; None if it is not there and ``make`` is False.

        Raises ``UnsavedError`` if a component is a file or a link: that is the user's.
        """
        if self._last is not None and self._last[0] == path and self._last[1] is not None:
            return self._last[1]
        handle = self._find(path, make=make)
        self._last = path, handle
        return handle

    def settle(self) -> None:
        """Give the folder that is hidden its name.

        Raises ``UnsavedError`` if a file lies there by now; then what was hidden is gone.
        """
        if self._new is not None and self._ready is not None:
            self._ready()
        new, self._new, self._last = self._new, None, None
        if new is None:
            return
        try:
            parent = self.get(new.path.rpartition(b"/")[0], make=False)
            if parent is None:
                raise in_the_way([new.path])
            moved = new.settle(parent)
        except BaseException:
            self._discard(new)
            raise
        if moved:
            self._keep(new.path, new.handle)
        else:
            self._forget_below(new)

    def discard(self) -> None:
        """Remove the folder that is hidden, and all in it."""
        new, self._new, self._last = self._new, None, None
        if new is not None:
            self._discard(new)

    def forget(self) -> None:
        """Close all but the root: folders may be about to go."""
        self.settle()
        for handle in self._open.values():
            os.close(handle)
        self._open.clear()

    def close(self) -> None:
        """Close everything."""
        try:
            self.forget()
        finally:
            os.close(self._root)

    def _find(self, path: bytes, *, make: bool) -> int | None:
        if self._new is not None and not self._new.holds(path):
            self.settle()
        known = path
        while known and known not in self._open:
            known = known.rpartition(b"/")[0]
        handle: int | None = self._root
        if self._new is not None and len(known) <= len(self._new.path):
            known, handle = self._new.path, self._new.handle
        elif known:
            handle = self._open[known]
            self._open.move_to_end(known)
        while handle is not None and known != path:
            known = _one_deeper(known, path)
            handle = self._enter(handle, known, make=make)
        return handle

    def _enter(self, parent: int, path: bytes, *, make: bool) -> int | None:
        name = path.rpartition(b"/")[2]
        try:
            if self._new is not None:
                handle = _make_folder(parent, name) if make else os.open(name, FLAGS, dir_fd=parent)
            else:
                handle = os.open(name, FLAGS, dir_fd=parent)
        except FileNotFoundError:
            return self._begin(parent, path) if make else None
        except NotADirectoryError as error:
            raise in_the_way([path]) from error
        except OSError as error:
            raise storage_error(f"open the folder {show_path(path)}", error) from error
        self._keep(path, handle)
        return handle

    def _begin(self, parent: int, path: bytes) -> int:
        try:
            self._new = Hidden(parent, path)
        except OSError as error:
            raise storage_error(f"make the folder {show_path(path)}", error) from error
        return self._new.handle

    def _keep(self, path: bytes, handle: int) -> None:
        self._open[path] = handle
        if len(self._open) > _KEPT:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)

    def _discard(self, new: Hidden) -> None:
        self._forget_below(new)
        try:
            parent = self.get(new.path.rpartition(b"/")[0], make=False)
        except UnsavedError:
            return  # its parent was replaced: it went along
        if parent is not None:
            new.remove(parent)

    def _forget_below(self, new: Hidden) -> None:
        os.close(new.handle)
        for path in [path for path in self._open if new.holds(path)]:
            os.close(self._open.pop(path))


def _one_deeper(known: bytes, path: bytes) -> bytes:
    """``known`` and the next component of ``path``."""
    end = path.find(b"/", len(known) + 1) if known else path.find(b"/")
    return path if end < 0 else path[:end]


def _make_folder(parent: int, name: bytes) -> int:
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        pass  # made before: the open tells whether it is a folder
    return os.open(name, FLAGS, dir_fd=parent)
