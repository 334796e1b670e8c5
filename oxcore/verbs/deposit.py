"""Bytes into the store: cut by content, each chunk once, a manifest where there are several.

A long stream goes through several threads: ``oxcore.verbs.line``. Chunks reach the batch in the
order of the file.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence

from blake3 import blake3

from oxcore.chunk import Aligner, cut
from oxcore.codec.manifest import Manifest, assemble, encode_manifest
from oxcore.errors import CorruptError, MissingError
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.repo import Repository
from oxcore.store import Batch, Encoded, Wanted, content, encode_chunks
from oxcore.verbs.line import WINDOW, Fill, Steps, fill_up, run_line

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
        view, ends = memoryview(data), cut(data, repo.params, final=True)
        chunks = [view[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        ids = [oid] if len(chunks) == 1 else list(map(content_id, chunks))
        pieces = Pieces(repo, batch, old)
        batch.put_encoded(encode_chunks(repo.store, pieces.take(ids, chunks)))
        pieces.finish(oid)
    return oid


def put_stream(
    repo: Repository, batch: Batch, fill: Fill, old: bytes | None = None, tell: Tell = _nobody
) -> tuple[bytes, int]:
    """Store a file of any length in bounded memory; ``fill`` puts its next bytes into a buffer and
    gives their number, 0 at the end. Gives its id and its size in bytes. ``old`` as in
    ``put_bytes``; ``tell`` hears of the bytes that are done. Both are called from several threads,
    one at a time."""
    first = memoryview(bytearray(WINDOW))
    size = fill_up(fill, first)
    if size < WINDOW:
        oid = put_bytes(repo, batch, bytes(first[:size]), old)
        tell(size)
        return oid, size
    pieces, told = Pieces(repo, batch, old), 0

    def put(encoded: list[Encoded]) -> None:
        nonlocal told
        batch.put_encoded(encoded)
        tell(pieces.size - told)
        told = pieces.size

    steps = Steps(pieces.take, lambda wanted: encode_chunks(repo.store, wanted), put)
    oid = run_line(repo.params, _joined(first, fill), steps)
    repo.counters.bytes_hashed += pieces.size
    pieces.finish(oid)
    return oid, pieces.size


class Pieces:
    """The chunks of one file on their way into a batch, and then its manifest."""

    def __init__(self, repo: Repository, batch: Batch, old: bytes | None = None) -> None:
        self._counters = repo.counters
        self._batch = batch
        self._aligner = None if old is None else Aligner(_chunks(repo, old))
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
        for oid, chunk, base, where in zip(ids, chunks, bases, places, strict=True):
            if where is None:
                wanted.setdefault(oid, Wanted(oid, chunk, base))
        self._ids += b"".join(ids)
        self._lengths.extend(lengths)
        self.size += sum(lengths)
        self._counters.chunks_hashed += len(ids)
        return list(wanted.values())

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


def _whole_id(data: bytes) -> bytes:
    if len(data) < _PARALLEL:
        return content_id(data)
    return blake3(data, max_threads=1 if _forked else blake3.AUTO).digest()


def _note_fork() -> None:
    global _forked  # noqa: PLW0603 -- of the process, not of any object
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
