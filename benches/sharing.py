"""Sharing: push and clone over HTTP on loopback, beside the same over a path.

    python -m benches sharing [--smoke | --full | --scale F] [--repeat N] [--json]

Small files and one large one, at several sizes. "push again" is the push of a second version, 1%
of whose small files changed. Requests and bytes are ox's own counters; "per 64 MiB" is what each
further 64 MiB takes, beside the smallest size: what a push or a clone asks once is left out.
"""

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benches import data, harness, race, results
from benches.harness import MIB
from benches.peers import Ox, OxOverHttp
from benches.race import Outcome
from benches.results import Row

STEPS = (race.SAVE, race.PUSH, race.CHANGED, race.AGAIN, race.CLONE)
DRAWN = ("push", "push again", "clone")
MOVED = {"push": "bytes sent", "push again": "bytes sent", "clone": "bytes received"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    rows: list[Row] = []
    moved: list[Row] = []
    with harness.workplace(args) as home:
        for name, amount in sizes(args.smoke, args.full, args.scale).items():
            outcome = _race(home / name, name, amount, args.repeat)
            rows += [_only(row, (*DRAWN, "RSS MB")) for row in outcome.rows]
            moved.append(_moved(f"HTTP, {name}", outcome.figures))
    _requests(moved)
    tables = {
        "seconds": rows,
        "time of HTTP over that of a path": _over(rows),
        "MiB and requests": moved,
    }
    what = "Push and clone over HTTP on loopback and over a path"
    return results.show(args, results.Report("sharing", what, tables, chart={"seconds": DRAWN}))


def sizes(smoke: bool, full: bool, scale: float | None) -> dict[str, tuple[int, int]]:
    """How many small files, and how long the large one is, by name of the size."""
    part = scale or (1.0 if full else 0.0005 if smoke else 0.05)
    amounts = {
        "small": (int(5_000 * part) + 20, 0),
        "medium": (int(20_000 * part) + 20, int(256 * part + 1) * MIB),
        "large": (int(100_000 * part) + 20, int(1024 * part + 1) * MIB),
    }
    return {name: amounts[name] for name in amounts if name != "medium" or not smoke}


def _race(home: Path, name: str, amount: tuple[int, int], repeat: int) -> Outcome:
    count, length = amount
    path, http = Ox(), OxOverHttp()
    path.name, http.name = f"path, {name}", f"HTTP, {name}"
    make = partial(data.small_and_large, count=count, length=length)
    course = race.Course(make, partial(data.change_small, count=count), STEPS)
    outcome = race.Race(course, home, settle=count > 1000).run([path, http], repeat=repeat)
    harness.remove(home)
    return outcome


def _only(row: Row, columns: Sequence[str]) -> Row:
    return {name: row[name] for name in ("tool", *columns)}


def _moved(name: str, figures: Mapping[str, float]) -> Row:
    row: Row = {"way": name}
    for step, counter in MOVED.items():
        row[f"{step} MiB"] = round(figures.get(f"{name}/{step}: {counter}", 0) / MIB, 3)
        row[f"{step} requests"] = int(figures.get(f"{name}/{step}: requests", 0))
    return row


def _requests(rows: Sequence[Row]) -> None:
    """Add what each further 64 MiB takes to the row of the largest size."""
    small, large = rows[0], rows[-1]
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
