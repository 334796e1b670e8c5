"""Chunks of one file into payloads: whole, or as the difference from a chunk like them.

A delta costs little room where a few bytes of a chunk changed, and a base to be read with it
ever after; so it is only made where it saves much. Measured: docs/design/006-speed.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from oxcore.errors import CorruptError, MissingError
from oxcore.model.ids import ID_LEN, Buffer, Kind
from oxcore.model.protocols import How
from oxcore.store._coding import Raw, base_of, decode, encode, encode_delta, encode_run, prove

if TYPE_CHECKING:
    from oxcore.store._read import PackReader

_CHUNK, _DELTA = int(Kind.CHUNK), int(How.DELTA)
_CLEAR = 64  # a delta of this share of the chunk needs no comparison with storing it whole
_FIRST = 0.75  # of what the whole takes, the most that a delta against the version before may
_LATER = 0.25  # and one against an older version: a base of its own serves what follows better
_SAMPLES, _SAMPLE = 8, 24  # pieces looked for in the base, and bytes of each
_FAILURES = 4  # bases in a row that were of no use; then only every
_EVERY = 8  # so many chunks one is tried


class Base(NamedTuple):
    """A chunk stored whole that a delta can be made against. ``direct``: it is the very one that
    was asked for, not the base that this one has."""

    id: bytes
    data: bytes
    direct: bool


class Wanted(NamedTuple):
    """A chunk to be stored, with the id of one that is probably like it. ``fresh``: it begins a
    part of the file whose bytes say nothing of those before."""

    id: bytes
    data: bytes | memoryview
    base: bytes | None
    fresh: bool = False


class Encoded(NamedTuple):
    """A chunk as it is to lie in a pack, ``raw`` bytes long once decoded."""

    id: bytes
    how: int
    raw: int
    payload: bytes | memoryview


def encode_against(data: Raw, level: int, base: Base) -> tuple[int, Raw | bytes]:
    """``How`` and payload of a chunk, as a delta where that saves enough."""
    if not _resembles(data, base.data):
        return encode(data, level)
    delta = encode_delta(data, base.id, base.data)
    if len(delta) * _CLEAR <= len(data):
        return _DELTA, delta
    how, whole = encode(data, level)
    share = _FIRST if base.direct else _LATER
    return (_DELTA, delta) if len(delta) <= share * len(whole) else (how, whole)


def encode_chunks(reader: PackReader, chunks: Sequence[Wanted]) -> list[Encoded]:
    """Neighbouring chunks of a file as they are to lie in a pack. Safe in several threads."""
    done: dict[bytes, tuple[int, bytes | memoryview]] = {}
    bases: dict[bytes, Base | None] = {}
    failures = 0
    for place, (oid, data, wish, fresh) in enumerate(chunks):
        failures = 0 if fresh else failures
        if wish is None or (failures >= _FAILURES and place % _EVERY):
            continue
        if wish not in bases:
            bases = {wish: find_base(reader, wish)}  # neighbours may share one, others do not
        base = bases[wish]
        if base is not None and base.id != oid:
            done[oid] = encode_against(data, reader.level, base)
            failures = 0 if done[oid][0] == _DELTA else failures + 1
    rest = [one for one in chunks if one.id not in done]
    payloads = encode_run([one.data for one in rest], reader.level)
    done.update(zip((one.id for one in rest), payloads, strict=True))
    rows = ((oid, len(data), done[oid]) for oid, data, *_ in chunks)
    return [Encoded(oid, how, raw, payload) for oid, raw, (how, payload) in rows]


def find_base(reader: PackReader, oid: bytes) -> Base | None:
    """The chunk ``oid``, or its own base if it is a delta; proved, since a delta against wrong
    bytes would be lost when they are repaired. None if it is damaged or not here."""
    wanted = oid
    try:
        for _ in range(2):
            where = reader.locate((oid,))[0]
            if where is None or where.kind != _CHUNK:
                return None
            payload = reader.payload(oid, where)
            if where.how != _DELTA:
                data = decode(where.how, payload, where.raw)
                prove(oid, _CHUNK, data)
                reader.counters.objects_read += 1
                return Base(oid, data, oid == wanted)
            oid = base_of(payload)
    except (CorruptError, MissingError):
        return None  # a base is a help, not a need
    return None


def bases(reader: PackReader, oids: Sequence[bytes]) -> dict[bytes, bytes]:
    """Of those of these objects that are here as deltas, the ids of their bases."""
    places = zip(oids, reader.locate(oids), strict=True)
    deltas = [(oid, where) for oid, where in places if where is not None and where.how == _DELTA]
    head = ID_LEN + 1
    return {
        oid: base_of(reader.payload(oid, where._replace(stored=min(where.stored, head))))
        for oid, where in deltas
    }


def _resembles(data: Buffer, base: bytes) -> bool:
    """Whether any of a few pieces of ``data`` comes up in ``base``: far cheaper than trying."""
    step = max(len(data) // _SAMPLES, 1)
    starts = range(step // 2, len(data), step)
    return any(base.find(data[start : start + _SAMPLE]) >= 0 for start in starts)
