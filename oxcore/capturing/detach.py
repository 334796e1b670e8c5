"""The caller's objects into bytes of our own, so that nothing that happens to them later matters.

Arrays are told by the buffer protocol and images by their methods: no library of theirs is loaded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, TypeGuard, cast

from oxcore.capturing import media
from oxcore.capturing.plain import dumps_any, nearest
from oxcore.capturing.sound import wav
from oxcore.errors import InvalidError

_ORDER = "<" if sys.byteorder == "little" else ">"
# The format of a buffer -> kind of a NumPy type; its size comes from the buffer.
_KINDS = {**dict.fromkeys("bhilqn", "i"), **dict.fromkeys("BHILQN", "u"), "?": "b"}
_KINDS |= {**dict.fromkeys("efd", "f"), "Zf": "c", "Zd": "c"}
_LENDERS = (
    *(("getvalue",), ("model_dump",), ("to_dicts",), ("to_pylist",)),
    *(("cpu", "detach", "numpy"), ("__array__",)),
)
_MODES = {3: "RGB", 4: "RGBA"}
_AS_THEY_ARE = ("1", "L", "LA", "RGB", "RGBA", "I;16")
_WIDE = {"F": "f4", "I": "i4"}  # modes of Pillow whose pixels no picture file holds


class Pixels(NamedTuple):
    """Bytes that are to become a PNG: mode as Pillow names it, width and height."""

    mode: str
    width: int
    height: int


class Blob(NamedTuple):
    """An input, detached. ``pixels``: it is raw pixels still, and its type that of what they
    become; ``problem``: what had to be changed for JSON."""

    data: bytes
    mime: str
    pixels: Pixels | None = None
    problem: str = ""


class Held(NamedTuple):
    """An input that was detached before the model ran, and what was redacted of it."""

    blob: Blob | None
    done: tuple[str, ...] = ()


class _Image(Protocol):
    mode: str
    size: tuple[int, int]
    info: Mapping[object, object]

    def tobytes(self) -> bytes: ...
    def convert(self, mode: str) -> _Image: ...


def detach(value: object, mime: str | None = None) -> Blob | None:
    """The bytes of an input of any kind, None for None; ``mime`` stands before what is found.

    bytes, text, a path (the file is read), what JSON can say or nearly so, an array, an image, a
    recording (``sound.wav``), a table of rows, an open ``BytesIO``. Raises ``InvalidError`` for
    anything else, ``OSError`` for a path that cannot be read.
    """
    if value is None:
        return None
    found = _by_type(value) or _image(value) or _array(value) or _rows(value)
    found = found or _lent(value) or _near(value)
    if found is None:
        kind = type(value)
        raise InvalidError(
            f"an input of the type {kind.__module__}.{kind.__qualname__} cannot be kept",
            hint="hand over bytes, text, a path, a dict, an array or an image",
        )
    return found if mime is None or found.pixels else found._replace(mime=mime)


def _by_type(value: object) -> Blob | None:
    if isinstance(value, bytes):
        return Blob(value, media.mime_of_bytes(value))
    if isinstance(value, str):
        return Blob(value.encode("utf-8", "backslashreplace"), media.TEXT)
    if isinstance(value, bytearray):
        data = bytes(value)
        return Blob(data, media.mime_of_bytes(data))
    if isinstance(value, dict | list | tuple | bool | int | float):
        sound = wav(value)
        return _document(value) if sound is None else Blob(sound, media.WAV)
    if isinstance(value, os.PathLike):
        return _file(os.fspath(value))
    return None


def _document(value: object) -> Blob:
    data, problem = dumps_any(value)
    return Blob(data, media.JSON, problem=problem)


def _file(path: str | bytes) -> Blob:
    with open(path, "rb") as file:
        data = file.read()
    named = media.mime_of_name(os.fsdecode(path))
    return Blob(data, named or media.mime_of_bytes(data))


def _image(value: object) -> Blob | None:
    if not _is_image(value):
        return None
    if value.mode in _WIDE or (value.mode.startswith("I;16") and value.mode != "I;16"):
        image = value if value.mode in _WIDE else value.convert("I")
        head = _npy(f"{_ORDER}{_WIDE[image.mode]}", (image.size[1], image.size[0]))
        return Blob(head + image.tobytes(), media.NPY)
    clear = value.mode in ("PA", "La", "RGBa") or "transparency" in value.info
    image = value if value.mode in _AS_THEY_ARE else value.convert("RGBA" if clear else "RGB")
    return Blob(image.tobytes(), media.PNG, Pixels(image.mode, *image.size))


def _is_image(value: object) -> TypeGuard[_Image]:
    """Pillow's images have modes and bands, which nothing else has."""
    return all(hasattr(value, name) for name in ("mode", "size", "getbands", "tobytes"))


def _array(value: object) -> Blob | None:
    try:
        view = memoryview(value)  # type: ignore[arg-type]  # whether it has a buffer is the question
    except (TypeError, ValueError, BufferError):
        return None
    kind = _KINDS.get(view.format.lstrip("@=<>|"))
    if kind is None or view.shape is None:
        return None
    if type(value) is memoryview and view.ndim == 1 and kind == "u" and view.itemsize == 1:
        data = view.tobytes()
        return Blob(data, media.mime_of_bytes(data))
    if kind == "u" and view.itemsize == 1 and _looks_like_picture(view.shape):
        height, width, bands = view.shape
        return Blob(view.tobytes(), media.PNG, Pixels(_MODES[bands], width, height))
    order = ">" if view.format[0] == ">" else "|" if view.itemsize == 1 else _ORDER
    return Blob(_npy(f"{order}{kind}{view.itemsize}", view.shape) + view.tobytes(), media.NPY)


def _looks_like_picture(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 and shape[2] in _MODES and min(shape[:2]) > 1


def _npy(descr: str, shape: tuple[int, ...]) -> bytes:
    """The header of a .npy file, version 1.0 (numpy.lib.format), its end on a multiple of 64."""
    said = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape!r}, }}"
    room = -(len(said) + 11) % 64
    text = f"{said}{' ' * room}\n".encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def _rows(value: object) -> Blob | None:
    """The rows of a table of pandas, whose values may be of many types, by the names of columns."""
    method = getattr(value, "to_dict", None)
    if isinstance(value, type) or not callable(method) or not hasattr(value, "columns"):
        return None
    try:
        rows: object = method("records")
    except (TypeError, ValueError):
        return None
    return _document(rows)


def _lent(value: object) -> Blob | None:
    """What a method gives: tensors give an array, a ``BytesIO`` its bytes, models a dict, tables
    their rows."""
    for names in _LENDERS:
        held: object = value
        for name in names:
            method = getattr(held, name, None)
            if not callable(method):
                break
            try:
                held = cast("Callable[[], object]", method)()
            except (TypeError, ValueError, RuntimeError):  # as of a type that NumPy has not
                break
        else:
            found = _by_type(held) or _array(held)
            if found is not None:
                return found
    return None


def _near(value: object) -> Blob | None:
    """What JSON says of a value that is no plain one: a set, a dataclass, an array of text."""
    if isinstance(value, type):
        return None
    try:
        return _document(nearest(value))
    except Exception:  # noqa: BLE001 -- methods of the caller's objects raise anything
        return None
