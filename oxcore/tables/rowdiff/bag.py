"""Rows without a key: how often each whole row comes up on either side."""

from __future__ import annotations

from oxcore.tables.rowdiff import keyed
from oxcore.tables.rowdiff.sides import Sides


def compare(sides: Sides) -> int:
    """Make ``changes`` as ``keyed.join`` does: the last of the rows of which a side has more.

    Gives the number of rows that are the same in both.
    """
    names = [f"c{number}" for number in range(len(sides.meets))]
    listed = ", ".join(names)
    sides.sql.run(
        f"CREATE TEMP TABLE uneven AS SELECT {listed}, sum(side) AS more FROM ("
        f"SELECT {listed}, 1 AS side FROM new UNION ALL SELECT {listed}, -1 FROM old)"
        f" GROUP BY {listed} HAVING sum(side) <> 0"
    )
    removed = _last("old", names, "-more")
    added = _last("new", names, "more")
    empty = keyed.masked([], len(names))
    masks = ", ".join(f"{zero} AS m{number}" for number, zero in enumerate(empty))
    sides.sql.run(
        f"CREATE TEMP TABLE changes AS SELECT row AS o, NULL::BIGINT AS n, {masks}, row AS seq"
        f" FROM ({removed}) UNION ALL SELECT NULL, row, {masks}, row FROM ({added})"
    )
    gone = sides.sql.rows("SELECT count(o) FROM changes")[0][0]
    return sides.rows()[0] - int(gone)


def _last(side: str, names: list[str], times: str) -> str:
    same = " AND ".join(f"{side}.{name} IS NOT DISTINCT FROM uneven.{name}" for name in names)
    listed = ", ".join(f"{side}.{name}" for name in names)
    return (
        f"SELECT {side}.row FROM {side} JOIN uneven ON {same} WHERE {times} > 0"
        f" QUALIFY row_number() OVER (PARTITION BY {listed} ORDER BY {side}.row DESC) <= {times}"
    )
