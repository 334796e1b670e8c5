"""Rows compared in their order.

Rows that come up once on either side and are equal hold the two sequences together: of these, as
many as ascend in both (patience: the longest ascending run). Between two of them the k-th of some
equal rows belongs to the k-th, again as far as they ascend. What is left between was removed and
added; a row is changed where one of the same key, or else of the same place and with half of the
cells, stands on the other side. Rows are equal if two hashes of 64 bits of all their cells are.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.tables.rowdiff import keyed
from oxcore.tables.rowdiff.sides import Sides

_CASTS = {pa.int64(): "BIGINT", pa.float64(): "DOUBLE"}
_STEP = 1 << 16


class Gap(NamedTuple):
    """Rows between two that are the same: from ``old`` up to ``old_end``, and likewise."""

    old: int
    new: int
    old_end: int
    new_end: int


class Found(NamedTuple):
    """Columns of places: pairs that may be one row that changed, rows that went, and rows that
    came, with the old row before which they stand."""

    pairs: tuple[array[int], array[int]]
    gone: array[int]
    come: tuple[array[int], array[int]]


def compare(sides: Sides, keys: Sequence[int], tolerance: float) -> int:
    """Make ``changes`` as ``keyed.join`` does; gives the number of rows that are the same."""
    for side in ("old", "new"):
        cells = ", ".join(map(_cell, range(len(sides.meets)), [one.type for one in sides.meets]))
        key = ", ".join(f"c{at}" for at in keys) or "NULL"
        sides.sql.run(
            f"CREATE TEMP TABLE {side}_rows AS SELECT row, hash({cells}) AS h,"
            f" hash('ox', {cells}) AS g, hash({key}) AS k FROM {side}"
        )
    found = Found((array("q"), array("q")), array("q"), (array("q"), array("q")))
    same = 0
    rows = sides.rows()
    gaps = _gaps(sides, rows)
    for gap in gaps:
        same += _fill(sides, gap, found, by_key=bool(keys))
    same += rows[0] - sum(gap.old_end - gap.old for gap in gaps)
    return same + _told(sides, keys, tolerance, found)


def _cell(number: int, type_: pa.DataType) -> str:
    if types.is_nested(type_):  # the engine hashes empty lists and objects of nulls as null
        return f"c{number}, regexp_replace(CAST(c{number} AS VARCHAR), '[-.0-9]', '', 'g')"
    cast = _CASTS.get(type_)
    return f"CAST(c{number} AS {cast})" if cast else f"c{number}"


def _gaps(sides: Sides, rows: tuple[int, int]) -> list[Gap]:
    """What lies between the rows that come up once on either side."""
    once = "SELECT h, g, min(row) AS row FROM {}_rows GROUP BY h, g HAVING count(*) = 1"
    text = (
        f"SELECT a.row AS o, b.row AS n FROM ({once.format('old')}) a"
        f" JOIN ({once.format('new')}) b ON a.h = b.h AND a.g = b.g ORDER BY o"
    )
    anchors = sides.sql.table(text).combine_chunks()
    old, new = (anchors.column(at).combine_chunks() for at in (0, 1))
    kept = ascending(new)
    if kept is not None:
        old, new = old.take(kept), new.take(kept)
    found = []
    for one, two in _jumps(old, new, rows):
        if (one[1] - one[0], two[1] - two[0]) != (0, 0):
            found.append(Gap(one[0], two[0], one[1], two[1]))
    return found


def _jumps(
    old: pa.Array, new: pa.Array, rows: tuple[int, int]
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The places before, between and after anchors where either side has others."""
    if not len(old):
        yield (0, rows[0]), (0, rows[1])
        return
    yield (0, old[0].as_py()), (0, new[0].as_py())
    steps = [pc.greater(pc.subtract(one[1:], one[:-1]), 1) for one in (old, new)]
    for at in pc.indices_nonzero(pc.or_(*steps)).to_pylist():
        yield (
            (old[at].as_py() + 1, old[at + 1].as_py()),
            (new[at].as_py() + 1, new[at + 1].as_py()),
        )
    yield (old[-1].as_py() + 1, rows[0]), (new[-1].as_py() + 1, rows[1])


def ascending(values: pa.Array) -> pa.Array | None:
    """Where a longest ascending run of different numbers lies; None if it is all of them.

    Fredman, On computing the length of longest increasing subsequences (1975).
    """
    if len(values) < 2 or pc.all(pc.less(values[:-1], values[1:])).as_py():
        return None
    ends, places, before = array("q"), array("q"), array("q")
    for at, value in enumerate(_each(values)):
        rank = bisect_left(ends, value)
        if rank == len(ends):
            ends.append(value)
            places.append(at)
        else:
            ends[rank], places[rank] = value, at
        before.append(places[rank - 1] if rank else -1)
    found, at = array("q"), places[-1]
    while at >= 0:
        found.append(at)
        at = before[at]
    found.reverse()
    return pa.array(found, pa.int64())


def _each(values: pa.Array) -> Iterator[int]:
    for start in range(0, len(values), _STEP):
        yield from values[start : start + _STEP].to_pylist()


def _fill(sides: Sides, gap: Gap, found: Found, *, by_key: bool) -> int:
    """Compare the rows of a gap; gives how many are the same."""
    one = _rows(sides, "old", gap.old, gap.old_end)
    two = _rows(sides, "new", gap.new, gap.new_end)
    pairs = _alike([row[:2] for row in one], [row[:2] for row in two])
    before = 0, 0
    for a, b in [*pairs, (len(one), len(two))]:
        inner = Gap(gap.old + before[0], gap.new + before[1], gap.old + a, gap.new + b)
        _between(inner, one[before[0] : a], two[before[1] : b], found, by_key=by_key)
        before = a + 1, b + 1
    return len(pairs)


def _rows(sides: Sides, side: str, start: int, end: int) -> list[tuple[int, int, int]]:
    if start == end:
        return []
    text = f"SELECT h, g, k FROM {side}_rows WHERE row >= {start} AND row < {end} ORDER BY row"
    found: list[tuple[int, int, int]] = sides.sql.rows(text)
    return found


def _alike(one: Sequence[object], two: Sequence[object]) -> list[tuple[int, int]]:
    """Pairs of places of equal things, ascending in both."""
    known: dict[object, deque[int]] = defaultdict(deque)
    for at, row in enumerate(two):
        known[row].append(at)
    pairs = [(at, known[row].popleft()) for at, row in enumerate(one) if known.get(row)]
    kept = ascending(pa.array([b for _, b in pairs], pa.int64()))
    return pairs if kept is None else [pairs[at] for at in kept.to_pylist()]


def _between(
    gap: Gap,
    one: Sequence[tuple[int, int, int]],
    two: Sequence[tuple[int, int, int]],
    found: Found,
    *,
    by_key: bool,
) -> None:
    """Note rows of which none is the same: those that may have changed, went, or came."""
    if by_key:
        pairs = _alike([row[2] for row in one], [row[2] for row in two])
    else:
        pairs = [(at, at) for at in range(len(one))] if len(one) == len(two) else []
    found.pairs[0].extend(gap.old + a for a, _ in pairs)
    found.pairs[1].extend(gap.new + b for _, b in pairs)
    stay = {a for a, _ in pairs}
    found.gone.extend(gap.old + at for at in range(len(one)) if at not in stay)
    following = gap.old_end
    known = {b: gap.old + a for a, b in pairs}
    for at in reversed(range(len(two))):
        if at in known:
            following = known[at]
        else:
            found.come[0].append(gap.new + at)
            found.come[1].append(following)


def _told(sides: Sides, keys: Sequence[int], tolerance: float, found: Found) -> int:
    """Make ``changes``; gives the number of rows that are the same within the tolerance."""
    sql = sides.sql
    sql.put("pairs", pa.table({"o": found.pairs[0], "n": found.pairs[1]}))
    sql.put("gone", pa.table({"o": found.gone}))
    sql.put("come", pa.table({"n": found.come[0], "before": found.come[1]}))
    numbers = range(len(sides.meets))
    tests = [(at, keyed.differs(at, sides.meets[at], tolerance)) for at in numbers]
    masks = keyed.masked(tests, len(sides.meets))
    named = ", ".join(f"{one} AS m{at}" for at, one in enumerate(masks))
    differ = " + ".join(f"bit_count(m{at})" for at in range(len(masks)))
    empty = ", ".join(["0::BIGINT"] * len(masks))
    sql.run(
        f"CREATE TEMP TABLE compared AS SELECT o, n, {named} FROM pairs"
        f" JOIN old ON old.row = o JOIN new ON new.row = n"
    )
    most = len(sides.meets) if keys else len(sides.meets) // 2
    apart = f"FROM compared WHERE {differ} > {most}"
    gone = f"SELECT o FROM gone UNION ALL SELECT o {apart}"
    come = f"SELECT n, 2 * before AS spot FROM come UNION ALL SELECT n, 2 * o + 1 {apart}"
    sql.run(
        f"CREATE TEMP TABLE changes AS SELECT *, 2 * o + 1 AS seq FROM compared"
        f" WHERE {differ} BETWEEN 1 AND {most}"
        f" UNION ALL SELECT o, NULL, {empty}, 2 * o + 1 FROM ({gone})"
        f" UNION ALL SELECT NULL, n, {empty}, spot FROM ({come})"
    )
    same = sql.rows(f"SELECT count(*) FROM compared WHERE {differ} = 0")[0][0]
    return int(same)
