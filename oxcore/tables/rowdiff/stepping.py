"""Two tables of any format gone through side by side: rows that are equal where they stand are
done with, and only the others are kept for the engine.

Both stay together by their key. Where it differs, the next key that both have is looked for
nearby. Row groups of Parquet that are the same bytes are not read; what is read, a thread a side
reads ahead.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.fs.ahead import Ahead
from oxcore.tables.gather import take
from oxcore.tables.reading import Reader
from oxcore.tables.rowdiff.alongside import apart, as_said, plain, together
from oxcore.tables.rowdiff.groups import Alike, Run, Twin, alike, pieces_of, runs
from oxcore.tables.rowdiff.kept import KeptReader, Stepped
from oxcore.tables.rowdiff.meet import Convert, Meet
from oxcore.tables.rowdiff.model import Pair
from oxcore.tables.rowdiff.span import Bounds, Span
from oxcore.tables.rowdiff.unique import Ascent, Range

MOST = 1 << 18  # rows of a side that are kept in memory
ENOUGH = 1 << 17  # rows after which tables that have little in common are given up
_BYTES = 256 << 20  # that these rows may take
_WINDOWS = (16, 256, 4096)  # rows among which the next common key is looked for
_AHEAD = 4  # batches that a side is read ahead
_HELD = (types.is_integer, types.is_string, types.is_binary, types.is_decimal, types.is_boolean)


def step(
    readers: tuple[Reader, Reader],
    pairs: Sequence[Pair],
    meets: Sequence[Meet],
    keys: Sequence[int],
    texts: tuple[bool, bool],
    part: Span | None = None,
) -> Stepped | None:
    """What is left of two tables, or of ``part`` of them; None where that is too much to be kept,
    or a key is of a type whose values Python does not hold."""
    if not all(any(is_it(meets[at].type) for is_it in _HELD) for at in keys):
        return None
    with ExitStack() as stack:
        groups = stack.enter_context(alike(*readers))
        flows = _flows(readers, pairs, meets, keys, groups, part)
        old, new = (stack.enter_context(closing(flow)) for flow in flows)
        if len(keys) == 1 and meets[keys[0]].type in (pa.int64(), pa.string()):
            old.watch(keys[0])
        walk = _Walk(old, new, keys, groups)
        while walk.step():
            if old.crowded() or new.crowded():
                return None
        kept = old.kept(texts[0]), new.kept(texts[1])
        return Stepped(kept, walk.shared, old.range())


def _flows(
    readers: tuple[Reader, Reader],
    pairs: Sequence[Pair],
    meets: Sequence[Meet],
    keys: Sequence[int],
    groups: Alike | None,
    part: Span | None,
) -> tuple[_Flow, _Flow]:
    twins = (None, None) if groups is None else groups.twins
    one, two = (_rows(*each) for each in zip(readers, twins, part or (None, None), strict=True))
    olds, news = [pair.old_at for pair in pairs], [pair.new_at for pair in pairs]
    held, now = (reader.schema.types for reader in readers)
    common = [
        _common(held[old], now[new], meet) for old, new, meet in zip(olds, news, meets, strict=True)
    ]
    return (
        _Flow(one, olds, [meet.old for meet in meets], common, keys),
        _Flow(two, news, [meet.new for meet in meets], common, keys),
    )


class _Rows(NamedTuple):
    """Rows of a table in ``runs``: the number of the ``first``, and that of its row ``group``."""

    schema: pa.Schema
    runs: Iterator[Run]
    first: int
    group: int


def _rows(reader: Reader, twin: Twin | None, span: Bounds | None) -> _Rows:
    group = span[0] if span else 0
    first = sum(piece.rows for piece in islice(pieces_of(reader), group)) if group else 0
    return _Rows(reader.schema, runs(reader, twin, span), first, group)


def _common(old: pa.DataType, new: pa.DataType, meet: Meet) -> pa.DataType:
    """The type in which a column is compared: numbers of one type need not be made wider."""
    same = old == new and meet.old is None and meet.new is None
    return old if same and types.is_primitive(old) else meet.type


class _Flow:
    """The rows of one side as they come, and those that are kept."""

    def __init__(
        self,
        rows: _Rows,
        places: Sequence[int],
        converts: Sequence[Convert | None],
        common: Sequence[pa.DataType],
        keys: Sequence[int],
    ) -> None:
        self._schema = rows.schema
        self._columns = list(zip(places, converts, common, strict=True))
        self._keys = frozenset(keys)
        self._runs = rows.runs
        self._run: Run | None = None
        self._batches: Ahead[pa.RecordBatch] | None = None
        self._batch: pa.RecordBatch | None = None
        self._met = pa.RecordBatch.from_arrays([], names=[])
        self.at, self.first, self.group = 0, rows.first, rows.group
        self._start = rows.first
        self._chosen = array("q")
        self._ascent: tuple[int, Ascent] | None = None
        self._kept: list[pa.RecordBatch] = []
        self._places = array("q")
        self._bytes = 0

    @property
    def width(self) -> int:
        """How many columns are compared."""
        return len(self._columns)

    @property
    def rest(self) -> int:
        """Rows of the batch at hand that are not done with."""
        return 0 if self._batch is None else len(self._batch) - self.at

    def watch(self, key: int) -> None:
        """Look whether a column ascends."""
        self._ascent = key, Ascent(1)

    def range(self) -> Range | None:
        """The range of that column, if it does."""
        if self._ascent is None:
            return None
        key, ascent = self._ascent
        return ascent.found([self._columns[key][2]]).get(0)

    def close(self) -> None:
        """Read no further."""
        if self._batches is not None:
            self._batches.close()

    def run(self) -> Run | None:
        """The run that comes next, if all rows of the last are done with."""
        if self.rest or self._more():
            return None
        if self._run is None:
            self._run = next(self._runs, None)
        return self._run

    def start(self) -> None:
        """Begin to read the run that comes next, if it is time for it."""
        if self._run is not None:
            self._batches = Ahead(self._run.load(), _AHEAD)
            self.group += self._run.groups
            self._run = None

    def pass_by(self) -> None:
        """Go over the row group that comes next, unread."""
        self._flush()
        if self._run is not None:
            self.first += self._run.rows
            self._run, self.group = None, self.group + 1
            self._ascent = None

    def fill(self, rows: int) -> bool:
        """Read on to at least so many rows, if there are; False if there is none at all."""
        while self.rest < rows and self._next():
            pass
        return self.rest > 0

    def _more(self) -> bool:
        """Take the next batch of the run that is being read."""
        typed = None if self._batches is None else next(self._batches, None)
        if typed is None:
            return False
        if self._ascent is not None:
            at, convert, type_ = self._columns[self._ascent[0]]
            keys = _met(plain(typed.column(at)), convert, type_)
            self._ascent[1].look(pa.RecordBatch.from_arrays([keys], ["key"]))
        if self.rest and self._batch is not None:
            parts = [pa.Table.from_batches([one]) for one in (self._batch.slice(self.at), typed)]
            joined = pa.concat_tables([as_said(one, self._schema) for one in parts])
            typed = joined.combine_chunks().to_batches()[0]
        self._flush()
        self._batch, self.at = typed, 0
        met = [self._column(typed, number) for number in range(self.width)]
        self._met = pa.RecordBatch.from_arrays(met, [str(at) for at in range(len(met))])
        return True

    def _column(self, batch: pa.RecordBatch, number: int) -> pa.Array:
        """A column as it is compared; one that comes coded may stay so, unless it is a key."""
        at, convert, type_ = self._columns[number]
        values = batch.column(at)
        if values.type == self._schema.types[at]:
            return _met(values, convert, type_)
        coded = convert is None and number not in self._keys
        return values if coded else _met(plain(values), convert, type_)

    def _next(self) -> bool:
        if self._more():
            return True
        if self._run is None:
            self._run = next(self._runs, None)
        if self._run is None:
            return False
        self.start()
        return self._next()

    def window(self, keys: Sequence[int], most: int) -> list[tuple[object, ...]]:
        """The next keys."""
        self.fill(most)
        rows = self.next(min(most, self.rest))
        return list(zip(*(rows.column(at).to_pylist() for at in keys), strict=True))

    def next(self, rows: int) -> pa.RecordBatch:
        """The next rows, of those at hand, as they are compared."""
        return self._met.slice(self.at, rows)

    def skip(self, rows: int) -> None:
        """Be done with some rows."""
        self.at += rows

    def keep_next(self, rows: int) -> None:
        """Keep some rows."""
        self.keep(range(rows))
        self.skip(rows)

    def keep(self, offsets: Sequence[int]) -> None:
        """Keep the rows at these offsets from the next one on."""
        self._chosen.extend(self.at + offset for offset in offsets)

    def crowded(self) -> bool:
        """Whether more is kept than is worth it."""
        kept = len(self._places) + len(self._chosen)
        seen = self.first + self.at - self._start
        return kept > MOST or self._bytes > _BYTES or (seen > ENOUGH and 2 * kept > seen)

    def _flush(self) -> None:
        """Copy what is kept of the batch at hand, which then goes."""
        if self._batch is None:
            return
        if self._chosen:
            rows = as_said(take(pa.Table.from_batches([self._batch]), self._chosen), self._schema)
            self._kept += rows.to_batches()
            self._bytes += rows.nbytes
            self._places.extend(self.first + at for at in self._chosen)
            self._chosen = array("q")
        self.first += self.at
        self._batch = None

    def kept(self, text: bool) -> KeptReader:
        """The rows that were kept, once all are done with."""
        self._flush()
        rows = pa.Table.from_batches(self._kept, self._schema)
        return KeptReader(self._schema, rows, self._places, text)


class _Walk:
    """Both sides gone through together. ``shared``: rows that are equal."""

    def __init__(self, old: _Flow, new: _Flow, keys: Sequence[int], groups: Alike | None) -> None:
        self._old, self._new, self._keys, self._groups = old, new, keys, groups
        self._others = [at for at in range(old.width) if at not in keys]
        self.shared = 0

    def step(self) -> bool:
        """Go on by some rows; False at the end of both."""
        old, new = self._old, self._new
        one, two = old.run(), new.run()
        same = one and two and self._groups and self._groups.same(old.group, new.group)
        if one and same:
            self.shared += one.rows
            old.pass_by()
            new.pass_by()
            return True
        old.start()
        new.start()
        if not old.fill(1) or not new.fill(1):
            for flow in (old, new):
                flow.keep_next(flow.rest)
            return old.fill(1) or new.fill(1)
        self._go()
        return True

    def _go(self) -> None:
        """Be done with the rows whose keys go together, or look for the next that do."""
        size = min(self._old.rest, self._new.rest)
        one, two = self._old.next(size), self._new.next(size)
        same = together(one, two, self._keys)
        if same:
            pairs = ((one.column(at), two.column(at)) for at in self._others)
            self._pass(same, apart((x.slice(0, same), y.slice(0, same)) for x, y in pairs))
        if same < size:
            self._apart()

    def _pass(self, size: int, apart: Sequence[int]) -> None:
        """Be done with rows of both, but for some that are kept."""
        for flow in (self._old, self._new):
            flow.keep(apart)
            flow.skip(size)
        self.shared += size - len(apart)

    def _apart(self) -> None:
        """Keep the rows up to the next key that both have."""
        one: list[tuple[object, ...]] = []
        two: list[tuple[object, ...]] = []
        for most in _WINDOWS:
            one, two = self._old.window(self._keys, most), self._new.window(self._keys, most)
            places = {key: at for at, key in reversed(list(enumerate(two)))}
            found = ((at, places[key]) for at, key in enumerate(one) if key in places)
            at = min(found, key=sum, default=None)
            if at is not None:
                self._old.keep_next(at[0])
                self._new.keep_next(at[1])
                return
        self._old.keep_next(len(one))
        self._new.keep_next(len(two))


def _met(values: pa.Array, convert: Convert | None, type_: pa.DataType) -> pa.Array:
    met = convert(values) if convert else values
    return met if met.type == type_ else pc.cast(met, type_)
