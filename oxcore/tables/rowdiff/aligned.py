"""Which stretches of two files of lines are the same bytes: nothing is parsed.

Both files are read side by side. Where they part, the next line that both have is looked for
nearby, and from there they go on together. What is found is always true; what is moved far, or
lies between edits that are close together, is not found, and is compared row by row like all else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO, NamedTuple

from oxcore.tables.rowdiff.span import Bounds, Span

BLOCK = 256 << 10  # bytes read at once
LONGEST = 8 << 20  # bytes of a line
ENOUGH = 16 << 20  # bytes after which files that share less than a quarter are given up
LEAST = 4 << 10  # bytes of a stretch that is worth to be told
HELD = 32 << 20  # bytes outside of the stretches that are held in memory
_STEP = 4 << 10  # bytes compared first
_WINDOWS = (16, 256, 4096)  # lines among which the next common one is looked for


class Stretch(NamedTuple):
    """The same whole lines in both files: where they start in bytes, and after how many lines."""

    old: int
    new: int
    size: int
    old_line: int
    new_line: int
    lines: int


class Alignment(NamedTuple):
    """What both files share, in order; where both end in bytes, and how many lines they have.
    ``plain``: no carriage return stands alone. ``rest``: all bytes of either file outside of the
    stretches; None where they are too many to be held."""

    stretches: list[Stretch]
    sizes: tuple[int, int]
    lines: tuple[int, int]
    plain: bool
    rest: tuple[bytes, bytes] | None


Equal = Callable[[int, int], int]


def align(
    old: BinaryIO, new: BinaryIO, equal: Equal | None = None, span: Span | None = None
) -> Alignment | None:
    """What two files share; None if that is little, or a line is longer than ``LONGEST``.

    ``span``: of these bytes alone, which are whole lines, counted from 0. ``equal(a, b)``: how
    many bytes from these places on are known to be the same.
    """
    one, two = span or (None, None)
    walk = _Walk(_File(old, one), _File(new, two), equal or _unknown)
    return walk.found() if walk.run() else None


def joined(parts: Sequence[Alignment]) -> Alignment:
    """What two files share, of which each of these is a span, in order and without a gap."""
    stretches: list[Stretch] = []
    old_line = new_line = 0
    for part in parts:
        for one in part.stretches:
            moved = one._replace(old_line=old_line + one.old_line, new_line=new_line + one.new_line)
            before = stretches[-1] if stretches else None
            if before and (before.old + before.size, before.new + before.size) == moved[:2]:
                size, lines = before.size + moved.size, before.lines + moved.lines
                stretches[-1] = before._replace(size=size, lines=lines)
            else:
                stretches.append(moved)
        old_line, new_line = old_line + part.lines[0], new_line + part.lines[1]
    rests = [part.rest for part in parts if part.rest is not None]
    rest = b"".join(one for one, _ in rests), b"".join(two for _, two in rests)
    held = rest if len(rests) == len(parts) and max(map(len, rest)) <= HELD else None
    plain = all(part.plain for part in parts)
    return Alignment(stretches, parts[-1].sizes, (old_line, new_line), plain, held)


def _unknown(_old: int, _new: int) -> int:
    return 0


class _File:
    """A file read in order: ``data[start:]`` is what comes next, from byte ``at``, which is the
    start of line ``line``."""

    def __init__(self, file: BinaryIO, bounds: Bounds | None) -> None:
        self._file = file
        self.first = bounds[0] if bounds else 0
        self._end = bounds[1] if bounds else None
        self.at = self.first
        self.line = self.start = 0
        self.data = b""
        self.ended = False

    def need(self, size: int) -> int:
        """Read on to at least ``size`` bytes, if there are as many; gives how many there are."""
        while (known := len(self.data) - self.start) < size and not self.ended:
            here, wanted = self.at + known, max(size - known, BLOCK)
            self._file.seek(here)
            more = self._file.read(wanted if self._end is None else min(wanted, self._end - here))
            self.data, self.start = self.data[self.start :] + more, 0
            self.ended = not more
        return known

    def skip(self, size: int, lines: int) -> None:
        """Go on by as many bytes, read or not."""
        self.start = min(self.start + size, len(self.data))
        self.at += size
        self.line += lines

    def next(self, size: int) -> bytes:
        """The next bytes, which were read."""
        return self.data[self.start : self.start + size]

    def whole(self, size: int) -> int:
        """How many of the next ``size`` bytes are whole lines."""
        return self.data.rfind(b"\n", self.start, self.start + size) + 1 - self.start

    def lines(self, most: int) -> list[bytes]:
        """The next lines, at most so many, as far as they were read."""
        found: list[bytes] = []
        data, start = self.data, self.start
        while len(found) < most and (end := data.find(b"\n", start) + 1):
            found.append(data[start:end])
            start = end
        if self.ended and len(found) < most and start < len(data):
            found.append(data[start:])
        return found


class _Walk:
    """Both files at the start of a line each."""

    def __init__(self, old: _File, new: _File, equal: Equal) -> None:
        self._old, self._new, self._equal = old, new, equal
        self._stretches: list[Stretch] = []
        self._plain = True
        self._open: Stretch | None = None
        self._short = b""  # what an open stretch holds that may not be worth to be told
        self._rest = bytearray(), bytearray()
        self._size = BLOCK
        self._common = 0

    def run(self) -> bool:
        """Go to the end of both; False for a line that is too long, or if they share nothing."""
        while self._size <= LONGEST and not self._idle():
            if self._known() or self._together() or self._apart():
                self._size = BLOCK
            elif self._old.ended and self._new.ended:
                self._close()
                return True
            else:
                self._size *= 2  # no line ends in what was read
        return False

    def _idle(self) -> bool:
        """Whether a good part of the files has less in common than is worth the reading."""
        gone = self._old.at - self._old.first
        return gone > ENOUGH and self._common * 4 < gone

    def found(self) -> Alignment:
        """What was found on the way."""
        old, new = self._old, self._new
        sizes, lines = (old.at, new.at), (old.line, new.line)
        held = max(map(len, self._rest)) <= HELD
        rest = (bytes(self._rest[0]), bytes(self._rest[1])) if held else None
        return Alignment(self._stretches, sizes, lines, self._plain, rest)

    def _known(self) -> bool:
        """Go over lines that are known to be the same: only one file is read."""
        known = self._equal(self._old.at, self._new.at)
        if known < BLOCK:
            return False
        return self._shared(self._old.whole(min(known, self._old.need(self._size))))

    def _together(self) -> bool:
        """Go over the lines from here on that are the same."""
        one, two = self._old, self._new
        most = min(one.need(self._size), two.need(self._size))
        size = _common(one, two, most)
        if one.ended and two.ended and size == one.need(0) == two.need(0):
            return self._shared(size)
        return self._shared(one.whole(size))

    def _shared(self, size: int) -> bool:
        if size <= 0:
            return False
        lines = self._look(self._old, size)
        self._common += size
        if self._open is None:
            self._open = Stretch(self._old.at, self._new.at, 0, self._old.line, self._new.line, 0)
        whole = self._open
        self._open = whole._replace(size=whole.size + size, lines=whole.lines + lines)
        self._short = b"" if self._open.size >= LEAST else self._short + self._old.next(size)
        self._old.skip(size, lines)
        self._new.skip(size, lines)
        return True

    def _apart(self) -> bool:
        """Go over lines that are not the same, up to the next that both have."""
        self._close()
        one, two = self._ahead()
        for file, lines, rest in zip((self._old, self._new), (one, two), self._rest, strict=True):
            whole = b"".join(lines)
            self._keep(rest, whole)
            file.skip(len(whole), self._look(file, len(whole)))
        return bool(one or two)

    def _keep(self, rest: bytearray, data: bytes) -> None:
        """Keep what is not shared, as long as that is little."""
        if len(rest) <= HELD:
            rest += data

    def _ahead(self) -> tuple[list[bytes], list[bytes]]:
        """The lines up to the next that both have; all that were looked at if there is none."""
        one: list[bytes] = []
        two: list[bytes] = []
        for most in _WINDOWS:
            one, two = self._old.lines(most), self._new.lines(most)
            at = _meeting(one, two)
            if at is not None:
                return one[: at[0]], two[: at[1]]
            if len(one) < most and len(two) < most:
                break
        return one, two

    def _close(self) -> None:
        first = self._open is not None and self._open[:2] == (0, 0)  # the header's, however short
        if self._open is not None and (first or self._open.size >= LEAST):
            self._stretches.append(self._open)
        elif self._open is not None:
            for rest in self._rest:
                self._keep(rest, self._short)
        self._open, self._short = None, b""

    def _look(self, file: _File, size: int) -> int:
        """The number of lines in the next bytes, which are whole lines."""
        data, start, end = file.data, file.start, file.start + size
        if data.find(b"\r", start, end) >= 0:
            whole = data.count(b"\r\n", start, end)
            self._plain = self._plain and data.count(b"\r", start, end) == whole
        return data.count(b"\n", start, end) + (size > 0 and data[end - 1] != 10)


def _common(old: _File, new: _File, most: int) -> int:
    """How many of the next bytes are the same, ``most`` at most."""
    one, two, first, second = old.data, new.data, old.start, new.start
    low, high, step = 0, most, _STEP
    while low < most:
        high = min(low + step, most)
        if one[first + low : first + high] != two[second + low : second + high]:
            break
        low, step = high, min(step * 2, BLOCK)
    else:
        return most
    while high - low > 1:
        middle = (low + high) // 2
        if one[first + low : first + middle] == two[second + low : second + middle]:
            low = middle
        else:
            high = middle
    return low


def _meeting(one: list[bytes], two: list[bytes]) -> tuple[int, int] | None:
    """The first line that both have, by its place in either."""
    places = {line: at for at, line in reversed(list(enumerate(two)))}
    found = ((at, places[line]) for at, line in enumerate(one) if line in places)
    return min(found, key=sum, default=None)
