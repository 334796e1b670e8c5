"""Objects in runs: read together where they lie together, proved and written without copies."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby, islice
from typing import Protocol

from blake3 import blake3

from oxcore.errors import CorruptError
from oxcore.model.ids import Kind
from oxcore.model.protocols import How, Location, Stored
from oxcore.model.run import U32, Run, gathered
from oxcore.store._coding import decode, prove
from oxcore.store._files import VanishedError

RUN_BYTES = 1 << 19
"""About how many bytes of payload one run holds: they are in the cache still when they are hashed,
and written. With 2 MiB hashing took twice as long."""
_AT_ONCE = 4096  # objects located with one question, and cut into runs together
_DELTA, _RAW, _CHUNK = int(How.DELTA), int(How.RAW), int(Kind.CHUNK)


class _Source(Protocol):
    """What is asked of a ``PackReader``."""

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]: ...

    def piece(self, pack: int, offset: int, length: int) -> bytes: ...

    def get_stored(self, oid: bytes) -> Stored: ...


Place = tuple[bytes, Location | None]
"""An id, and where its object lies if that is known."""


def located(reader: _Source, oids: Iterable[bytes]) -> Iterator[Place]:
    """The ids with their places."""
    source = iter(oids)
    while span := list(islice(source, _AT_ONCE)):
        yield from zip(span, reader.locate(span), strict=True)


def read_runs(reader: _Source, places: Iterable[Place], *, deltas: bool) -> Iterator[Run]:
    """The objects as they lie, in the given order, not verified; a delta is encoded anew, or
    with ``deltas`` left as it is if it is a chunk.

    Neighbours on disk that follow each other are read with one call. Raises ``MissingError`` for an
    object that is not here.
    """
    source = iter(places)
    while rows := list(islice(source, _AT_ONCE)):
        ids, found = zip(*rows, strict=True)
        if all(found) and _DELTA not in [where[5] for where in found]:  # nearly always so
            yield from _cut(reader, ids, found)
            continue
        for as_it_is, group in groupby(rows, _is_kept if deltas else _is_plain):
            if as_it_is:
                yield from _cut(reader, *zip(*group, strict=True))
            else:
                yield from gathered(reader.get_stored(oid) for oid, _ in group)


def _is_plain(row: Place) -> bool:
    return row[1] is not None and row[1].how != _DELTA


def _is_kept(row: Place) -> bool:
    return _is_plain(row) or (row[1] is not None and row[1].kind == _CHUNK)


def _cut(reader: _Source, ids: tuple[bytes, ...], places: tuple[Location, ...]) -> Iterator[Run]:
    """The objects in runs of about ``RUN_BYTES``."""
    ends = list(accumulate(where[2] for where in places))
    start = before = 0
    while start < len(ids):
        stop = bisect_left(ends, before + RUN_BYTES, start, len(ends) - 1) + 1
        yield from _read(reader, ids[start:stop], places[start:stop])
        start, before = stop, ends[stop - 1]


def _read(reader: _Source, ids: tuple[bytes, ...], places: tuple[Location, ...]) -> Iterator[Run]:
    try:
        pieces = [reader.piece(*span) for span in spans(places)]
    except (VanishedError, CorruptError):
        yield from gathered(map(reader.get_stored, ids))  # looks elsewhere, and tells which is bad
        return
    _, _, stored, raws, kinds, hows = zip(*places, strict=True)
    payload = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    yield Run(ids, bytes(kinds), bytes(hows), array(U32, raws), array(U32, stored), payload)


def spans(places: Sequence[Location]) -> Iterator[tuple[int, int, int]]:
    """Pack, offset and length of what lies together."""
    pack = start = end = 0
    for at, offset, length, _, _, _ in places:
        if at != pack or offset != end:
            if end:
                yield pack, start, end - start
            pack, start = at, offset
        end = offset + length
    yield pack, start, end - start


def prove_run(run: Run) -> None:
    """``CorruptError`` for the first object of the run that is not what its id says; a ``DELTA`` is
    one. Of a ``FILE`` manifest only the structure is checked."""
    plain = run.kinds.count(_CHUNK) == run.hows.count(_RAW) == len(run.ids)
    if plain and list(run.raws) == list(run.stored) and _digests(run) == list(run.ids):
        return
    for oid, kind, how, raw, payload in zip(
        run.ids, run.kinds, run.hows, run.raws, run.payloads(), strict=True
    ):
        try:
            prove(oid, kind, decode(how, payload, raw))
        except CorruptError as error:
            name = oid.hex()
            raise CorruptError(
                f"object {name} arrived damaged: {error.message}", items=(name,)
            ) from error


def _digests(run: Run) -> list[bytes]:
    return [blake3(payload).digest() for payload in run.payloads()]
