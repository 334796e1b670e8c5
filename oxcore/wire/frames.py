"""Object frames and the streams they make.

Layout (integers little-endian), see docs/protocol.md:

    stream  16  header: magic "OXSTREAM", version 1, seven zero bytes
            ..  frames, one an object
            ..  one end frame
    frame   1   kind        (0: end frame)
            1   how         (end frame: 0 complete, 1 broken off)
            32  id          (end frame: zeros)
            4   raw         decoded length in bytes (end frame: number of frames before it)
            4   stored      length of the payload in bytes
            ..  payload     (end frame: a JSON object)

A stream without its end frame was cut on the way: what came before it is sound all the same,
since each object is proved by its id.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

from oxcore.codec import canonical
from oxcore.errors import (
    FormatError,
    InvalidError,
    MissingError,
    OxError,
    UnreachableError,
    counted,
)
from oxcore.model.commits import Json
from oxcore.model.ids import ID_LEN, Kind
from oxcore.model.protocols import How, Stored
from oxcore.wire.errors import error_from, error_record
from oxcore.wire.shapes import id_list, parse_object

MAGIC = b"OXSTREAM"
VERSION = 1
HEADER = struct.pack("<8sB7x", MAGIC, VERSION)
FRAME = struct.Struct("<BB32sII")
MAX_OBJECT = 1 << 24
"""The largest object, decoded or as it travels: 16 MiB."""
PART = 1 << 20
"""About how many bytes ``encode_stream`` gives at once."""
END = 0
_ZEROS = bytes(ID_LEN)
_KINDS = frozenset(int(kind) for kind in Kind)
_HOWS = frozenset((int(How.RAW), int(How.ZSTD)))


def frame_header(item: Stored) -> bytes:
    """The 42 bytes before the payload of ``item``."""
    return FRAME.pack(item.kind, item.how, item.id, item.raw, len(item.payload))


def end_frame(count: int, missing: Iterable[bytes] = ()) -> bytes:
    """The end of a whole stream of ``count`` frames; ``missing`` are ids that were asked for and
    are not here."""
    record: dict[str, Json] = {"missing": [oid.hex() for oid in missing]}
    return _end(0, count, record)


def broken_frame(count: int, error: OxError) -> bytes:
    """The end of a stream that stops after ``count`` frames because of ``error``."""
    return _end(1, count, error_record(error))


def _end(how: int, count: int, record: Json) -> bytes:
    payload = canonical.dumps(record)
    return FRAME.pack(END, how, _ZEROS, count, len(payload)) + payload


def encode_stream(
    objects: Iterable[Stored], missing: Callable[[], Iterable[bytes]] = tuple, part: int = PART
) -> Iterator[bytes]:
    """The bytes of a stream in parts of about ``part`` bytes.

    ``missing`` is asked at the end for ids that could not be given. An ``OxError`` raised while
    ``objects`` is read goes into the end frame: the stream has begun, no status can tell it.
    """
    parts: list[bytes] = [HEADER]
    held = count = 0
    try:
        for item in objects:
            parts += (frame_header(item), item.payload)
            count += 1
            held += FRAME.size + len(item.payload)
            if held >= part:
                yield b"".join(parts)
                parts, held = [], 0
        parts.append(end_frame(count, missing()))
    except OxError as error:
        parts.append(broken_frame(count, error))
    yield b"".join(parts)


class _Pieces:
    """Takes exact lengths from an iterable of byte strings, copying each byte once."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._now = memoryview(b"")

    def take(self, length: int) -> bytes:
        """``length`` bytes, or fewer at the end of the input."""
        if length <= len(self._now):
            out = bytes(self._now[:length])
            self._now = self._now[length:]
            return out
        out_parts = [bytes(self._now)]
        need = length - len(self._now)
        while need:
            part = next(self._parts, None)
            if part is None:
                self._now = memoryview(b"")
                break
            self._now = memoryview(part)
            out_parts.append(bytes(self._now[:need]))
            self._now = self._now[need:]
            need -= len(out_parts[-1])
        return b"".join(out_parts)


class StreamReader:
    """Reads a stream: iterate for the objects, not verified yet.

    After the last one ``missing`` holds the ids that the sender does not have. Raises
    ``UnreachableError`` where the stream is cut, ``FormatError`` for another version,
    ``InvalidError`` for a frame that breaks the rules, and the sender's own error where an end
    frame carries one.
    """

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._pieces = _Pieces(parts)
        self.missing: list[bytes] = []
        self.count = 0

    def __iter__(self) -> Iterator[Stored]:
        self._check_header()
        while True:
            kind, how, oid, raw, stored = FRAME.unpack(self._exactly(FRAME.size))
            if kind == END:
                self._finish(how, oid, raw, stored)
                return
            _check_frame(kind, how, raw, stored)
            payload = self._exactly(stored)
            self.count += 1
            yield Stored(oid, kind, how, raw, payload)

    def require_all(self) -> None:
        """Raise ``MissingError`` if the sender lacked something."""
        if self.missing:
            raise MissingError(
                f"the other side lacks {counted(len(self.missing), 'object')}",
                items=[oid.hex() for oid in self.missing],
            )

    def _check_header(self) -> None:
        header = self._exactly(len(HEADER))
        if header[:8] != MAGIC:
            raise InvalidError("the stream does not start with its magic")
        if header != HEADER:
            raise FormatError(f"the stream is of version {header[8]}; this release reads {VERSION}")

    def _exactly(self, length: int) -> bytes:
        data = self._pieces.take(length)
        if len(data) != length:
            raise UnreachableError("the stream broke off before its end", hint="run it again")
        return data

    def _finish(self, how: int, oid: bytes, count: int, length: int) -> None:
        if length > MAX_OBJECT or how > 1 or oid != _ZEROS:
            raise InvalidError("the end frame of a stream breaks the format")
        record = parse_object(self._exactly(length), "an end frame")
        if how:
            raise error_from(record)
        if count != self.count:
            raise InvalidError(f"the stream has {self.count} frames and tells {count}")
        if self._pieces.take(1):
            raise InvalidError("bytes follow the end frame of a stream")
        self.missing = id_list(record.get("missing", []), "missing")


def _check_frame(kind: int, how: int, raw: int, stored: int) -> None:
    if kind not in _KINDS or how not in _HOWS:
        raise InvalidError(f"a frame of kind {kind}, how {how} is not allowed on the wire")
    if raw > MAX_OBJECT or stored > MAX_OBJECT:
        raise InvalidError(f"a frame of {max(raw, stored)} bytes is over {MAX_OBJECT}")
    if how == How.RAW and raw != stored:
        raise InvalidError("a raw frame has two different lengths")
