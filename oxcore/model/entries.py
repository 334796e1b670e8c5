"""What a tree holds: entries by path, and the difference between two of them.

A path is ``bytes``, '/'-separated and relative to the root of the dataset, in any encoding.
"""

import re
from enum import IntEnum
from typing import NamedTuple

from oxcore.errors import InvalidError

MAX_PATH = 4096  # bytes, PATH_MAX of Linux

# One search finds an empty component, '.', '..', '.ox' and '.git' (in any case, since some
# file systems fold it) anywhere in a NUL-joined run of paths.
_BAD_COMPONENT = rb"(?i)(?:\A|[\0/])(?:\.{1,2}|\.ox|\.git)?(?=[\0/]|\Z)"


class Mode(IntEnum):
    """What an entry is; the number is part of the tree format."""

    FILE = 1
    EXEC = 2  # a regular file with an executable bit
    LINK = 3  # a symbolic link; its content is the target

    @property
    def octal(self) -> str:
        """The mode as git writes it: 100644, 100755 or 120000."""
        return {1: "100644", 2: "100755", 3: "120000"}[self.value]

    @property
    def word(self) -> str:
        """``file``, ``executable`` or ``symlink``."""
        return {1: "file", 2: "executable", 3: "symlink"}[self.value]


class Entry(NamedTuple):
    """One file of a tree: its mode, its size in bytes and the BLAKE3-256 of its bytes."""

    mode: int
    size: int
    id: bytes


class Change(NamedTuple):
    """One path that differs; ``old`` is None where it was added, ``new`` where it was removed."""

    path: bytes
    old: Entry | None
    new: Entry | None

    @property
    def letter(self) -> str:
        """A (added), D (deleted), T (type changed) or M (modified), as in git."""
        if self.old is None:
            return "A"
        if self.new is None:
            return "D"
        return "T" if (self.old.mode == Mode.LINK) != (self.new.mode == Mode.LINK) else "M"


def paths_are_valid(joined: bytes) -> bool:
    """Whether a NUL-joined run of paths follows the rules of ``check_path`` but for the length."""
    return re.search(_BAD_COMPONENT, joined) is None


def check_path(path: bytes) -> None:
    """Raise ``InvalidError`` unless ``path`` may stand in a tree.

    Not empty, at most 4096 bytes, no NUL, no empty component, none that is '.', '..',
    '.ox' or '.git' in any case: such a path would leave the dataset or enter ox's own files.
    """
    if b"\0" in path or len(path) > MAX_PATH or not paths_are_valid(path):
        raise InvalidError(
            f"a dataset cannot hold the path {show_path(path)!r}",
            hint="a path is relative, without empty, '.', '..', '.ox' or '.git' components, "
            f"and at most {MAX_PATH} bytes",
        )


def show_path(path: bytes) -> str:
    r"""The path for people: UTF-8, with bytes that are not UTF-8 as ``\xNN``."""
    return path.decode("utf-8", "backslashreplace")


def path_text(path: bytes) -> str:
    """The path as a ``str`` that gives the bytes back (``surrogateescape``)."""
    return path.decode("utf-8", "surrogateescape")


def path_bytes(path: str | bytes) -> bytes:
    """The inverse of ``path_text``; bytes pass through."""
    return path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")
