"""Which columns of two tables belong together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from oxcore.tables.asking import places_of
from oxcore.tables.reading import distinct_names
from oxcore.tables.rowdiff.model import ColumnChanges, Pair


def names_of(schema: pa.Schema) -> list[str]:
    """The names of the columns; a second ``x`` is ``x_2``."""
    return distinct_names(schema.names)


def pairs_of(old: pa.Schema, new: pa.Schema, renamed: Iterable[tuple[str, str]] = ()) -> list[Pair]:
    """The columns of both sides, in the order of the new one."""
    before = {name: at for at, name in enumerate(names_of(old))}
    known = {new_name: old_name for old_name, new_name in renamed}
    found = [(known.get(name, name), name, at) for at, name in enumerate(names_of(new))]
    return [Pair(one, two, before[one], at) for one, two, at in found if one in before]


def changes_of(old: pa.Schema, new: pa.Schema, pairs: Sequence[Pair]) -> ColumnChanges:
    """What became of the columns, ``pairs`` being those that stayed."""
    stayed = {pair.old for pair in pairs}, {pair.new for pair in pairs}
    types = [(one.new, str(old.types[one.old_at]), str(new.types[one.new_at])) for one in pairs]
    return ColumnChanges(
        added=tuple(name for name in names_of(new) if name not in stayed[1]),
        removed=tuple(name for name in names_of(old) if name not in stayed[0]),
        retyped=tuple(one for one in types if one[1] != one[2]),
        renamed=tuple((one.old, one.new) for one in pairs if one.old != one.new),
        kept=tuple(one.new for one in pairs),
    )


def key_places(keys: Sequence[str], pairs: Sequence[Pair]) -> list[int]:
    """Where the key columns stand among ``pairs``; ``NotFoundError`` for one that is not there."""
    return places_of(keys, [pair.new for pair in pairs])
