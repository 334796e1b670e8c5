"""What a sequence of paths must keep to: order, form, and no file that is also a folder."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise
from operator import ge

from oxcore.errors import InvalidError
from oxcore.model.entries import MAX_PATH, Entry, check_path, paths_are_valid, show_path
from oxcore.model.ids import ID_LEN


class Guard:
    """Checks ascending paths, batch after batch."""

    def __init__(self) -> None:
        self._last: bytes | None = None
        # Files whose name begins the latest path as bytes: all that a later path can be below.
        self._open: list[bytes] = []

    def check(self, paths: Sequence[bytes]) -> None:
        """Raise ``InvalidError`` unless the paths ascend, are allowed and do not clash."""
        if not paths:
            return
        check_ascending(paths, self._last)
        joined = b"\0".join(paths)
        if (
            joined.count(b"\0") != len(paths) - 1
            or max(map(len, paths)) > MAX_PATH
            or not paths_are_valid(joined)
        ):
            for path in paths:
                check_path(path)
        self._check_folders(paths)
        self._last = paths[-1]

    def _check_folders(self, paths: Sequence[bytes]) -> None:
        before = [self._last if self._last is not None else paths[0] + b"\0", *paths[:-1]]
        if not self._open and not any(map(bytes.startswith, paths, before)):
            return
        if not self._open and self._last is not None:
            self._open.append(self._last)
        for path in paths:
            while self._open and not path.startswith(self._open[-1]):
                self._open.pop()
            for file in self._open:
                if path[len(file)] == 0x2F:
                    raise clash_error([file, path])
            self._open.append(path)
        if len(self._open) == 1:
            self._open.clear()  # just the latest path: `_last` has it


def check_ascending(paths: Sequence[bytes], before: bytes | None = None) -> None:
    """Raise ``InvalidError`` unless the paths ascend without a duplicate."""
    if before is not None and before >= paths[0]:
        raise _order_error(before, paths[0])
    if any(map(ge, paths, paths[1:])):
        for one, other in pairwise(paths):
            if one >= other:
                raise _order_error(one, other)


def check_entries(entries: Sequence[Entry]) -> None:
    """Raise ``InvalidError`` unless modes are known, sizes in range, ids 32 bytes long."""
    try:
        array("Q", [entry[1] for entry in entries])
        unknown = bytes({entry[0] for entry in entries}).strip(b"\1\2\3")
    except (OverflowError, ValueError) as error:
        raise InvalidError(f"an entry has a size or a mode out of range: {error}") from error
    if unknown:
        raise InvalidError(f"an entry has an unknown mode: {unknown[0]}")
    if any(len(entry[2]) != ID_LEN for entry in entries):
        raise InvalidError("the id of an entry is not 32 bytes long")


def clash_error(paths: Sequence[bytes]) -> InvalidError:
    """The error for paths that would be both a file and a folder."""
    shown = [show_path(path) for path in paths]
    return InvalidError(
        f"a path cannot be both a file and a folder: {shown[0]!r}",
        hint="remove or rename one of them",
        items=shown,
    )


def _order_error(one: bytes, other: bytes) -> InvalidError:
    what = "twice" if one == other else f"after {show_path(one)!r}"
    return InvalidError(f"paths must ascend: {show_path(other)!r} comes {what}")
