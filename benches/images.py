"""Image datasets of known shapes, the whole way over HTTP, beside Oxen's add and commit alone.

    python -m benches images [--smoke | --full | --scale F] [--repeat N] [--tools ox] [--json]

CelebA's shape: 202,599 files of about 7 KB in one folder. Food-101's: 101,000 of about 50 KB in 101
folders. The bytes are made, and do not compress. ox adds, commits, pushes to a hub on loopback
and clones from it; Oxen adds and commits.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benches import data, harness, race, results
from benches.data import KIB
from benches.peers import Ox, Oxen, OxOverHttp, versions
from benches.results import Row

STEPS = (race.SAVE, race.PUSH, race.CLONE_FIRST)
DRAWN = ("add+commit", "push", "clone", "total")


@dataclass(frozen=True, slots=True)
class Shape:
    """So many files of `least` to `most` bytes, `each` to a folder; 0 is one folder for all."""

    count: int
    least: int
    most: int
    each: int


SHAPES = {
    "CelebA": Shape(202_599, 4 * KIB, 10 * KIB, 0),
    "Food-101": Shape(101_000, 25 * KIB, 74 * KIB, 1000),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    part = args.scale or (1 if args.full else 0.0003 if args.smoke else 0.02)
    tools: list[Ox] = [OxOverHttp(), Oxen()]
    tools = [tool for tool in tools if tool.found() and _asked(tool, args.tools, args.smoke)]
    rows: list[Row] = []
    with harness.workplace(args) as home:
        for name, shape in SHAPES.items():
            rows += _race(home / name, name, shape, part, tools, args.repeat)
    sizes = ", ".join(f"{int(shape.count * part):,}" for shape in SHAPES.values())
    report = results.Report(
        "images",
        f"Shapes of {' and '.join(SHAPES)}: {sizes} files",
        {"seconds": rows, "versions": versions(tools)},
        chart={"seconds": DRAWN},
    )
    return results.show(args, report)


def _asked(tool: Ox, wanted: str | None, smoke: bool) -> bool:
    return tool.ours if smoke else wanted is None or tool.name in wanted.split(",")


def _race(
    home: Path, name: str, shape: Shape, part: float, tools: Sequence[Ox], repeat: int
) -> list[Row]:
    make = partial(
        data.many,
        count=int(shape.count * part),
        least=shape.least,
        most=shape.most,
        each=shape.each,
    )
    course = race.Course(make, race.walk_and_stat, STEPS)
    outcome = race.Race(course, home, settle=part > 0.001).run(tools, (race.COPY,), repeat)
    harness.remove(home)
    for row in outcome.rows:
        row["total"] = sum(float(row[step]) for step in DRAWN[:-1] if step in row)
        row["tool"] = f"{row['tool']}, {name}"
    return [*outcome.rows, {"tool": f"cp -r, {name}", "total": outcome.floors[0]["s"]}]


if __name__ == "__main__":
    sys.exit(main())
