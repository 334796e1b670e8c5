"""The fast cuts, by pyfastcdc, over a buffer or over a stream of any length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from oxcore.chunk._params import LEVEL, ChunkParams

if TYPE_CHECKING:
    from pyfastcdc import FastCDC

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


def iter_chunks(
    read: Callable[[int], bytes], params: ChunkParams, window: int = 8 << 20
) -> Iterator[memoryview]:
    """Cut a stream of any length in bounded memory (`window` bytes, and a little).

    `read(n)` gives 1 to `n` bytes, or `b""` at the end: the `read` of a binary file, best an
    unbuffered one. The pieces are those of one `cut` over all the bytes, whatever `window` is; it
    is raised to twice the maximum where it is less. A piece is valid until the next step: its bytes
    are then overwritten.
    """
    buffer = memoryview(bytearray(max(window, 2 * params.maximum)))
    filled, final = 0, False
    while not final:
        filled, final = _fill(read, buffer, filled)
        view, start = buffer[:filled].toreadonly(), 0
        for end in cut(view, params, final=final):
            yield view[start:end]
            start = end
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
