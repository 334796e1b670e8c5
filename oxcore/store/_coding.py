"""How an object's bytes become a payload and back: raw, zstd, or zstd with a base as prefix."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from blake3 import blake3

from oxcore.codec.manifest import decode_manifest
from oxcore.errors import CorruptError
from oxcore.model.ids import CONTEXTS, ID_LEN, Buffer, Kind
from oxcore.model.protocols import How

if TYPE_CHECKING:
    import zstandard

MAX_RAW = 1 << 28  # bytes of one object; more is a lie that would eat the memory
_TINY = 64  # bytes; a zstd frame saves nothing here
_SAMPLE = 2048  # bytes that the probe compresses
_HOPEFUL = 0.97  # a sample above this share of its size: the object is stored as it is
_WORTH = 0.94  # what compression must reach to be kept
_BETTER = 0.98  # of what level 1 takes, what level 3 must reach to be worth its time
_TRIAL = 16  # chunks of a file that share one trial of that
_DENSE = 12  # chunks in a row that did not compress; then only every
_EVERY = 4  # so many of those that follow is tried

_CHUNK, _FILE = int(Kind.CHUNK), int(Kind.FILE)
_RAW, _ZSTD, _DELTA = int(How.RAW), int(How.ZSTD), int(How.DELTA)

# PNG, JPEG, GIF, WebP, gzip, zstd, bzip2, xz, 7z, deflated zip members, MP3, Ogg, FLAC, MP4 and
# AVIF, WebM: compressed already. A zip whose first member is only stored (.npz, .pt) is not.
_PACKED = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF.{4}WEBP|\x1f\x8b|\x28\xb5\x2f\xfd|BZh|\xfd7zXZ|7z\xbc\xaf"
    rb"|PK\x03\x04.{4}[^\0]|ID3|\xff[\xf2\xf3\xfb]|OggS|fLaC|.{4}ftyp|\x1a\x45\xdf\xa3",
    re.DOTALL,
)


Raw = TypeVar("Raw", bound=bytes | memoryview)


class _Tools(threading.local):
    """zstd contexts of one thread, since none may be used by two at once."""

    def __init__(self) -> None:
        import zstandard

        self.level = {level: zstandard.ZstdCompressor(level=level) for level in (1, 3)}
        self.unpack = zstandard.ZstdDecompressor()

    def pack(self, level: int) -> zstandard.ZstdCompressor:
        if level not in self.level:
            import zstandard

            self.level[level] = zstandard.ZstdCompressor(level=level)
        return self.level[level]


@cache
def _tools() -> _Tools:
    return _Tools()


def encode(data: Raw, level: int) -> tuple[int, Raw | bytes]:
    """``How`` and payload, whichever is the smaller by enough to be worth a decompression."""
    size = len(data)
    if size < _TINY or _PACKED.match(data):
        return _RAW, data
    tools = _tools()
    if size > 2 * _SAMPLE:
        start = (size - _SAMPLE) // 2
        sample = tools.pack(1).compress(data[start : start + _SAMPLE])
        if len(sample) > _SAMPLE * _HOPEFUL:
            return _RAW, data
    payload = tools.pack(level).compress(data)
    return (_ZSTD, payload) if len(payload) <= size * _WORTH else (_RAW, data)


def encode_run(datas: Sequence[Raw], level: int) -> list[tuple[int, Raw | bytes]]:
    """``encode`` for neighbouring chunks of one file, which are likely of a kind: at level 3
    instead of 1 where a trial tells that it saves, and with fewer trials where nothing does."""
    done: list[tuple[int, Raw | bytes]] = []
    best, until, dense = level, 0, 0
    for place, data in enumerate(datas):
        if dense >= _DENSE and place % _EVERY:
            done.append((_RAW, data))
            continue
        how, payload = encode(data, best)
        dense = dense + 1 if how == _RAW else 0
        if how == _ZSTD and level == 1 and place >= until:
            until = place + _TRIAL
            how, payload, best = _trial(data, payload, best)
        done.append((how, payload))
    return done


def _trial(data: Buffer, payload: Raw, best: int) -> tuple[int, Raw | bytes, int]:
    """``How``, payload and the level, 1 or 3, for the chunks that follow."""
    other = _tools().pack(4 - best).compress(data)
    weak, strong = (payload, other) if best == 1 else (other, payload)
    if len(strong) < len(weak) * _BETTER:
        return _ZSTD, strong, 3
    return _ZSTD, weak, 1


def encode_delta(data: Buffer, base_id: bytes, base: bytes) -> bytes:
    """The payload of ``data`` as a delta against ``base``."""
    import zstandard

    # Level 1 leaves most matches unseen: its table is too small for two chunks.
    prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return base_id + zstandard.ZstdCompressor(level=3, dict_data=prefix).compress(data)


def base_of(payload: Buffer) -> bytes:
    """The id of the base that a ``DELTA`` payload names."""
    if len(payload) <= ID_LEN:
        raise CorruptError("a delta is cut short")
    return bytes(payload[:ID_LEN])


def decode(how: int, payload: Raw, raw: int) -> Raw | bytes:
    """The ``raw`` bytes of a payload that needs no base; ``CorruptError`` if there are not."""
    if how == _RAW:
        if len(payload) != raw:
            raise CorruptError("the stored length is wrong")
        return payload
    if how != _ZSTD:
        raise CorruptError(f"unknown encoding {how}")
    return _unpack(_tools().unpack, payload, raw)


def decode_delta(payload: bytes, raw: int, base: bytes) -> bytes:
    """The ``raw`` bytes of a ``DELTA`` payload; ``CorruptError`` if there are not."""
    import zstandard

    prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return _unpack(zstandard.ZstdDecompressor(dict_data=prefix), payload[ID_LEN:], raw)


def _unpack(tool: zstandard.ZstdDecompressor, frame: Buffer, raw: int) -> bytes:
    import zstandard

    try:
        # The frame's own claim decides how much memory is taken: it is checked first.
        if raw > MAX_RAW or zstandard.frame_content_size(frame) != raw:
            raise CorruptError("the decoded length is wrong")
        data = tool.decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise CorruptError(f"not a sound zstd frame: {error}") from error
    if len(data) != raw:
        raise CorruptError("the decoded length is wrong")
    return data


def prove(oid: bytes, kind: int, data: Buffer) -> None:
    """``CorruptError`` unless ``data`` is an object of this kind and id.

    A ``FILE`` manifest is only checked to be one: its id is that of the content.
    """
    if kind == _CHUNK:
        sound = blake3(data).digest() == oid
    elif kind == _FILE:
        decode_manifest(bytes(data))
        return
    elif kind in CONTEXTS:
        sound = blake3(data, derive_key_context=CONTEXTS[Kind(kind)]).digest() == oid
    else:
        raise CorruptError(f"unknown kind of object {kind}")
    if not sound:
        raise CorruptError("the bytes do not give the id")
