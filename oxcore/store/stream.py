"""A large file out of the store: a thread reads and proves it while the caller writes.

Reading, hashing and writing all happen outside of Python's lock, in pieces of about half a MiB, so
that two processors work at once and little is handed over. The file is proved once, as a whole:
its chunks are not hashed one by one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol

from blake3 import blake3

from oxcore.errors import CorruptError
from oxcore.fs.ahead import Ahead
from oxcore.model.ids import Buffer, Kind
from oxcore.model.protocols import Location
from oxcore.store.content import Finder, Part, check_length, corrupt, parts, read

_AHEAD = 16  # pieces that wait for the caller
_AT_ONCE = 256  # chunks asked for together: some 16 MiB


class Source(Finder, Protocol):
    """A finder that gives chunks as they lie."""

    def get_unproved_at(
        self, places: Iterable[tuple[bytes, Location | None]]
    ) -> Iterator[tuple[list[Buffer], list[int]]]:
        """The bytes of chunks whose ``locate`` is known, in their order, and their lengths."""
        ...


def stream(source: Source, oid: bytes) -> Generator[Buffer]:
    """The bytes of a file, read ahead in a thread; the last of them once all have given ``oid``.

    Raises ``CorruptError`` if they do not, which does not say where: ``content.read`` does, and
    takes a sound copy where the store has one. Raises ``MissingError`` as it does. Holds about
    8 MiB. Close the generator if it is not used to its end.
    """
    with Ahead(_proved(source, oid), _AHEAD) as pieces:
        for piece in pieces:
            yield from piece


def whole(source: Source, oid: bytes) -> bytes:
    """All bytes of a file, proved once. Raises as ``content.read`` does, which is asked again for
    what is not sound: it says which chunk, or takes a sound copy."""
    try:
        return b"".join(data for piece in _proved(source, oid) for data in piece)
    except CorruptError:
        return b"".join(read(source, oid))


def _proved(source: Source, oid: bytes) -> Iterator[list[Buffer]]:
    """The pieces, each once the next is read, the last of them once all have given ``oid``."""
    whole = blake3()
    held: list[Buffer] = []
    for piece in _pieces(source, oid):
        if held:
            yield held
        held = piece
        for data in held:
            whole.update(data)
    if whole.digest() != oid:
        raise corrupt(oid, "its chunks do not give its id")
    yield held


def _pieces(source: Source, oid: bytes) -> Iterator[list[Buffer]]:
    listed = (part for part in parts(source, oid) if part.kind == Kind.CHUNK)
    while some := list(islice(listed, _AT_ONCE)):
        at = 0
        for piece, lengths in source.get_unproved_at((part.oid, part.where) for part in some):
            _check(oid, some[at : at + len(lengths)], lengths)
            at += len(lengths)
            yield piece


def _check(oid: bytes, listed: Sequence[Part], lengths: Sequence[int]) -> None:
    for part, length in zip(listed, lengths, strict=True):
        check_length(oid, part.oid, length, part.length)
