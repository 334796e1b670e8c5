"""Which lines two CSV files share, and what the values of one of them are: whole, or in parts.

The parts are cut in chunks that both files have once, behind a line break. If that ends no row, the
part before it ends in an open quote, which is an error: all is read then. Whether a line is a row
is not known here; it is proved by the count of rows, as for all lines (``outside``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial, reduce
from operator import or_
from typing import BinaryIO, NamedTuple

from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.infer import Column, Seen, decide
from oxcore.tables.reading import Facts
from oxcore.tables.rowdiff import unique
from oxcore.tables.rowdiff.aligned import Alignment, align, joined
from oxcore.tables.rowdiff.chunks import Placed, equal_by, placed
from oxcore.tables.rowdiff.shares import Lines
from oxcore.tables.rowdiff.span import Bounds, Span, cut_up
from oxcore.tables.rowdiff.spliced import spliced
from oxcore.tables.rowdiff.unique import Ascent, Range
from oxcore.tables.source import Source

_NEAR = 0.1  # of a file: so far from where it is best it may be cut
_TRIES = 64  # shared chunks in which a line break is looked for
_LINE = 64 << 10  # bytes in which one is looked for where chunks are not known
_SIGN = 4 << 10  # bytes behind it that have to be the same
_REACH = 1 << 20  # bytes up and down in which they are looked for in the other file

Ranges = dict[tuple[str, ...], Range]


class Values(NamedTuple):
    """What the values of some rows are, and how many rows; which columns ascend."""

    columns: list[Column]
    rows: int
    ascent: Ascent


class Look(NamedTuple):
    """What two files share (None: too little), and the values of one, if they were asked for."""

    shared: Alignment | None
    values: Values | None


def look(readers: tuple[CsvReader, CsvReader], asked: Lines) -> Look:
    """Look at both files, or at a span of them."""
    old, new = (reader.source for reader in readers)
    with ThreadPoolExecutor(1) as beside, old.open() as one, new.open() as two:
        found: Future[Values] | None = None
        if asked.types is not None:
            bounds = None if asked.span is None else asked.span[asked.types]
            found = beside.submit(_values, readers[asked.types], bounds)
        shared = align(one, two, equal_by(old, new), asked.span)
        return Look(shared, None if found is None else found.result())


def _values(reader: CsvReader, bounds: Bounds | None) -> Values:
    ascent = Ascent(len(reader.names))
    rows = reader if bounds is None else spliced(reader, [bounds])
    return Values(*rows.look(ascent.look), ascent)


def shared(looks: Sequence[Look]) -> Alignment | None:
    """What two files share, as the looks at their spans tell."""
    parts = [one.shared for one in looks if one.shared is not None]
    return joined(parts) if len(parts) == len(looks) else None


def learn(reader: CsvReader, looks: Sequence[Look]) -> Ranges:
    """Let a reader know its types and counts, but keep nothing; gives the columns that ascend."""
    parts = [one.values for one in looks if one.values is not None]
    ascent = parts[0].ascent
    for part in parts[1:]:
        ascent.go_on(part.ascent)
    columns = [*zip(*(part.columns for part in parts), strict=True)]
    seen = [reduce(or_, (one.seen for one in each), Seen.NONE) for each in columns]
    nulls = tuple(sum(one.nulls for one in each) for each in columns)
    reader.suppose([*map(decide, seen)], Facts(sum(part.rows for part in parts), nulls))
    found = ascent.found(reader.schema.types)
    return {(reader.names[at],): one for at, one in found.items()}


def keep(reader: CsvReader, ranges: Ranges) -> None:
    """Keep what was learnt, now that it is certain."""
    reader.learn(reader.schema.types, reader.facts())
    unique.keep(reader.source, ranges)


def spans(old: Source, new: Source, count: int) -> Sequence[Span | None]:
    """Both files in up to ``count`` spans."""
    ends = old.size, new.size
    if count < 2:
        return [None]
    if old.chunks is None or new.chunks is None:
        with old.open() as one, new.open() as two:
            return cut_up(ends, count, partial(_found, one, two, ends))
    chunks = placed(old.chunks())
    others = _once(chunks, placed(new.chunks()))
    with old.open() as file:
        return cut_up(ends, count, partial(_cut, file, chunks, others))


def _found(old: BinaryIO, new: BinaryIO, ends: Bounds, share: float) -> tuple[int, int] | None:
    """Where the same lines start in both files, near this share of the first, looked for about
    there in the second: which chunks they have is not known."""
    for at in range(int(share * ends[0]), int((share + _NEAR) * ends[0]), _REACH):
        old.seek(at)
        data = old.read(_LINE + _SIGN)
        start = data.find(b"\n") + 1
        sign = data[start : start + _SIGN]
        if start and len(sign) == _SIGN:
            first = max(0, at + start + int(share * (ends[1] - ends[0])) - _REACH)
            new.seek(first)
            near = new.read(2 * _REACH)
            place = near.find(b"\n" + sign) + 1
            if place and near.find(sign, place + 1) < 0:
                return at + start, first + place
    return None


def _once(old: Placed, new: Placed) -> dict[bytes, int]:
    """Where the new file has the chunks that either has once: others may belong to any of them."""
    seen = [Counter(each.ids) for each in (old, new)]
    starts = zip(new.ids, new.starts, strict=False)
    return {oid: at for oid, at in starts if all(each[oid] == 1 for each in seen)}


def _cut(
    file: BinaryIO, old: Placed, others: dict[bytes, int], share: float
) -> tuple[int, int] | None:
    """Where a line starts in both files, behind the same chunk, near this share of the first."""
    for _, at in zip(range(_TRIES), _common(old, others, share), strict=False):
        start, end = old.starts[at], old.starts[at + 1]
        file.seek(start)
        whole = file.read(end - start).find(b"\n") + 1
        if whole:
            return start + whole, others[old.ids[at]] + whole
    return None


def _common(old: Placed, others: dict[bytes, int], share: float) -> Iterator[int]:
    """The chunks near this share of a file that the other has as well, the nearest first."""
    wanted, room = share * old.starts[-1], _NEAR * old.starts[-1]
    near = [at for at, start in enumerate(old.starts[:-1]) if abs(start - wanted) <= room]
    near.sort(key=lambda at: abs(old.starts[at] - wanted))
    return (at for at in near if old.ids[at] in others)
