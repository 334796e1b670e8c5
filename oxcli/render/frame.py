"""Rows and statistics of a table for people, as wide as the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

from oxcli.render.text import Paint, clean, number, plural

if TYPE_CHECKING:
    import pyarrow as pa

    from oxcore.tables import Bin, ColumnStats, Picked

CAPS = (48, 32, 20)  # widest cell, the first with which all columns fit
GAP = "  "
_QUARTERS = ("0.25", "0.5", "0.75")
RIGHT = ("int", "uint", "double", "float", "half", "decimal")
_BLOCKS = "▁▂▃▄▅▆▇█"
_CELL = 200  # characters of a value that are looked at

Column = list[str | None]


def width() -> int:
    """The columns of the terminal, or what COLUMNS says; 120 where there is none."""
    return shutil.get_terminal_size((120, 24)).columns


def cells(rows: Picked) -> list[Column]:
    """The texts of the rows, column by column, as the file has them; None for null."""
    from oxcore.tables import texts

    made: list[Column] = [[] for _ in rows.schema]
    for batch in rows.raw():
        for column, values in zip(made, batch.columns, strict=True):
            column += [None if one is None else one[:_CELL] for one in texts(values)]
    return made


def records(rows: Picked) -> Iterator[dict[str, object]]:
    """The rows as objects for JSON, as they come."""
    from oxcore.tables import plain

    names = rows.schema.names
    for batch in rows.batches():
        columns = [plain(column) for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield dict(zip(names, row, strict=True))


def left_out(shown: int, total: int, kind: str, paint: Paint) -> Iterator[str]:
    """What to say of rows that are not shown: nothing if all are."""
    if shown < total:
        which = {"head": "first", "tail": "last"}.get(kind, "sampled")
        yield ""
        yield paint(f"the {which} {shown:,} of {plural(total, 'row')}", "dim")


def frame(
    schema: pa.Schema,
    nulls: Sequence[int | None],
    columns: Sequence[Column],
    paint: Paint,
    wide: int,
) -> Iterator[str]:
    """A table with names, types and counts of nulls on top; columns that do not fit are named."""
    types = [str(field.type) for field in schema]
    marks = ["" if not count else f"{count:,} null" for count in nulls]
    heads = [
        [clean(field.name), kind, mark]
        for field, kind, mark in zip(schema, types, marks, strict=True)
    ]
    bodies = [[cell(value) for value in column] for column in columns]
    cap, shown = _fitting(heads, bodies, wide)
    right = [kind.startswith(RIGHT) for kind in types]
    sizes = [_size(heads[i], bodies[i], cap) for i in range(shown)]
    for line, style in enumerate(("bold", "dim", "yellow")):
        if line < 2 or any(marks[:shown]):
            row = [heads[i][line] for i in range(shown)]
            yield paint(_line(row, sizes, right), style)
    for place in range(len(columns[0]) if columns else 0):
        yield _line([bodies[i][place] for i in range(shown)], sizes, right)
    rest = [
        " ".join(filter(None, (*head[:2], head[2] and f"({head[2]})"))) for head in heads[shown:]
    ]
    if rest:
        yield ""
        yield from wrapped(f"{plural(len(rest), 'more column')}: ", rest, wide)


def stats(found: ColumnStats, paint: Paint, wide: int) -> Iterator[str]:
    """The statistics of one column."""
    yield f"{paint(clean(found.name), 'bold')}  {paint(found.type, 'dim')}"
    counts = [f"{number(found.count)} values", f"{number(found.nulls)} null"]
    if found.nans:
        counts.append(f"{number(found.nans)} NaN")
    yield f"  {', '.join([*counts, f'{number(found.distinct)} distinct'])}"
    if found.min is not None:
        mean = "" if found.mean is None else f"  mean {short(found.mean)}"
        yield cut(f"  min {short(found.min)}  max {short(found.max)}{mean}", wide)
    if found.quantiles:
        long = any(isinstance(value, str) for value in found.quantiles.values())
        parts = [
            f"{float(q):.0%} {short(value)}"
            for q, value in found.quantiles.items()
            if q in _QUARTERS or not long
        ]
        yield cut("  " + "  ".join(parts), wide)
    if found.histogram and found.distinct > 1:
        yield "  " + _bars(found.histogram)
    top = [(value, count) for value, count in found.top if count > 1]
    if top:
        parts = [f"{short(value)} {number(count)}" for value, count in top]
        yield cut("  top " + ", ".join(parts), wide)


def padded(text: str, size: int, *, right: bool) -> str:
    """``text`` in just ``size`` columns of the terminal."""
    kept = cut(text, size)
    blank = " " * (size - in_columns(kept))
    return blank + kept if right else kept + blank


def cut(text: str, wide: int) -> str:
    """``text`` in at most ``wide`` columns of the terminal; what is cut off shows as ``…``."""
    if in_columns(text) <= wide:
        return text
    kept, used = "", 1
    for char in text:
        used += in_columns(char)
        if used > wide:
            break
        kept += char
    return kept + "…"


def cell(value: str | None) -> str:
    """A value on one line: null, and texts that would be taken for it or for nothing in quotes."""
    if value is None:
        return "null"
    return f'"{value}"' if value in {"", "null"} else clean(value)


def short(value: object) -> str:
    """A value in a few characters."""
    from oxcore.tables import text

    if isinstance(value, float):
        return f"{value:.6g}"
    return cut(cell(text(value)), CAPS[-1])


def _bars(bins: Sequence[Bin]) -> str:
    most = max(one.count for one in bins)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[-(-one.count * top // most)] if one.count else " " for one in bins)


def _fitting(
    heads: Sequence[Sequence[str]], bodies: Sequence[Sequence[str]], wide: int
) -> tuple[int, int]:
    """The widest cell, and how many columns fit with it."""
    shown = cap = 0
    for cap in CAPS:
        shown, used = 0, -len(GAP)
        for head, body in zip(heads, bodies, strict=True):
            used += _size(head, body, cap) + len(GAP)
            if used > wide:
                break
            shown += 1
        if shown == len(heads):
            break
    return cap, max(1, shown) if heads else 0


def _size(head: Sequence[str], body: Sequence[str], cap: int) -> int:
    return min(cap, max(map(in_columns, (*head, *body)), default=0))


def _line(row: Sequence[str], sizes: Sequence[int], right: Sequence[bool]) -> str:
    made = []
    for text, size, end in zip(row, sizes, right, strict=False):
        made.append(padded(text, size, right=end))
    return GAP.join(made).rstrip()


def in_columns(text: str) -> int:
    """How many columns of the terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(start: str, parts: Sequence[str], wide: int) -> Iterator[str]:
    """``start`` and parts with commas between, on lines of at most ``wide`` columns."""
    line = start
    for place, part in enumerate(parts):
        piece = part + ("," if place + 1 < len(parts) else "")
        if line.strip() and line != start and in_columns(line) + in_columns(piece) > wide:
            yield line.rstrip()
            line = "  "
        line += piece + " "
    yield line.rstrip()
