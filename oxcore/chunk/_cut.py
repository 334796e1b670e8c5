"""The fast cuts, by pyfastcdc, over a buffer or over a stream of any length."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from oxcore.chunk._params import LEVEL, ChunkParams

if TYPE_CHECKING:
    from pyfastcdc import FastCDC

SEAMED = 2 << 20
"""Bytes from which on a table is cut at its seams: shorter ones are cut by their bytes alone."""
PARQUET = b"PAR1"
ARROW_FILE, ARROW_STREAM = b"ARROW1", b"\xff\xff\xff\xff"
_PART = 256 << 10  # bytes a read: what is copied on is still in the processor's cache


def cut(buffer: bytes | bytearray | memoryview, params: ChunkParams, *, final: bool) -> list[int]:
    """Give the end offsets of the chunks of `buffer`, rising.

    With `final` the last offset is the length of the buffer (an empty one has no chunk). Without it
    the buffer is the beginning of more to come, and the last piece is left out where more bytes
    could still change its cut: the next buffer must begin where the last given chunk ends. A buffer
    of `params.maximum` bytes or more always gives at least one chunk, and less than
    `params.maximum` bytes are left out.

    Releases the GIL while it looks for a cut. Raises `TypeError` for a buffer that is not
    contiguous. The slow twin is `cut_slow`.
    """
    view = memoryview(buffer).cast("B")  # the library would misread one with strides
    size = len(view)
    if size <= params.minimum:
        return [size] if final and size else []
    ends = [chunk.offset + chunk.length for chunk in _cutter(params).cut_buf(view)]
    if not final and size - (ends[-2] if len(ends) > 1 else 0) < params.maximum:
        # Within a buffer a cut rests on bytes that are there; only its end is an accident.
        ends.pop()
    return ends


def may_have_seams(head: bytes | memoryview, size: int) -> bool:
    """Whether a file of ``size`` bytes that begins with ``head`` is worth ``find_seams``."""
    return size >= SEAMED and bytes(head[:8]).startswith((PARQUET, ARROW_FILE, ARROW_STREAM))


def cut_at(
    buffer: bytes | bytearray | memoryview,
    params: ChunkParams,
    *,
    final: bool,
    start: int,
    places: Sequence[int],
) -> list[int]:
    """``cut`` for a buffer that lies at ``start`` in a file that is cut at ``places`` as well.

    Every chunk but the last of the file is as long as ``params`` allow. Less than ``maximum`` +
    ``minimum`` bytes are left out; buffers of any size give the cuts of one pass.
    """
    view = memoryview(buffer).cast("B")
    ends, at, following = list[int](), 0, bisect_right(places, start)
    while following < len(places) and places[following] - start <= len(view):
        stop = places[following] - start
        ends += _even([at + end for end in cut(view[at:stop], params, final=True)], at, params)
        at, following = stop, following + 1
    tail = [at + end for end in cut(view[at:], params, final=final)]
    if following < len(places) and not final:
        near = places[following] - start - params.minimum
        tail = [end for end in tail if end <= near]  # of the others it is not known yet
    return ends + tail


def _even(ends: list[int], start: int, params: ChunkParams) -> list[int]:
    """The ends of a part that begins at ``start``, its last chunk not shorter than the least."""
    if len(ends) < 2 or ends[-1] - ends[-2] >= params.minimum:
        return ends
    before = ends[-3] if len(ends) > 2 else start
    if ends[-1] - before <= params.maximum:
        return [*ends[:-2], ends[-1]]
    return [*ends[:-2], ends[-1] - params.minimum, ends[-1]]


def iter_chunks(
    read: Callable[[int], bytes],
    params: ChunkParams,
    window: int = 8 << 20,
    places: Sequence[int] = (),
) -> Iterator[memoryview]:
    """Cut a stream of any length in bounded memory (`window` bytes, and a little).

    `read(n)` gives 1 to `n` bytes, or `b""` at the end: the `read` of a binary file, best an
    unbuffered one. The pieces are those of one `cut` over all the bytes, and at `places` of them
    (`cut_places`), whatever `window` is; it
    is raised to twice the maximum where it is less. A piece is valid until the next step: its bytes
    are then overwritten.
    """
    buffer = memoryview(bytearray(max(window, 2 * params.maximum)))
    filled, final, done = 0, False, 0
    while not final:
        filled, final = _fill(read, buffer, filled)
        view, start = buffer[:filled].toreadonly(), 0
        for end in cut_at(view, params, final=final, start=done, places=places):
            yield view[start:end]
            start = end
        done += start
        rest = bytes(view[start:])
        buffer[: len(rest)] = rest
        filled = len(rest)


def _fill(read: Callable[[int], bytes], buffer: memoryview, filled: int) -> tuple[int, bool]:
    """Read on from `filled` to the end of `buffer`; tell where it got to, and if that was all."""
    while filled < len(buffer):
        data = read(min(_PART, len(buffer) - filled))
        if not data:
            return filled, True
        buffer[filled : filled + len(data)] = data
        filled += len(data)
    return filled, False


@lru_cache(maxsize=8)
def _cutter(params: ChunkParams) -> FastCDC:
    """Make the library's cutter, which threads may share: `cut_buf` only reads its settings."""
    from pyfastcdc import FastCDC  # 24 ms, and a verb that meets no large file never needs it

    return FastCDC(
        params.mean,
        min_size=params.minimum,
        max_size=params.maximum,
        normalized_chunking=LEVEL,
    )
