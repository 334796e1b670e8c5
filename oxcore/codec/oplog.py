"""The operation log: every change of the repository's state, one record after the other.

Layout (integers little-endian), see docs/format.md. The file starts with 16 bytes, magic
"OXOPLOG\\n", version 1 (one byte), seven zero bytes. Each record is

    0   4   length of the payload
    4   16  first 16 bytes of the BLAKE3 of the length field and the payload
    20  ..  payload: canonical JSON

A record that is cut short or fails its checksum at the end of the file was never
acknowledged: the next writer cuts it off. Anywhere else it is corruption.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from blake3 import blake3

from oxcore.codec import canonical
from oxcore.errors import CorruptError, FormatError
from oxcore.model.commits import Json, Moment

MAGIC = b"OXOPLOG\n"
HEADER = struct.pack("<8sB7x", MAGIC, 1)
_LENGTH = struct.Struct("<I")
_FRAME = 20


@dataclass(frozen=True, slots=True)
class Operation:
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
    changes: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
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
    record: Any = canonical.loads(payload, "a record of the operation log")
    try:
        return Operation(
            number=int(record["number"]),
            verb=str(record["verb"]),
            note=str(record["note"]),
            who=str(record["who"]),
            time=Moment(int(record["us"]), int(record["offset"])),
            changes={key: (pair[0], pair[1]) for key, pair in record["changes"].items()},
            write_id=record["write_id"],
            undoes=record["undoes"],
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise CorruptError(f"a record of the operation log breaks the format: {error}") from error
