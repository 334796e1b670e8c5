"""What differs inside one file: lines of text, facts and pixels of images, chunks of others."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from oxcore.chunk import iter_chunks
from oxcore.fs.atomic import storage_errors
from oxcore.media import ImageFacts, PixelDiff, facts, is_image_name, pixel_diff
from oxcore.model.entries import Entry, Mode, show_path
from oxcore.model.ids import content_id
from oxcore.repo import Repository
from oxcore.store import ContentFile, content
from oxcore.verbs.lines import TextDiff, compare
from oxcore.worktree import StableRead, read_file, stable

MAX_TEXT = 1 << 20  # bytes up to which text is compared line by line
MAX_IMAGE = 64 << 20  # bytes of a file up to which pixels are compared

_HEAD = 8192  # bytes at the start of a large file that tell whether it is text, as in git

# Tab, line feed, form feed and carriage return are text; other control characters are not.
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")


class ImageDiff(NamedTuple):
    """Two images: the facts of each (None: not there, or broken), and how far their pixels are
    apart (None: not to be compared)."""

    old: ImageFacts | None
    new: ImageFacts | None
    pixels: PixelDiff | None


class ChunkDiff(NamedTuple):
    """Two files by their chunks, each distinct one counted once: chunks of both sides, those
    that both share, and bytes shared, added and removed; whether they are ``text``, too large to
    be compared by lines."""

    old_chunks: int
    new_chunks: int
    shared_chunks: int
    shared: int
    added: int
    removed: int
    text: bool = False


Detail = TextDiff | ImageDiff | ChunkDiff


class FileSide(Protocol):
    """One of two files to compare."""

    path: bytes
    entry: Entry

    def data(self) -> bytes:
        """All its bytes."""
        ...

    def head(self) -> bytes:
        """Its first bytes, enough to tell text from other content."""
        ...

    def chunks(self) -> Iterable[tuple[bytes, int]]:
        """Id and length of its chunks."""
        ...


class StoredSide:
    """A file of the store."""

    def __init__(self, repo: Repository, path: bytes, entry: Entry) -> None:
        self.path = path
        self.entry = entry
        self._store = repo.store

    def data(self) -> bytes:
        """All its bytes, verified."""
        return b"".join(content.read(self._store, self.entry.id))

    def head(self) -> bytes:
        """The start of its first chunk."""
        return next(iter(content.read(self._store, self.entry.id)), b"")[:_HEAD]

    def chunks(self) -> Iterator[tuple[bytes, int]]:
        """Id and length of its chunks, as they are stored."""
        return content.chunks(self._store, self.entry.id)


class WorkSide:
    """A file of the work tree, as it is when it is looked at."""

    def __init__(self, repo: Repository, path: bytes, entry: Entry) -> None:
        self.path = path
        self.entry = entry
        self._root = repo.tree_root()
        self._params = repo.params

    def data(self) -> bytes:
        """All its bytes, or the target of a link."""
        return read_file(self._root, self.path).data

    def head(self) -> bytes:
        """Its first bytes, or the target of a link."""
        if self.entry.mode == Mode.LINK:
            return self.data()
        place = os.path.join(os.fsencode(self._root), self.path)
        with storage_errors(f"read {show_path(self.path)}"), open(place, "rb") as file:
            return file.read(_HEAD)

    def chunks(self) -> list[tuple[bytes, int]]:
        """Id and length of the chunks that it would be stored as."""
        if self.entry.mode == Mode.LINK:
            target = self.data()
            return [(content_id(target), len(target))]
        return stable(self._root, self.path, self._cut)[0]

    def _cut(self, source: StableRead) -> list[tuple[bytes, int]]:
        return [(content_id(one), len(one)) for one in iter_chunks(source.read, self._params)]


def detail(old: FileSide | None, new: FileSide | None) -> Detail | None:
    """Compare two files (None: not there) in the finest way that fits both; None if their
    content is the same."""
    sides = [side for side in (old, new) if side is not None]
    if len({side.entry.id or side.path for side in sides}) == 1 and len(sides) == 2:
        return None
    if all(side.entry.size <= MAX_TEXT for side in sides):
        datas = [b"" if side is None else side.data() for side in (old, new)]
        if all(is_text(data) for data in datas):
            return compare(datas[0], datas[1])
    if any(_is_image(side) for side in sides):
        found = _images(old, new)
        if found.old or found.new:
            return found
    found_chunks = by_chunks(old.chunks() if old else (), new.chunks() if new else ())
    return found_chunks._replace(text=_is_large_text(sides))


def _is_large_text(sides: Iterable[FileSide]) -> bool:
    return any(side.entry.size > MAX_TEXT for side in sides) and all(
        is_text(side.head()) for side in sides
    )


def is_text(data: bytes) -> bool:
    """Whether bytes are text for a person: no control characters but those that set lines."""
    return _NOT_TEXT.search(data) is None


def image_facts(repo: Repository, path: bytes, entry: Entry) -> ImageFacts | None:
    """What the header of a stored image says; None if it is not called or made like one."""
    if entry.mode == Mode.LINK or not is_image_name(path):
        return None
    with io.BufferedReader(ContentFile(repo.store, entry.id, entry.size)) as file:
        return facts(file)


def by_chunks(old: Iterable[tuple[bytes, int]], new: Iterable[tuple[bytes, int]]) -> ChunkDiff:
    """Compare two lists of chunks as sets."""
    before, after = dict(old), dict(new)
    both = before.keys() & after.keys()
    shared = sum(before[oid] for oid in both)
    return ChunkDiff(
        len(before),
        len(after),
        len(both),
        shared,
        sum(after.values()) - shared,
        sum(before.values()) - shared,
    )


def _is_image(side: FileSide) -> bool:
    fits = side.entry.size <= MAX_IMAGE and side.entry.mode != Mode.LINK
    return fits and is_image_name(side.path)


def _images(old: FileSide | None, new: FileSide | None) -> ImageDiff:
    datas = [None if side is None or not _is_image(side) else side.data() for side in (old, new)]
    one, two = datas
    pixels = pixel_diff(one, two) if one is not None and two is not None else None
    return ImageDiff(
        None if one is None else facts(one), None if two is None else facts(two), pixels
    )
