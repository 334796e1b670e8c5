"""A million small files: what a file costs there, beside what it costs at a tenth of them.

    python -m benches million [--smoke | --full | --scale F] [--repeat N] [--json]

Files of 200 bytes, in folders of a thousand, and all in one folder; only ox. "one changed" is add
and commit of the whole folder after one file changed; "diff" is that of two commits a hundred files
apart; "checkout" writes all files into a folder that has none. Nodes are ox's own counters.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benches import data, harness, results
from benches.harness import Cost, apart, measure
from benches.peers import Ox
from benches.results import Row, median
from benches.setting import Place, compile_ox, environment

BYTES = 200
SHAPES = {"folders": 1000, "flat": 0}
DRAWN = ("add us", "status us", "checkout us")
STEPS = ("add", "commit", "checkout", "status", "one changed", "diff")
Costs = Mapping[str, Cost]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    most = harness.sized(args, 400, 50_000, 1_000_000)
    sizes = {"few": max(1, most // 10), "many": most}
    laps: dict[str, list[Costs]] = {}
    with harness.workplace(args) as home:
        compile_ox()
        for _ in range(args.repeat):
            for shape, each in SHAPES.items():
                for size, count in sizes.items():
                    print(f"  {count:,}, {shape} ...", file=sys.stderr, flush=True)
                    name = f"{size}, {shape}"
                    laps.setdefault(name, []).append(_lap(home / "lap", count, each))
                    harness.remove(home / "lap")
    tables = {
        "seconds": [_seconds(name, each) for name, each in laps.items()],
        "a file, and nodes": [
            _a_file(name, each, sizes[name.split(",")[0]]) for name, each in laps.items()
        ],
    }
    what = f"{most:,} files of {BYTES} bytes, and a tenth of them"
    report = results.Report(
        "million", what, tables, chart={"a file, and nodes": DRAWN, "seconds": STEPS[-3:]}
    )
    return results.show(args, report)


def _lap(home: Path, count: int, each: int) -> Costs:
    place, ox = Place(home), Ox()
    place.work.mkdir(parents=True)
    make = partial(data.many, count=count, least=BYTES, most=BYTES, each=each)
    change = partial(data.change_many, count=count, least=BYTES, most=BYTES, each=each)
    cost = partial(_cost, place, settle=count > 1000)
    cost(ox, ["init"], ["commit", "--allow-empty", "-m", "start"])
    apart(make, place.data)
    costs = {"add": cost(ox, ["add", "."]), "commit": cost(ox, ["commit", "-m", "all"])}
    costs["status"] = cost(ox, ["status"])
    apart(partial(change, changed=1), place.data)
    costs["one changed"] = cost(ox, ["add", "."], ["commit", "-m", "one"])
    apart(partial(change, changed=100, version=3), place.data)
    costs["hundred changed"] = cost(ox, ["add", "."], ["commit", "-m", "a hundred"])
    costs["diff"] = cost(ox, ["diff", "--name-status", "HEAD~1..HEAD"])
    cost(ox, ["checkout", "HEAD~3"])
    costs["checkout"] = cost(ox, ["checkout", "main"])
    if sum(1 for _ in harness.walk(place.data)) != count:
        raise RuntimeError("the checkout gave other files than were kept")
    return costs


def _cost(place: Place, ox: Ox, *words: Sequence[str], settle: bool) -> Cost:
    commands = [ox.run(*each) for each in words]
    return measure(commands, place.work, environment(place.home), settle=settle)


def _seconds(name: str, laps: Sequence[Costs]) -> Row:
    row: Row = {"shape": name}
    row |= {step: median(lap[step].seconds for lap in laps) for step in STEPS}
    row["RSS MB"] = round(max(cost.rss for lap in laps for cost in lap.values()))
    return row


def _a_file(name: str, laps: Sequence[Costs], count: int) -> Row:
    def counted(step: str, counter: str) -> int:
        return max(lap[step].counters.get(counter, 0) for lap in laps)

    row: Row = {"shape": name, "files": count}
    for step in ("add", "status", "checkout"):
        row[f"{step} us"] = round(1e6 * median(lap[step].seconds for lap in laps) / count, 2)
    return row | {
        "nodes written": counted("one changed", "nodes written"),
        "diff nodes": counted("diff", "nodes read"),
    }


if __name__ == "__main__":
    sys.exit(main())
