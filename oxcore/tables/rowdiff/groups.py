"""Row groups of two Parquet files (of Arrow: record batches) that are the same bytes, and the runs
of those that are not."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate, islice
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from oxcore.tables.formats.arrow import ArrowReader
from oxcore.tables.formats.parquet import ParquetReader
from oxcore.tables.reading import Outline, Piece, Reader
from oxcore.tables.rowdiff.chunks import Equal, equal_by
from oxcore.tables.rowdiff.span import Bounds, Span, cut_up

_BLOCK = 1 << 20  # bytes compared at once
_NEAR = 0.15  # of the rows: so far from where it is best they may be cut
_CLOSE = 1 << 12  # rows that are soon gone by
_APART = 1 << 15  # rows: so far from each other both may be cut

Grouped = ParquetReader | ArrowReader
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
    """What row groups two files may share; None where they are none of one format and schema."""
    one, two = _grouped(old, new)
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


def spans(old: Reader, new: Reader, count: int) -> Sequence[Span | None]:
    """The row groups of two files in up to ``count`` spans of about as many rows, cut where groups
    of both end after about as many."""
    one, two = _grouped(old, new)
    if count < 2 or one is None or two is None:
        return [None]
    olds, news = (
        [*accumulate((piece.rows for piece in each.groups()), initial=0)] for each in (one, two)
    )
    return cut_up((len(olds) - 1, len(news) - 1), count, partial(_cut, olds, news))


def _grouped(old: Reader, new: Reader) -> tuple[Grouped | None, Grouped | None]:
    """The readers, if the groups of both are told, and mean the same."""
    if isinstance(old, ParquetReader) and isinstance(new, ParquetReader):
        return old, new
    if isinstance(old, ArrowReader) and isinstance(new, ArrowReader):
        told = old.outlines() and new.outlines()
        return (old, new) if told else (None, None)
    return None, None


def _cut(old: Sequence[int], new: Sequence[int], share: float) -> tuple[int, int] | None:
    """Ends of groups of both that are close to each other, the nearest to this share of rows."""
    wanted, room = share * old[-1], old[-1] * _NEAR
    found: list[tuple[int, float, int, int]] = []
    for at, row in enumerate(old):
        other = _nearest(new, row)
        apart = abs(row - new[other])
        if abs(row - wanted) <= room and apart <= _APART:
            found.append((apart // _CLOSE, abs(row - wanted), at, other))
    return min(found)[2:] if found else None


def _nearest(starts: Sequence[int], row: int) -> int:
    at = bisect_left(starts, row)
    near = range(max(at - 1, 0), min(at + 1, len(starts)))
    return min(near, key=lambda one: abs(starts[one] - row))


def runs(reader: Reader, twin: Twin | None, span: Bounds | None = None) -> Iterator[Run]:
    """The rows of a table, or of a ``span`` of its row groups: each group that may have a twin by
    itself, and the others as far as they go; where none has (None), all together."""
    first, end = span or (0, None)
    pieces = islice(pieces_of(reader), first, end)
    if twin is None:
        yield Run(0, 0, partial(_load, reader, pieces))
        return
    alone: list[Piece] = []
    for group, piece in enumerate(pieces, first):
        if alone and twin(group):
            yield _run(reader, alone)
            alone = []
        alone.append(piece)
        if twin(group):
            yield _run(reader, alone)
            alone = []
    if alone:
        yield _run(reader, alone)


def pieces_of(reader: Reader) -> Iterator[Piece]:
    """The rows of a table: a piece for each group, read when it is loaded, if it has any."""
    if isinstance(reader, ParquetReader):
        return reader.groups()
    if isinstance(reader, ArrowReader) and reader.outlines():
        return reader.groups()
    return reader.pieces()


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
