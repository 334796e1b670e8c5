"""Bytes into the store: cut by content, each chunk once, a manifest where there are several."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable

from blake3 import blake3

from oxcore.chunk import cut, iter_chunks
from oxcore.codec.manifest import (
    SEGMENT_MAX,
    Manifest,
    encode_manifest,
    encode_segment,
    segment_bounds,
)
from oxcore.model.ids import ID_LEN, Kind, content_id, object_id
from oxcore.repo import Repository
from oxcore.store import Batch

_PARALLEL = 1 << 20  # bytes from which BLAKE3 gains from more threads


def put_bytes(repo: Repository, batch: Batch, data: bytes) -> bytes:
    """Store a file that lies in memory; gives its id. What is stored already costs one hash."""
    oid = _whole_id(data)
    repo.counters.bytes_hashed += len(data)
    if len(data) <= repo.params.minimum:
        batch.put(oid, Kind.CHUNK, data)
    elif not repo.store.has_many([oid])[0]:
        ends = cut(data, repo.params, final=True)
        view = memoryview(data)
        starts = [0, *ends[:-1]]
        chunks = [bytes(view[a:b]) for a, b in zip(starts, ends, strict=True)]
        if len(chunks) == 1:
            batch.put(oid, Kind.CHUNK, data)
        else:
            pieces = Pieces(repo, batch)
            pieces.add(chunks)
            pieces.finish(oid)
    return oid


def put_stream(repo: Repository, batch: Batch, read: Callable[[int], bytes]) -> tuple[bytes, int]:
    """Store a file of any length in bounded memory; ``read(n)`` gives up to n bytes, none at the
    end. Gives its id and its size in bytes."""
    whole = blake3(max_threads=blake3.AUTO)
    pieces = Pieces(repo, batch)

    def tap(count: int) -> bytes:
        data = read(count)
        whole.update(data)
        return data

    pieces.add(bytes(piece) for piece in iter_chunks(tap, repo.params))
    oid = whole.digest()
    repo.counters.bytes_hashed += pieces.size
    pieces.finish(oid)
    return oid, pieces.size


class Pieces:
    """The chunks of one file on their way into a batch, and then its manifest."""

    def __init__(self, repo: Repository, batch: Batch) -> None:
        self._counters = repo.counters
        self._batch = batch
        self._ids = bytearray()
        self._lengths = array("Q")
        self.size = 0

    def add(self, chunks: Iterable[bytes]) -> None:
        """Store these chunks, the next of the file in order."""
        for chunk in chunks:
            oid = content_id(chunk)
            self._batch.put(oid, Kind.CHUNK, chunk)
            self._ids += oid
            self._lengths.append(len(chunk))
            self.size += len(chunk)
            self._counters.chunks_hashed += 1

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


def _whole_id(data: bytes) -> bytes:
    if len(data) < _PARALLEL:
        return content_id(data)
    return blake3(data, max_threads=blake3.AUTO).digest()
