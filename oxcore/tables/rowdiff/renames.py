"""Columns that got another name, as their values say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from oxcore.tables.reading import Reader
from oxcore.tables.rowdiff import keyed
from oxcore.tables.rowdiff.columns import changes_of
from oxcore.tables.rowdiff.keys import candidates
from oxcore.tables.rowdiff.meet import alike
from oxcore.tables.rowdiff.model import Pair
from oxcore.tables.rowdiff.sides import Sides

NEARLY = 0.95  # of the rows that are matched have the same value

Face = Callable[[tuple[Reader, Reader], Sequence[Pair]], AbstractContextManager[Sides]]


def renamed(
    readers: tuple[Reader, Reader], pairs: Sequence[Pair], keys: Sequence[str], face: Face
) -> list[tuple[str, str]]:
    """Old and new names of columns that only one side has, of types that can be compared, whose
    values agree in nearly all rows: rows of one key, or, without one, of one place."""
    old, new = (reader.schema for reader in readers)
    columns = changes_of(old, new, pairs)
    gone = [(at, name) for at, name in enumerate(old.names) if name in columns.removed]
    come = [(at, name) for at, name in enumerate(new.names) if name in columns.added]
    likely = [
        Pair(one, two, a, b)
        for a, one in gone
        for b, two in come
        if alike(old.field(a), new.field(b))
    ]
    if not likely:
        return []
    with face(readers, [*pairs, *likely]) as sides:
        scores = _scores(sides, _same(readers, sides, pairs, keys), len(pairs), len(likely))
    return _chosen(likely, scores)


def _same(
    readers: tuple[Reader, Reader], sides: Sides, pairs: Sequence[Pair], keys: Sequence[str]
) -> str:
    """SQL: which rows are matched."""
    names = [pair.new for pair in pairs]
    if keys and set(keys) <= set(names):
        at = [names.index(key) for key in keys]
    else:
        at = [] if keys else _key(readers, sides, pairs)
    return " AND ".join(f"old.c{one} = new.c{one}" for one in at) or "old.row = new.row"


def _key(readers: tuple[Reader, Reader], sides: Sides, pairs: Sequence[Pair]) -> list[int]:
    for at in candidates(readers, pairs):
        if keyed.unique(sides, at, "old") and keyed.unique(sides, at, "new"):
            return [at]
    return []


def _scores(sides: Sides, same: str, first: int, count: int) -> list[float]:
    """For each pair of columns, the share of rows of one value among those that have any."""
    told = []
    for at in range(first, first + count):
        filled = f"old.c{at} IS NOT NULL OR new.c{at} IS NOT NULL"
        told.append(f"count(*) FILTER (old.c{at} = new.c{at}) / count(*) FILTER ({filled})")
    text = f"SELECT {', '.join(told)} FROM old JOIN new ON {same}"
    return [float(score or 0) for score in sides.sql.rows(text)[0]]


def _chosen(likely: Sequence[Pair], scores: Sequence[float]) -> list[tuple[str, str]]:
    """The best pairs, each column in one."""
    ranked = sorted(range(len(likely)), key=lambda at: -scores[at])
    taken: list[tuple[str, str]] = []
    for at in ranked:
        one, two = likely[at].old, likely[at].new
        free = all(one != a and two != b for a, b in taken)
        if scores[at] >= NEARLY and free:
            taken.append((one, two))
    return taken
