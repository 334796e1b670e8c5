"""Cuts at a table's own seams: Parquet by column chunk, Arrow by batch and buffer.

An edit of one column leaves the others' chunks alone, and a part that changed is told which part
of the version before it replaces. Why these, and what it gains: docs/design/001-chunking.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from oxcore.chunk import _arrow, _parquet
from oxcore.chunk._cut import ARROW_FILE, PARQUET, may_have_seams
from oxcore.chunk._params import ChunkParams
from oxcore.codec.flatbuffers import Broken

_MOST = 1 << 17  # seams of a file; what follows is cut by its bytes

ReadAt = Callable[[int, int], bytes]
"""Bytes of a file from a place on, at most so many; fewer at its end."""


class Seam(NamedTuple):
    """A ``place`` in a file (bytes) where a part of a table begins, and what that is called."""

    place: int
    name: object


def find_seams(head: bytes | memoryview, size: int, read_at: ReadAt) -> list[Seam]:
    """The seams of a file of ``size`` bytes that begins with ``head`` (8 bytes are enough).

    None for any other file, after a look at ``head``. Broken files are no error: they have the
    seams that were found before the break. What ``read_at`` raises passes.
    """
    if not may_have_seams(head, size):
        return []
    start = bytes(head[:8])
    found: Iterable[tuple[int, object]]
    if start.startswith(PARQUET):
        found = _parquet.seams(size, read_at)
    else:
        found = _arrow.seams(size, read_at, 8 if start.startswith(ARROW_FILE) else 0)
    seams: dict[int, object] = {}
    try:
        for place, name in found:
            if 0 < place < size and len(seams) < _MOST:
                seams[place] = name  # of empty buffers in front of one, that one's
    except Broken:
        pass
    return [Seam(place, seams[place]) for place in sorted(seams)]


def cut_places(seams: Iterable[Seam], size: int, params: ChunkParams) -> list[int]:
    """The seams to cut at, of a file of ``size`` bytes: none nearer to the one before, or to an
    end of the file, than the least chunk is long."""
    places: list[int] = []
    last = 0
    for seam in seams:
        if seam.place - last >= params.minimum and size - seam.place >= params.minimum:
            places.append(seam.place)
            last = seam.place
    return places


def shifts(new: Iterable[Seam], old: Iterable[Seam]) -> list[tuple[int, int]]:
    """For each seam of ``new`` that ``old`` has as well, by name: its place, and how far behind
    that the old one lies."""
    known = {seam.name: seam.place for seam in old}
    return [(place, known[name] - place) for place, name in new if name in known]
