"""Reports: what `ox report` costs over many records and slices, beside engines that only count.

    python -m benches insight [--smoke | --full | --scale F] [--repeat N] [--json]

1,000,000 records with a label each, in 100 shards, and 20 slices (`--full`). "report" is the whole
command, from its start to its JSON: figures with intervals by slice, over time, the confusion
matrix with examples, calibration, latencies, the worst. DuckDB reads the same shards as files and
counts a confusion matrix for each slice, nothing else; scikit-learn gets a tenth of the shards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benches import harness, results, wild
from benches.harness import Command, Cost, apart, measure
from benches.peers import Ox
from benches.results import Row, median
from benches.setting import Place, compile_ox, environment

DRAWN = ("seconds", "CPU seconds")
PART = 10  # scikit-learn gets one shard in ten


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    count = harness.sized(args, 500, 50_000, 1_000_000)
    costs: dict[str, list[Cost]] = {}
    with harness.workplace(args) as home:
        compile_ox()
        place = Place(home / "ox")
        place.home.mkdir()
        apart(partial(wild.make, count=count), home / "source")
        apart(partial(wild.take, source=str(home / "source")), place.work)
        env = environment(place.home)
        for _ in range(args.repeat):
            for name, command in _commands(home / "source"):
                print(f"  {name} ...", file=sys.stderr, flush=True)
                cost = measure([command], place.work, env, settle=True)
                costs.setdefault(name, []).append(cost)
    table = [_row(name, each) for name, each in costs.items()]
    what = f"{count:,} labelled records, {wild.SLICES} slices"
    report = results.Report("insight", what, {"report": table}, chart={"report": DRAWN})
    return results.show(args, report)


def _commands(source: Path) -> Iterator[tuple[str, Command]]:
    ox = Ox()
    yield "ox report", ox.run("report", "deployed", "wild", "--json")
    yield "ox failures", ox.run("failures", "deployed", "wild", "--json")
    yield "DuckDB, counts alone", harness.script(wild.duckdb, source)
    yield "scikit-learn, a tenth", harness.script(partial(wild.sklearn, part=PART), source)


def _row(name: str, costs: Sequence[Cost]) -> Row:
    return {
        "tool": name,
        "seconds": median(cost.seconds for cost in costs),
        "CPU seconds": median(cost.cpu for cost in costs),
        "RSS MB": round(max(cost.rss for cost in costs)),
    }


if __name__ == "__main__":
    sys.exit(main())
