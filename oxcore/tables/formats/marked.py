"""What Arrow's reader of CSV reads: the bytes of a file, and then a row that marks the end."""

from __future__ import annotations

import io
from threading import Event, Lock
from types import TracebackType
from typing import Self

import pyarrow as pa

_PATIENCE = 0.05  # seconds that a thread of Arrow has to see the end, before it is taken to rest


class Marked(io.RawIOBase):
    """The bytes of a file, and then a row that marks the end; a context.

    Arrow takes a quote that nothing closes for a text up to the end of the file: then the mark is
    within that text, not a row. Arrow reads ahead in a thread, and goes on when its reader has
    failed or was left: it must not read a file that is closed by then, nor run Python while the
    interpreter ends. So this tells it at the end of the context that nothing is left.
    """

    def __init__(self, file: pa.NativeFile, mark: str) -> None:
        super().__init__()
        self._file = file
        self._mark = mark.encode()
        self._last = b"\n"
        self._lock, self._ended = Lock(), Event()
        self._left = False

    def readable(self) -> bool:
        """True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Some bytes; the mark, which may be longer, before nothing is left."""
        with self._lock:
            data = b"" if self._left else self._more(size)
            if not data:
                self._ended.set()
        return data

    def _more(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        if data:
            self._last = data[-1:]
        elif self._mark:
            line = b"" if self._last in {b"\n", b"\r"} else b"\n"
            data, self._mark = line + self._mark + b"\n", b""
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._left = True
        self._ended.wait(_PATIENCE)
