"""Room for files to be written: what stands in their way, and the empty folders that do not."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from stat import S_ISDIR


class Room:
    """Looks at the places of new files under ``root``; nothing is changed.

    ``leaving`` are the files that will be removed before. ``blocked`` collects files, links
    and specials that stand in the way and are the user's; ``hollow`` folders without a file,
    where a file is to go, the deepest first.
    """

    def __init__(self, root: str, leaving: Collection[bytes]) -> None:
        self._base = os.fsencode(root)
        self._leaving = leaving
        self._open: set[bytes] = {b""}  # folders that are there, or can be made
        self.blocked: list[bytes] = []
        self.hollow: list[bytes] = []

    def look(self, paths: Iterable[bytes]) -> None:
        """Look at the places of these files, where no file or link was seen."""
        for path in paths:
            if self._way_is_free(path.rpartition(b"/")[0]):
                self._look_at(path)

    def clear(self) -> None:
        """Remove the hollow folders, once what leaves them has left."""
        for folder in self.hollow:
            try:
                os.rmdir(self._place(folder))
            except OSError:
                continue  # the writer refuses there, and tells

    def _way_is_free(self, folder: bytes) -> bool:
        if folder in self._open:
            return True
        if not self._way_is_free(folder.rpartition(b"/")[0]):
            return False
        mode = _mode(self._place(folder))
        if mode is not None and not S_ISDIR(mode) and folder not in self._leaving:
            self.blocked.append(folder)
            return False
        self._open.add(folder)
        return True

    def _look_at(self, path: bytes) -> None:
        mode = _mode(self._place(path))
        if mode is None:
            return
        if S_ISDIR(mode):
            left = [found for found in self._files(path) if found not in self._leaving]
            self.blocked.extend(left)
        elif path not in self._leaving:
            self.blocked.append(path)

    def _files(self, folder: bytes) -> Iterator[bytes]:
        """All in ``folder`` but folders, which become hollow."""
        with os.scandir(self._place(folder)) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            path = folder + b"/" + entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from self._files(path)
            else:
                yield path
        self.hollow.append(folder)

    def _place(self, path: bytes) -> bytes:
        return b"%s/%s" % (self._base, path)


def _mode(place: bytes) -> int | None:
    try:
        return os.lstat(place).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
