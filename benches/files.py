"""Many small files: ox and its peers from the first add to a clone, beside what the bytes cost.

    python benches/files.py [--smoke | --full | --files N] [--repeat N] [--tools ox,git] [--json]

Files of 4 to 16 KB that do not compress. "changed" is add and commit after 1% of them changed;
push and clone go to and from a folder; "switch" goes back to the older version. What comes out
is compared with what went in.
"""

import sys
from collections.abc import Sequence
from functools import partial

from benches import data, harness, race
from benches.peers import choose, versions


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = harness.arguments(__doc__)
    parser.add_argument("--files", type=int, default=5_000, metavar="N", help="how many")
    args = parser.parse_args(argv)
    count = 60 if args.smoke else 100_000 if args.full else args.files
    tools, absent = choose(args.tools or ("ox,git" if args.smoke else None))
    course = race.Course(partial(data.many, count=count), partial(data.change_many, count=count))
    with harness.workplace(args) as home:
        run = race.Race(course, home)
        floors = run.floors(args.repeat, (race.walk_and_stat, race.read_and_hash))
        rows = run.rows(tools, args.repeat)
        total = harness.size([run.first])
    tables = {
        "seconds": rows,
        "time of ox over that of": harness.ratios(rows, race.STEPS),
        "floors": floors,
        "versions": [{"tool": name, "is": text} for name, text in versions(tools).items()],
        "not installed": [{"tool": name} for name in absent],
    }
    return harness.show(args, f"{count:,} files, {total:,.0f} MiB", tables)


if __name__ == "__main__":
    sys.exit(main())
