r"""The operation log: every change of the repository's state, one record after the other.

Layout (integers little-endian), see docs/format.md. The file starts with 16 bytes, magic
"OXOPLOG\n", version 1 (one byte), seven zero bytes. Each record is

    0   4   length of the payload
    4   16  first 16 bytes of the BLAKE3 of the length field and the payload
    20  ..  payload: canonical JSON

A record that is cut short or fails its checksum at the end of the file was never
acknowledged: the next writer cuts it off. Anywhere else it is corruption.
"""

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from blake3 import blake3

from oxcore.codec import canonical
from oxcore.errors import CorruptError, FormatError
from oxcore.model.commits import Json, Moment

MAGIC = b"OXOPLOG\n"
HEADER = struct.pack("<8sB7x", MAGIC, 1)
_LENGTH = struct.Struct("<I")
_FRAME = 20
_KEYS = {"changes", "note", "number", "offset", "undoes", "us", "verb", "who", "write_id"}

T = TypeVar("T", int, str)


class Operation(NamedTuple):
    """One change of state.

    ``number`` counts from 1. ``changes`` maps a key of the state (``HEAD``, ``stage``,
    ``merge``, ``shallow``, ``refs/...``) to its value before and after, None where it is
    absent. ``write_id`` is a remote writer's own mark, so that a retry is told from a
    conflict. ``undoes`` is the number of the operation that this one takes back.
    """

    number: int
    verb: str
    note: str
    who: str
    time: Moment
    changes: Mapping[str, tuple[str | None, str | None]] = MappingProxyType({})
    write_id: str | None = None
    undoes: int | None = None


def encode(operation: Operation) -> bytes:
    """One framed record."""
    record: dict[str, Json] = {
        "number": operation.number,
        "verb": operation.verb,
        "note": operation.note,
        "who": operation.who,
        "us": operation.time.us,
        "offset": operation.time.offset,
        "changes": {key: [old, new] for key, (old, new) in operation.changes.items()},
        "write_id": operation.write_id,
        "undoes": operation.undoes,
    }
    payload = canonical.dumps(record)
    length = _LENGTH.pack(len(payload))
    return length + blake3(length + payload).digest(length=16) + payload


def scan(data: bytes, start: int = 0) -> Iterator[tuple[int, Operation]]:
    """The sound records of ``data`` from ``start`` on, each with the offset where it ends.

    Ends without an error at a record that is cut short or fails its checksum; the caller
    compares the last offset with the length of the file.
    """
    at = start
    while len(data) - at >= _FRAME:
        (length,) = _LENGTH.unpack_from(data, at)
        end = at + _FRAME + length
        payload = data[at + _FRAME : end]
        if len(payload) != length:
            return
        if blake3(data[at : at + 4] + payload).digest(length=16) != data[at + 4 : at + _FRAME]:
            return
        yield end, _operation(payload)
        at = end


def check_header(data: bytes) -> None:
    """Raise ``FormatError`` or ``CorruptError`` unless ``data`` starts as a log that we read."""
    if data[:8] != MAGIC:
        raise CorruptError("the operation log does not start with its magic")
    if data[:16] != HEADER:
        raise FormatError("the operation log is of a version that this release cannot read")


def _operation(payload: bytes) -> Operation:
    record = canonical.loads(payload, "a record of the operation log")
    if not isinstance(record, dict) or record.keys() != _KEYS:
        raise CorruptError("a record of the operation log has unknown or missing fields")
    return Operation(
        number=_typed(record, "number", int),
        verb=_typed(record, "verb", str),
        note=_typed(record, "note", str),
        who=_typed(record, "who", str),
        time=Moment(_typed(record, "us", int), _typed(record, "offset", int)),
        changes=_changes(record["changes"]),
        write_id=None if record["write_id"] is None else _typed(record, "write_id", str),
        undoes=None if record["undoes"] is None else _typed(record, "undoes", int),
    )


def _typed(record: dict[str, Json], key: str, kind: type[T]) -> T:
    value = record[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise CorruptError(f"a record of the operation log has {value!r} for {key!r}")
    return value


def _changes(value: Json) -> dict[str, tuple[str | None, str | None]]:
    if not isinstance(value, dict):
        raise CorruptError("a record of the operation log has no changes")
    changes: dict[str, tuple[str | None, str | None]] = {}
    for key, pair in value.items():
        match pair:
            case [str() | None as old, str() | None as new]:
                changes[key] = (old, new)
            case _:
                raise CorruptError(f"a record of the operation log changes {key!r} to {pair!r}")
    return changes
