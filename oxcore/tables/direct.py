"""Parquet that the engine reads by itself: in half of the time, and only the columns of a query.

The engine is shut in, so it is given a file system of its own (``ox://``) that holds these files
and nothing else; they are allowed by name before it is shut. Their bytes come from ``Source.open``;
those that have a place on this machine are read there, without a call of Python for each column.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock, local
from typing import TYPE_CHECKING, Any, BinaryIO

from oxcore.tables.reading import Reader
from oxcore.tables.source import Source

if TYPE_CHECKING:
    import pyarrow as pa

    from oxcore.tables.formats.parquet import ParquetReader

LEAST = 4 << 20  # bytes; loading fsspec takes as long as reading less than this
SCHEME = "ox"
COUNTER = "file_row_number"
"""The column that the engine adds."""


def direct(reader: Reader) -> Source | None:
    """The file, if the engine gives the same values for it as Arrow does, and it is worth it."""
    single = _single(reader)
    if single is None or single.source.size < LEAST:
        return None
    names = [name.casefold() for name in reader.schema.names]
    same = len({*names, COUNTER}) == len(names) + 1 and all(map(_same, reader.schema.types))
    return single.source if same else None


def note_rows(reader: Reader) -> None:
    """Count the rows that the engine will read by itself: it does not say how many, so all."""
    single = _single(reader)
    if single is not None:
        single.source.counters.add_rows(len(single))


def _single(reader: Reader) -> ParquetReader | None:
    from oxcore.tables.formats.parquet import ParquetReader

    return reader if isinstance(reader, ParquetReader) else None


def address(source: Source, name: str) -> str:
    """What the engine finds a file by: its place, if it has one, else a name that is ours."""
    return source.place() or f"{SCHEME}://{name}.parquet"


class Files:
    """The file system's files: addresses to sources. ``error``: what ended the last read."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        ours = f"{SCHEME}://"
        self.sources = {name: one for name, one in sources.items() if name.startswith(ours)}
        self.error: Exception | None = None
        self._lock = Lock()  # the threads of the engine read one after the other

    def system(self) -> Any:  # noqa: ANN401 -- fsspec has no types
        """As fsspec has it."""
        from fsspec import AbstractFileSystem

        members = {"protocol": SCHEME, "cachable": False, "_open": self._open, "info": self._info}
        known = {"exists": self._exists, "glob": self._glob, "modified": self._modified}
        return type("Tables", (AbstractFileSystem,), {**members, **known})()

    def read(self, file: BinaryIO, place: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``place`` on."""
        try:
            with self._lock:
                file.seek(place)
                return file.read(size)
        except Exception as error:
            self.error = error
            raise

    def _source(self, path: str) -> Source:
        return self.sources[path if "://" in path else f"{SCHEME}://{path}"]

    def _open(self, path: str, mode: str = "rb", **_: object) -> io.RawIOBase:
        return _File(self, self._source(path))

    def _info(self, path: str, **_: object) -> dict[str, object]:
        return {"name": path, "size": self._source(path).size, "type": "file"}

    def _exists(self, path: str, **_: object) -> bool:
        return path in self.sources

    def _glob(self, path: str, **_: object) -> list[str]:
        return [path]

    def _modified(self, path: str) -> datetime:
        return datetime(2020, 1, 1, tzinfo=UTC)  # they do not change while they are open


class _File(io.RawIOBase):
    """One file, seekable. Its position is that of each thread: those of the engine share a file,
    and seek before they read."""

    def __init__(self, files: Files, source: Source) -> None:
        super().__init__()
        self.size = source.size
        self._files, self._file = files, source.open()
        self._own = local()

    @property
    def _place(self) -> int:
        place: int = getattr(self._own, "place", 0)
        return place

    @_place.setter
    def _place(self, place: int) -> None:
        self._own.place = place

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; gives the new position."""
        self._place = (0, self._place, self.size)[whence] + offset
        return self._place

    def tell(self) -> int:
        """The position in bytes."""
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        """The next ``size`` bytes, all of them unless it is the end: the engine asks for these."""
        left = self.size - self._place
        data = self._files.read(self._file, self._place, left if size < 0 else size)
        self._place += len(data)
        return data

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Fill ``buffer``; gives how much."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _same(type_: pa.DataType) -> bool:
    """Whether the engine reads this type out of Parquet as it would take it from Arrow."""
    from pyarrow import types

    if types.is_list(type_) or types.is_large_list(type_):
        return _same(type_.value_type)
    if types.is_struct(type_):
        return bool(type_.num_fields) and all(_same(one.type) for one in type_)
    if types.is_timestamp(type_):
        return type_.unit in {"us", "ns"}
    plain = (
        types.is_integer,
        types.is_boolean,
        types.is_float32,
        types.is_float64,
        types.is_decimal128,
        types.is_date32,
        types.is_string,
        types.is_large_string,
        types.is_binary,
    )
    return any(is_plain(type_) for is_plain in plain)
