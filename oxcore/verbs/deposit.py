"""Bytes into the store: cut by content, each chunk once, a manifest where there are several.

A long stream goes through a line of threads, since the libraries that hash, cut and compress let
go of the GIL: one reads ahead, hashes the whole and cuts, others hash and encode chunks, this one
writes. Chunks reach the batch in the order of the file.
"""

from __future__ import annotations

import os
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from blake3 import blake3

from oxcore.chunk import Aligner, cut, cut_windows
from oxcore.codec.manifest import (
    SEGMENT_MAX,
    Manifest,
    encode_manifest,
    encode_segment,
    segment_bounds,
)
from oxcore.errors import CorruptError, MissingError
from oxcore.model.ids import ID_LEN, Kind, content_id, object_id
from oxcore.repo import Repository
from oxcore.store import Batch, Wanted, content, encode_chunks

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

WINDOW = 4 << 20  # bytes that are read, cut and encoded together
_PARALLEL = 1 << 20  # bytes from which BLAKE3 gains from more threads
_WORKERS = max(2, min(8, os.cpu_count() or 2))

Read = Callable[[int], bytes]
Tell = Callable[[int], object]
T = TypeVar("T")
R = TypeVar("R")


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
    repo: Repository, batch: Batch, read: Read, old: bytes | None = None, tell: Tell = _nobody
) -> tuple[bytes, int]:
    """Store a file of any length in bounded memory; ``read(n)`` gives up to n bytes, none at the
    end, and is called from another thread. Gives its id and its size in bytes. ``old`` as in
    ``put_bytes``; ``tell`` hears of the bytes that are done."""
    first = _window(read)
    if len(first) < WINDOW:
        oid = put_bytes(repo, batch, first, old)
        tell(len(first))
        return oid, len(first)
    whole, told = blake3(), 0
    pieces = Pieces(repo, batch, old)
    with _pool() as pool:
        runs = cut_windows(_windows(first, read, whole.update), repo.params)
        hashed = _ahead(pool, _hash, _eager(pool, runs))
        wanted = (pieces.take(ids, chunks) for ids, chunks in hashed)
        for encoded in _ahead(pool, lambda run: encode_chunks(repo.store, run), wanted):
            batch.put_encoded(encoded)
            tell(pieces.size - told)
            told = pieces.size
    oid = whole.digest()
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
        wanted: dict[bytes, Wanted] = {}
        for oid, chunk, where in zip(ids, chunks, self._batch.locate(ids), strict=True):
            base = None if self._aligner is None else self._aligner.base(oid, len(chunk))
            if where is None:
                wanted.setdefault(oid, Wanted(oid, chunk, base))
            self._ids += oid
            self._lengths.append(len(chunk))
            self.size += len(chunk)
        self._counters.chunks_hashed += len(ids)
        return list(wanted.values())

    def finish(self, oid: bytes) -> None:
        """Store the manifest of the file with this id; a file of one chunk needs none."""
        if not self._lengths:
            self._batch.put(oid, Kind.CHUNK, b"")
        elif len(self._lengths) > 1:
            self._batch.put(oid, Kind.FILE, encode_manifest(self._manifest()))

    def _manifest(self) -> Manifest:
        ids, lengths = bytes(self._ids), self._lengths
        if len(lengths) <= SEGMENT_MAX:
            return Manifest(0, ids, lengths)
        above, spans, start = bytearray(), array("Q"), 0
        for end in segment_bounds(ids):
            run = Manifest(0, ids[start * ID_LEN : end * ID_LEN], lengths[start:end])
            data = encode_segment(run)
            oid = object_id(Kind.SEGMENT, data)
            self._batch.put(oid, Kind.SEGMENT, data)
            above += oid
            spans.append(run.size)
            start = end
        return Manifest(1, bytes(above), spans)


class _Hashed(NamedTuple):
    ids: list[bytes]
    chunks: list[bytes | memoryview]


def _hash(chunks: list[bytes | memoryview]) -> _Hashed:
    return _Hashed(list(map(content_id, chunks)), chunks)


def _pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor  # 10 ms, for large files only

    return ThreadPoolExecutor(_WORKERS, "ox-deposit")


def _ahead(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What ``work`` makes of each item, in order, while the next ones are under way."""
    under_way: deque[Future[R]] = deque()
    for item in items:
        under_way.append(pool.submit(work, item))
        if len(under_way) > _WORKERS:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def _eager(pool: ThreadPoolExecutor, items: Iterator[T]) -> Iterator[T]:
    """The items, each made in a thread while the one before is at work."""
    coming = pool.submit(next, items, None)
    while (item := coming.result()) is not None:
        coming = pool.submit(next, items, None)
        yield item


def _windows(first: bytes, read: Read, tap: Callable[[bytes], object]) -> Iterator[bytes]:
    """The stream in windows, each shown to ``tap``."""
    data = first
    while data:
        tap(data)
        yield data
        data = _window(read)


def _window(read: Read) -> bytes:
    """The next bytes, a window of them but at the end."""
    parts, size = [], 0
    while size < WINDOW and (part := read(WINDOW - size)):
        parts.append(part)
        size += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _chunks(repo: Repository, oid: bytes) -> Iterator[tuple[bytes, int]]:
    """Id and length of the chunks of a file; none where that cannot be told."""
    try:
        yield from content.chunks(repo.store, oid)
    except (CorruptError, MissingError):
        return  # a base is a help, not a need


def _whole_id(data: bytes) -> bytes:
    if len(data) < _PARALLEL:
        return content_id(data)
    return blake3(data, max_threads=blake3.AUTO).digest()
