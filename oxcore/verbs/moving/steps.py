"""Many changes of files in columns: a million of them in about 150 MB instead of 400."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

from oxcore.model.entries import Change, Entry

_BOTH = struct.Struct("<BQ32sBQ32s")  # the entries before and after, mode 0: there is none
_ENTRY = struct.Struct("<BQ32s")
_SIDE = _ENTRY.size  # bytes of one, packed as at the end of a row of the stat cache
_NONE = (0, 0, b"")
_MOST = 2048  # files of one run


class Steps(Sequence[Change]):
    """Changes by path, ascending; ``paths`` is their first column."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self.paths: list[bytes] = []
        self._sides = sides = bytearray()
        note, pack = self.paths.append, _BOTH.pack
        for path, old, new in changes:
            note(path)
            sides += pack(*(old or _NONE), *(new or _NONE))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> Change:  # type: ignore[override]
        row = _BOTH.unpack_from(self._sides, place * _BOTH.size)
        return _change(self.paths[place], row)

    def __iter__(self) -> Iterator[Change]:
        return map(_change, self.paths, _BOTH.iter_unpack(self._sides))

    def modes(self, start: int, stop: int) -> tuple[bytes, bytes]:
        """The modes before and after from ``start`` up to ``stop``, 0 where there is no file."""
        low, high, step = start * _BOTH.size, stop * _BOTH.size, _BOTH.size
        return bytes(self._sides[low:high:step]), bytes(self._sides[low + _SIDE : high : step])

    def gone(self) -> list[bytes]:
        """The paths where there is no file after."""
        modes = self.modes(0, len(self))[1]
        return [path for path, mode in zip(self.paths, modes, strict=True) if not mode]

    def new(self, place: int) -> Entry:
        """The entry after; there must be one."""
        return Entry(*_ENTRY.unpack_from(self._sides, place * _BOTH.size + _SIDE))

    def size(self, place: int) -> int:
        """The size after, in bytes; 0 where there is no file."""
        start = place * _BOTH.size + _SIDE + 1
        return int.from_bytes(self._sides[start : start + 8], "little")

    def packed_new(self, place: int) -> bytes:
        """The entry after, as it stands at the end of a row of the stat cache."""
        end = (place + 1) * _BOTH.size
        return bytes(self._sides[end - _SIDE : end])

    def packed_news(self, start: int, stop: int) -> bytes:
        """``packed_new`` from ``start`` up to ``stop``, one behind the other."""
        ends = range((start + 1) * _BOTH.size, (stop + 1) * _BOTH.size, _BOTH.size)
        return b"".join([self._sides[end - _SIDE : end] for end in ends])

    def runs(self) -> Iterator[tuple[bytes, int, int]]:
        """A folder, start and stop of neighbours in it, for all steps."""
        start, base, folder = 0, b"", b""
        for place, path in enumerate(self.paths):
            same = path.startswith(base) and path.find(b"/", len(base)) < 0
            if same and place - start < _MOST:
                continue
            if place > start:
                yield folder, start, place
            start, folder = place, path.rpartition(b"/")[0]
            base = folder + b"/" if folder else b""
        if start < len(self.paths):
            yield folder, start, len(self.paths)


def _change(path: bytes, row: tuple[int, int, bytes, int, int, bytes]) -> Change:
    old = Entry(*row[:3]) if row[0] else None
    return Change(path, old, Entry(*row[3:]) if row[3] else None)
