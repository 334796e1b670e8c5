"""The text of a file in gzip or zstd, and its way back."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import pyarrow as pa

from oxcore.tables.source import Source, opened


@contextmanager
def text_of(source: Source, compression: str) -> Iterator[tuple[pa.NativeFile, bytes]]:
    """The text from behind the mark of UTF-8, and that mark, if there is one."""
    with opened(source, compression) as file:
        start = file.read(len(codecs.BOM_UTF8))
        if start == codecs.BOM_UTF8:
            yield file, start
            return
    with opened(source, compression) as file:
        yield file, b""


@contextmanager
def packed(out: BinaryIO, compression: str) -> Iterator[BinaryIO]:
    """Where to write text to, which is compressed into ``out``."""
    if not compression:
        yield out
        return
    with pa.CompressedOutputStream(kept_open(out), compression) as file:
        yield cast("BinaryIO", file)


def kept_open(out: BinaryIO) -> pa.PythonFile:
    """``out`` as Arrow writes to it, which is not closed when Arrow closes it."""
    return pa.PythonFile(_Kept(out), "w")


class _Kept(io.RawIOBase):
    def __init__(self, out: BinaryIO) -> None:
        super().__init__()
        self._out = out

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # Arrow gives bytes
        """Write all of it."""
        return self._out.write(data)
