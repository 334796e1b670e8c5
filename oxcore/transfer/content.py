"""Files that lie in memory as objects on their way: cut, hashed and encoded, with no store."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from oxcore.chunk import ChunkParams, cut
from oxcore.codec.manifest import assemble, encode_manifest
from oxcore.model.ids import Kind, content_id, object_id
from oxcore.model.protocols import Stored
from oxcore.store import encode

_LEVEL = 1  # of zstd


def objects_of_file(data: bytes, oid: bytes, params: ChunkParams) -> Iterator[Stored]:
    """The objects of a file with this id: its chunks and, if there are several, segments and its
    manifest."""
    ends = cut(data, params, final=True) if len(data) > params.minimum else [len(data)]
    if len(ends) <= 1:
        yield _stored(oid, Kind.CHUNK, data)
        return
    ids, lengths, start = bytearray(), array("Q"), 0
    for end in ends:
        chunk = data[start:end]
        part = content_id(chunk)
        yield _stored(part, Kind.CHUNK, chunk)
        ids += part
        lengths.append(end - start)
        start = end
    segments: list[bytes] = []

    def keep(segment: bytes) -> bytes:
        segments.append(segment)
        return object_id(Kind.SEGMENT, segment)

    manifest = encode_manifest(assemble(bytes(ids), lengths, keep))
    for segment in segments:
        yield _stored(object_id(Kind.SEGMENT, segment), Kind.SEGMENT, segment)
    yield _stored(oid, Kind.FILE, manifest)


def _stored(oid: bytes, kind: Kind, data: bytes) -> Stored:
    how, payload = encode(data, _LEVEL)
    return Stored(oid, kind, how, len(data), payload)
