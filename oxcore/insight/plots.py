"""Plots of a report as SVG: what happened over time, and how far confidence can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

from oxcore.insight.metrics import Bin
from oxcore.insight.report import Mark, Point

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 860, 240, 46, 34, 26
_INK, _QUIET, _GOOD, _BAD, _BARS = "#1e293b", "#64748b", "#0f766e", "#b91c1c", "#cbd5e1"
_COMMIT = "#4f46e5"
_HIGH = 0.4  # of the plot, the highest bar
_APART = 7  # pixels between marks of commits; nearer ones are one
_NAME = 40  # characters of the name of a model
_TOLD = 8  # commits that a mark names


def over_time(
    points: Sequence[Point], step: int, commits: Sequence[Mark] = (), task: str = "classes"
) -> str:
    """Records as bars, accuracy (of classes) with its interval and the error rate as lines, a mark
    where another model begins to answer, and small ones below for commits; "" where there are fewer
    than two points."""
    if len(points) < 2:
        return ""
    first, last = points[0].start, points[-1].start + step * 1_000_000
    most = max(point.n for point in points)
    room = WIDTH - LEFT - 10
    wide = max(1.0, room * step * 1_000_000 / (last - first) - 1)
    xs = [LEFT + room * (point.start - first) / (last - first) for point in points]
    parts = [
        f'<rect x="{x:.1f}" y="{_y(_HIGH * point.n / most):.1f}" width="{wide:.1f}" '
        f'height="{HEIGHT - BOTTOM - _y(_HIGH * point.n / most):.1f}" fill="{_BARS}">'
        f"<title>{_when(point.start)}: {point.n:,} records</title></rect>"
        for x, point in zip(xs, points, strict=True)
    ]
    middles = [x + wide / 2 for x in xs]
    legend = [(_BARS, f"records (most: {most:,})"), (_BAD, "failed calls")]
    if task == "classes":
        parts += _band(middles, points)
        parts += _line(middles, [point.accuracy.value for point in points], _GOOD)
        legend.append((_GOOD, "accuracy"))
    parts += _line(middles, [point.error_rate.value for point in points], _BAD)
    parts += _models(xs, points)
    parts += _commits([(LEFT + room * (one.time - first) / (last - first), one) for one in commits])
    parts += _axis(f"{_when(first)}", f"{_when(last)}")
    if commits:
        legend.append((_COMMIT, "commits of the branch"))
    return _svg("over time", [*parts, *_legend(legend)])


def calibration(bins: Sequence[Bin]) -> str:
    """Accuracy over confidence, a point a bin as large as it has records; "" without any."""
    if not bins:
        return ""
    most = max(one.n for one in bins)
    room = WIDTH - LEFT - 10
    best = (
        f'<line x1="{LEFT}" y1="{_y(0):.1f}" x2="{LEFT + room}" y2="{_y(1):.1f}" '
        f'stroke="{_QUIET}" stroke-dasharray="4 4"/>'
    )
    parts = [best]
    for one in bins:
        x, size = LEFT + room * one.confidence, 3 + 9 * (one.n / most) ** 0.5
        parts.append(
            f'<circle cx="{x:.1f}" cy="{_y(one.accuracy):.1f}" r="{size:.1f}" fill="{_GOOD}" '
            f'fill-opacity="0.75"><title>{one.n:,} records: confidence {one.confidence:.3f}, '
            f"right {one.accuracy:.3f}</title></circle>"
        )
    return _svg("calibration", [*parts, *_axis("confidence 0", "1")])


def _y(share: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)


def _when(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%Y-%m-%d %H:%M")


def _line(xs: Sequence[float], values: Sequence[float | None], ink: str) -> Iterator[str]:
    known = [(x, _y(value)) for x, value in zip(xs, values, strict=True) if value is not None]
    if len(known) > 1:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in known)
        yield f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="2"/>'
    for x, y in known:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{ink}"/>'


def _band(xs: Sequence[float], points: Sequence[Point]) -> Iterator[str]:
    """The interval of the accuracy."""
    known = [
        (x, _y(p.accuracy.low), _y(p.accuracy.high))
        for x, p in zip(xs, points, strict=True)
        if p.accuracy.low is not None and p.accuracy.high is not None
    ]
    if len(known) > 1:
        there = [f"{x:.1f},{high:.1f}" for x, _, high in known]
        back = [f"{x:.1f},{low:.1f}" for x, low, _ in reversed(known)]
        path = " ".join(there + back)
        yield f'<polygon points="{path}" fill="{_GOOD}" fill-opacity="0.12"/>'


def _models(xs: Sequence[float], points: Sequence[Point]) -> Iterator[str]:
    """A mark at each point that has a model which the one before has not."""
    for (_, before), (x, point) in pairwise(zip(xs, points, strict=True)):
        new = [model for model in point.models if model not in before.models]
        if new:
            name = ", ".join(new)
            text = escape(
                name if len(name) <= _NAME else f"{name[: _NAME // 2]}...{name[-_NAME // 2 :]}"
            )
            end = x > WIDTH / 2
            anchor = ' text-anchor="end"' if end else ""
            yield (
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" '
                f'stroke="{_INK}" stroke-dasharray="3 3"/>'
                f'<text x="{x - 4 if end else x + 4:.1f}" y="{TOP + 10}" fill="{_INK}"{anchor}>'
                f"{text}<title>{escape(name)}</title></text>"
            )


def _commits(placed: Sequence[tuple[float, Mark]]) -> Iterator[str]:
    """Triangles below the axis; each tells of its commits."""
    near: list[tuple[float, list[Mark]]] = []
    for x, one in placed:
        if near and x - near[-1][0] < _APART:
            near[-1][1].append(one)
        else:
            near.append((x, [one]))
    y = HEIGHT - BOTTOM + 2
    for x, marks in near:
        told = [f"{_when(one.time)} {one.commit[:10]} {one.title}" for one in marks[:_TOLD]]
        if len(marks) > _TOLD:
            told.append(f"and {len(marks) - _TOLD:,} more")
        yield (
            f'<path d="M{x:.1f} {y} l3.5 6 h-7 z" fill="{_COMMIT}">'
            f"<title>{escape(chr(10).join(told))}</title></path>"
        )


def _axis(first: str, last: str) -> Iterator[str]:
    for share in (0, 0.5, 1):
        y = _y(share)
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        yield f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e2e8f0"/>'
    yield f'<text x="{LEFT}" y="{HEIGHT - 12}">{escape(first)}</text>'
    yield f'<text x="{WIDTH - 10}" y="{HEIGHT - 12}" text-anchor="end">{escape(last)}</text>'


def _legend(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    x = LEFT
    for ink, text in entries:
        yield f'<rect x="{x}" y="6" width="10" height="10" rx="2" fill="{ink}"/>'
        yield f'<text x="{x + 15}" y="15">{escape(text)}</text>'
        x += 40 + 7 * len(text)


def _svg(name: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(name)}" '
        f'font-size="11" fill="{_QUIET}">\n{body}\n</svg>'
    )
