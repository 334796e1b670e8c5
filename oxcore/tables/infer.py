"""The type of a column of text, from all of its values: docs/design/007-tables.md has the table.

Each value is of one class, and a column's type is decided by the set of classes that it holds, so
that neither the order of rows nor the size of what is read at once matters. A column gets a type
other than text only if that type loses nothing of any value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntFlag

import pyarrow as pa
import pyarrow.compute as pc

SAFE = 1 << 53  # a double holds every integer up to here
_NANO = (-9223372036854775, 9223372036854775)  # microseconds that nanoseconds can hold
_FEW = 1000
_DIGITS = 17  # significant digits that a double keeps
_SAFE_DIGITS = 15  # every integer of so many digits is below 2^53


class Seen(IntFlag):
    """Classes of values."""

    NONE = 0
    INT = 1  # 0, 7, -12: up to 2^53
    LONG = 2  # beyond, in 64 bits
    HUGE = 4  # beyond, up to 38 digits
    REAL = 8  # 0.5, -.5, 1e-05, 1.5e10: at most 17 digits
    POWER = 16  # 1e5: a number among numbers with a point, else an id
    ODD = 32  # NaN, inf: likewise
    BOOL = 64  # true, True, TRUE
    DATE = 128  # 2026-01-31
    TIME = 256  # 2026-01-31 10:00[:00[.000000]]
    OLD = 512  # the same, in years that nanoseconds do not reach
    NANO = 1024  # the same, with more than six digits
    ZONED = 2048  # 2026-01-31T10:00:00Z, +01:00
    TEXT = 4096  # anything else


_WHOLE = r"(?:0|[1-9][0-9]*)"
_STAMP = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"
_SECONDS = r"(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_FORMS = {
    Seen.INT: r"0|-?[1-9][0-9]{0,17}",
    Seen.HUGE: r"-?[1-9][0-9]{18,37}",
    Seen.REAL: rf"-?(?:{_WHOLE}?\.[0-9]+|{_WHOLE}\.)(?:[eE][+-]?[0-9]+)?|-?{_WHOLE}[eE][+-][0-9]+",
    Seen.POWER: rf"-?{_WHOLE}[eE][0-9]+",
    Seen.ODD: r"NaN|nan|NAN|[+-]?(?:inf|Inf|INF)(?:inity)?",
    Seen.BOOL: r"true|false|True|False|TRUE|FALSE",
    Seen.DATE: r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    Seen.TIME: _STAMP + _SECONDS,
    Seen.NANO: rf"{_STAMP}:[0-9]{{2}}\.[0-9]{{7,9}}",
    Seen.ZONED: rf"{_STAMP}{_SECONDS}(?:Z|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)",
}
_BEFORE = range(_DIGITS)  # digits before the point, but the first
_EXACT = (  # nearly all numbers of at most 17 digits; the others are counted one by one
    r"^-?(?:0?\.0*[0-9]{0,17}|"
    + "|".join(f"[1-9][0-9]{{{n}}}\\.[0-9]{{0,{_DIGITS - 1 - n}}}" for n in _BEFORE)
    + ")(?:[eE].*)?$"
)
_SHORT = rf"{_FORMS[Seen.REAL]}|0|-?[1-9][0-9]{{0,14}}"
_TYPES = {
    Seen.INT: pa.int64(),
    Seen.HUGE: pa.decimal128(38, 0),
    Seen.REAL: pa.float64(),
    Seen.POWER: pa.float64(),
    Seen.ODD: pa.float64(),
    Seen.BOOL: pa.bool_(),
    Seen.DATE: pa.date32(),
    Seen.TIME: pa.timestamp("us"),
    Seen.NANO: pa.timestamp("ns"),
    Seen.ZONED: pa.timestamp("us", "UTC"),
}
# The first line whose classes hold all of a column's decides, if one of `needed` is among them.
_RULES: tuple[tuple[Seen, Seen, pa.DataType], ...] = (
    (Seen.INT | Seen.LONG, Seen.INT | Seen.LONG, pa.int64()),
    (Seen.INT | Seen.LONG | Seen.HUGE, Seen.HUGE, pa.decimal128(38, 0)),
    (Seen.INT | Seen.REAL | Seen.POWER | Seen.ODD, Seen.REAL, pa.float64()),
    (Seen.INT | Seen.ODD, Seen.INT, pa.float64()),
    (Seen.BOOL, Seen.BOOL, pa.bool_()),
    (Seen.DATE, Seen.DATE, pa.date32()),
    (Seen.TIME | Seen.OLD, Seen.TIME | Seen.OLD, pa.timestamp("us")),
    (Seen.TIME | Seen.NANO, Seen.NANO, pa.timestamp("ns")),
    (Seen.ZONED, Seen.ZONED, pa.timestamp("us", "UTC")),
)


def decide(seen: Seen) -> pa.DataType:
    """The type of a column that holds these classes of values; text where none fits."""
    for allowed, needed, type_ in _RULES:
        if seen & needed and not seen & ~allowed:
            return type_
    return pa.string()


def decided(before: pa.DataType, gone: Seen, come: Seen) -> pa.DataType | None:
    """The type of a column that was of type ``before``, once values of the classes ``gone`` have
    left it and others have ``come``; None where the values that stayed would have to tell."""
    if gone == come:
        return before
    if before == pa.string() and come & Seen.TEXT:
        return before
    for allowed, needed, type_ in _RULES:
        if type_ == before:
            return before if come & needed and not come & ~allowed else None
    return None


@dataclass(slots=True)
class Column:
    """What is known of a column so far: the classes of its values, and how many are null."""

    seen: Seen = Seen.NONE
    nulls: int = 0

    def look(self, values: pa.Array) -> None:
        """Learn of more values, text or null."""
        self.nulls += values.null_count
        if self.seen & Seen.TEXT or values.null_count == len(values):
            return
        values = values.drop_null()
        if not self.seen and len(values) > _FEW:  # most columns of text show it early
            self.seen = classes(values[:_FEW])
        if not self.seen & Seen.TEXT and not self._as_before(values):
            self.seen |= classes(values, self.seen)

    def _as_before(self, values: pa.Array) -> bool:
        """Whether the values are of the classes that were seen; cheap, and may err to no."""
        if self.seen in (Seen.INT, Seen.INT | Seen.LONG):
            found = _whole(values)
            return bool(found) and not found & ~self.seen
        if self.seen & Seen.REAL and not self.seen & ~(Seen.INT | Seen.REAL):
            whole = bool(self.seen & Seen.INT)
            form = _SHORT if whole else _FORMS[Seen.REAL]
            return _plain(values, whole=whole) or (_fits(values, form) and _exact(values))
        return False


def classes(values: pa.Array, likely: Seen = Seen.NONE) -> Seen:
    """The classes of some values, none of them null; those that are ``likely`` are tried first."""
    found = _whole(values)
    if found:
        return found
    rest = values.unique()
    for kind, form in sorted(_FORMS.items(), key=lambda item: not item[0] & likely):
        matched = pc.match_substring_regex(rest, f"^(?:{form})$")
        mine = rest.filter(matched)
        if len(mine):
            found |= _proved(kind, mine)
            rest = rest.filter(pc.invert(matched))
        if not len(rest) or found & Seen.TEXT:
            break
    return found | Seen.TEXT if len(rest) else found


def _proved(kind: Seen, values: pa.Array) -> Seen:
    """The class of values that look like ``kind``, once they have been read as such."""
    if kind == Seen.INT:
        return _whole(values)
    if kind == Seen.HUGE:
        return classes_of_long(values)
    cast = _cast(values, _TYPES[kind])
    if cast is None:
        return Seen.TEXT
    if kind in (Seen.REAL, Seen.POWER) and not _exact(values):
        return Seen.TEXT
    if kind == Seen.TIME:
        return _by_range(cast, *_NANO, Seen.TIME, Seen.OLD)
    return kind


def classes_of_long(values: pa.Array) -> Seen:
    """The classes of integers of 19 to 38 digits, some of which 64 bits hold."""
    found = Seen.NONE
    for text in values.to_pylist():
        number = int(text)
        found |= Seen.LONG if -(1 << 63) <= number < 1 << 63 else Seen.HUGE
    return found


def _whole(values: pa.Array) -> Seen:
    """The classes of integers of 64 bits, if all values are that, as ``str`` writes them.

    What Arrow reads as a number but writes otherwise (007, +7, 0x7) is longer than what it
    writes, so that the sums of the lengths tell.
    """
    if _cast(values[:1], pa.int64()) is None:  # a cast is slow to fail: it tells of every value
        return Seen.NONE
    cast = _cast(values, pa.int64())
    if cast is None or _length(values) != _length(pc.cast(cast, pa.string())):
        return Seen.NONE
    return _by_range(cast, -SAFE, SAFE, Seen.INT, Seen.LONG)


def _by_range(values: pa.Array, low: int, high: int, inside: Seen, outside: Seen) -> Seen:
    ends = pc.min_max(values.cast(pa.int64()))
    least, most = ends["min"].as_py(), ends["max"].as_py()
    if low <= least and most <= high:
        return inside
    return outside if least > high or most < low else inside | outside


def _fits(values: pa.Array, form: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, f"^(?:{form})$")).as_py())


def _plain(values: pa.Array, *, whole: bool) -> bool:
    """Whether all values are numbers as 0.25 or -12.5 (``whole``: 7 as well) of so few digits that
    doubles keep them. It takes half the time of a regular expression, and may err to no."""
    most = _SAFE_DIGITS if whole else _DIGITS + 1
    return (
        pc.max(pc.binary_length(values)).as_py() <= most
        and not _length(pc.ascii_trim(values, "-.0123456789"))
        and (whole or pc.all(pc.match_substring(values, ".")).as_py())
        and _starting(values, "0") == _starting(values, "0.") + _count(pc.equal(values, "0"))
        and _starting(values, "-0") == _starting(values, "-0.")
        and _cast(values, pa.float64()) is not None
    )


def _starting(values: pa.Array, text: str) -> int:
    return _count(pc.starts_with(values, text))


def _count(found: pa.Array) -> int:
    count: int = pc.sum(found).as_py()
    return count


def _exact(values: pa.Array) -> bool:
    """Whether doubles keep these numbers: no more digits than they have, none too large."""
    numbers = _cast(values, pa.float64())
    if numbers is None or not pc.all(pc.is_finite(numbers)).as_py():
        return False
    long = values.filter(pc.greater(pc.binary_length(values), _DIGITS + 1))
    if not len(long):
        return True
    rest = long.filter(pc.invert(pc.match_substring_regex(long, _EXACT)))
    return all(_digits(text) <= _DIGITS for text in rest.to_pylist())


def _digits(text: str) -> int:
    mantissa = re.split("[eE]", text)[0].lstrip("-")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").replace(".", "")
    return len(mantissa.lstrip("0"))


def _length(values: pa.Array) -> int:
    total: int = pc.sum(pc.binary_length(values)).as_py()
    return total


def _cast(values: pa.Array, type_: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(values, type_)
    except pa.ArrowInvalid:
        return None
