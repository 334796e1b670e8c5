"""What is known of the columns whose values are all different, kept by the content of the file."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from oxcore.tables.about import kind_of, packed, unpacked
from oxcore.tables.reading import Reader
from oxcore.tables.source import Source

_KIND = "unique 1"


End = int | str | None


class Range(NamedTuple):
    """The values of a key lie within these: integers or texts; None where that is not known."""

    low: End
    high: End

    def apart(self, low: object, high: object) -> bool:
        """Whether values from ``low`` to ``high`` are certainly none of these."""
        if not _comparable(self.low, self.high, low, high):
            return False
        return bool(pc.less(self.high, low).as_py() or pc.less(high, self.low).as_py())

    def then(self, other: Range) -> Range | None:
        """The range of values that ascend, and of others behind them; None unless all ascend."""
        if not _comparable(self.high, other.low):
            return None
        return Range(self.low, other.high) if pc.less(self.high, other.low).as_py() else None

    def around(self, low: object, high: object) -> Range:
        """The range of these values and others (None: there are no others)."""
        if low is None:
            return self
        if not _comparable(self.low, self.high, low, high):
            return Range(None, None)
        ends = pc.min_max(pa.array([self.low, self.high, low, high])).as_py()
        return Range(ends["min"], ends["max"])


def _comparable(*ends: object) -> bool:
    return any(all(isinstance(one, kind) for one in ends) for kind in (int, str))


def source_of(reader: Reader) -> Source:
    """The file that a reader reads."""
    found: Source = reader.source  # type: ignore[attr-defined]  # each format has it
    return found


def known(source: Source, keys: Sequence[str]) -> Range | None:
    """The range of key columns that tell apart all rows of a file, if that is known."""
    found = _all(source).get(_name(keys))
    return None if found is None else Range(*found)


def keep(source: Source, found: Mapping[tuple[str, ...], Range]) -> None:
    """Keep what was found out of a file."""
    if source.memo is not None and found:
        whole = _all(source) | {_name(keys): list(one) for keys, one in found.items()}
        data = packed(whole)
        if data is not None:
            source.memo.put(kind_of(_KIND, source.name), data)


def _name(keys: Sequence[str]) -> str:
    return "\0".join(sorted(keys))


def _all(source: Source) -> dict[str, list[End]]:
    data = None if source.memo is None else source.memo.get(kind_of(_KIND, source.name))
    try:
        found = {} if data is None else unpacked(data)
    except (ValueError, TypeError, zlib.error):  # a cache: what is wrong is made anew
        return {}
    return found if isinstance(found, dict) else {}


class Ascent:
    """Finds the columns of text whose values ascend strictly, which shows that all are different:
    integers as such, all else as text."""

    def __init__(self, columns: int) -> None:
        self._alive = dict.fromkeys(range(columns))
        self._ends: dict[int, tuple[pa.Scalar, pa.Scalar]] = {}
        self._whole: dict[int, bool] = {}

    def look(self, batch: pa.RecordBatch) -> None:
        """Learn of more rows."""
        if not len(batch):
            return
        for at in list(self._alive):
            if not self._goes_on(at, batch.column(at)):
                del self._alive[at]

    def found(self, types_: Sequence[pa.DataType]) -> dict[int, Range]:
        """The columns that ascend, by place, and their ranges; ``types_``: those of all."""
        return {
            at: Range(*(end.as_py() for end in self._ends[at]))
            for at in self._alive
            if at in self._ends and (self._whole[at] or _as_text(types_[at]))
        }

    def go_on(self, other: Ascent) -> None:
        """Learn of the rows that another was shown, which come next."""
        for at in list(self._alive):
            if at not in other._alive or not self._ends_before(at, other):
                del self._alive[at]

    def _ends_before(self, at: int, other: Ascent) -> bool:
        """Whether a column goes on ascending in the rows of the other."""
        if at not in other._ends:
            return True
        if at not in self._ends:
            self._ends[at], self._whole[at] = other._ends[at], other._whole[at]
            return True
        (first, last), (low, high) = self._ends[at], other._ends[at]
        self._ends[at] = first, high
        return self._whole[at] == other._whole[at] and bool(pc.less(last, low).as_py())

    def _goes_on(self, at: int, values: pa.Array) -> bool:
        if values.null_count:
            return False
        if self._whole.get(at, True):
            whole = _integers(values)
            if whole is not None:
                self._whole[at] = True
                return self._ascends(at, whole)
        if self._whole.get(at, False):
            return False
        self._whole[at] = False
        return self._ascends(at, values)

    def _ascends(self, at: int, values: pa.Array) -> bool:
        first, last = values[0], values[-1]
        if at in self._ends and not pc.less(self._ends[at][1], first).as_py():
            return False
        self._ends[at] = (self._ends.get(at, (first, last))[0], last)
        return len(values) < 2 or bool(pc.all(pc.less(values[:-1], values[1:])).as_py())


def _integers(values: pa.Array) -> pa.Array | None:
    try:
        pc.cast(values[:1], pa.int64())
        return pc.cast(values, pa.int64())
    except pa.ArrowInvalid:
        return None


def _as_text(type_: pa.DataType) -> bool:
    """Whether different texts are different values."""
    return bool(types.is_string(type_) or types.is_date32(type_))
