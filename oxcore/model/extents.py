"""Bytes that lie in a file which is open already, to be copied without a look at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from oxcore.model.ids import Buffer


class OpenFile(Protocol):
    """An open file; it stays open while this is held."""

    def fileno(self) -> int:
        """Its handle."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes from ``offset``; ``CorruptError`` if they cannot be read."""
        ...


class Extent(NamedTuple):
    """``size`` bytes of a file, from ``offset`` on."""

    file: OpenFile
    offset: int
    size: int


class Extents:
    """The bytes of a file of the store, in order: extents of packs, and what had to be decoded.
    Nothing of them is proved: whoever writes them proves the whole by its id."""

    def __init__(self, pieces: Iterable[Buffer | Extent]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[Buffer | Extent]:
        return iter(self._pieces)
