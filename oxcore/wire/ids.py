"""Runs of ids and of yes-or-no answers, as they travel."""

from __future__ import annotations

from collections.abc import Sequence

from oxcore.errors import InvalidError
from oxcore.model.ids import ID_LEN

MAX_IDS = 65_536
"""A request names at most so many ids."""


def pack_ids(oids: Sequence[bytes]) -> bytes:
    """The ids one after the other, 32 bytes each."""
    return b"".join(oids)


def unpack_ids(data: bytes) -> list[bytes]:
    """The ids of a body; ``InvalidError`` for a part of an id or more than ``MAX_IDS``."""
    if len(data) % ID_LEN:
        raise InvalidError(f"a list of ids has {len(data)} bytes, which is no multiple of {ID_LEN}")
    if len(data) > ID_LEN * MAX_IDS:
        raise InvalidError(f"a request names at most {MAX_IDS} ids")
    return [data[start : start + ID_LEN] for start in range(0, len(data), ID_LEN)]


def pack_bits(flags: Sequence[bool]) -> bytes:
    """One bit a flag, the first in the lowest bit of the first byte, zeros at the end."""
    number = int("".join("1" if flag else "0" for flag in reversed(flags)) or "0", 2)
    return number.to_bytes((len(flags) + 7) // 8, "little")


def unpack_bits(data: bytes, count: int) -> list[bool]:
    """The ``count`` flags of an answer; ``InvalidError`` if it is of another length."""
    if len(data) != (count + 7) // 8:
        raise InvalidError(f"an answer of {len(data)} bytes does not fit {count} ids")
    text = f"{int.from_bytes(data, 'little'):0{max(count, 1)}b}"
    if len(text) > max(count, 1):
        raise InvalidError("an answer has bits beyond its last id")
    return [digit == "1" for digit in reversed(text)][:count]
