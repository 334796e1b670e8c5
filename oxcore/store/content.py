"""The bytes of a file from its id, however it is stored: as one chunk or behind a manifest.

A child of a manifest is a chunk. In a store that also holds files cut with other parameters, the
same bytes may lie there as a file of several chunks: that is followed, one level deep.
"""

from __future__ import annotations

import io
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

from blake3 import blake3

from oxcore.codec.manifest import Manifest, decode_manifest, decode_segment
from oxcore.errors import CorruptError, MissingError, UsageError
from oxcore.model.ids import Buffer, Kind
from oxcore.model.protocols import Location, Reader

_AT_ONCE = 512  # children located with one question
_CHUNK, _FILE = int(Kind.CHUNK), int(Kind.FILE)


class Finder(Reader, Protocol):
    """A reader that also tells how an object is stored."""

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]:
        """For each id where its object lies, or None."""
        ...


class Bulk(Finder, Protocol):
    """A finder that reads many objects together."""

    def get_many(self, oids: Iterable[bytes], kind: Kind) -> Iterator[bytes]:
        """Like ``get`` for each id, in the given order."""
        ...

    def get_chunks_at(
        self, oids: Sequence[bytes], places: Sequence[Location | None]
    ) -> Iterator[Buffer]:
        """``get_many`` for chunks whose ``locate`` is known."""
        ...


class Part(NamedTuple):
    """An object that a file is made of; ``length`` is that of the content it stands for, ``where``
    the place of a chunk."""

    oid: bytes
    kind: Kind
    length: int
    where: Location | None = None


def kind_of(finder: Finder, oid: bytes) -> Kind:
    """``Kind.CHUNK`` or ``Kind.FILE``: how the file with this id is stored.

    Raises ``MissingError`` if it is not there, ``CorruptError`` if it is no file.
    """
    where = finder.locate((oid,))[0]
    if where is None:
        raise MissingError(f"the content {oid.hex()} is not in the store", items=(oid.hex(),))
    return _content_kind(oid, where)


def parts(finder: Finder, oid: bytes) -> Iterator[Part]:
    """Every object of a file: the manifest, then each segment before its chunks, in order.

    Reads no chunk, and does not ask whether the chunks are there. A file that is stored as one
    chunk is that chunk.
    """
    if kind_of(finder, oid) == _FILE:
        yield from _file_parts(finder, oid, nested=False)
        return
    where = finder.locate((oid,))[0]
    yield Part(oid, Kind.CHUNK, where.raw if where else 0, where)


def chunks(finder: Finder, oid: bytes) -> Iterator[tuple[bytes, int]]:
    """Id and length of the chunks that make the file, in order."""
    return ((part.oid, part.length) for part in parts(finder, oid) if part.kind == _CHUNK)


def read(finder: Finder, oid: bytes) -> Iterator[bytes]:
    """The bytes of a file in pieces, each verified, and the whole too before the last is given.

    Raises ``CorruptError`` naming the id, or ``MissingError`` naming the chunk that is not there.
    """
    if kind_of(finder, oid) == _CHUNK:
        yield finder.get(oid, Kind.CHUNK)
        return
    yield from _proved(finder, oid, _file_parts(finder, oid, nested=False))


def read_many(finder: Bulk, oids: Sequence[bytes]) -> Iterator[Buffer]:
    """The bytes of many small files, in this order, each whole and verified.

    Those of one chunk are read together, in the order of the disk. Raises as ``read`` does.
    """
    places = finder.locate(oids)
    pairs = list(zip(oids, places, strict=True))
    alone = [pair for pair in pairs if pair[1] is None or pair[1].kind != _FILE]
    if len(alone) == len(pairs):
        yield from finder.get_chunks_at(oids, places)
        return
    whole = finder.get_chunks_at([oid for oid, _ in alone], [at for _, at in alone])
    for oid, at in pairs:
        if at is None or at.kind != _FILE:
            yield next(whole)
        else:
            yield b"".join(_proved(finder, oid, _file_parts(finder, oid, nested=False)))


def prove_manifest(finder: Finder, oid: bytes, data: bytes) -> None:
    """Raise ``CorruptError`` unless the manifest ``data`` gives the file ``oid``, and
    ``MissingError`` where a part of it is not here. Reads the whole file, a chunk at a time."""
    listed = _manifest_parts(finder, oid, decode_manifest(data), nested=False)
    for _ in _proved(finder, oid, listed):
        pass


def _proved(finder: Finder, oid: bytes, listed: Iterator[Part]) -> Iterator[bytes]:
    """The chunks among ``listed``, the last of them once all have given ``oid``."""
    whole = blake3()
    last = b""
    for part in listed:
        if part.kind == _CHUNK:
            if last:
                yield last
            last = finder.get(part.oid, Kind.CHUNK)
            check_length(oid, part.oid, len(last), part.length)
            whole.update(last)
    if whole.digest() != oid:
        raise corrupt(oid, "its chunks do not give its id")
    yield last


class ContentFile(io.RawIOBase):
    """A file of the store, opened for reading: seekable, fetching only the chunks it needs.

    Each chunk is verified. That the manifest is the right one is not proved here, since that
    takes the whole file: it was when the object was made or received. ``size`` is what the tree
    says, in bytes; ``CorruptError`` if the content has another.
    """

    def __init__(self, finder: Bulk, oid: bytes, size: int) -> None:
        super().__init__()
        self.size = size
        self._finder = finder
        self._oid = oid
        self._position = 0
        self._span = _Span(0, b"")
        self._outer = _Level(0, _as_manifest(finder, oid, size))
        self._inner = _Level(0, None)
        if self._outer.end != size:
            raise corrupt(oid, f"it has {self._outer.end} bytes, not {size}")

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """The position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to ``offset`` from the start, the position or the end; gives the new position."""
        if whence not in (io.SEEK_SET, io.SEEK_CUR, io.SEEK_END):
            raise UsageError(f"seek: whence is 0, 1 or 2, not {whence}")
        origin = (0, self._position, self.size)[whence]
        if origin + offset < 0:
            raise UsageError("seek: before the start of the file")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill ``buffer`` with bytes of the chunk at the position, or where it takes more of
        several, which are read together; gives how much."""
        if self.closed:
            raise ValueError("read of a closed file")  # as every io class does
        view = memoryview(buffer).cast("B")
        done = 0
        for start, data in self._spans(min(len(view), self.size - self._position)):
            piece = memoryview(data)[self._position + done - start :][: len(view) - done]
            view[done : done + len(piece)] = piece
            done += len(piece)
        self._position += done
        return done

    def _spans(self, count: int) -> Iterator[_Span]:
        """The chunk at the position; where ``count`` bytes from there reach further, chunks up to
        their end or that of the segment. The last is at hand for the next read."""
        if count <= 0:
            return
        span = self._span
        if span.start <= self._position < span.start + len(span.data):
            yield span
            return
        run = self._level_at(self._position).run(self._position, count)
        places = self._finder.locate([oid for _, oid, _ in run])
        if any(one is None or one.kind != _CHUNK for one in places):
            yield self._span_at(self._position)
            return
        found = self._finder.get_chunks_at([oid for _, oid, _ in run], places)
        for (start, oid, length), data in zip(run, found, strict=True):
            check_length(self._oid, oid, len(data), length)
            last = start + length >= self._position + count
            yield self._hold(start, data) if last else _Span(start, data)

    def _hold(self, start: int, data: Buffer) -> _Span:
        self._span = _Span(start, bytes(data))
        return self._span

    def _span_at(self, position: int) -> _Span:
        start, oid, length = self._level_at(position).at(position)
        return self._hold(start, _piece(self._finder, self._oid, oid, length))

    def _level_at(self, position: int) -> _Level:
        """The manifest or the segment that lists the chunk at ``position``."""
        outer = self._outer
        if not outer.depth:
            return outer
        start, child, length = outer.at(position)
        if self._inner.start != start or not self._inner.end:
            self._inner = _Level(start, _segment(self._finder, child, length))
        return self._inner


class _Span(NamedTuple):
    start: int
    data: Buffer


class _Level:
    """A manifest or segment that begins at ``start`` of the file, searchable by position."""

    def __init__(self, start: int, manifest: Manifest | None) -> None:
        self.start = start
        self.depth = manifest.depth if manifest else 0
        self._lengths = manifest.lengths if manifest else ()
        self._children = manifest.children() if manifest else []
        self._ends = list(accumulate(self._lengths, initial=start))[1:]
        self.end = self._ends[-1] if self._ends else 0

    def at(self, position: int) -> tuple[int, bytes, int]:
        """Start, id and length of the child that holds the byte at ``position``."""
        return self._child(bisect_right(self._ends, position))

    def run(self, position: int, count: int) -> list[tuple[int, bytes, int]]:
        """As ``at``, of the children that hold ``count`` bytes from ``position`` on."""
        first = bisect_right(self._ends, position)
        last = bisect_left(self._ends, position + count, first, len(self._ends) - 1)
        return list(map(self._child, range(first, min(last, first + _AT_ONCE) + 1)))

    def _child(self, index: int) -> tuple[int, bytes, int]:
        length = self._lengths[index]
        return self._ends[index] - length, self._children[index], length


def _as_manifest(finder: Finder, oid: bytes, size: int) -> Manifest:
    """The file's manifest; for a file of one chunk, one made up."""
    if kind_of(finder, oid) == _FILE:
        return decode_manifest(finder.get(oid, Kind.FILE))
    return Manifest(0, oid, (size,))


def _file_parts(finder: Finder, oid: bytes, *, nested: bool) -> Iterator[Part]:
    return _manifest_parts(finder, oid, decode_manifest(finder.get(oid, Kind.FILE)), nested=nested)


def _manifest_parts(
    finder: Finder, oid: bytes, manifest: Manifest, *, nested: bool
) -> Iterator[Part]:
    yield Part(oid, Kind.FILE, manifest.size)
    if not manifest.depth:
        yield from _children(finder, oid, manifest, nested=nested)
        return
    for segment_id, length in zip(manifest.children(), manifest.lengths, strict=True):
        yield Part(segment_id, Kind.SEGMENT, length)
        segment = _segment(finder, segment_id, length)
        yield from _children(finder, oid, segment, nested=nested)


def _segment(finder: Finder, oid: bytes, length: int) -> Manifest:
    segment = decode_segment(finder.get(oid, Kind.SEGMENT))
    if segment.size != length:
        raise corrupt(oid, f"a segment of {segment.size} bytes stands where {length} should")
    return segment


def _children(finder: Finder, oid: bytes, run: Manifest, *, nested: bool) -> Iterator[Part]:
    """The chunks of a manifest of depth 0 or of a segment, and what files among them hold."""
    children = run.children()
    for start in range(0, len(children), _AT_ONCE):
        span = children[start : start + _AT_ONCE]
        lengths = run.lengths[start : start + _AT_ONCE]
        for child, length, where in zip(span, lengths, finder.locate(span), strict=True):
            if where is None or _content_kind(child, where) == _CHUNK:
                yield Part(child, Kind.CHUNK, length, where)
            elif nested:
                raise corrupt(oid, "its chunks are files of files")
            else:
                yield from _nested(finder, child, length)


def _nested(finder: Finder, oid: bytes, length: int) -> Iterator[Part]:
    found = _file_parts(finder, oid, nested=True)
    for part in found:
        # The first is the manifest: wrong lengths end here, before its parts multiply.
        if part.kind == _FILE and part.length != length:
            raise corrupt(oid, f"a file of {part.length} bytes stands where {length} should")
        yield part


def _piece(finder: Finder, owner: bytes, oid: bytes, length: int) -> bytes:
    """The bytes of one child, also where they are stored as a file of their own."""
    if kind_of(finder, oid) == _CHUNK:
        data = finder.get(oid, Kind.CHUNK)
    else:
        data = b"".join(read(finder, oid))
    check_length(owner, oid, len(data), length)
    return data


def check_length(owner: bytes, oid: bytes, found: int, told: int) -> None:
    """Raise ``CorruptError`` if the chunk ``oid`` of a file has not the length that was told."""
    if found != told:
        raise corrupt(owner, f"chunk {oid.hex()} has {found} bytes, not {told}")


def _content_kind(oid: bytes, where: Location) -> Kind:
    if where.kind not in (_CHUNK, _FILE):
        raise corrupt(oid, "the object with this id is no content")
    return Kind(where.kind)


def corrupt(oid: bytes, why: str) -> CorruptError:
    """The error for a content that is not what its id says."""
    return CorruptError(
        f"content {oid.hex()}: {why}",
        hint="repair it from a remote that has it: ox fsck --repair",
        items=(oid.hex(),),
    )
