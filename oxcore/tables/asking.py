"""What to look at: which columns, which rows in which order, and which part of them."""

from __future__ import annotations

import difflib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from oxcore.errors import NotFoundError, UsageError

_LISTED = 20  # columns named in a hint
PARTS = ("all", "head", "tail", "sample")


@dataclass(frozen=True, slots=True)
class Query:
    """``columns`` by name (none: all); ``where`` and ``sort`` are SQL expressions over them, as in
    ``price > 3`` and ``price DESC, id``. ``sql`` is a whole query of the table ``t`` instead."""

    columns: tuple[str, ...] = ()
    where: str = ""
    sort: str = ""
    sql: str = ""

    def __post_init__(self) -> None:
        if self.sql and (self.columns or self.where or self.sort):
            raise UsageError("sql goes alone: columns, where and sort belong into it")


@dataclass(frozen=True, slots=True)
class Part:
    """``kind``: all rows, the ``head`` or ``tail`` of ``n`` rows, or a ``sample`` of ``n`` in the
    order of the rows, which is the same at every call with the same ``seed``."""

    kind: str = "all"
    n: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in PARTS:
            raise UsageError(f"a part is one of {', '.join(PARTS)}, not {self.kind!r}")
        if self.n < 0:
            raise UsageError("a number of rows is not negative")

    def places(self, total: int) -> Sequence[int]:
        """Which of ``total`` rows, counted from 0, in ascending order."""
        if self.kind == "all":
            return range(total)
        if self.kind == "head":
            return range(min(self.n, total))
        if self.kind == "tail":
            return range(max(0, total - self.n), total)
        return sample(total, self.n, self.seed)


def sample(total: int, n: int, seed: int) -> list[int]:
    """``n`` of the numbers below ``total``, ascending; each set is as likely as any other.

    Robert Floyd's algorithm (Bentley, Programming Pearls, CACM 30, 1987), over ``random.random``,
    whose sequence Python promises to keep: the same on every machine.
    """
    draw, chosen = random.Random(seed), set[int]()  # noqa: S311 -- no secret
    for top in range(total - min(n, total), total):
        place = int(draw.random() * (top + 1))
        chosen.add(top if place in chosen else place)
    return sorted(chosen)


def names_of(columns: str | Sequence[str]) -> tuple[str, ...]:
    """Names of columns; a text is one name, not its letters."""
    return (columns,) if isinstance(columns, str) else tuple(columns)


def places_of(columns: str | Sequence[str], names: Sequence[str]) -> list[int]:
    """Where the columns stand among ``names``, each once; ``NotFoundError`` names what is like
    one that is not there."""
    return [_place(column, names) for column in dict.fromkeys(names_of(columns))]


def _place(column: str, names: Sequence[str]) -> int:
    try:
        return list(names).index(column)
    except ValueError:
        near = difflib.get_close_matches(column, names, 3)
        some = ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")
        hint = f"did you mean {', '.join(near)}?" if near else f"there are: {some or 'none'}"
        raise NotFoundError(f"no column is called {column!r}", hint=hint) from None
