"""That a key tells apart the rows too that were not compared, since both sides share them."""

from __future__ import annotations

from collections.abc import Sequence

from oxcore.tables.reading import Reader
from oxcore.tables.rowdiff import unique
from oxcore.tables.rowdiff.model import Pair
from oxcore.tables.rowdiff.outside import Outside
from oxcore.tables.rowdiff.sides import Column, Side, Sides
from oxcore.tables.rowdiff.unique import Range, source_of

_ADDED = "FROM joined WHERE o IS NULL AND n IS NOT NULL"


def proved(sides: Sides, keys: Sequence[int], pairs: Sequence[Pair], outside: Outside) -> bool:
    """Whether the key holds in all of the old table, and no added row has that of a row of it.

    Then it holds in the new one as well, whose other rows are among those that were compared or
    shared. What was found is kept of both.
    """
    names, whole = tuple(pairs[at].new for at in keys), outside.whole
    known = outside.ranges.get(names) or unique.known(source_of(whole[0]), names)
    lowest, highest = (f"{end}(k0)" if len(keys) == 1 else "NULL" for end in ("min", "max"))
    count, low, high = sides.sql.rows(f"SELECT count(*), {lowest}, {highest} {_ADDED}")[0]
    if known is None or (count and not known.apart(low, high)):
        known = _read(sides, keys, pairs, whole[0])
    if known is None:
        return False
    unique.keep(source_of(whole[0]), {names: known})
    unique.keep(source_of(whole[1]), {names: known.around(low, high)})
    return True


def _read(sides: Sides, keys: Sequence[int], pairs: Sequence[Pair], old: Reader) -> Range | None:
    """The range of the old table's keys, by reading them; None if a row has no key of its own."""
    meets = [sides.meets[at] for at in keys]
    places = [pairs[at].old_at for at in keys]
    columns = [Column(at, one.type, one.old) for at, one in zip(places, meets, strict=True)]
    sides.sql.attach("whole", Side(old, columns))
    names = [f"c{number}" for number in range(len(keys))]
    key = names[0] if len(names) == 1 else f"({', '.join(names)})"
    added = ", ".join(f"k{number}" for number in range(len(keys)))
    null = " OR ".join(f"{name} IS NULL" for name in names)
    text = (
        f"SELECT count(*), count(DISTINCT {key}), count(*) FILTER ({null}),"
        f" count(*) FILTER ({key} IN (SELECT {added} {_ADDED})), min(c0), max(c0) FROM whole"
    )
    rows, distinct, nulls, taken, low, high = sides.sql.rows(text)[0]
    sides.sql.detach("whole")
    if rows != distinct or nulls or taken:
        return None
    plain = len(keys) == 1 and isinstance(low, int | str)
    return Range(low, high) if plain else Range(None, None)
