"""Many files of the work tree into one run of encoded objects, in a buffer that is reused.

The hot loop of ``add``: an open, a read, a stat and a close a file, a hash and a probe; larger
ones are cut, and get a manifest. What is not as the walk saw it (changed since, a link,
unreadable) is left to the caller.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from blake3 import blake3

from oxcore.chunk import ChunkParams, cut
from oxcore.codec.manifest import Manifest, encode_manifest
from oxcore.model.ids import Kind
from oxcore.store import Run, encode
from oxcore.worktree import racy_rows, read_as_seen

MEDIUM = 1 << 20  # bytes up to which a file is taken with others
SLOT = 4 << 20  # bytes that are taken at a time; a larger write gains nothing
ROOM = SLOT + SLOT // 32  # bytes: files up to SLOT, and their manifests
_CHUNK, _FILE = int(Kind.CHUNK), int(Kind.FILE)


class Seen(NamedTuple):
    """Files as the walk saw them: places on the disk, stat prefixes and lengths, in step."""

    places: Sequence[bytes]
    stats: Sequence[bytes]
    sizes: Sequence[int]


class Taken(NamedTuple):
    """Which of the files (``at``, ascending) could be taken, of how many objects each is
    (``parts``), and these as a run. The last object of a file has the file's id."""

    at: array[int]
    parts: array[int]
    run: Run

    def ids(self) -> list[bytes]:
        """The id of each file that could be taken."""
        if len(self.parts) == len(self.run.ids):
            return list(self.run.ids)
        return [self.run.ids[end - 1] for end in accumulate(self.parts)]


def take(seen: Seen, view: memoryview, level: int, params: ChunkParams) -> Taken:
    """Read, hash and encode files of up to ``MEDIUM`` bytes each, ``SLOT`` in all.

    ``view`` has a 32nd more bytes than the files, or ``ROOM``.
    """
    racy = set(racy_rows(seen.stats, time.time_ns()))
    at, parts, objects = array("H"), array("H"), _Objects(view, level)
    for place, (path, stat, size) in enumerate(zip(*seen, strict=True)):
        data = view[objects.end : objects.end + size]
        if place in racy or not read_as_seen(path, stat, data):
            continue
        before = len(objects.ids)
        if size <= params.minimum:
            objects.add(blake3(data).digest(), _CHUNK, data)
        else:
            _take_cut(objects, data, params)
        at.append(place)
        parts.append(len(objects.ids) - before)
    return Taken(at, parts, objects.run())


class _Objects:
    """The run under construction: payloads move to the front of the view as they are made."""

    def __init__(self, view: memoryview, level: int) -> None:
        self._view = view
        self._level = level
        self.end = 0
        self.ids: list[bytes] = []
        self._kinds, self._hows = bytearray(), bytearray()
        self._raws, self._stored = array("I"), array("I")

    def add(self, oid: bytes, kind: int, data: memoryview) -> None:
        """Encode an object that lies in the view at ``end`` or behind, or elsewhere."""
        how, payload = encode(data, self._level)
        size, start = len(payload), self.end
        self.end = start + size
        self._view[start : self.end] = payload
        self.ids.append(oid)
        self._kinds.append(kind)
        self._hows.append(how)
        self._raws.append(len(data))
        self._stored.append(size)

    def run(self) -> Run:
        """What has been added."""
        blob = self._view[: self.end]
        return Run(self.ids, bytes(self._kinds), self._hows, self._raws, self._stored, blob)


def _take_cut(objects: _Objects, data: memoryview, params: ChunkParams) -> None:
    """A file of several chunks, as ``deposit`` stores it: the chunks, then their manifest."""
    oid = blake3(data).digest()
    ends = cut(data, params, final=True)
    if len(ends) == 1:
        objects.add(oid, _CHUNK, data)
        return
    ids, lengths, start = bytearray(), array("Q"), 0
    for end in ends:
        piece = data[start:end]
        ids += (chunk := blake3(piece).digest())
        lengths.append(end - start)
        objects.add(chunk, _CHUNK, piece)
        start = end
    manifest = encode_manifest(Manifest(0, bytes(ids), lengths))
    objects.add(oid, _FILE, memoryview(manifest))
