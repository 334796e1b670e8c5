"""Manifests: which chunks, in order, make a file; and segments, runs of a long manifest.

Layout (integers little-endian), see docs/format.md:

    0   4  magic "OXMF" (manifest of a file) or "OXMS" (segment)
    4   1  version, 1
    5   1  depth: 0 the children are chunks; 1 they are segments (manifest only)
    6   2  zero
    8   4  n, the number of children: at least 1; with depth 0 at most SEGMENT_MAX
    12  32 n  ids of the children
    ..  8 n   length in bytes of the content of each child, none of them 0
"""

import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

from oxcore.errors import CorruptError, InvalidError
from oxcore.model.ids import ID_LEN

_HEADER = struct.Struct("<4sBBHI")
FILE_MAGIC = b"OXMF"
SEGMENT_MAGIC = b"OXMS"
VERSION = 1
MAX_SIZE = 2**53 - 1  # bytes of a file: every JSON reader can take it as a number
_SWAP = sys.byteorder == "big"

# A manifest longer than SEGMENT_MAX children is cut into segments by content, so that two
# versions of a huge file share them: a segment ends after a chunk whose id starts with two
# bytes below SEGMENT_CUT (1 in 512), once it has SEGMENT_MIN, and at SEGMENT_MAX anyway.
SEGMENT_MIN = 128
SEGMENT_MAX = 2048
SEGMENT_CUT = 128


class Manifest(NamedTuple):
    """Children in columns: ``depth`` 0 chunks, 1 segments; ``ids`` in one run of 32 bytes each;
    ``lengths`` in bytes."""

    depth: int
    ids: bytes
    lengths: Sequence[int]

    def children(self) -> list[bytes]:
        """The ids of the children, in order."""
        ids = self.ids
        return [ids[start : start + ID_LEN] for start in range(0, len(ids), ID_LEN)]

    @property
    def size(self) -> int:
        """The length of the content in bytes."""
        return sum(self.lengths)


def encode_manifest(manifest: Manifest) -> bytes:
    """The canonical bytes of a file's manifest; ``InvalidError`` if it breaks a rule."""
    return _encode(FILE_MAGIC, manifest)


def encode_segment(segment: Manifest) -> bytes:
    """The canonical bytes of a segment; ``InvalidError`` if it breaks a rule or its depth is
    not 0."""
    if segment.depth:
        raise InvalidError("a segment of a manifest cannot hold segments")
    return _encode(SEGMENT_MAGIC, segment)


def decode_manifest(data: bytes) -> Manifest:
    """The manifest of canonical bytes; ``CorruptError`` for anything else."""
    return _decode(FILE_MAGIC, data)


def decode_segment(data: bytes) -> Manifest:
    """The segment of canonical bytes; ``CorruptError`` for anything else."""
    segment = _decode(SEGMENT_MAGIC, data)
    if segment.depth:
        raise CorruptError("a segment of a manifest holds segments")
    return segment


def segment_bounds(ids: bytes) -> list[int]:
    """Where a long run of chunk ids is cut into segments: the end index of each."""
    count = len(ids) // ID_LEN
    ends: list[int] = []
    start = 0
    for index in range(count):
        length = index + 1 - start
        first = ids[index * ID_LEN] << 8 | ids[index * ID_LEN + 1]
        if length == SEGMENT_MAX or (length >= SEGMENT_MIN and first < SEGMENT_CUT):
            ends.append(index + 1)
            start = index + 1
    if start < count:
        ends.append(count)
    return ends


def assemble(ids: bytes, lengths: Sequence[int], keep: Callable[[bytes], bytes]) -> Manifest:
    """The manifest of a file of these chunks; where they are many, ``keep`` stores the encoding of
    each segment and gives its id."""
    if len(lengths) <= SEGMENT_MAX:
        return Manifest(0, ids, lengths)
    above, spans, start = bytearray(), array("Q"), 0
    for end in segment_bounds(ids):
        run = Manifest(0, ids[start * ID_LEN : end * ID_LEN], lengths[start:end])
        above += keep(encode_segment(run))
        spans.append(run.size)
        start = end
    return Manifest(1, bytes(above), spans)


def _encode(magic: bytes, manifest: Manifest) -> bytes:
    fault = _fault(manifest)
    if fault:
        raise InvalidError(fault)
    lengths = array("Q", manifest.lengths)
    if _SWAP:
        lengths.byteswap()
    header = _HEADER.pack(magic, VERSION, manifest.depth, 0, len(lengths))
    return header + manifest.ids + lengths.tobytes()


def _decode(magic: bytes, data: bytes) -> Manifest:
    if len(data) < _HEADER.size:
        raise CorruptError("a manifest is cut short")
    found, version, depth, zero, count = _HEADER.unpack_from(data)
    if found != magic or version != VERSION or zero:
        raise CorruptError("a manifest has an unknown header")
    if len(data) != _HEADER.size + count * (ID_LEN + 8):
        raise CorruptError("a manifest has the wrong length")
    middle = _HEADER.size + count * ID_LEN
    lengths = array("Q")
    lengths.frombytes(data[middle:])
    if _SWAP:
        lengths.byteswap()
    manifest = Manifest(depth, data[_HEADER.size : middle], lengths)
    fault = _fault(manifest)
    if fault:
        raise CorruptError(fault)
    return manifest


def _fault(manifest: Manifest) -> str:
    """Which rule the manifest breaks; empty if none."""
    depth, ids, lengths = manifest
    if depth not in {0, 1}:
        return f"a manifest has the unknown depth {depth}"
    if not lengths or len(ids) != ID_LEN * len(lengths):
        return "a manifest has no children, or not as many ids as lengths"
    if depth == 0 and len(lengths) > SEGMENT_MAX:
        return f"a manifest lists more than {SEGMENT_MAX} chunks without segments"
    if 0 in lengths or sum(lengths) > MAX_SIZE:
        return "a manifest has a child without content, or too much of it"
    return ""
