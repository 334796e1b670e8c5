"""What went wrong, kept beside the spool for ``ox capture doctor``: never raised into serving."""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import suppress
from typing import NamedTuple

from oxcore.errors import OxError
from oxcore.fs.atomic import write_all, write_atomic

_MOST = 256 << 10  # bytes of the file; beyond that the older half goes
_KINDS = 100  # different troubles that wait to be written


class Told(NamedTuple):
    """One thing that went wrong, ``times`` times, the last at ``time`` (microseconds)."""

    time: int
    kind: str
    message: str
    hint: str
    times: int = 1
    pid: int = 0


class Trouble:
    """The file. ``note`` only counts, and is cheap; ``write`` puts what was noted into it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.RLock()  # the collector may end a stream in the midst
        self._noted: dict[tuple[str, str], Told] = {}

    def note(self, error: BaseException, doing: str = "") -> None:
        """Remember an error."""
        known = isinstance(error, OxError)
        kind = error.kind if isinstance(error, OxError) else type(error).__name__
        text = str(error) if known else f"{type(error).__name__}: {error}"
        self.tell(kind, f"{doing}: {text}" if doing else text, getattr(error, "hint", ""))

    def tell(self, kind: str, message: str, hint: str = "") -> None:
        """Remember what went wrong, in words."""
        key = (kind, message[:500])
        with self._lock:
            before = self._noted.get(key)
            if before is None and len(self._noted) >= _KINDS:
                return
            count = 1 if before is None else before.times + 1
            now = time.time_ns() // 1000
            self._noted[key] = Told(now, *key, str(hint)[:500], count, os.getpid())

    def write(self) -> None:
        """Append what was noted. A disk that refuses even that is no further trouble."""
        with self._lock:
            noted, self._noted = list(self._noted.values()), {}
        if not noted:
            return
        lines = "".join(json.dumps(one._asdict()) + "\n" for one in noted).encode()
        with suppress(OSError):
            self._shorten()
            handle = os.open(
                self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
            try:
                write_all(handle, lines)
            finally:
                os.close(handle)

    def _shorten(self) -> None:
        with suppress(FileNotFoundError):
            if os.path.getsize(self.path) > _MOST:
                with open(self.path, "rb") as file:
                    lines = file.read().splitlines(keepends=True)
                write_atomic(self.path, b"".join(lines[len(lines) // 2 :]), sync=False)

    def forget(self) -> None:
        """Empty the file."""
        with suppress(FileNotFoundError):
            os.unlink(self.path)

    def all(self) -> list[Told]:
        """What the file holds, the same things together, the latest last."""
        found: dict[tuple[str, str], Told] = {}
        with suppress(OSError), open(self.path, "rb") as file:
            for line in file:
                with suppress(ValueError, TypeError):
                    told = Told(**json.loads(line))
                    before = found.pop((told.kind, told.message), None)
                    count = told.times + (before.times if before else 0)
                    found[told.kind, told.message] = told._replace(times=count)
        return sorted(found.values())
