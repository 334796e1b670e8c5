"""Object frames and the streams they make.

Layout (integers little-endian), see docs/protocol.md:

    stream  16  header: magic "OXSTREAM", version 2, seven zero bytes
            ..  frames: one object each, or a run of objects
            ..  one end frame
    frame   1   kind        (0: end frame; 7: a run)
            1   how         (end frame: 0 complete, 1 broken off; run: 0)
            32  id          (end frame, run: zeros)
            4   raw         decoded length in bytes (end frame: number of objects before it; run:
                            number n of its objects)
            4   stored      length of the payload in bytes
            ..  payload     (end frame: a JSON object; run: columns, then the n payloads)
    columns 32 n  ids
            4 n   lengths of the payloads
            4 n   decoded lengths
            n     kinds
            n     hows

Version 1 had no runs. A stream without its end frame was cut on the way: what came before it is
sound all the same, since each object is proved by its id.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from oxcore.codec import canonical
from oxcore.codec.pack import pack_u32, unpack_u32
from oxcore.errors import (
    FormatError,
    InvalidError,
    MissingError,
    OxError,
    UnreachableError,
    counted,
)
from oxcore.model.commits import Json
from oxcore.model.ids import ID_LEN, Buffer, Kind
from oxcore.model.protocols import How, Stored
from oxcore.model.run import U32, Run, run_of
from oxcore.wire.errors import error_from, error_record
from oxcore.wire.shapes import id_list, parse_object

MAGIC = b"OXSTREAM"
VERSION = 2
HEADER = struct.pack("<8sB7x", MAGIC, VERSION)
FRAME = struct.Struct("<BB32sII")
MAX_OBJECT = 1 << 24
"""The largest object, decoded or as it travels: 16 MiB."""
MAX_RUN = 1 << 25
"""The longest payload of a run frame: 32 MiB."""
MAX_COUNT = 65_536
"""A run has at most so many objects."""
PART = 1 << 18
"""From how many bytes on ``encode_stream`` gives a part; the payload of a run is one by itself."""
END = 0
RUN = 7
_ROW = ID_LEN + 4 + 4 + 1 + 1  # bytes of the columns for each object
_GATHER = 256  # objects of single frames that are given as one run
_ZEROS = bytes(ID_LEN)
_KINDS = frozenset(int(kind) for kind in Kind)
_ALLOWED = {(kind, int(how)) for kind in _KINDS for how in (How.RAW, How.ZSTD)}
_ALLOWED.add((int(Kind.CHUNK), int(How.DELTA)))
_KIND_BYTES = bytes(Kind)
_RAW = int(How.RAW)
_HEADERS = tuple(struct.pack("<8sB7x", MAGIC, version) for version in range(1, VERSION + 1))


def frame_header(item: Stored) -> bytes:
    """The 42 bytes before the payload of ``item``."""
    return FRAME.pack(item.kind, item.how, item.id, item.raw, len(item.payload))


def run_header(run: Run) -> bytes:
    """All of the frame of ``run`` but the payloads of its objects."""
    count = len(run.ids)
    length = count * _ROW + len(run.blob)
    stored, raws = (array(U32, column) for column in (run.stored, run.raws))
    columns = (*run.ids, pack_u32(stored), pack_u32(raws), run.kinds, run.hows)
    return b"".join((FRAME.pack(RUN, 0, _ZEROS, count, length), *columns))


def end_frame(count: int, missing: Iterable[bytes] = ()) -> bytes:
    """The end of a whole stream of ``count`` objects; ``missing`` are ids that were asked for and
    are not here."""
    record: dict[str, Json] = {"missing": [oid.hex() for oid in missing]}
    return _end(0, count, record)


def broken_frame(count: int, error: OxError) -> bytes:
    """The end of a stream that stops after ``count`` objects because of ``error``."""
    return _end(1, count, error_record(error))


def _end(how: int, count: int, record: Json) -> bytes:
    payload = canonical.dumps(record)
    return FRAME.pack(END, how, _ZEROS, count, len(payload)) + payload


def encode_stream(
    runs: Iterable[Run], missing: Callable[[], Iterable[bytes]] = tuple, part: int = PART
) -> Iterator[Buffer]:
    """The bytes of a stream in parts: small runs together until they have ``part`` bytes, the
    payload of a larger one by itself.

    ``missing`` is asked at the end for ids that could not be given. An ``OxError`` raised while
    ``runs`` is read goes into the end frame: the stream has begun, no status can tell it.
    """
    parts: list[Buffer] = [HEADER]
    held = count = 0
    try:
        for run in runs:
            parts.append(run_header(run))
            count += len(run.ids)
            held += len(parts[-1])
            if len(run.blob) >= part:
                yield b"".join(parts)
                yield run.blob
                parts, held = [], 0
                continue
            parts.append(run.blob)
            held += len(run.blob)
            if held >= part:
                yield b"".join(parts)
                parts, held = [], 0
        parts.append(end_frame(count, missing()))
    except OxError as error:
        parts.append(broken_frame(count, error))
    yield b"".join(parts)


class _Pieces:
    """Takes exact lengths from an iterable of byte strings, copying each byte once at most."""

    def __init__(self, parts: Iterable[Buffer]) -> None:
        self._parts = iter(parts)
        self._now = memoryview(b"")

    def take(self, length: int) -> Buffer:
        """``length`` bytes, or fewer at the end of the input."""
        while not self._now and (part := next(self._parts, None)) is not None:
            self._now = memoryview(part)
        if length <= len(self._now):
            out, self._now = self._now[:length], self._now[length:]
            return out
        out_parts, need = [self._now], length - len(self._now)
        while need and (part := next(self._parts, None)) is not None:
            self._now = memoryview(part)
            out_parts.append(self._now[:need])
            need -= len(out_parts[-1])
        self._now = self._now[len(out_parts[-1]) :]
        return b"".join(out_parts)


class StreamReader:
    """Reads a stream: iterate for runs of objects, not verified yet.

    After the last one ``missing`` holds the ids that the sender does not have. Raises
    ``UnreachableError`` where the stream is cut, after the objects that came whole; ``FormatError``
    for another version, ``InvalidError`` for a frame that breaks the rules, and the sender's own
    error where an end frame carries one.
    """

    def __init__(self, parts: Iterable[Buffer]) -> None:
        self._pieces = _Pieces(parts)
        self._single: list[Stored] = []
        self.missing: list[bytes] = []
        self.count = 0

    def __iter__(self) -> Iterator[Run]:
        self._check_header()
        try:
            while True:
                kind, how, oid, raw, stored = FRAME.unpack(self._exactly(FRAME.size))
                if kind == END:
                    yield from self._gathered()
                    self._finish(how, oid, raw, stored)
                    return
                if kind == RUN:
                    yield from self._gathered()
                    yield from self._run(how, oid, raw, stored)
                    continue
                self._add(kind, how, oid, raw, stored)
                if len(self._single) >= _GATHER:
                    yield from self._gathered()
        except UnreachableError:
            yield from self._gathered()
            raise

    def require_all(self) -> None:
        """Raise ``MissingError`` if the sender lacked something."""
        if self.missing:
            raise MissingError(
                f"the other side lacks {counted(len(self.missing), 'object')}",
                items=[oid.hex() for oid in self.missing],
            )

    def _check_header(self) -> None:
        header = bytes(self._exactly(len(HEADER)))
        if header[:8] != MAGIC:
            raise InvalidError("the stream does not start with its magic")
        if header not in _HEADERS:
            raise FormatError(
                f"the stream is of version {header[8]}; this release reads 1 to {VERSION}"
            )

    def _exactly(self, length: int) -> Buffer:
        data = self._pieces.take(length)
        if len(data) != length:
            raise _cut()
        return data

    def _add(self, kind: int, how: int, oid: bytes, raw: int, stored: int) -> None:
        _check_object(kind, how, raw, stored)
        self._single.append(Stored(oid, kind, how, raw, bytes(self._exactly(stored))))
        self.count += 1

    def _gathered(self) -> Iterator[Run]:
        items, self._single = self._single, []
        if items:
            yield run_of(items)

    def _run(self, how: int, oid: bytes, count: int, length: int) -> Iterator[Run]:
        """The run of a frame; of one that is cut, the objects that came whole."""
        head = count * _ROW
        if how or oid != _ZEROS or not 0 < count <= MAX_COUNT or not head <= length <= MAX_RUN:
            raise InvalidError("the frame of a run breaks the format")
        run = _columns(bytes(self._exactly(head)), count)
        _check_run(run, length - head)
        blob = self._pieces.take(length - head)
        if len(blob) == length - head:
            self.count += count
            yield run._replace(blob=blob)
            return
        whole = bisect_right(list(accumulate(run.stored)), len(blob))
        if whole:
            yield run.head(whole, blob)
        raise _cut()

    def _finish(self, how: int, oid: bytes, count: int, length: int) -> None:
        if length > MAX_OBJECT or how > 1 or oid != _ZEROS:
            raise InvalidError("the end frame of a stream breaks the format")
        record = parse_object(bytes(self._exactly(length)), "an end frame")
        if how:
            raise error_from(record)
        if count != self.count:
            raise InvalidError(f"the stream has {self.count} objects and tells {count}")
        if self._pieces.take(1):
            raise InvalidError("bytes follow the end frame of a stream")
        self.missing = id_list(record.get("missing", []), "missing")


def _cut() -> UnreachableError:
    return UnreachableError("the stream broke off before its end", hint="run it again")


def _columns(data: bytes, count: int) -> Run:
    """The columns of a run frame, without payloads."""
    ids, stored, raws, kinds = accumulate((ID_LEN * count, 4 * count, 4 * count, count))
    return Run(
        [data[at : at + ID_LEN] for at in range(0, ids, ID_LEN)],
        data[raws:kinds],
        data[kinds:],
        unpack_u32(data[stored:raws]),
        unpack_u32(data[ids:stored]),
        b"",
    )


def _check_run(run: Run, length: int) -> None:
    if sum(run.stored) != length:
        raise InvalidError("the lengths in a run do not add up")
    plain = run.hows.count(_RAW) == len(run.ids) and run.raws == run.stored
    if not plain or run.kinds.strip(_KIND_BYTES) or max(run.raws) > MAX_OBJECT:
        for row in zip(run.kinds, run.hows, run.raws, run.stored, strict=True):
            _check_object(*row)


def _check_object(kind: int, how: int, raw: int, stored: int) -> None:
    if (kind, how) not in _ALLOWED:
        raise InvalidError(f"a frame of kind {kind}, how {how} is not allowed on the wire")
    if raw > MAX_OBJECT or stored > MAX_OBJECT:
        raise InvalidError(f"a frame of {max(raw, stored)} bytes is over {MAX_OBJECT}")
    if how == How.RAW and raw != stored:
        raise InvalidError("a raw frame has two different lengths")
