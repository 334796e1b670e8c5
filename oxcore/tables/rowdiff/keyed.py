"""Rows matched by key: one full join, of which only the rows that differ are kept.

A table ``changes`` results: ``o`` and ``n``, the places of a row in both sides, ``m0``... masks of
the cells that differ, 60 columns each, and ``seq``, by which changes are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oxcore.tables.rowdiff.meet import Meet
from oxcore.tables.rowdiff.sides import Sides

BITS = 60  # of a mask


class Doubled(NamedTuple):
    """A key that is not one: in which side (``old`` or ``new``), at which place, and the place of
    the row that has it already, or None where a value of it is null (of the column ``at``)."""

    side: str
    row: int
    first: int | None
    at: int


def join(sides: Sides, keys: Sequence[int], tolerance: float) -> int | Doubled:
    """Make ``changes``; gives the number of rows that are the same in both."""
    rest = [number for number in range(len(sides.meets)) if number not in set(keys)]
    tests = [differs(number, sides.meets[number], tolerance) for number in rest]
    masks = masked([*zip(rest, tests, strict=True)], len(sides.meets))
    kept = [f"coalesce(old.c{key}, new.c{key}) AS k{number}" for number, key in enumerate(keys)]
    names = [f"k{number}" for number in range(len(keys))]
    names += [f"m{number}" for number in range(len(masks))]
    listed = [*kept, *(f"{one} AS m{number}" for number, one in enumerate(masks))]
    equal = " AND ".join(f"old.c{key} = new.c{key}" for key in keys)
    apart = " OR ".join(["o IS NULL", "n IS NULL", *tests])
    chosen = ", ".join(f"CASE WHEN d THEN {one} END AS {one}" for one in ["o", "n", *names])
    sides.sql.run(
        f"CREATE TEMP TABLE joined AS SELECT {chosen}, count(*) AS times FROM ("
        f"SELECT old.row AS o, new.row AS n, {', '.join(listed)}, ({apart}) AS d"
        f" FROM old FULL OUTER JOIN new ON {equal}) GROUP BY ALL"
    )
    return _counted(sides, keys)


def differs(number: int, meet: Meet, tolerance: float) -> str:
    """SQL: whether the cells of a column differ."""
    one, two = f"old.c{number}", f"new.c{number}"
    apart = f"{one} IS DISTINCT FROM {two}"
    if not (meet.number and tolerance):
        return apart
    gap = f"abs(TRY_CAST({one} AS DOUBLE) - TRY_CAST({two} AS DOUBLE))"
    return f"({apart} AND NOT coalesce({gap} <= {tolerance!r}, false))"


def masked(tests: Sequence[tuple[int, str]], columns: int) -> list[str]:
    """SQL: the masks of the cells that differ; bit i of mask j is column 60 j + i."""
    masks = ["0::BIGINT"] * ((columns + BITS - 1) // BITS)
    for number, test in tests:
        masks[number // BITS] += f" + ({test})::BIGINT * {1 << number % BITS}"
    return masks


def _counted(sides: Sides, keys: Sequence[int]) -> int | Doubled:
    totals = (
        "sum(times) FILTER (o IS NULL AND n IS NULL), sum(times) FILTER (o IS NOT NULL),"
        " sum(times) FILTER (n IS NOT NULL)"
    )
    same, old, new = (int(n or 0) for n in sides.sql.rows(f"SELECT {totals} FROM joined")[0])
    found = _empty(sides, keys) or _twice(sides, keys, (same + old, same + new))
    if found is not None:
        sides.sql.run("DROP TABLE joined")
        return found
    sides.sql.run(
        "CREATE TEMP TABLE changes AS SELECT *, coalesce(o, n) AS seq FROM joined"
        " WHERE o IS NOT NULL OR n IS NOT NULL"
    )
    return same


def _empty(sides: Sides, keys: Sequence[int]) -> Doubled | None:
    """The first row whose key has no value."""
    for number, key in enumerate(keys):
        lack = f"k{number} IS NULL"
        text = f"SELECT min(o), min(n) FROM joined WHERE {lack} AND (o IS NULL) <> (n IS NULL)"
        old, new = sides.sql.rows(text)[0]
        if old is not None or new is not None:
            side = "old" if old is not None else "new"
            return Doubled(side, old if old is not None else new, None, key)
    return None


def _twice(sides: Sides, keys: Sequence[int], joined: tuple[int, int]) -> Doubled | None:
    """The first row whose key another has already. One that both sides have shows in the number
    of joined rows, one of a single side among its own."""
    values = ", ".join(f"k{number}" for number in range(len(keys)))
    alone = [
        f"SELECT 1 FROM joined WHERE {other} IS NULL AND {own} IS NOT NULL"
        f" GROUP BY {values} HAVING count(*) > 1 LIMIT 1"
        for own, other in ("on", "no")
    ]
    if joined == sides.rows() and not any(map(sides.sql.rows, alone)):
        return None
    return first_doubled(sides, "old", keys) or first_doubled(sides, "new", keys)


def first_doubled(sides: Sides, side: str, keys: Sequence[int]) -> Doubled | None:
    """The first row of a side whose key another has already, by reading its keys."""
    names = ", ".join(f"c{key}" for key in keys)
    text = (
        f"SELECT row, first FROM (SELECT row, min(row) OVER (PARTITION BY {names}) AS first"
        f" FROM {side}) WHERE row <> first ORDER BY row LIMIT 1"
    )
    found = sides.sql.rows(text)
    return Doubled(side, found[0][0], found[0][1], keys[0]) if found else None


def unique(sides: Sides, at: int, side: str) -> bool:
    """Whether a column of a side has no null and no value twice."""
    counts = f"SELECT count(*), count(c{at}), count(DISTINCT c{at}) FROM {side}"
    return len(set(sides.sql.rows(counts)[0])) == 1
