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
        groups = _groups(document["tables"][title])
        for group, rows in groups.items():
            for column in columns:
                values = [(name, float(row[column])) for name, row in rows.items() if column in row]
                heading = ", ".join(part for part in (group, _unit(column)) if part)
                if values:
                    short = [(_short(name, group), value) for name, value in values]
                    yield Panel(heading, short, list(_marks(document, set(rows), column)))


def _groups(rows: Sequence[Row]) -> dict[str, dict[str, Row]]:
    named = {str(next(iter(row.values()))): row for row in rows}
    groups: dict[str, dict[str, Row]] = {}
    for name, row in named.items():
        groups.setdefault(name.partition(", ")[2], {})[name] = row
    alone = all(len(group) == 1 for group in groups.values())
    return {"": named} if alone else groups


def _short(name: str, group: str) -> str:
    return name.removesuffix(f", {group}") if group else name


def _unit(column: str) -> str:
    known = {"us": "microseconds a file", "ms": "milliseconds"}
    words = column.split()
    if words[-1] in known:
        return " ".join([*words[:-1], known[words[-1]]])
    return column if words[-1] in {"MB", "MiB", "%"} else f"{column}, seconds"


def _marks(document: Document, rows: set[str], column: str) -> Iterator[Mark]:
    figures: Mapping[str, float] = document["figures"]
    for bar in document["bars"]:
        row, _, of = str(bar["figure"]).rpartition("/")
        over = bar["over"]
        if row not in rows or of != column or bar["measured"] is None:
            continue
        assert isinstance(bar["most"], int | float)
        base = figures[str(over)] if over else 1.0
        says = f"{bar['most']:.3g}"
        if over:
            says += f" of {str(over).rpartition('/')[0].partition(', ')[0]}"
        yield Mark(says, base * bar["most"], bool(bar["held"]))


def _insert(text: str, name: str, new: str) -> str:
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n\n{new}\n\n{end}", text)


if __name__ == "__main__":
    sys.exit(main())
