"""Sharing: push and clone over HTTP on loopback, beside the same over a path.

    python -m benches sharing [--smoke | --full | --scale F] [--repeat N] [--json]

Small files and one large one, at several sizes. "push again" is the push of a second version, 1%
of whose small files changed. Requests and bytes are ox's own counters; "per 64 MiB" is what each
further 64 MiB takes, beside the smallest size: what a push or a clone asks once is left out.
"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benches import data, harness, race, results
from benches.harness import MIB
from benches.peers import Ox, OxOverHttp
from benches.results import Row

STEPS = (race.SAVE, race.PUSH, race.CHANGED, race.AGAIN, race.CLONE)
DRAWN = ("push", "push again", "clone")
MOVED = {"push": "bytes sent", "push again": "bytes sent", "clone": "bytes received"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    rows: list[Row] = []
    with harness.workplace(args) as home:
        for name, (count, length) in sizes(args.smoke, args.full, args.scale).items():
            rows += _race(home / name, name, (count, length), args.repeat)
    _requests(rows)
    tables = {"seconds, MiB, requests": rows, "time of HTTP over that of a path": _over(rows)}
    what = "Push and clone over HTTP on loopback and over a path"
    report = results.Report("sharing", what, tables, chart={"seconds, MiB, requests": DRAWN})
    return results.show(args, report)


def sizes(smoke: bool, full: bool, scale: float | None) -> dict[str, tuple[int, int]]:
    """How many small files, and how long the large one is, by name of the size."""
    part = scale or (1.0 if full else 0.0005 if smoke else 0.05)
    amounts = {
        "small": (int(5_000 * part) + 20, 0),
        "medium": (int(20_000 * part) + 20, int(256 * part + 1) * MIB),
        "large": (int(100_000 * part) + 20, int(1024 * part + 1) * MIB),
    }
    return {name: amounts[name] for name in amounts if name != "medium" or not smoke}


def _race(home: Path, name: str, amount: tuple[int, int], repeat: int) -> list[Row]:
    count, length = amount
    path, http = Ox(), OxOverHttp()
    path.name, http.name = f"path, {name}", f"HTTP, {name}"
    make = partial(data.small_and_large, count=count, length=length)
    course = race.Course(make, partial(data.change_small, count=count), STEPS)
    outcome = race.Race(course, home, settle=count > 1000).run([path, http], repeat=repeat)
    for row in outcome.rows:
        for step, counter in MOVED.items():
            moved = outcome.figures.get(f"{row['tool']}/{step}: {counter}", 0) / MIB
            row[f"{step} MiB"] = round(moved, 3)
            row[f"{step} requests"] = int(outcome.figures.get(f"{row['tool']}/{step}: requests", 0))
    return outcome.rows


def _requests(rows: Sequence[Row]) -> None:
    """Add what each further 64 MiB takes to the row of the largest size."""
    by_name = {row["tool"]: row for row in rows}
    small, large = by_name["HTTP, small"], by_name["HTTP, large"]
    for step in ("push", "clone"):
        more = float(large[f"{step} MiB"]) - float(small[f"{step} MiB"])
        requests = float(large[f"{step} requests"]) - float(small[f"{step} requests"])
        large[f"{step} per 64 MiB"] = round(64 * requests / more, 2)


def _over(rows: Sequence[Row]) -> list[Row]:
    path, http = rows[::2], rows[1::2]
    return [
        {"size": str(one["tool"]).removeprefix("path, ")}
        | {step: round(float(other[step]) / float(one[step]), 2) for step in DRAWN}
        for one, other in zip(path, http, strict=True)
    ]


if __name__ == "__main__":
    sys.exit(main())
