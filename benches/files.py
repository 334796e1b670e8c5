"""Many small files: ox and its peers from the first add to a clone, beside what the bytes cost.

    python -m benches files [--smoke | --full | --scale F] [--repeat N] [--tools ox,git] [--json]

Files of 4 to 16 KB that do not compress. "changed" is add and commit after 1% of them changed;
push and clone go to and from a folder; "switch" goes back to the older version. What comes out
is compared with what went in.
"""

import sys
from collections.abc import Sequence
from functools import partial

from benches import bars, data, harness, race, results
from benches.peers import choose, versions

STEPS = (race.SAVE, race.STATUS, race.CHANGED, race.PUSH, race.CLONE, race.SWITCH)
NAMES = tuple(step.name for step in STEPS)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    count = harness.sized(args, 60, 5_000, 100_000)
    tools, absent = choose(args.tools or ("ox,git" if args.smoke else None))
    make, change = partial(data.many, count=count), partial(data.change_many, count=count)
    floors = [race.floor(race.walk_and_stat), race.floor(race.read_and_hash), race.COPY]
    with harness.workplace(args) as home:
        run = race.Race(race.Course(make, change, STEPS), home, settle=not args.smoke)
        total = harness.size([run.first])
        outcome = run.run(tools, floors, args.repeat, bars.named("files"))
    report = results.Report(
        "files",
        f"{count:,} files of 4 to 16 KB, {total:,.0f} MiB",
        {
            "seconds": outcome.rows,
            "time of ox over that of": results.ratios(outcome.rows, NAMES),
            "floors": outcome.floors,
            "CPU": outcome.cpu,
            "versions": versions(tools),
            "not installed": absent,
        },
        outcome.figures,
        {"seconds": (*NAMES, "RSS MB", "stored MiB")},
    )
    return results.show(args, report)


if __name__ == "__main__":
    sys.exit(main())
