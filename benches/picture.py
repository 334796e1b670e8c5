"""Pictures of measurements: small panels of horizontal bars, as SVG, by nothing but text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from benches.results import cell

COLUMNS, WIDTH, GAP = 2, 430, 24  # panels side by side, and pixels
NAMES, NUMBERS = 104, 62  # room for the names of tools, and for the numbers behind the bars
LINE = 19
INK, QUIET, OURS, OTHERS = "#1e293b", "#64748b", "#0f766e", "#a8b3c4"
MINE = {"ox", "HTTP", "many", "ox --help", "ox status", "import oxcore", "CSV", "Parquet"}
HALO = 'stroke="#ffffff" stroke-width="3" paint-order="stroke"'
HELD, MISSED = "#15803d", "#b91c1c"


@dataclass(frozen=True, slots=True)
class Mark:
    """A bar to reach: a line at `at`, with what it says."""

    says: str
    at: float
    held: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """One step: what each tool took, and the bars that ox has to reach."""

    title: str
    values: Sequence[tuple[str, float]]
    marks: Sequence[Mark] = ()

    @property
    def height(self) -> int:
        """Pixels."""
        return LINE * (1 + len(self.values) + len(self.marks)) + GAP

    @property
    def most(self) -> float:
        """What the whole width stands for."""
        found = [value for _, value in self.values] + [mark.at for mark in self.marks]
        return max(found) or 1.0


def draw(title: str, panels: Sequence[Panel]) -> str:
    """The picture."""
    body, top = [], 54
    for at in range(0, len(panels), COLUMNS):
        line = panels[at : at + COLUMNS]
        for column, panel in enumerate(line):
            left = GAP + column * (WIDTH + GAP)
            body += [f'<g transform="translate({left} {top})">', *_panel(panel), "</g>"]
        top += max(panel.height for panel in line)
    width = GAP + COLUMNS * (WIDTH + GAP)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" '
        f'viewBox="0 0 {width} {top}" font-family="system-ui, sans-serif" font-size="12">'
    )
    paper = f'<rect width="{width}" height="{top}" fill="#ffffff"/>'
    return "\n".join([head, paper, _text(GAP, 30, title, size=16, bold=True), *body, "</svg>", ""])


def _panel(panel: Panel) -> Iterator[str]:
    room = WIDTH - NAMES - NUMBERS
    yield _text(0, 12, panel.title, bold=True)
    for number, (name, value) in enumerate(panel.values):
        y = LINE * (1 + number)
        long = room * value / panel.most
        ours = name in MINE
        yield _text(NAMES - 8, y + 13, name, anchor="end", bold=ours)
        yield (
            f'<rect x="{NAMES}" y="{y + 2}" width="{max(long, 1):.1f}" height="{LINE - 4}" '
            f'rx="2" fill="{OURS if ours else OTHERS}"/>'
        )
        yield _text(NAMES + long + 5, y + 13, cell(value), fill=QUIET)
    bottom = LINE * (1 + len(panel.values))
    for number, mark in enumerate(panel.marks):
        yield from _mark(mark, NAMES + room * mark.at / panel.most, bottom, number)


def _mark(mark: Mark, x: float, bottom: int, number: int) -> Iterator[str]:
    ink = HELD if mark.held else MISSED
    end = bottom + LINE * number + 6
    yield (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{LINE}" y2="{end}" '
        f'stroke="{ink}" stroke-width="1.5" stroke-dasharray="4 3"/>'
    )
    right = x < WIDTH / 2
    says = f"{mark.says} ({'held' if mark.held else 'missed'})"
    anchor = "start" if right else "end"
    yield _text(x + (5 if right else -5), end + 7, says, anchor=anchor, fill=ink, size=11)


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 12,
    anchor: str = "start",
    fill: str = INK,
    bold: bool = False,
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" '
        f'text-anchor="{anchor}"{weight} {HALO}>{escape(text)}</text>'
    )
