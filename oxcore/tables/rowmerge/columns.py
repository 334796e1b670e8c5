"""The columns of three versions of a table, and what becomes of them.

A column is followed by its name in the base; what only one side renamed, with its values as they
were, is the same column under a new name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oxcore.errors import InvalidError


class Column(NamedTuple):
    """One column: what it is called in each version, None where it is not there."""

    base: str | None
    ours: str | None
    theirs: str | None

    @property
    def name(self) -> str:
        """What it is called after the merge; ours, where both renamed it."""
        if self.ours is None:
            return self.theirs or self.base or ""
        return self.theirs if self.ours == self.base and self.theirs else self.ours

    @property
    def renamed_apart(self) -> bool:
        """Whether both sides renamed it, each in its way."""
        return None not in self and len(set(self)) == 3

    @property
    def new_there(self) -> bool:
        """Whether only theirs has it."""
        return self.base is None and self.ours is None

    @property
    def gone_here(self) -> bool:
        """Whether ours dropped it, and theirs has it."""
        return self.base is not None and self.ours is None and self.theirs is not None

    @property
    def gone_there(self) -> bool:
        """Whether theirs dropped it, and ours has it."""
        return self.base is not None and self.theirs is None and self.ours is not None


def follow(
    base: Sequence[str],
    ours: Sequence[str],
    theirs: Sequence[str],
    renamed_here: Mapping[str, str],
    renamed_there: Mapping[str, str],
) -> list[Column]:
    """The columns of all versions, those of the base first.

    ``renamed_here``, ``renamed_there``: old name -> new, on each side. Raises ``InvalidError`` if
    two columns would have one name.
    """
    found = [
        Column(name, _now(name, ours, renamed_here), _now(name, theirs, renamed_there))
        for name in base
    ]
    known_here = {column.ours for column in found}
    known_there = {column.theirs for column in found}
    new_here = [name for name in ours if name not in known_here]
    new_there = [name for name in theirs if name not in known_there]
    found += [Column(None, name, name if name in new_there else None) for name in new_here]
    found += [Column(None, None, name) for name in new_there if name not in new_here]
    _check(found)
    return found


def _now(name: str, side: Sequence[str], renamed: Mapping[str, str]) -> str | None:
    new = renamed.get(name, name)
    return new if new in side else None


def _check(columns: Sequence[Column]) -> None:
    kept = [
        column.name
        for column in columns
        if column.ours is not None or column.new_there or column.gone_here
    ]
    double = next((name for name in kept if kept.count(name) > 1), None)
    if double is not None:
        raise InvalidError(f"two columns would be called {double!r}")
