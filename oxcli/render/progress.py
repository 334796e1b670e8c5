"""Progress of long work on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TextIO

from oxcli.render.text import duration, fit, human_size, number

_REDRAW = 0.1  # seconds between two drawings of the bar
_LINE = 10.0  # seconds between two lines where there is no terminal
_SHORT = 0.5  # seconds that a phase may take without being told of
_CELLS = 16


class Bar:
    """Implements ``oxcore.model.protocols.Progress``.

    On a terminal a phase that takes more than half a second shows a bar with steps, bytes,
    rate and time left, which vanishes at its end. Elsewhere it writes a line every ten seconds,
    and one at the end if there was any.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = self.visible = stream.isatty()
        self._what, self._unit, self._total = "", "", 0
        self._count = self._bytes = 0
        self._began = self._next = 0.0
        self._told = False

    def start(self, what: str, total: int | None = None, unit: str = "") -> None:
        """A phase begins; one that runs still is over."""
        self.done()
        self._what, self._unit, self._total = what, unit, total or 0
        self._count = self._bytes = 0
        self._began = self._clock()
        self._next = self._began + (_SHORT if self._terminal else _LINE)

    def step(self, count: int = 1, nbytes: int = 0) -> None:
        """``count`` more steps are done; costs a look at the clock."""
        self._count += count
        self._bytes += nbytes
        now = self._clock()
        if now >= self._next:
            self._tell(now)

    def done(self) -> None:
        """The phase is over: the bar goes, a line stays where there is no terminal."""
        if self._told and self._terminal:
            self._write("\r\x1b[K")
        elif self._told:
            self._write(f"{self._what}: done, {self._facts(self._clock())}\n")
        self._told = False
        self._what = ""

    def _tell(self, now: float) -> None:
        self._told = True
        self._next = now + (_REDRAW if self._terminal else _LINE)
        if not self._terminal:
            self._write(f"{self._what}: {self._facts(now)}{self._left(now)}\n")
            return
        width, facts = self._width(), self._facts(now) + self._left(now)
        line = f"{self._what} {self._drawn()}{facts}"
        if len(line) > width:
            line = f"{self._what} {facts}"
        self._write(f"\r\x1b[K{fit(line, width)}")

    def _width(self) -> int:
        # Not shutil's: its import takes as long as a status of an empty repository.
        try:
            return os.get_terminal_size(self._stream.fileno()).columns - 1
        except OSError:
            return 79

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _drawn(self) -> str:
        if not self._total:
            return ""
        full = min(_CELLS, _CELLS * self._count // self._total)
        return f"[{'#' * full}{'.' * (_CELLS - full)}] "

    def _facts(self, now: float) -> str:
        seconds = max(now - self._began, 1e-9)
        if self._unit == "bytes":
            parts = [
                human_size(self._count) + (f" of {human_size(self._total)}" * bool(self._total))
            ]
            return ", ".join([*parts, f"{human_size(self._count / seconds)}/s"])
        of = f" of {number(self._total)}" if self._total else ""
        parts = [f"{number(self._count)}{of} {self._unit}".rstrip()]
        if self._bytes:
            parts += [human_size(self._bytes), f"{human_size(self._bytes / seconds)}/s"]
        else:
            parts.append(f"{number(round(self._count / seconds))}/s")
        return ", ".join(parts)

    def _left(self, now: float) -> str:
        if not self._total or not self._count or self._count >= self._total:
            return ""
        seconds = (now - self._began) * (self._total - self._count) / self._count
        return f", {duration(seconds)} left"
