"""Large files: what an insertion and a hundred changed spots cost, in time, bytes and memory.

    python benches/large.py [--smoke | --full] [--repeat N] [--tools ox,restic] [--json]

Random bytes. Version 2 has 1 KiB more near the start of each file, and 64 other bytes at each of
100 places. `--full` is four files of 1 GiB.
"""

import sys
from collections.abc import Sequence
from functools import partial

from benches import data, harness, race
from benches.peers import choose, versions

STEPS = ("add+commit", "changed", "switch")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    count, length = (4, 1 << 30) if args.full else (1, (8 if args.smoke else 256) * harness.MIB)
    tools, absent = choose(args.tools or ("ox" if args.smoke else None))
    make = partial(data.large, count=count, length=length)
    change = partial(data.change_large, count=count, spots=5 if args.smoke else 100)
    course = race.Course(make, change, STEPS)
    with harness.workplace(args) as home:
        run = race.Race(course, home)
        floors = run.floors(args.repeat, (race.read_and_hash,))
        rows = run.rows(tools, args.repeat)
    tables = {
        "seconds": rows,
        "time of ox over that of": harness.ratios(rows, STEPS),
        "floors": floors,
        "versions": [{"tool": name, "is": text} for name, text in versions(tools).items()],
        "not installed": [{"tool": name} for name in absent],
    }
    return harness.show(args, f"{count} x {length // harness.MIB:,} MiB", tables)


if __name__ == "__main__":
    sys.exit(main())
