"""What a version holds, for people: folders, images, tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from oxcli.render.text import Paint, clean, human_size, number, plural, show_path, table

if TYPE_CHECKING:
    from oxcore.verbs.statistics.census import Content, Images, Span
    from oxcore.verbs.statistics.holdings import DatasetStats
    from oxcore.verbs.statistics.tabulated import TableFile

_SHOWN = 30  # folders, tables
_KINDS = 4  # of files in a folder


def lines(name: str, found: DatasetStats, paint: Paint) -> Iterator[str]:
    """A version: the whole, folders with kinds of files, images, tables."""
    whole = found.total
    yield paint(f"{name}: {plural(whole.files, 'file')}, {human_size(whole.size)}", "bold")
    folders = [(show_path(one.path) or ".", one.content) for one in found.folders]
    if folders:
        rows = [("folder", "files", "size", "kinds"), *map(_folder, folders[:_SHOWN])]
        yield from _section(table(rows, "lrr"), paint, len(folders), "folder")
    images = [(name, one.images) for name, one in folders if one.images is not None]
    if images:
        rows = [IMAGE_HEAD, *((name, *image(one)) for name, one in images[:_SHOWN])]
        yield from _section(table(rows, "lrrr"), paint, len(images), "folder with images")
    if found.tables:
        rows = [("table", "rows", "columns", "size", "format"), *map(_table, found.tables[:_SHOWN])]
        yield from _section(table(rows, "lrrr"), paint, len(found.tables), "table")


def document(found: DatasetStats) -> dict[str, object]:
    """The same for JSON, with everything."""
    folders = [{"path": one.path, **one.content._asdict()} for one in found.folders]
    return {"total": found.total, "folders": folders, "tables": found.tables}


IMAGE_HEAD = ("images", "files", "width", "height", "modes", "formats")


def image(found: Images) -> tuple[str, ...]:
    """The cells of a row about images, without its first."""
    marks = [
        f"{plural(count, word)}"
        for count, word in ((found.animated, "animated"), (found.broken, "broken"))
        if count
    ]
    formats = ", ".join([ranked(found.formats), *(mark.removesuffix("s") for mark in marks)])
    return (
        number(found.files),
        span(found.width),
        span(found.height),
        ranked(found.modes),
        formats.removeprefix(", "),
    )


def span(found: Span | None) -> str:
    """``64``, or least, median and greatest: ``16..64..512``."""
    if found is None:
        return "-"
    if found.min == found.max:
        return str(found.min)
    return "..".join(map(str, found))


def ranked(counts: Sequence[tuple[str, int]], most: int = 4) -> str:
    """``RGBA 3,491, P 185``."""
    shown = [f"{name} {number(count)}" for name, count in counts[:most]]
    return ", ".join([*shown, *([f"{len(counts) - most} more"] if len(counts) > most else [])])


def _folder(row: tuple[str, Content]) -> tuple[str, ...]:
    name, content = row
    kinds = [(clean(kind.suffix) or "no suffix", kind.files) for kind in content.kinds]
    return name, number(content.files), human_size(content.size), ranked(kinds, _KINDS)


def _table(found: TableFile) -> tuple[str, ...]:
    if found.problem:
        return show_path(found.path), "-", "-", human_size(found.size), clean(found.problem)
    size = human_size(found.size)
    columns = number(len(found.columns))
    return show_path(found.path), number(found.rows), columns, size, found.format


def _section(rows: Iterable[str], paint: Paint, total: int, what: str) -> Iterator[str]:
    yield ""
    for place, line in enumerate(rows):
        yield line if place else paint(line, "dim")
    if total > _SHOWN:
        yield paint(f"{plural(total - _SHOWN, f'more {what}')}: see --json", "dim")
