"""Text of one row a line, or a few: which lines stay, go, change or come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO, NamedTuple, Protocol

from oxcore.tables.rewrite.edits import Changes


class Block(NamedTuple):
    """Whole rows: their bytes, how many (blank lines, which are none, left out), and whether line
    ends stand within rows. Only the last block of a file may lack its line end."""

    data: bytes
    rows: int
    broken: bool = False


class Grammar(Protocol):
    """What a line is."""

    def lines(self, block: Block) -> list[bytes]:
        """The rows and blank lines of a block, each with its line end."""
        ...

    def is_blank(self, line: bytes) -> bool:
        """Whether a line is no row."""
        ...


class Writing(Protocol):
    """What a row is, without its line end."""

    def changed(self, row: int, text: bytes, cells: Mapping[int, object]) -> bytes:
        """A row with new values of some columns, by where these stand at the end."""
        ...

    def made(self, values: Mapping[int, object]) -> bytes:
        """A new row."""
        ...

    def alike(self, block: Block) -> bytes | None:
        """A block whose rows change in the same way, if that is quick to do; else None."""
        ...


class Editor:
    """``every``: each row changes; ``unblank``: blank lines go, which would be rows now."""

    def __init__(
        self,
        grammar: Grammar,
        writing: Writing,
        changes: Changes,
        out: Out,
        *,
        every: bool,
        unblank: bool = False,
    ) -> None:
        self._grammar, self._writing = grammar, writing
        self._changes, self._out = changes, out
        self._every, self._unblank = every, unblank
        self._done = self._rows = 0

    def run(self, blocks: Iterable[Block], last: bytes = b"\n") -> int:
        """Write all rows with their changes; gives the number of rows written.

        ``last``: the byte before them, which says of a file without rows whether its end is open.
        """
        for block in blocks:
            self._block(block)
            last = block.data[-1:] or last
        for values in self._changes.finish(self._done):
            self._insert(values)
        self._out.finish(open_end=last not in self._out.ends)
        return self._rows

    def _block(self, block: Block) -> None:
        end = self._done + block.rows
        own = list(self._changes.before(end))
        alike = None if own else self._writing.alike(block) if self._every else block.data
        if alike is not None and not self._unblank:
            self._out.write(alike)
        else:
            self._changed(block, range(self._done, end) if self._every else own)
        self._rows += block.rows
        self._done = end

    def _changed(self, block: Block, todo: Sequence[int]) -> None:
        """Write a block in which the rows ``todo`` change."""
        lines = self._grammar.lines(block)
        places: Sequence[int] = range(len(lines))
        if len(lines) != block.rows:
            places = [at for at, line in enumerate(lines) if not self._grammar.is_blank(line)]
        at = 0
        for row in todo:
            place = places[row - self._done]
            self._between(lines[at:place])
            for values in self._changes.inserted(row):
                self._insert(values)
            self._row(row, lines[place])
            at = place + 1
        self._between(lines[at:])

    def _between(self, lines: Sequence[bytes]) -> None:
        if not self._unblank:
            self._out.write(b"".join(lines))

    def _row(self, row: int, line: bytes) -> None:
        if self._changes.deleted(row):
            self._rows -= 1
            return
        cells = self._changes.cells(row)
        if cells or self._every:
            text, end = self._out.parted(line)
            self._out.row(self._writing.changed(row, text, cells), end)
        else:
            self._out.write(line)

    def _insert(self, values: Mapping[int, object]) -> None:
        self._out.close_line()
        self._out.row(self._writing.made(values), self._out.end)
        self._rows += 1


class Out:
    """What is written; the last of it waits, since the end of the file keeps its habit.

    ``end``: the line end of new rows; ``ends``: the last bytes of lines that are ended.
    ``nulls``: an empty line is a row.
    """

    def __init__(self, out: BinaryIO, ends: tuple[bytes, ...], *, nulls: bool = False) -> None:
        self.end = b"\n"
        self.ends = ends
        self._out, self._nulls = out, nulls
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write some lines."""
        if data:
            if self._nulls and self._held.endswith(b"\r") and data.startswith(b"\n"):
                data = b"\r" + data  # else a null that came to stand here would be no line
            self._out.write(self._held)
            self._held = data

    def row(self, row: bytes, end: bytes) -> None:
        """Write a row; an empty one, which is a null of one column, needs its line end."""
        self.write(row + (end if row else end or self.end))

    def close_line(self) -> None:
        """End the last line, if it is open."""
        if self._held and not self._held.endswith(self.ends):
            self.write(self._held_back() + self.end)

    def finish(self, *, open_end: bool) -> None:
        """Write the rest; with an ``open_end`` as the file had it."""
        if open_end:
            line = self.parted(self._held)[0]
            if line and not (self._nulls and line.endswith(self.ends)):
                self._held = line
        self._out.write(self._held_back())

    def parted(self, line: bytes) -> tuple[bytes, bytes]:
        """A line without its end, and that."""
        size = 2 if line.endswith(b"\r\n") else 1 if line.endswith(self.ends) else 0
        at = len(line) - size
        return line[:at], line[at:]

    def _held_back(self) -> bytes:
        held, self._held = self._held, b""
        return held
