"""Sharing: push and clone over HTTP on loopback, beside the same over a path.

    python benches/sharing.py [--smoke | --full] [--repeat N] [--json]

Many small files and one large one. "changed" is the push of a second version, 1% of whose files
changed. Requests and bytes are ox's own counters.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from benches import data, harness
from benches.harness import MIB, Command, Cost, Row, measure, median
from benches.peers import Ox, Place, environment

OX: Command = [sys.executable, "-m", "oxcli"]
STEPS = ("push", "changed", "clone")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    count, length = (50_000, 1 << 30) if args.full else (2_000, 64 * MIB)
    if args.smoke:
        count, length = 20, MIB
    with harness.workplace(args) as home:
        laps = [lap(home / str(number), count, length) for number in range(args.repeat)]
    rows = [_row(way, [one[way] for one in laps]) for way in ("path", "http")]
    path, http = rows
    over: Row = {step: round(float(http[step]) / float(path[step]), 2) for step in STEPS}
    tables = {"seconds, MiB, requests": rows, "time of HTTP over that of a path": [over]}
    return harness.show(args, f"{count:,} small files, one of {length // MIB:,} MiB", tables)


def lap(home: Path, count: int, length: int) -> dict[str, dict[str, Cost]]:
    """Do every step over both ways, with a new store on either side."""
    costs: dict[str, dict[str, Cost]] = {}
    home.mkdir(parents=True)
    with _hub(home / "hub") as address:
        for way in ("path", "http"):
            place = Place(home / way)
            place.work.mkdir(parents=True)
            url = f"{address}/bench/data" if way == "http" else place.remote
            costs[way] = _steps(place, url, count, length)
    return costs


def _steps(place: Place, url: str | Path, count: int, length: int) -> dict[str, Cost]:
    ox, env, folder = Ox(), environment(place.home), place.work / "data"
    push: Command = [*OX, "--stats", "push", url, "main"]
    measure(ox.setup(place) or [], place.work, env)
    data.many(folder / "small", count)
    data.large(folder / "large", 1, length)
    measure(ox.save(place, 1) or [], place.work, env)
    costs = {"push": measure([push], place.work, env)}
    data.change_many(folder / "small", count)
    measure(ox.save(place, 2) or [], place.work, env)
    costs["changed"] = measure([push], place.work, env)
    costs["clone"] = measure([[*OX, "--stats", "clone", url, place.clone]], place.work, env)
    if harness.digest(place.clone / "data") != harness.digest(folder):
        raise RuntimeError(f"the clone of {url} holds other bytes")
    return costs


@contextmanager
def _hub(root: Path) -> Iterator[str]:
    serve = ["-q", "hub", "serve", "--port", "0", "--anonymous", "write", "--root"]
    words = [*map(str, OX), *serve, str(root)]
    server = Popen(words, env=environment(root), stdout=PIPE, text=True)
    try:
        assert server.stdout is not None
        lines = (re.search(r"http://[^\s/,]+", line) for line in server.stdout)
        yield next(found[0] for found in lines if found)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _row(way: str, laps: list[dict[str, Cost]]) -> Row:
    row: Row = {"way": way}
    row |= {step: median(lap[step].seconds for lap in laps) for step in STEPS}
    for step, counter in (("push", "sent"), ("changed", "sent"), ("clone", "received")):
        moved = median(count(lap[step], f"bytes {counter}") for lap in laps) / MIB
        requests = median(count(lap[step], "requests") for lap in laps)
        row |= {f"{step} MiB": round(moved, 4), f"{step} requests": requests}
        row |= {f"{step} per 64 MiB": round(64 * requests / moved, 2)} if moved > 64 else {}
    row["RSS MiB"] = round(max(cost.rss for lap in laps for cost in lap.values()))
    return row


def count(cost: Cost, name: str) -> int:
    """One counter of what `ox --stats` said; 0 if it is not there."""
    found = re.search(rf"^ *{name} +([\d,]+)$", cost.said, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0


if __name__ == "__main__":
    sys.exit(main())
