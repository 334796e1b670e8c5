"""Names that would meet in one file where the file system folds case or Unicode forms."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from unicodedata import normalize

from oxcore.fs.atomic import remove_quietly, storage_errors
from oxcore.model.entries import path_text
from oxcore.worktree.temporary import temporary_name

_COMPOSED = "\u00e9".encode()  # e with an acute accent as one sign
_APART = "e\u0301".encode()  # the same as two


def fold(path: bytes) -> bytes:
    """What stays of a path on a file system that folds as much as any does.

    Unicode's caseless match: NFC, case folding, NFC again. Bytes that are not UTF-8 stand for
    themselves.
    """
    if path.isascii():
        return path.lower()
    text = normalize("NFC", normalize("NFC", path_text(path)).casefold())
    return text.encode("utf-8", "surrogateescape")


def collisions(paths: Collection[bytes]) -> list[tuple[bytes, ...]]:
    """Groups of paths, folders above them included, that some file systems cannot tell apart.

    Groups and what is in them ascend. Folders that meet (``A/x`` and ``a/y``) are a group of
    their own: their files would share one folder.
    """
    groups: dict[bytes, set[bytes]] = {}
    for path in _with_folders(paths):
        key = fold(path)
        if key != path:
            groups.setdefault(key, set()).add(path)
    if groups:  # what folds into itself is alone, unless something else folds into it
        for path in _with_folders(paths):
            if path in groups and fold(path) == path:
                groups[path].add(path)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def _with_folders(paths: Iterable[bytes]) -> Iterator[bytes]:
    """Each path, and each folder above it once."""
    known: set[bytes] = {b""}
    for path in paths:
        yield path
        above = path.rpartition(b"/")[0]
        while above not in known:
            known.add(above)
            yield above
            above = above.rpartition(b"/")[0]


def folds_case(root: str) -> bool:
    """Whether ``a`` and ``A`` are one file under ``root``: asked of the file system itself."""
    name = temporary_name()
    return _meets(root, name, name.upper())


def folds_unicode(root: str) -> bool:
    """Whether a composed and a decomposed letter are one under ``root``."""
    name = temporary_name()
    return _meets(root, name + _COMPOSED, name + _APART)


def _meets(root: str, name: bytes, other: bytes) -> bool:
    base = os.fsencode(root)
    place = os.path.join(base, name)
    with storage_errors(f"try the file system of {root}"):
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        return os.path.lexists(os.path.join(base, other))
    finally:
        remove_quietly(os.fsdecode(place))
