"""Payloads that were read together, decoded together: what their deltas rest on is asked for and
read with one call each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from oxcore.errors import CorruptError
from oxcore.model.ids import Buffer
from oxcore.model.protocols import How, Location
from oxcore.store._coding import base_of, decode, decode_delta

_DELTA = int(How.DELTA)
_Payload = memoryview | None


class _Source(Protocol):
    """What is asked of a ``PackReader``."""

    def locate(self, oids: Sequence[bytes]) -> list[Location | None]: ...

    def decoded(self, oids: Sequence[bytes], found: Sequence[Location]) -> list[Buffer | None]: ...


def decode_together(
    source: _Source, found: Sequence[Location], payloads: Sequence[_Payload]
) -> list[Buffer | None]:
    """The bytes that some payloads stand for, not verified; None for what cannot be decoded, of
    which ``PackReader.get`` tells more."""
    rows = list(zip(found, payloads, strict=True))
    deltas = [one for where, one in rows if one is not None and where.how == _DELTA]
    bases = _bases(source, deltas) if deltas else {}
    return [_decoded(where, payload, bases) for where, payload in rows]


def _bases(source: _Source, deltas: Sequence[memoryview]) -> dict[bytes, bytes]:
    """The bases that are no deltas themselves."""
    with suppress(CorruptError):
        ids = list(dict.fromkeys(map(base_of, deltas)))
        places = zip(ids, source.locate(ids), strict=True)
        whole = {oid: at for oid, at in places if at is not None and at.how != _DELTA}
        datas = source.decoded(list(whole), list(whole.values()))
        pairs = zip(whole, datas, strict=True)
        return {oid: bytes(data) for oid, data in pairs if data is not None}
    return {}


def _decoded(where: Location, payload: _Payload, bases: Mapping[bytes, bytes]) -> Buffer | None:
    if payload is None:
        return None
    with suppress(CorruptError):
        if where.how != _DELTA:
            return decode(where.how, payload, where.raw)
        base = bases.get(base_of(payload))
        return None if base is None else decode_delta(bytes(payload), where.raw, base)
    return None
