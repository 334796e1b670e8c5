"""Bytes into the store: cut by content, each chunk once, a manifest where there are several.

A long stream goes through several threads: ``line``. Chunks reach the batch in the order
of the file.
"""

from __future__ import annotations

import io
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from oxcore.chunk import Aligner, cut_at, may_have_seams
from oxcore.codec.manifest import Manifest, assemble, encode_manifest
from oxcore.errors import CorruptError, MissingError
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.repo import Repository
from oxcore.store import Batch, Encoded, Wanted, content, encode_chunks
from oxcore.verbs.storing.line import WINDOW, Fill, Steps, fill_up, run_line

if TYPE_CHECKING:
    from oxcore.chunk import ReadAt, Seam

_PARALLEL = 1 << 20  # bytes from which BLAKE3 gains from more threads
_forked = False  # then BLAKE3's own threads are not in this process, and it would wait for them

Tell = Callable[[int], object]


def _nobody(_: int) -> None:
    """Hears of bytes that are done, and does nothing."""


def put_bytes(repo: Repository, batch: Batch, data: bytes, old: bytes | None = None) -> bytes:
    """Store a file that lies in memory; gives its id. What is stored already costs one hash.

    ``old``: id of the content that it replaces, if any. Chunks that changed a little are stored
    as their difference from those.
    """
    oid = _whole_id(data)
    repo.counters.bytes_hashed += len(data)
    if len(data) <= repo.params.minimum:
        batch.put(oid, Kind.CHUNK, data)
    elif not batch.has_many([oid])[0]:
        view, size = memoryview(data), len(data)
        seams = _seams(view, Whole(size, lambda place, count: data[place : place + count]))
        ends = cut_at(view, repo.params, final=True, start=0, places=_places(repo, seams, size))
        chunks = [view[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        ids = [oid] if len(chunks) == 1 else list(map(content_id, chunks))
        pieces = Pieces(repo, batch, old, seams)
        batch.put_encoded(encode_chunks(repo.store, pieces.take(ids, chunks)))
        pieces.finish(oid)
    return oid


class Whole(NamedTuple):
    """A file that is read in a stream, and can be looked at elsewhere: ``size`` in bytes."""

    size: int
    read_at: ReadAt


def put_stream(
    repo: Repository,
    batch: Batch,
    fill: Fill,
    old: bytes | None = None,
    tell: Tell = _nobody,
    whole: Whole | None = None,
) -> tuple[bytes, int]:
    """Store a file of any length in bounded memory; ``fill`` puts its next bytes into a buffer and
    gives their number, 0 at the end. Gives its id and its size in bytes. ``old`` as in
    ``put_bytes``; ``tell`` hears of the bytes that are done. Both are called from several threads,
    one at a time. ``whole``: the same file; a table is then cut at its seams."""
    first = memoryview(bytearray(WINDOW))
    size = fill_up(fill, first)
    if size < WINDOW:
        oid = put_bytes(repo, batch, bytes(first[:size]), old)
        tell(size)
        return oid, size
    seams = _seams(first, whole)
    pieces, told = Pieces(repo, batch, old, seams), 0

    def put(encoded: list[Encoded]) -> None:
        nonlocal told
        batch.put_encoded(encoded)
        tell(pieces.size - told)
        told = pieces.size

    steps = Steps(pieces.take, lambda wanted: encode_chunks(repo.store, wanted), put)
    places = _places(repo, seams, 0 if whole is None else whole.size)
    oid = run_line(repo.params, _joined(first, fill), steps, places)
    repo.counters.bytes_hashed += pieces.size
    pieces.finish(oid)
    return oid, pieces.size


class Pieces:
    """The chunks of one file on their way into a batch, and then its manifest."""

    def __init__(
        self,
        repo: Repository,
        batch: Batch,
        old: bytes | None = None,
        seams: Sequence[Seam] = (),
    ) -> None:
        self._counters = repo.counters
        self._batch = batch
        self._aligner = None
        if old is not None:
            self._aligner = Aligner(_chunks(repo, old), _shifts(repo, old, seams))
        self._seams = frozenset(seam.place for seam in seams)
        self._ids = bytearray()
        self._lengths = array("Q")
        self.size = 0

    def take(self, ids: Sequence[bytes], chunks: Sequence[bytes | memoryview]) -> list[Wanted]:
        """Note the next chunks of the file; gives those that have to be stored."""
        places = self._batch.locate(ids)
        lengths = list(map(len, chunks))
        bases: Sequence[bytes | None] = [None] * len(ids)
        if self._aligner is not None:
            bases = list(map(self._aligner.base, ids, lengths))
        wanted: dict[bytes, Wanted] = {}
        begins, fresh = self._begins(lengths), False
        for oid, chunk, base, where, begun in zip(ids, chunks, bases, places, begins, strict=True):
            fresh = fresh or begun
            if where is None:
                wanted.setdefault(oid, Wanted(oid, chunk, base, fresh))
                fresh = False
        self._ids += b"".join(ids)
        self._lengths.extend(lengths)
        self.size += sum(lengths)
        self._counters.chunks_hashed += len(ids)
        return list(wanted.values())

    def _begins(self, lengths: Sequence[int]) -> list[bool]:
        """For each of the next chunks whether it begins at a seam."""
        if not self._seams:
            return [False] * len(lengths)
        starts = accumulate(lengths[:-1], initial=self.size)
        return [start in self._seams for start in starts]

    def finish(self, oid: bytes) -> None:
        """Store the manifest of the file with this id; a file of one chunk needs none."""
        if not self._lengths:
            self._batch.put(oid, Kind.CHUNK, b"")
        elif len(self._lengths) > 1:
            self._batch.put(oid, Kind.FILE, encode_manifest(self._manifest()))

    def _manifest(self) -> Manifest:
        return assemble(bytes(self._ids), self._lengths, self._segment)

    def _segment(self, data: bytes) -> bytes:
        oid = object_id(Kind.SEGMENT, data)
        self._batch.put(oid, Kind.SEGMENT, data)
        return oid


def _joined(first: memoryview, fill: Fill) -> Fill:
    """Gives the bytes that are read already, then those of ``fill``."""

    def joined(view: memoryview) -> int:
        nonlocal first
        if not first:
            return fill(view)
        part, first = first[: len(view)], first[len(view) :]
        view[: len(part)] = part
        return len(part)

    return joined


def _chunks(repo: Repository, oid: bytes) -> Iterator[tuple[bytes, int]]:
    """Id and length of the chunks of a file; none where that cannot be told."""
    try:
        yield from content.chunks(repo.store, oid)
    except (CorruptError, MissingError):
        return  # a base is a help, not a need


def _seams(head: bytes | memoryview, whole: Whole | None) -> list[Seam]:
    """The seams of a table; none of other files, for which nothing is loaded."""
    if whole is None or not may_have_seams(head, whole.size):
        return []
    from oxcore.chunk import find_seams  # few files have any

    return find_seams(head, *whole)


def _places(repo: Repository, seams: Sequence[Seam], size: int) -> list[int]:
    if not seams:
        return []
    from oxcore.chunk import cut_places

    return cut_places(seams, size, repo.params)


def _shifts(repo: Repository, old: bytes, seams: Sequence[Seam]) -> list[tuple[int, int]]:
    """How far the parts of a table lie behind those of its old version, where both have seams."""
    if not seams:
        return []
    from oxcore.chunk import shifts

    try:
        size = sum(length for _, length in content.chunks(repo.store, old))
        file = io.BufferedReader(content.ContentFile(repo.store, old, size))

        def read_at(place: int, count: int) -> bytes:
            file.seek(place)
            return file.read(count)

        return shifts(seams, _seams(read_at(0, 8), Whole(size, read_at)))
    except (CorruptError, MissingError):
        return []  # as above


def _whole_id(data: bytes) -> bytes:
    if len(data) < _PARALLEL:
        return content_id(data)
    return blake3(data, max_threads=1 if _forked else blake3.AUTO).digest()


def _note_fork() -> None:
    global _forked  # noqa: PLW0603 -- of the process, not of any object
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
