"""Row groups of two Parquet files that are the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from oxcore.tables.formats.parquet import ParquetReader
from oxcore.tables.reading import Reader
from oxcore.tables.rowdiff.chunks import equal_by

_BLOCK = 1 << 20  # bytes compared at once

Same = Callable[[int, int], bool]


@contextmanager
def same_groups(old: Reader, new: Reader) -> Iterator[Same]:
    """Whether a row group of one file and one of the other hold the same rows, as their bytes
    say: never, where the files are no Parquet of one schema."""
    one = old if isinstance(old, ParquetReader) else None
    two = new if isinstance(new, ParquetReader) else None
    if one is None or two is None or not one.schema.equals(two.schema):
        yield lambda _old, _new: False
        return
    known = equal_by(one.source, two.source)
    with one.source.open() as first, two.source.open() as second:

        def same(a: int, b: int) -> bool:
            (said, spans), (other, others) = one.outline(a), two.outline(b)
            sizes = [size for _, size in spans] == [size for _, size in others]
            if said != other or not sizes:
                return False
            return all(
                known(start, at) >= size or _equal(first, second, start, at, size)
                for (start, size), (at, _) in zip(spans, others, strict=True)
            )

        yield same


def _equal(first: BinaryIO, second: BinaryIO, one: int, two: int, size: int) -> bool:
    for done in range(0, size, _BLOCK):
        count = min(_BLOCK, size - done)
        first.seek(one + done)
        second.seek(two + done)
        if first.read(count) != second.read(count):
            return False
    return True
