"""Where the bytes of a table come from: a name for messages, and a way to open them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from oxcore.errors import InvalidError


@dataclass(frozen=True, slots=True)
class Source:
    """A file: ``name`` as people call it, ``size`` in bytes, and ``open``, which gives it anew,
    seekable, at every call."""

    name: str
    size: int
    open: Callable[[], BinaryIO]

    def broken(
        self, why: str, *, row: int | None = None, column: str | None = None, hint: str = ""
    ) -> InvalidError:
        """The error for bytes that are no table: file, row (from 1) and column, then why."""
        place = [self.name]
        if row is not None:
            place.append(f"row {row:,}")
        if column is not None:
            place.append(f"column {column!r}")
        return InvalidError(f"{', '.join(place)}: {why}", hint=hint)


@contextmanager
def opened(source: Source, compression: str = "") -> Iterator[pa.NativeFile]:
    """The bytes, uncompressed (``""``, ``gzip`` or ``zstd``), as Arrow reads them."""
    with source.open() as file:
        outer = pa.PythonFile(file, "r")
        yield pa.CompressedInputStream(outer, compression) if compression else outer


def head(source: Source, compression: str, size: int) -> bytes:
    """The first ``size`` bytes, uncompressed; ``InvalidError`` if the compression is broken."""
    with opened(source, compression) as file:
        try:
            data: bytes = file.read(size)
        except (OSError, pa.ArrowInvalid) as error:
            raise source.broken(f"broken {compression or 'file'}: {error}") from error
    return data
