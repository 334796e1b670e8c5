"""Tables: CSV and Parquet, 2,000 rows edited all over; time, and how far the store grows.

    python -m benches tables [--smoke | --full | --scale F] [--repeat N] [--tools ox] [--json]

5,000,000 rows of 10 columns (`--full`). Version 2 has 1,000 rows updated, 500 inserted, 500
deleted, spread evenly. "Parquet" is written by the Python API (`oxcore.tables.write`), "plain
Parquet" by Arrow as it comes; ox gets each alone, and all tools the CSV and the plain Parquet.
"""

import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benches import bars, harness, race, results, rows
from benches.harness import Command
from benches.peers import Ox, choose, versions
from benches.race import Floor, Outcome
from benches.results import Row

STEPS = (race.SAVE, race.CHANGED, race.SWITCH)
DRAWN = ("add+commit", "changed", "switch", "stored MiB", "growth MiB")
ALONE = {"CSV": ["table.csv"], "Parquet": ["table.parquet"], "plain Parquet": ["plain.parquet"]}
BOTH = ["table.csv", "plain.parquet"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    count = harness.sized(args, 2_000, 200_000, 5_000_000)
    edits = 20 if args.smoke else 2_000 if args.full else max(200, 2_000 * count // 5_000_000)
    tools, absent = choose(args.tools or ("ox" if args.smoke else None))
    with harness.workplace(args) as home:
        harness.apart(partial(rows.versions, count=count, edits=edits), home / "source")
        sizes = [_size(home / "source" / "1", names) for names in ALONE.values()]
        alone = [_alone(home, name, args) for name in ALONE]
        both = _run(home, BOTH, tools, [], args, bars.named("tables"))
    for one in (both, *alone):
        for row in one.rows:
            row["growth %"] = round(100 * float(row["growth MiB"]) / float(row["stored MiB"]), 1)
    own: list[Row] = [
        {**one.rows[0], "tool": f"ox, {name}"} for name, one in zip(ALONE, alone, strict=True)
    ]
    figures = {
        f"ox, {name}/add": one.figures["ox/add"] for name, one in zip(ALONE, alone, strict=True)
    }
    named = ", ".join(f"{name} {size:,.0f} MiB" for name, size in zip(ALONE, sizes, strict=True))
    report = results.Report(
        "tables",
        f"{count:,} rows, {edits:,} edits: {named}",
        {
            "CSV and plain Parquet, seconds": both.rows,
            "each alone, seconds": own,
            "time of ox over that of": results.ratios(both.rows, DRAWN[:3]),
            "floors for the CSV": alone[0].floors,
            "CPU": both.cpu,
            "versions": versions(tools),
            "not installed": absent,
        },
        figures | both.figures,
        {"CSV and plain Parquet, seconds": DRAWN, "each alone, seconds": ("growth %",)},
    )
    return results.show(args, report)


def _alone(home: Path, name: str, args: harness.Arguments) -> Outcome:
    floors = [Floor("zstd -1 -T2", _zstd), race.COPY] if name == "CSV" else []
    return _run(home, ALONE[name], [Ox()], floors, args, None)


def _run(
    home: Path,
    names: list[str],
    tools: Sequence[Ox],
    floors: Sequence[Floor],
    args: harness.Arguments,
    often: set[str] | None,
) -> Outcome:
    source = str(home / "source")
    make = partial(rows.take, source=source, version=1, names=names)
    change = partial(rows.take, source=source, version=2, names=names)
    course = race.Course(make, change, STEPS)
    run = race.Race(course, home / "race", settle=not args.smoke)
    outcome = run.run(tools, floors, args.repeat, often)
    harness.remove(home / "race")
    return outcome


def _zstd(first: Path, copy: Path) -> list[Command]:
    if shutil.which("zstd") is None:
        return [harness.script(partial(rows.compress, out=str(copy)), first / "table.csv")]
    return [["zstd", "-1", "-T2", "-q", "-f", first / "table.csv", "-o", copy]]


def _size(folder: Path, names: Sequence[str]) -> float:
    return sum((folder / name).stat().st_size for name in names) / harness.MIB


if __name__ == "__main__":
    sys.exit(main())
