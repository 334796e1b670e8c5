"""How a version drifted from another, for people: folders, tables, columns with bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from oxcli.render.frame import cut, short
from oxcli.render.holdings import IMAGE_HEAD, image
from oxcli.render.text import Paint, clean, human_size, number, plural, show_path, table

if TYPE_CHECKING:
    from oxcore.tables import ColumnDrift, ColumnStats, Share, TableDrift
    from oxcore.verbs.statistics.drifted import Drift, FolderDrift, Sum, TableChange
    from oxcore.verbs.statistics.tabulated import TableFile

_SHOWN = 30  # folders, tables that came or went
_COLUMNS = 12  # of a table
_SHARES = 6  # of a column
_WIDE = 20  # characters of a bar
_QUARTERS = ("0.25", "0.5", "0.75")
_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LARGE = 0.1  # drift that stands out


def lines(name: str, found: Drift, paint: Paint, wide: int) -> Iterator[str]:
    """What differs: the whole, folders, images, tables and their columns."""
    yield paint(name + (f": {_from_to(*found.total)}" if found.total else ""), "bold")
    if not found.folders:
        yield "nothing differs"
        return
    yield from _folders(found.folders, paint)
    yield from _images(found.folders, paint)
    for one in found.tables:
        yield ""
        yield from _table(one, paint, wide)
    for sign, style, files in (("+", "green", found.added), ("-", "red", found.removed)):
        if files:
            yield ""
            yield from (paint(f"{sign} {_file(one)}", style) for one in files[:_SHOWN])
            yield from _more(len(files) - _SHOWN, "table", paint)


def document(found: Drift) -> dict[str, object]:
    """The same for JSON, with everything."""
    return {
        "total": _both(found.total),
        "folders": [{**one._asdict(), "total": _both(one.total)} for one in found.folders],
        "tables": [_table_document(one) for one in found.tables],
        "added": found.added,
        "removed": found.removed,
    }


def _both(found: tuple[object, object] | None) -> dict[str, object] | None:
    return None if found is None else {"old": found[0], "new": found[1]}


def _table_document(found: TableChange) -> dict[str, object]:
    head: dict[str, object] = {"path": found.path, "problem": found.problem or None}
    if found.drift is None:
        return head
    one = found.drift
    return {
        **head,
        "drift": one.drift,
        "rows": _both(one.rows),
        "added": one.added,
        "removed": one.removed,
        "columns": [_column_document(column) for column in one.columns],
    }


def _column_document(found: ColumnDrift) -> dict[str, object]:
    return {
        "name": found.name,
        "drift": found.drift,
        "measure": found.measure or None,
        "distance": found.distance,
        "psi": found.psi,
        "missing": _both(found.missing),
        "shares": found.shares,
        "bars": found.bars,
        "old": found.old.stats,
        "new": found.new.stats,
    }


def _folders(folders: Sequence[FolderDrift], paint: Paint) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [("folder", "added", "", "removed", "", "changed", "", "all")]
    for one in folders[:_SHOWN]:
        total = "" if one.total is None else _from_to(*one.total).replace(" files,", ",")
        sums = (cell for each in (one.added, one.removed, one.changed) for cell in _sum(each))
        rows.append((show_path(one.path) or ".", *sums, total))
    yield from _headed(table(rows, "lrrrrrr"), paint)
    yield from _more(len(folders) - _SHOWN, "folder", paint)


def _images(folders: Sequence[FolderDrift], paint: Paint) -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    for one in folders[:_SHOWN]:
        for when, side in (("before", one.old.images), ("now", one.new.images)):
            if side is not None:
                rows.append((f"{show_path(one.path) or '.'} {when}", *image(side)))
    if rows:
        head = ("images that differ", *IMAGE_HEAD[1:])
        yield from _headed(table([head, *rows], "lrrr"), paint)


def _table(found: TableChange, paint: Paint, wide: int) -> Iterator[str]:
    name = paint(show_path(found.path), "bold")
    if found.drift is None:
        yield f"{name}  {paint(clean(found.problem), 'yellow')}"
        return
    before, after = found.drift.rows
    rows = f"{number(before)} -> {plural(after, 'row')}"
    yield f"{name}  {rows}  {_figure(found.drift.drift, paint)}"
    for sign, style, names in _signed(found.drift):
        if names:
            yield paint(cut(f"  {sign} {', '.join(map(clean, names))}", wide), style)
    moved = [one for one in found.drift.columns if one.drift or _grown(one)]
    for column in moved[:_COLUMNS]:
        yield from _column(column, paint, wide)
    yield from _more(len(moved) - _COLUMNS, "column", paint)
    same = len(found.drift.columns) - len(moved)
    if same:
        yield paint(f"  {plural(same, 'column')} without drift", "dim")


def _signed(found: TableDrift) -> Iterator[tuple[str, str, Sequence[str]]]:
    yield "+", "green", found.added
    yield "-", "red", found.removed


def _column(found: ColumnDrift, paint: Paint, wide: int) -> Iterator[str]:
    old, new = found.old.stats, found.new.stats
    kind = old.type if old.type == new.type else f"{old.type} -> {new.type}"
    parts = [f"  {paint(clean(found.name), 'bold')}", paint(kind, "dim")]
    parts.append(_figure(found.drift, paint))
    if found.psi is not None:
        parts.append(f"psi {found.psi:.3f}")
    if any(found.missing):
        parts.append(f"null {_percent(found.missing[0])} -> {_percent(found.missing[1])}")
    if old.distinct != new.distinct:
        parts.append(f"distinct {number(old.distinct)} -> {number(new.distinct)}")
    yield "  ".join(parts)
    moved = [share for share in found.shares if share.old != share.new]
    yield from _shares(moved[:_SHARES], wide)
    yield from _more(len(moved) - _SHARES, "value", paint, "    ")
    if found.bars:
        most = max(max(bar.old, bar.new) for bar in found.bars)
        for when, stats, shares in (
            ("before", old, [bar.old / most for bar in found.bars]),
            ("now", new, [bar.new / most for bar in found.bars]),
        ):
            yield cut(f"    {when:6} {_heights(shares)}  {_numbers(stats)}", wide)


def _shares(shares: Sequence[Share], wide: int) -> Iterator[str]:
    rows = [
        (
            f"    {short(share.value)}",
            _percent(share.old),
            "->",
            _percent(share.new),
            _length(share.old),
            _length(share.new),
        )
        for share in shares
    ]
    for line in table(rows, "lrlr"):
        yield cut(line, wide)


def _numbers(found: ColumnStats) -> str:
    quantiles = [f"{float(q):.0%} {short(found.quantiles[q])}" for q in _QUARTERS]
    ends = [f"min {short(found.min)}", *quantiles, f"max {short(found.max)}"]
    return "  ".join([*ends, *([] if found.mean is None else [f"mean {short(found.mean)}"])])


def _heights(shares: Sequence[float]) -> str:
    """Bars for parts of the highest; what is there at all shows."""
    return "".join(_BLOCKS[-int(-share * (len(_BLOCKS) - 1) // 1)] for share in shares)


def _length(share: float) -> str:
    eighths = round(share * _WIDE * 8)
    rest = _EIGHTHS[eighths % 8] if eighths % 8 else ""
    return ("█" * (eighths // 8) + rest).ljust(_WIDE)


def _figure(drift: float, paint: Paint) -> str:
    text = f"drift {drift:.3f}"
    return paint(text, "yellow") if drift >= _LARGE else text


def _grown(found: ColumnDrift) -> bool:
    """Whether something is worth a line that no figure tells: another type."""
    return found.old.stats.type != found.new.stats.type


def _file(found: TableFile) -> str:
    what = (
        clean(found.problem)
        or f"{plural(found.rows, 'row')} x {plural(len(found.columns), 'column')}"
    )
    return f"{show_path(found.path)}  {what}"


def _from_to(before: Sum, after: Sum) -> str:
    sizes = f"{human_size(before.size)} -> {human_size(after.size)}"
    return f"{number(before.files)} -> {plural(after.files, 'file')}, {sizes}"


def _sum(found: Sum) -> tuple[str, str]:
    return (number(found.files), human_size(found.size)) if found.files else ("-", "")


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _headed(rows: Sequence[str], paint: Paint) -> Iterator[str]:
    yield ""
    for place, line in enumerate(rows):
        yield line if place else paint(line, "dim")


def _more(count: int, what: str, paint: Paint, indent: str = "  ") -> Iterator[str]:
    if count > 0:
        yield paint(f"{indent}{plural(count, f'more {what}')}: see --json", "dim")
