"""Recordings as programs hand them round, a rate and an array of samples, as WAV: the samples stay
as they are."""

from __future__ import annotations

import struct
from collections.abc import Mapping

_PCM, _FLOAT = 1, 3  # WAVE_FORMAT_PCM and WAVE_FORMAT_IEEE_FLOAT of RFC 2361
_FORMATS = {"B": _PCM, "h": _PCM, "i": _PCM, "f": _FLOAT, "d": _FLOAT}
_NAMES = {"array", "sampling_rate"}
_MOST_RATE, _MOST_CHANNELS = 1_000_000, 16


def wav(value: object) -> bytes | None:
    """The WAV of ``(rate, samples)``, as Gradio has it, or of ``{"array", "sampling_rate"}``, as
    datasets have it; None for anything else.

    Samples are a little-endian array of (time,) or (time, channels), of uint8, int16, int32,
    float32 or float64.
    """
    rate, samples = _parted(value)
    if type(rate) is not int or not 0 < rate <= _MOST_RATE:
        return None
    try:
        view = memoryview(samples)  # type: ignore[arg-type]  # whether it has a buffer is the question
    except (TypeError, ValueError, BufferError):
        return None
    kind = _FORMATS.get(view.format.lstrip("<=@"))
    if kind is None or view.shape is None or not _sounds(view.shape) or isinstance(samples, bytes):
        return None
    channels = view.shape[1] if view.ndim == 2 else 1
    frame = channels * view.itemsize
    head = struct.pack("<HHIIHH", kind, channels, rate, rate * frame, frame, 8 * view.itemsize)
    data = view.tobytes()
    parts = (b"WAVEfmt ", struct.pack("<I", len(head)), head, b"data", struct.pack("<I", len(data)))
    body = b"".join((*parts, data, b"\0" * (len(data) % 2)))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _parted(value: object) -> tuple[object, object]:
    if isinstance(value, tuple) and len(value) == 2:
        return value[0], value[1]
    if isinstance(value, Mapping) and _NAMES <= set(value) <= {*_NAMES, "path"}:
        return value["sampling_rate"], value["array"]
    return None, None


def _sounds(shape: tuple[int, ...]) -> bool:
    """(time,), or (time, channels)."""
    return len(shape) == 1 or (len(shape) == 2 and 0 < shape[1] <= _MOST_CHANNELS)
