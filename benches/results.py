"""What a benchmark gives: tables of rows, the figures in them by name, bars held or missed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benches import bars

Row = dict[str, str | int | float]
Tables = Mapping[str, Sequence[Row]]


@dataclass(slots=True)
class Report:
    """The results of one benchmark.

    `figures` are all numbers that a bar may speak of, by "row/column"; those of `tables` come by
    themselves. `chart` says what is drawn: titles of tables, each with its columns.
    """

    case: str
    what: str
    tables: dict[str, list[Row]]
    figures: dict[str, float] = field(default_factory=dict)
    chart: dict[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for rows in self.tables.values():
            for row in rows:
                name, *_ = row.values()
                numbers = {key: value for key, value in row.items() if not isinstance(value, str)}
                for column, value in numbers.items():
                    self.figures.setdefault(f"{name}/{column}", float(value))

    def document(self, repeat: int) -> dict[str, object]:
        """All of it as one JSON document, with the machine."""
        return {
            "what": self.what,
            "machine": machine(),
            "repeat": repeat,
            "bars": bars.judge(self.case, self.figures),
            "tables": self.tables,
            "chart": self.chart,
            "figures": self.figures,
        }


def machine() -> Row:
    """Where this runs, without saying where."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processors": os.cpu_count() or 0,
        "python": platform.python_version(),
    }


def show(args: argparse.Namespace, report: Report) -> int:
    """Print the tables, or one JSON document; gives the exit code: 1 if `--strict` finds fault."""
    document, judged = report.document(args.repeat), bars.judge(report.case, report.figures)
    if args.json:
        print(json.dumps(document, indent=2))
    else:
        print(report.what)
        for title, rows in {**report.tables, "bars": bars.rows(judged)}.items():
            if rows:
                print(f"\n{title}\n{table(rows)}")
        if judged and not args.full:
            print("\nThe bars are stated for --full.")
    return int(args.strict and any(not bar["held"] for bar in judged))


def median(values: Iterable[float]) -> float:
    """The median, rounded to three digits behind the point."""
    return round(statistics.median(values), 3)


def ratios(rows: Sequence[Row], columns: Sequence[str], mine: str = "ox") -> list[Row]:
    """Time of `mine` over that of each other tool: under 1 means that `mine` is faster."""
    own = next((row for row in rows if row["tool"] == mine), None)
    if own is None:
        return []
    return [
        {"ox over": row["tool"]}
        | {
            name: round(float(own[name]) / float(row[name]), 2)
            for name in columns
            if name in own and row.get(name)
        }
        for row in rows
        if row is not own
    ]


def table(rows: Sequence[Row]) -> str:
    """Rows as text in columns; what a row lacks is a dash."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([cell(row.get(name, "-")) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in cells)


def markdown(rows: Sequence[Row]) -> str:
    """Rows as a table of Markdown; what a row lacks is empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names)]
    lines += [[cell(row.get(name, "")) for name in names] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: str | float) -> str:
    """A value for people: three digits are as many as these measurements have."""
    if isinstance(value, str):
        return value
    return f"{value:.3g}" if value % 1 and abs(value) < 100 else f"{value:,.0f}"


def _aligned(line: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    yield line[0].ljust(widths[0])
    yield from (text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True))
