"""Row groups of two Parquet files that are the same bytes, and the runs of those that are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from oxcore.tables.formats.parquet import Outline, ParquetReader
from oxcore.tables.reading import Piece, Reader
from oxcore.tables.rowdiff.chunks import Equal, equal_by

_BLOCK = 1 << 20  # bytes compared at once

Same = Callable[[int, int], bool]
Twin = Callable[[int], bool]


class Alike(NamedTuple):
    """``same``: whether a row group of the old file and one of the new hold the same rows, as their
    bytes say. ``twins``: for either file, whether a group of the other may be the same as one."""

    same: Same
    twins: tuple[Twin, Twin]


class Run(NamedTuple):
    """Rows that are read in one go: how many row groups they are, and how many rows."""

    groups: int
    rows: int
    load: Callable[[], Iterator[pa.RecordBatch]]


@contextmanager
def alike(old: Reader, new: Reader) -> Iterator[Alike | None]:
    """What row groups two files may share; None where they are no Parquet of one schema."""
    one = old if isinstance(old, ParquetReader) else None
    two = new if isinstance(new, ParquetReader) else None
    if one is None or two is None or not one.schema.equals(two.schema):
        yield None
        return
    outlines = one.outlines(), two.outlines()
    kinds = [{outline.kind for outline in each} for each in outlines]
    with one.source.open() as first, two.source.open() as second:
        equal = equal_by(one.source, two.source)

        def same(a: int, b: int) -> bool:
            return _same(outlines[0][a], outlines[1][b], equal, (first, second))

        yield Alike(
            same,
            (
                lambda group: outlines[0][group].kind in kinds[1],
                lambda group: outlines[1][group].kind in kinds[0],
            ),
        )


def runs(reader: Reader, twin: Twin | None) -> Iterator[Run]:
    """The rows of a table: each row group that may have a twin by itself, and the others as far as
    they go; where none has (None), the whole table."""
    if twin is None:
        yield Run(0, 0, partial(_load, reader, _pieces(reader)))
        return
    alone: list[Piece] = []
    for group, piece in enumerate(_pieces(reader)):
        if alone and twin(group):
            yield _run(reader, alone)
            alone = []
        alone.append(piece)
        if twin(group):
            yield _run(reader, alone)
            alone = []
    if alone:
        yield _run(reader, alone)


def _pieces(reader: Reader) -> Iterator[Piece]:
    return reader.pieces(coded=True) if isinstance(reader, ParquetReader) else reader.pieces()


def _run(reader: Reader, pieces: list[Piece]) -> Run:
    return Run(len(pieces), sum(one.rows for one in pieces), partial(_load, reader, pieces))


def _load(reader: Reader, pieces: Iterable[Piece]) -> Iterator[pa.RecordBatch]:
    for piece in pieces:
        yield from map(reader.typed, piece.load())


def _same(one: Outline, two: Outline, equal: Equal, files: tuple[BinaryIO, BinaryIO]) -> bool:
    spans = zip(one.starts, two.starts, one.sizes, strict=True)
    return one.kind == two.kind and all(
        equal(start, at) >= size or _equal(*files, start, at, size) for start, at, size in spans
    )


def _equal(first: BinaryIO, second: BinaryIO, one: int, two: int, size: int) -> bool:
    for done in range(0, size, _BLOCK):
        count = min(_BLOCK, size - done)
        first.seek(one + done)
        second.seek(two + done)
        if first.read(count) != second.read(count):
            return False
    return True
