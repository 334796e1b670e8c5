"""A large file out of the store, proved once, as a whole: its chunks are not hashed one by one.

What is compressed is read, decoded and proved by a thread while the caller writes (``stream``):
all of it happens outside of Python's lock, in pieces of about half a MiB, so that two processors
work at once and little is handed over. What lies in packs as it is need not be read at all: the
kernel copies it (``extents``), and the copy is proved.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import Protocol

from blake3 import blake3

from oxcore.errors import CorruptError
from oxcore.fs.ahead import Ahead
from oxcore.model.extents import Extent, Extents, OpenFile
from oxcore.model.ids import Buffer, Kind
from oxcore.model.protocols import How, Location
from oxcore.store._files import VanishedError
from oxcore.store.content import Finder, Part, check_length, corrupt, parts, read

_AHEAD = 16  # pieces that wait for the caller
_AT_ONCE = 256  # chunks asked for together: some 16 MiB
_RAW = int(How.RAW)


class Source(Finder, Protocol):
    """A finder that gives chunks as they lie."""

    def get_unproved_at(
        self, places: Iterable[tuple[bytes, Location | None]]
    ) -> Iterator[tuple[list[Buffer], list[int]]]:
        """The bytes of chunks whose ``locate`` is known, in their order, and their lengths."""
        ...


class Packs(Source, Protocol):
    """A source whose chunks lie in files."""

    def extents(self, places: Sequence[Location]) -> Sequence[tuple[OpenFile, int, int]]:
        """The files in which these objects lie, with offset and length. Raises
        ``VanishedError``."""
        ...


def stream(source: Source, oid: bytes) -> Generator[Buffer]:
    """The bytes of a file, read ahead in a thread; the last of them once all have given ``oid``.

    Raises ``CorruptError`` if they do not, which does not say where: ``content.read`` does, and
    takes a sound copy where the store has one. Raises ``MissingError`` as it does. Holds about
    8 MiB. Close the generator if it is not used to its end.
    """
    with Ahead(proved(source, oid), _AHEAD) as pieces:
        for piece in pieces:
            yield from piece


def whole(source: Source, oid: bytes) -> bytes:
    """All bytes of a file, proved once. Raises as ``content.read`` does, which is asked again for
    what is not sound: it says which chunk, or takes a sound copy."""
    try:
        return b"".join(data for piece in proved(source, oid) for data in piece)
    except CorruptError:
        return b"".join(read(source, oid))


def extents(source: Packs, oid: bytes) -> Extents | None:
    """The bytes of a file as they lie in packs, not proved; None where most are compressed, as far
    as the first chunks tell. Raises as ``stream`` does; iterate once."""
    listed = _chunks(source, oid)
    first = list(islice(listed, _AT_ONCE))
    plain = sum(part.length for part in first if _is_plain(part))
    if 2 * plain < sum(part.length for part in first):
        return None
    return Extents(_parted(source, oid, chain(first, listed)))


def _parted(source: Packs, oid: bytes, listed: Iterator[Part]) -> Iterator[Buffer | Extent]:
    while some := list(islice(listed, _AT_ONCE)):
        for plain, group in groupby(some, _is_plain):
            if plain:
                yield from _together(source, list(group))
            else:
                for piece in _pieces(source, oid, group):
                    yield from piece


def _together(source: Packs, group: Sequence[Part]) -> Iterator[Buffer | Extent]:
    places = [part.where for part in group if part.where is not None]
    try:
        found = [Extent(*span) for span in source.extents(places)]
    except VanishedError:  # its objects lie elsewhere by now
        yield from (source.get(part.oid, Kind.CHUNK) for part in group)
        return
    yield from found


def _is_plain(part: Part) -> bool:
    where = part.where
    return where is not None and where.how == _RAW and where.stored == where.raw == part.length


def proved(source: Source, oid: bytes) -> Iterator[list[Buffer]]:
    """The bytes of a file in pieces of some chunks, as ``stream`` gives them, by this thread: each
    once the next is read, the last of them once all have given ``oid``."""
    whole = blake3()
    held: list[Buffer] = []
    for piece in _pieces(source, oid, _chunks(source, oid)):
        if held:
            yield held
        held = piece
        for data in held:
            whole.update(data)
    if whole.digest() != oid:
        raise corrupt(oid, "its chunks do not give its id")
    yield held


def _chunks(source: Source, oid: bytes) -> Iterator[Part]:
    return (part for part in parts(source, oid) if part.kind == Kind.CHUNK)


def _pieces(source: Source, oid: bytes, listed: Iterator[Part]) -> Iterator[list[Buffer]]:
    while some := list(islice(listed, _AT_ONCE)):
        at = 0
        for piece, lengths in source.get_unproved_at((part.oid, part.where) for part in some):
            _check(oid, some[at : at + len(lengths)], lengths)
            at += len(lengths)
            yield piece


def _check(oid: bytes, listed: Sequence[Part], lengths: Sequence[int]) -> None:
    for part, length in zip(listed, lengths, strict=True):
        check_length(oid, part.oid, length, part.length)
