"""A report as one HTML file that needs nothing else: no script from elsewhere, no server.

The same report and pictures give the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from oxcore.errors import counted
from oxcore.insight import plots
from oxcore.insight.figures import Figure, plain, spread
from oxcore.insight.pictures import Shown
from oxcore.insight.report import Cell, Example, Group, Report
from oxcore.insight.versus import Turn, Versus, Within

_Look = Callable[[str], Shown]  # what to show of the input of a record, by its id
_MATRIX = 30  # classes of a confusion matrix that is drawn; of more only the pairs are listed
_PAIRS = 40  # pairs whose examples are shown; of more, in the matrix, only their ids
_RIGHT = 4  # examples of a cell that is right
_FRACTION = re.compile(r"-?\d{1,15}\.\d{5,}")  # a number with more digits than tell anything
_ODD = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f]")  # what HTML does not allow in it


def page(report: Report, inputs: Mapping[str, Shown], versus: Versus | None = None) -> str:
    """The report as HTML; ``inputs``: what can be shown of examples, by the ids of records."""

    def look(record: str) -> Shown:
        return inputs.get(record, Shown())

    title = f"{report.branch}: {report.folder or 'the dataset'}"
    parts = [
        *_head(report, title),
        *_tiles(report),
        *_section(
            "Over time", plots.over_time(report.points, report.step, report.commits, report.task)
        ),
        *_versus(versus, look),
        *_slices(report),
        *_confusion(report.cells, look),
        *_section("Can its confidence be trusted?", plots.calibration(report.calibration)),
        *_worst(report.worst, look, report.task),
    ]
    body = _ODD.sub("\ufffd", "\n".join(parts))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def looked_at(report: Report, versus: Versus | None = None) -> list[str]:
    """The records whose inputs the page shows, by their ids."""
    ids = {one.record_id for one in report.worst}
    ids |= {record for cell in _wrong(report.cells)[:_PAIRS] for record in cell.records}
    if len(_labels(report.cells)) <= _MATRIX:
        ids |= {record for cell in _right(report.cells) for record in cell.records[:_RIGHT]}
    if versus is not None:
        ids |= {turn.after for turn in (*versus.fixes, *versus.breaks)}
    return sorted(ids)


def percent(figure: Figure) -> str:
    """``91.2% (90.8 to 91.6)``; a dash where nothing is known."""
    if figure.value is None:
        return "-"
    text = f"{figure.value:.1%}"
    if figure.low is None or figure.high is None:
        return text
    return f"{text} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def _head(report: Report, title: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    told = [f"commit <code>{report.commit[:10]}</code>"]
    if report.as_of is not None:
        when = datetime.fromtimestamp(report.as_of / 1e6, UTC)
        told.append(f"as of {when:%Y-%m-%d %H:%M:%S} UTC")
    told.append(f"{report.whole.n:,} records, {report.whole.labelled:,} of them labelled")
    if report.lost:
        told.append(f'<b class="bad">{report.lost:,} records were lost</b>')
    if report.orphans:
        told.append(f"{counted(report.orphans, 'event')} of records that are not here")
    if report.delay is not None:
        told.append(f"labels come {report.delay:,.1f} hours later, in the median")
    yield f'<p class="quiet">{" · ".join(told)}</p>'


def _tiles(report: Report) -> Iterator[str]:
    whole = report.whole
    tiles = [("coverage", percent(whole.coverage), whole.coverage.n)]
    if report.task == "classes":
        tiles += [
            ("accuracy", percent(whole.accuracy), whole.accuracy.n),
            ("precision, mean of classes", percent(whole.precision), whole.precision.n),
            ("recall, mean of classes", percent(whole.recall), whole.recall.n),
            ("F1, mean of classes", percent(whole.f1), whole.f1.n),
        ]
    else:
        tiles += [
            ("mean absolute error", _number(whole.mae), whole.mae.n),
            ("root mean squared error", _number(whole.rmse), whole.rmse.n),
        ]
    tiles += [
        ("failed calls", percent(whole.error_rate), whole.error_rate.n),
        ("calibration error", percent(whole.ece), whole.ece.n),
        ("Brier score", _number(whole.brier), whole.brier.n),
    ]
    if whole.cost.value is not None:
        tiles.append(("cost of a call", _number(whole.cost), whole.cost.n))
    yield '<div class="tiles">'
    for name, value, n in tiles:
        if value != "-":
            yield _tile(name, value, f"n = {n:,}")
    names = [*(f"latency in ms, {one}" for one in ("p50", "p95", "p99")), "records an hour"]
    for name, one in zip(names, (*whole.latency, whole.rate), strict=True):
        if one.value is not None:
            yield _tile(name, spread(one), f"n = {one.n:,}")
    if whole.up or whole.down:
        yield _tile("votes", f"{whole.up:,} up, {whole.down:,} down", "opinions, not labels")
    yield "</div>"


def _tile(name: str, value: str, note: str) -> str:
    figure, _, interval = value.partition(" (")
    if interval.endswith(")"):
        value, note = figure, f"{interval[:-1]} · {note}"
    return (
        f'<div class="tile"><div class="name">{escape(name)}</div>'
        f'<div class="value">{escape(value)}</div><div class="note">{escape(note)}</div></div>'
    )


def _number(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    text = f"{figure.value:.4g}"
    if figure.low is None or figure.high is None:
        return text
    return f"{text} ({figure.low:.4g} to {figure.high:.4g})"


def _section(title: str, body: str) -> Iterator[str]:
    if body:
        yield f"<h2>{escape(title)}</h2>\n{body}"


def _slices(report: Report) -> Iterator[str]:
    if not report.groups:
        return
    yield "<h2>Where the errors are</h2>"
    yield (
        '<p class="quiet">Sorted by errors recoverable: wrong records that would be right, were '
        "the group as good as the rest.</p>"
    )
    measured = "accuracy" if report.task == "classes" else "mean absolute error"
    heads = ("group", "n", "labelled", measured, "against all", "share of errors", "recoverable")
    yield "<table><thead><tr>"
    yield "".join(f"<th>{escape(head)}</th>" for head in heads)
    yield "</tr></thead><tbody>"
    most = max(group.recoverable for group in report.groups) or 1.0
    for group in report.groups:
        yield _row(group, report.task, most)
    yield "</tbody></table>"


def _row(group: Group, task: str, most: float) -> str:
    own = group.measures
    shown = percent(own.accuracy) if task == "classes" else _number(own.mae)
    change = "-" if group.change is None else f"{group.change:+.3f}"
    share = "-" if group.share is None else f"{group.share:.1%}"
    bar = f'<i style="width:{100 * group.recoverable / most:.1f}%"></i>'
    about = f'<div class="note">{escape(group.about)}</div>' if group.about else ""
    cells = (
        f"<td>{escape(group.name)}{about}</td>",
        f"<td>{own.n:,}</td><td>{own.labelled:,}</td><td>{escape(shown)}</td>",
        f"<td>{change}</td><td>{share}</td>",
        f'<td class="bar">{bar}<span>{group.recoverable:,.1f}</span></td>',
    )
    return f"<tr>{''.join(cells)}</tr>"


def _wrong(cells: Sequence[Cell]) -> list[Cell]:
    return sorted((c for c in cells if c.truth != c.prediction), key=lambda c: (-c.n, c[:2]))


def _right(cells: Sequence[Cell]) -> list[Cell]:
    return sorted(cell for cell in cells if cell.truth == cell.prediction)


def _labels(cells: Sequence[Cell]) -> list[str]:
    return sorted({one for cell in cells for one in (cell.truth, cell.prediction)})


def _confusion(cells: Sequence[Cell], look: _Look) -> Iterator[str]:
    if not cells:
        return
    labels = _labels(cells)
    drawn = len(labels) <= _MATRIX
    yield "<h2>What is taken for what</h2>"
    if drawn:
        yield from _matrix(cells, labels)
    for place, cell in enumerate(_wrong(cells)):
        said = f"{cell.truth} taken for {cell.prediction or 'no answer'}"
        if place < _PAIRS:
            yield from _examples(cell, said, cell.records, look)
        elif drawn:
            yield from _examples(cell, said, cell.records, lambda _: Shown())
    for cell in _right(cells) if drawn else ():
        yield from _examples(cell, f"{cell.truth}, and right", cell.records[:_RIGHT], look)


def _examples(cell: Cell, said: str, records: Sequence[str], look: _Look) -> Iterator[str]:
    yield f'<details id="{_anchor(cell)}"><summary>{escape(said)}: '
    yield f'{cell.n:,}</summary><div class="cards">'
    for record in records:
        yield _card(look(record), record, "")
    yield "</div></details>"


def _matrix(cells: Sequence[Cell], labels: Sequence[str]) -> Iterator[str]:
    counts = {(cell.truth, cell.prediction): cell for cell in cells}
    totals = {truth: sum(c.n for c in cells if c.truth == truth) for truth in labels}
    yield '<table class="matrix"><thead><tr><th>truth \\ prediction</th>'
    yield "".join(f"<th>{escape(label) or 'no answer'}</th>" for label in labels)
    yield "</tr></thead><tbody>"
    for truth in labels:
        if not totals[truth]:
            continue
        yield f"<tr><th>{escape(truth)}</th>"
        for said in labels:
            cell = counts.get((truth, said))
            if cell is None:
                yield "<td></td>"
                continue
            share = cell.n / totals[truth]
            ink = "15, 118, 110" if truth == said else "185, 28, 28"
            text = f'<a href="#{_anchor(cell)}">{cell.n:,}</a>'
            yield f'<td style="background:rgba({ink},{0.08 + 0.6 * share:.2f})">{text}</td>'
        yield "</tr>"
    yield "</tbody></table>"


def _anchor(cell: Cell) -> str:
    return "pair-" + "-".join(text.encode().hex() or "0" for text in (cell.truth, cell.prediction))


def _worst(examples: Sequence[Example], look: _Look, task: str) -> Iterator[str]:
    if not examples:
        return
    yield "<h2>The worst examples</h2>"
    told = "Wrong ones, the surest first." if task == "classes" else "Those farthest off first."
    yield f'<p class="quiet">{told}</p><div class="cards">'
    for one in examples:
        yield _card(look(one.record_id), one.record_id, _told(one))
    yield "</div>"


def _told(one: Example) -> str:
    parts = []
    if one.status == "error":
        parts.append(f'<b class="bad">{escape(one.error or "failed")}</b>')
    elif one.prediction is not None:
        parts.append(f"says <b>{escape(_short(one.prediction))}</b>")
    if one.truth is not None:
        parts.append(f"is <b>{escape(_short(one.truth))}</b>")
    if one.confidence is not None:
        parts.append(f"confidence {one.confidence:.2f}")
    if one.model:
        parts.append(escape(one.model))
    return "<br>".join(parts)


def _card(shown: Shown, record: str, told: str) -> str:
    inside = ""
    if shown.picture:
        inside = f'<img src="{shown.picture}" alt="the input of {escape(record)}">'
    elif shown.text is not None:
        inside = f"<pre>{escape(shown.text)}</pre>"
    return f'<div class="card">{inside}<div>{told}</div><code>{escape(record)}</code></div>'


def _versus(found: Versus | None, look: _Look) -> Iterator[str]:
    if found is None:
        return
    yield f"<h2>{escape(found.old)} against {escape(found.new)}</h2>"
    yield '<div class="tiles">'
    yield _tile(f"accuracy, {found.old}", percent(found.old_accuracy), f"n = {found.n:,}")
    yield _tile(f"accuracy, {found.new}", percent(found.new_accuracy), f"n = {found.n:,}")
    yield _tile("fixed / broken", f"{found.fixed:,} / {found.broken:,}", f"p = {found.p:.3g}")
    yield _tile(
        "both right / both wrong",
        f"{found.both_right:,} / {found.both_wrong:,}",
        "the same inputs on both sides",
    )
    yield "</div>"
    yield from _within(found.groups)
    for name, turns in (("broken", found.breaks), ("fixed", found.fixes)):
        if turns:
            yield f'<details><summary>{name}: {len(turns):,} shown</summary><div class="cards">'
            yield from (_turn(one, look) for one in turns)
            yield "</div></details>"


def _within(groups: Sequence[Within]) -> Iterator[str]:
    if not groups:
        return
    heads = ("group", "n", "before", "after", "fixed", "broken", "p")
    yield f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>"
    for one in groups:
        accuracies = (percent(one.old_accuracy), percent(one.new_accuracy))
        counts = (f"{one.fixed:,}", f"{one.broken:,}", f"{one.p:.3g}")
        cells = (escape(one.name), f"{one.n:,}", *accuracies, *counts)
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</tbody></table>"


def _turn(one: Turn, look: _Look) -> str:
    told = (
        f"is <b>{escape(_short(one.truth))}</b><br>{escape(_short(one.old or '-'))} → "
        f"{escape(_short(one.new or '-'))}"
    )
    return _card(look(one.after), one.after, told)


def _short(text: str) -> str:
    if _FRACTION.fullmatch(text):
        return f"{float(text):.6g}"
    return text if len(text) <= 80 else f"{text[:80]}..."


def as_json(report: Report, versus: Versus | None = None) -> str:
    """The report as JSON, the same bytes each time; names of fields are those of ``Report``."""
    document = plain(report)
    if versus is not None and isinstance(document, dict):
        document["versus"] = plain(versus)
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


_SCRIPT = """
function show(){const one=document.getElementById(location.hash.slice(1));
if(one&&one.tagName==="DETAILS"){one.open=true;one.scrollIntoView()}}
addEventListener("hashchange",show);show();
document.addEventListener("click",e=>{if(e.target.closest("a[href^='#']"))setTimeout(show)})
"""  # a cell of the matrix opens its examples
_STYLE = """
:root{color-scheme:light}
body{margin:0;background:#f8fafc;color:#1e293b;font:15px/1.5 system-ui,sans-serif}
main{max-width:900px;margin:0 auto;padding:32px 20px 80px}
h1{font-size:26px;margin:0}h2{font-size:18px;margin:40px 0 12px}
.quiet,.note{color:#64748b}.note{font-size:12px}.bad{color:#b91c1c}
code{font:12px ui-monospace,monospace;color:#64748b;overflow-wrap:anywhere}
svg{width:100%;height:auto;background:#fff;border:1px solid #e2e8f0;border-radius:8px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:12px;
margin:20px 0}
.tile,.card{background:#fff;border:1px solid #e2e8f0;border-radius:8px;padding:12px}
.tile .name{font-size:12px;color:#64748b}.tile .value{font-size:17px;font-weight:600}
table{border-collapse:collapse;width:100%;background:#fff;font-size:14px}
th,td{padding:6px 10px;border-bottom:1px solid #e2e8f0;text-align:right}
th:first-child,td:first-child{text-align:left}th{font-weight:600;color:#475569}
.matrix{width:auto;max-width:100%;display:block;overflow-x:auto}
.matrix td,.matrix th{text-align:center;border:1px solid #fff;padding:4px 8px}
.bar{position:relative;min-width:120px}.bar i{position:absolute;left:0;top:20%;height:60%;
background:#fecaca;border-radius:3px}.bar span{position:relative}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:12px;
margin:12px 0}
.card{font-size:13px}.card,.tile,h1,h2,summary,td:first-child{overflow-wrap:anywhere}
td:not(:first-child){white-space:nowrap}
.card img{display:block;max-width:100%;image-rendering:pixelated;
margin:0 auto 8px;outline:1px solid #e2e8f0}
.card pre{white-space:pre-wrap;margin:0 0 8px;font-size:12px;max-height:180px;
overflow:auto}
details{margin:6px 0}summary{cursor:pointer}details:target>summary{font-weight:600}
a{color:inherit}
"""
