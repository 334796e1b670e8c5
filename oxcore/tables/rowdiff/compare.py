"""The diff of two tables, from what is asked to what is found."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from itertools import islice

import pyarrow as pa

from oxcore.errors import InvalidError, UsageError
from oxcore.tables.engine import prepare
from oxcore.tables.formats.csv import CsvReader
from oxcore.tables.formats.jsonrows import JsonReader
from oxcore.tables.helping import Helper
from oxcore.tables.reading import Reader
from oxcore.tables.rowdiff import bag, keyed, sequence
from oxcore.tables.rowdiff.columns import changes_of, key_places, pairs_of
from oxcore.tables.rowdiff.groups import spans
from oxcore.tables.rowdiff.kept import Stepped, joined
from oxcore.tables.rowdiff.keyed import BITS, Doubled
from oxcore.tables.rowdiff.keys import candidates, refuse
from oxcore.tables.rowdiff.lines import Look, look
from oxcore.tables.rowdiff.meet import Meet, meet
from oxcore.tables.rowdiff.model import ColumnChanges, How, Pair, RowCounts
from oxcore.tables.rowdiff.outside import LEAST, Outside, outside
from oxcore.tables.rowdiff.proof import proved
from oxcore.tables.rowdiff.renames import renamed
from oxcore.tables.rowdiff.result import RowDiff
from oxcore.tables.rowdiff.shares import Question, Rows, shared_out
from oxcore.tables.rowdiff.sides import Sides, facing
from oxcore.tables.rowdiff.stepping import step
from oxcore.tables.rowdiff.unique import source_of

Readers = tuple[Reader, Reader]


class Unproved(Exception):
    """The key may not tell apart the rows that were not read."""


def compare(
    names: tuple[str, str], readers: Readers, how: How, helpers: Sequence[Helper] = ()
) -> RowDiff:
    """What became of the rows of the first table; ``names``: the files, for messages."""
    with suppress(Unproved, InvalidError, pa.ArrowException):  # reading it all tells it best
        part = None
        if not how.ordered:
            part = outside(*readers, helpers) or _stepped(readers, how, helpers)
        if part is not None:
            return _compared(names, part.readers, how, part)
    return _compared(names, readers, how)


def _compared(
    names: tuple[str, str], readers: Readers, how: How, whole: Outside | None = None
) -> RowDiff:
    """The diff of the rows that two readers give; ``whole``: where there are others."""
    schemas = readers[0].schema, readers[1].schema
    pairs = pairs_of(*schemas)
    pairs = pairs_of(*schemas, renamed(readers, pairs, how.keys, _facing))
    keys = key_places(how.keys, pairs)
    if not pairs:
        raise InvalidError(f"{names[0]} and {names[1]} have no column in common")
    with ExitStack() as stack:
        sides = stack.enter_context(_facing(readers, pairs))
        if how.ordered:
            same = sequence.compare(sides, keys, how.tolerance)
        elif keys:
            same = _by_key(names, sides, pairs, keys, how, whole)
        else:
            keys, same = _found(readers, sides, pairs, how, whole)
        counts, cells = _counts(sides, pairs, same + (whole.shared if whole else 0))
        return RowDiff(
            "order" if how.ordered else "key" if keys else "rows",
            tuple(pairs[at].new for at in keys),
            changes_of(*schemas, pairs),
            counts,
            cells,
            pairs,
            readers,
            sides,
            stack.pop_all(),
        )


def _by_key(
    names: tuple[str, str],
    sides: Sides,
    pairs: Sequence[Pair],
    keys: Sequence[int],
    how: How,
    whole: Outside | None,
) -> int:
    """Match the rows by the columns ``keys``; gives how many are the same."""
    same = keyed.join(sides, keys, how.tolerance)
    doubled = isinstance(same, Doubled)
    if whole is not None and (doubled or not proved(sides, keys, pairs, whole)):
        raise Unproved
    if isinstance(same, Doubled):
        wrong = same.side == "new"
        reader = sides.new.reader if wrong else sides.old.reader
        raise refuse(names[wrong], reader, same, pairs, keys)
    return same


def work(readers: Readers, question: Question) -> Look | Stepped | None:
    """What a helper does that was asked."""
    if isinstance(question, Rows):
        return _step(readers, question)
    old, new = readers
    if isinstance(old, CsvReader) and isinstance(new, CsvReader):
        return look((old, new), question)
    return None


def _step(readers: Readers, asked: Rows) -> Stepped | None:
    pairs = pairs_of(readers[0].schema, readers[1].schema)
    texts = _is_text(readers[0]), _is_text(readers[1])
    return step(readers, pairs, _meets(readers, pairs), asked.keys, texts, asked.part)


def _stepped(readers: Readers, how: How, helpers: Sequence[Helper]) -> Outside | None:
    """What is left of two tables whose rows stand in about the same order."""
    pairs = pairs_of(readers[0].schema, readers[1].schema)
    large = all(source_of(reader).size >= LEAST for reader in readers)
    if not large or any(changes_of(readers[0].schema, readers[1].schema, pairs).added):
        return None
    keys = key_places(how.keys, pairs) or list(islice(candidates(readers, pairs), 1))
    if not keys:
        return None
    prepare()
    asked = [Rows(tuple(keys), part) for part in spans(*readers, 1 + len(helpers))]
    steps = shared_out(asked, helpers, partial(_step, readers))
    if not all(steps):
        return None
    found = joined([one for one in steps if one])
    names = tuple(pairs[at].new for at in keys)
    ranges = {} if found.range is None else {names: found.range}
    return Outside(found.readers, readers, found.shared, ranges)


def unchanged(readers: Readers, how: How) -> RowDiff:
    """The diff of files of the same bytes: no row is read, and none is counted."""
    by = "order" if how.ordered else "key" if how.keys else "rows"
    counts = RowCounts(0, 0, 0, None, None, None)
    return RowDiff(by, how.keys, ColumnChanges(), counts, {}, (), readers)


def find(old: Reader, new: Reader) -> tuple[str, ...]:
    """The name of a column that is a key of both, if there is one."""
    pairs = pairs_of(old.schema, new.schema)
    if not pairs:
        return ()
    with _facing((old, new), pairs) as sides:
        for at in candidates((old, new), pairs):
            if all(map(partial(keyed.unique, sides, at), ("old", "new"))):
                return (pairs[at].new,)
    return ()


def _facing(readers: Readers, pairs: Sequence[Pair]) -> AbstractContextManager[Sides]:
    places = [(one.old_at, one.new_at) for one in pairs]
    return facing(readers, places, _meets(readers, pairs))


def _meets(readers: Readers, pairs: Sequence[Pair]) -> list[Meet]:
    texts = (_is_text(readers[0]), _is_text(readers[1]))
    old, new = (reader.schema for reader in readers)
    return [meet(old.field(one.old_at), new.field(one.new_at), texts) for one in pairs]


def _is_text(reader: Reader) -> bool:
    return isinstance(reader, CsvReader | JsonReader) or bool(getattr(reader, "text", False))


def _found(
    readers: Readers, sides: Sides, pairs: Sequence[Pair], how: How, whole: Outside | None
) -> tuple[list[int], int]:
    """A key that holds in both sides, or none and whole rows; and the rows that are the same."""
    for at in candidates(readers, pairs):
        same = keyed.join(sides, [at], how.tolerance)
        if isinstance(same, Doubled):
            continue
        if whole is None or proved(sides, [at], pairs, whole):
            return [at], same
        sides.sql.run("DROP TABLE joined; DROP TABLE changes")
    if how.tolerance:
        raise UsageError(
            "a tolerance needs to know which rows are the same, and no column tells",
            hint="name the columns that do: --keys",
        )
    return [], bag.compare(sides)


def _counts(sides: Sides, pairs: Sequence[Pair], same: int) -> tuple[RowCounts, dict[str, int]]:
    """The counts, once the changes have been put in order as ``found``."""
    sides.sql.run(
        "CREATE TEMP TABLE found AS SELECT"
        " row_number() OVER (ORDER BY seq, o NULLS LAST, n) - 1 AS place, * EXCLUDE (seq)"
        " FROM changes ORDER BY place"
    )
    bits = [f"m{at // BITS} & {1 << at % BITS} <> 0" for at in range(len(pairs))]
    kinds = ["o IS NULL", "n IS NULL", "o = o AND n = n"]
    told = [*kinds, *(f"o = o AND n = n AND {bit}" for bit in bits)]
    text = ", ".join(f"count(*) FILTER ({one})" for one in told)
    added, removed, changed, *cells = sides.sql.rows(f"SELECT {text} FROM found")[0]
    counts = RowCounts(
        added, removed, changed, same, same + changed + removed, same + changed + added
    )
    named = zip(pairs, cells, strict=True)
    return counts, {pair.new: count for pair, count in named if count}
