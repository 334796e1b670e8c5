"""Large files: what an insertion and a hundred changed spots cost, in time, bytes and memory.

    python -m benches large [--smoke | --full | --scale F] [--repeat N] [--tools ox,restic] [--json]

Random bytes. Version 2 has 1 KiB more near the start of each file, and 64 other bytes at each of
100 places. `--full` is four files of 1 GiB.
"""

import sys
from collections.abc import Sequence
from functools import partial

from benches import bars, data, harness, race, results
from benches.peers import choose, versions

STEPS = (race.SAVE, race.PUSH, race.CHANGED, race.AGAIN, race.SWITCH)
DRAWN = ("add+commit", "changed", "switch", "growth MiB")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    count = 1 if args.smoke else 2 if not args.full else 4
    length = harness.sized(args, 8, 128, 1024) * harness.MIB
    tools, absent = choose(args.tools or ("ox" if args.smoke else None))
    make = partial(data.large, count=count, length=length)
    change = partial(data.change_large, count=count, spots=5 if args.smoke else 100)
    floors = [race.COPY, race.floor(race.read_and_hash)]
    with harness.workplace(args) as home:
        run = race.Race(race.Course(make, change, STEPS), home, settle=not args.smoke)
        outcome = run.run(tools, floors, args.repeat, bars.named("large"))
    report = results.Report(
        "large",
        f"{count} x {length // harness.MIB:,} MiB",
        {
            "seconds": outcome.rows,
            "time of ox over that of": results.ratios(outcome.rows, DRAWN),
            "floors": outcome.floors,
            "CPU": outcome.cpu,
            "versions": versions(tools),
            "not installed": absent,
        },
        outcome.figures | _each(outcome, count),
        {"seconds": DRAWN},
    )
    return results.show(args, report)


def _each(outcome: race.Outcome, count: int) -> dict[str, float]:
    """What version 2 adds to the store, and sends, in MiB a file."""
    own = [row for row in outcome.rows if row["tool"] == "ox"]
    if not own:
        return {}
    growth = float(own[0]["growth MiB"]) / count
    sent = outcome.figures.get("ox/push again: bytes sent", 0) / harness.MIB / count
    return {"ox/growth a file": growth, "ox/sent a file": sent}


if __name__ == "__main__":
    sys.exit(main())
