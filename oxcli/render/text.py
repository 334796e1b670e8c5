"""Text for people: colours, sizes, numbers, dates, columns, odd names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oxcore.model.commits import Moment

_STYLES = {
    "bold": 1,
    "dim": 2,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_SPANS = (
    (90, 1, "second"),
    (90 * 60, 60, "minute"),
    (36 * 3600, 3600, "hour"),
    (14 * 86400, 86400, "day"),
    (70 * 86400, 7 * 86400, "week"),
    (730 * 86400, 30 * 86400, "month"),
)
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_SHORT_ID = 10  # hex digits: collisions among a million objects are one in two


class Paint:
    """Colours text, or leaves it alone: ``paint("3 files", "green", "bold")``.

    Styles: bold, dim, red, green, yellow, blue, magenta, cyan.
    """

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def __call__(self, text: str, *styles: str) -> str:
        """``text`` in these styles."""
        if not self.enabled or not styles or not text:
            return text
        codes = ";".join(str(_STYLES[style]) for style in styles)
        return f"\x1b[{codes}m{text}\x1b[0m"


def human_size(nbytes: float) -> str:
    """Bytes in the unit that fits: ``17 B``, ``1.5 KiB``, ``103 MiB``."""
    size, unit = float(nbytes), 0
    while abs(size) >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    digits = 1 if unit and abs(size) < 99.95 else 0
    return f"{size:.{digits}f} {_UNITS[unit]}"


def number(count: int) -> str:
    """A count with its thousands parted: ``3,600``."""
    return f"{count:,}"


def plural(count: int, noun: str, many: str = "") -> str:
    """``1 file``, ``3,600 files``; ``many`` where the plural takes more than an s."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def short_id(oid: bytes | str) -> str:
    """The first ten hex digits of an id."""
    return (oid.hex() if isinstance(oid, bytes) else oid)[:_SHORT_ID]


def iso_date(moment: Moment) -> str:
    """``2026-11-21 22:07:59 +0100``, in the zone of who wrote it."""
    from datetime import datetime  # slow to load for who shows no time

    return datetime.fromisoformat(moment.iso()).strftime("%Y-%m-%d %H:%M:%S %z")


def relative_date(moment: Moment, now: Moment) -> str:
    """``5 minutes ago``; the years for what is older than two."""
    seconds = (now.us - moment.us) // 1_000_000
    if seconds < 0:
        return "in the future"
    for below, unit, name in _SPANS:
        if seconds < below:
            return f"{plural(seconds // unit, name)} ago"
    return f"{plural(seconds // (365 * 86400), 'year')} ago"


def duration(seconds: float) -> str:
    """``0.4 s``, ``42 s``, ``3:07``, ``1:02:03``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def show_path(path: bytes) -> str:
    """A path on one line: plain where it can be, else quoted with escapes as in a C string.

    Escaped are control characters, quotes, backslashes and bytes that are no UTF-8 (the
    minimum of git's ``core.quotePath``).
    """
    text = path.decode("utf-8", "surrogateescape")
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return '"' + "".join(_escaped(char) for char in text) + '"'


def clean(text: str) -> str:
    """Text on one line: control characters are escaped."""
    if text.isprintable():
        return text
    return "".join(_SHORT.get(c, c if c.isprintable() else f"\\u{ord(c):04x}") for c in text)


def table(rows: Iterable[Sequence[str]], align: str = "", gap: str = "  ") -> list[str]:
    """Lines with aligned columns; ``align``: 'l' or 'r' a column, left where it ends.

    Widths are counted in characters, so give cells uncoloured and colour the lines. What strangers
    wrote may be in a cell: control characters are escaped.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    sides = align.ljust(len(widths), "l")
    return [gap.join(map(_pad, row, widths, sides)).rstrip() for row in cells]


def columns(names: Sequence[str], width: int, gap: int = 2) -> list[str]:
    """Names in as many columns as fit ``width`` characters, read downwards as ``ls`` does."""
    if not names:
        return []
    wide = max(map(len, names)) + gap
    across = max(1, (width + gap) // wide)
    down = -(-len(names) // across)
    return ["".join(name.ljust(wide) for name in names[row::down]).rstrip() for row in range(down)]


def fit(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters; what is left out in its middle shows as '...'."""
    if len(text) <= width or width < 5:
        return text
    head = (width - 3) // 2
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"


def _pad(cell: str, width: int, side: str) -> str:
    return cell.rjust(width) if side == "r" else cell.ljust(width)


def _escaped(char: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    if char in named:
        return named[char]
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))
