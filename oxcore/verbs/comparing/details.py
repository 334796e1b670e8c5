"""What differs inside one file: rows of a table, lines of text, pixels of images, else chunks."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import NamedTuple

from oxcore import media
from oxcore.errors import InvalidError, NotFoundError
from oxcore.media import ImageFacts, facts, is_image_name
from oxcore.model.entries import Entry, Mode
from oxcore.repo import Repository
from oxcore.store import ContentFile
from oxcore.verbs.comparing import tablediff
from oxcore.verbs.comparing.lines import TextDiff, compare
from oxcore.verbs.comparing.sides import FileSide
from oxcore.verbs.comparing.tablediff import ByRows, TableDiff

MAX_TEXT = 1 << 20  # bytes up to which text is compared line by line
MAX_IMAGE = 64 << 20  # bytes of a file up to which pixels are compared

# Tab, line feed, form feed and carriage return are text; other control characters are not.
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")


class ImageDiff(NamedTuple):
    """Two images: the facts of each (None: not there, or broken), and how far their pixels are
    apart (None: not to be compared)."""

    old: ImageFacts | None
    new: ImageFacts | None
    pixels: media.PixelDiff | None


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


class NoTable(NamedTuple):
    """What was to be compared by rows and is no table: ``why``, with file, row and column as far
    as they are known, and what differs in lines or chunks ``instead``."""

    why: str
    instead: TextDiff | ImageDiff | ChunkDiff


Detail = TableDiff | NoTable | TextDiff | ImageDiff | ChunkDiff


def detail(
    old: FileSide | None,
    new: FileSide | None,
    rows: ByRows | None = None,
    *,
    schemas: bool = True,
) -> Detail | None:
    """Compare two files (None: not there) in the finest way that fits both; None if their
    content is the same.

    ``rows``: as tables; where they are none that can be read, a ``NoTable`` tells why.
    """
    if _are_same(old, new):
        return None
    try:
        found = table(old, new, rows, schemas=schemas)
    except InvalidError as error:
        return NoTable(error.message, _by_bytes(old, new))
    return _by_bytes(old, new) if found is None else found


def table(
    old: FileSide | None, new: FileSide | None, rows: ByRows | None, *, schemas: bool = True
) -> TableDiff | None:
    """Compare two files by rows; None if they are not to be, or if their content is the same.

    By default files are that are called as tables are, or that have a schema (``schemas``: whether
    there are any); all with ``rows.keys``. Raises ``InvalidError`` for those that are none,
    ``NotFoundError`` for keys that a table does not have.
    """
    how = tablediff.asked(old, new, rows, schemas=schemas)
    if how is None or _are_same(old, new):
        return None
    try:
        return tablediff.compare(old, new, how)
    except NotFoundError as error:
        if all(tablediff.is_table(side) for side in (old, new) if side is not None):
            raise
        raise InvalidError(error.message, hint=error.hint) from error


def _are_same(old: FileSide | None, new: FileSide | None) -> bool:
    if old is None or new is None:
        return False
    return (old.entry.id or old.path) == (new.entry.id or new.path)


def _by_bytes(old: FileSide | None, new: FileSide | None) -> TextDiff | ImageDiff | ChunkDiff:
    sides = [side for side in (old, new) if side is not None]
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
    pixels = media.pixel_diff(one, two) if one is not None and two is not None else None
    return ImageDiff(
        None if one is None else facts(one), None if two is None else facts(two), pixels
    )
