"""Make pictures and tables for the documents of the JSON that `python -m benches --json` wrote.

    python -m benches.report FILE [--document DOCUMENT] [--pictures FOLDER]

Each benchmark in FILE gets a picture, and its tables go between the lines `<!-- NAME -->` and
`<!-- end of NAME -->` of the document; what stands outside of them stays.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from benches import bars
from benches.picture import Mark, Panel, draw
from benches.results import Row, markdown
from benches.setting import ROOT

DESIGN = ROOT / "docs" / "design"
ALONE = {"CSV", "Parquet", "plain Parquet"}  # what `tables` gives to ox alone
LEFT_OUT = {"CPU", "versions", "not installed"}


class Document(TypedDict):
    """What one benchmark gave; see `results.Report`."""

    what: str
    machine: dict[str, str]
    repeat: int
    bars: list[bars.Judged]
    tables: dict[str, list[Row]]
    chart: dict[str, list[str]]
    figures: dict[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Write the pictures, and the tables into the document."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--document", type=Path, default=DESIGN / "005-measurements.md")
    parser.add_argument("--pictures", type=Path, default=DESIGN / "pictures")
    args = parser.parse_args(argv)
    found: dict[str, Document] = json.loads(args.file.read_text(encoding="utf-8"))
    args.pictures.mkdir(parents=True, exist_ok=True)
    text = args.document.read_text(encoding="utf-8")
    for name, document in found.items():
        panels = list(panels_of(document))
        picture = args.pictures / f"{name}.svg" if panels else None
        if picture is not None:
            picture.write_text(draw(document["what"], panels), encoding="utf-8")
        link = None if picture is None else os.path.relpath(picture, args.document.parent)
        text = _insert(text, name, section(document, link))
    args.document.write_text(text, encoding="utf-8")
    return 0


def section(document: Document, picture: str | None) -> str:
    """What was measured, the picture, the bars, the tables."""
    machine, repeat = document["machine"], document["repeat"]
    often = "one run" if repeat == 1 else f"medians of {repeat} runs"
    where = f"{machine['processors']} processors, Python {machine['python']}"
    parts = [f"{document['what']}; {often}, {where}."]
    if picture is not None:
        parts.append(f"![{document['what']}]({picture})")
    if document["bars"]:
        parts.append(markdown(bars.rows(document["bars"])))
    for title, rows in document["tables"].items():
        if rows and title not in LEFT_OUT:
            parts.append(f"{title[0].upper()}{title[1:]}:\n\n{markdown(rows)}")
    told = [str(row["is"]) for row in document["tables"].get("versions", [])]
    if told:
        parts.append(f"Versions: {', '.join(told)}.")
    return "\n\n".join(parts)


def panels_of(document: Document) -> Iterator[Panel]:
    """A panel for each column of the chart, and for each group of rows named "tool, group"."""
    for title, columns in document["chart"].items():
        for group, rows in _groups(document["tables"][title]).items():
            for column in columns:
                values = {name: float(row[column]) for name, row in rows.items() if column in row}
                yield from _panels(document, group, column, values)


def _panels(
    document: Document, group: str, column: str, values: Mapping[str, float]
) -> Iterator[Panel]:
    """One panel, or one for each row that has a bar of its own; none of a number alone."""
    marks = {name: list(_marks(document, name, column)) for name in values}
    marked = [name for name in values if marks[name]]
    for name in marked if len(marked) > 1 else [""]:
        others = {key: value for key, value in values.items() if key not in marked or key == name}
        shown = others if name else values
        lines = marks[name] if name else [mark for each in marks.values() for mark in each]
        if len(shown) > 1 or lines:
            heading = ", ".join(part for part in (group, _unit(column)) if part)
            yield Panel(
                heading, [(_short(key, group), value) for key, value in shown.items()], lines
            )


def _groups(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    named = {str(next(iter(row.values()))): row for row in rows}
    groups: dict[str, dict[str, Row]] = {}
    for name, row in named.items():
        groups.setdefault(name.partition(", ")[2], {})[name] = row
    alone = all(len(group) == 1 for group in groups.values())
    return {"": named} if alone else groups


def _short(name: str, heading: str) -> str:
    """A tool without its group; what only ox was asked for by the group alone, unless the
    ``heading`` tells it."""
    tool, _, group = name.partition(", ")
    return group if tool == "ox" and group in ALONE and group != heading else tool


def _unit(column: str) -> str:
    known = {"us": "microseconds a file", "ms": "milliseconds"}
    words = column.split()
    if words[-1] in known:
        return ": ".join(part for part in (" ".join(words[:-1]), known[words[-1]]) if part)
    return column if words[-1] in {"MB", "MiB", "%", "seconds"} else f"{column}, seconds"


def _marks(document: Document, row: str, column: str) -> Iterator[Mark]:
    """The bars that speak of a number."""
    for bar in document["bars"]:
        if bar["figure"] != f"{row}/{column}" or bar["measured"] is None:
            continue
        assert isinstance(bar["most"], int | float)
        over, says = bar["over"], f"{'under ' if bar['under'] else ''}{bar['most']:.3g}"
        if over:
            other, _, of = str(over).rpartition("/")
            says += f" of {of if other == row else other.partition(', ')[0]}"
        base = document["figures"][str(over)] if over else 1.0
        yield Mark(says, base * bar["most"], bool(bar["held"]))


def _insert(text: str, name: str, new: str) -> str:
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n\n{new}\n\n{end}", text)


if __name__ == "__main__":
    sys.exit(main())
