"""Where the bytes of a table come from: a name for messages, and a way to open them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol

from oxcore.errors import InvalidError
from oxcore.model.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from oxcore.tables.helping import Helper

    Together = tuple["Source", "Source", Sequence[Helper]]


class Memo(Protocol):
    """Remembers facts about the bytes of one file, by their kind; it may forget any at any time."""

    def get(self, kind: str) -> bytes | None:
        """The fact, or None."""
        ...

    def put(self, kind: str, fact: bytes) -> None:
        """Remember a fact, or do not."""
        ...


def _nowhere() -> None:
    """No file has the bytes."""


class Origin(Protocol):
    """Where a file is kept that may be read together with another that is kept there."""

    def together(self, other: object, /) -> AbstractContextManager[Together | None]:
        """Two sources that share what is read of both, this one's and that of the other origin, and
        processes that have them as well, while the block lasts; None where that does not pay."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """A file: ``name`` as people call it, ``size`` in bytes, and ``open``, which gives it anew,
    seekable, at every call.

    ``id`` of its content, where it is known: equal ids, equal bytes. ``memo`` keeps what was found
    out about these bytes; ``counters`` count the rows that are read. ``chunks`` gives ids and sizes
    of the pieces that the bytes are kept in, in order: equal ids, equal bytes. ``place`` names a
    file of this machine that has the bytes as long as the source is used; None if there is none.
    ``origin``: where it is kept."""

    name: str
    size: int
    open: Callable[[], BinaryIO]
    id: bytes | None = None
    memo: Memo | None = None
    counters: Counters = field(default_factory=Counters)
    chunks: Callable[[], Iterable[tuple[bytes, int]]] | None = None
    place: Callable[[], str | None] = _nowhere
    origin: Origin | None = None

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
    import pyarrow as pa

    with source.open() as file:
        outer = pa.PythonFile(file, "r")
        yield pa.CompressedInputStream(outer, compression) if compression else outer


def head(source: Source, compression: str, size: int) -> bytes:
    """The first ``size`` bytes, uncompressed; ``InvalidError`` if the compression is broken."""
    import pyarrow as pa

    with opened(source, compression) as file:
        try:
            data: bytes = file.read(size)
        except (OSError, pa.ArrowInvalid) as error:
            raise source.broken(f"broken {compression or 'file'}: {error}") from error
    return data
