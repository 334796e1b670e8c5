"""Tables compared by rows: beside the bare engines' full outer join, and Oxen's diff.

    python -m benches rowdiff [--smoke | --full | --scale F] [--repeat N] [--json]

5,000,000 rows of 10 columns (`--full`), and a version with 1,000 rows updated, 500 inserted, 500
deleted. The engines join two files as they lie, and give the rows that differ; ox compares two
versions of a repository and writes these rows: for the first time, which of a CSV has to find out
types, and again. "found": no key is named. Rows read are ox's own counter. The package
vega-datasets is compared as it was published twice, where npm can fetch it.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benches import harness, joins, packages, results, rows
from benches.harness import Command, Cost, apart, measure
from benches.peers import Ox
from benches.results import Row, median
from benches.setting import Place, compile_ox, environment

TABLES = {"CSV": "table.csv", "Parquet": "table.parquet", "plain Parquet": "plain.parquet"}
PACKAGE = ("vega-datasets", "2.11.0", "3.2.1")
DRAWN = ("seconds", "CPU seconds")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    count = harness.sized(args, 2_000, 200_000, 5_000_000)
    edits = 20 if args.smoke else 2_000 if args.full else max(200, 2_000 * count // 5_000_000)
    costs: dict[str, list[Cost]] = {}
    with harness.workplace(args) as home:
        compile_ox()
        apart(partial(rows.versions, count=count, edits=edits), home / "source")
        apart(rows.one_edit, home / "source")
        place = _repository(home)
        for _ in range(args.repeat):
            for name, cost in _turn(home, place, edits, args.tools):
                costs.setdefault(name, []).append(cost)
        package = [] if args.smoke else _package(home / "package")
    report = results.Report(
        "rowdiff",
        f"{count:,} rows, {edits:,} edits",
        {"diff": [_row(name, each) for name, each in costs.items()], " ".join(PACKAGE): package},
        chart={"diff": DRAWN},
    )
    return results.show(args, report)


def _repository(home: Path) -> Place:
    """Version 1, version 2, and version 1 with one edit, as tags."""
    place, ox = Place(home / "ox"), Ox()
    place.work.mkdir(parents=True)
    env = environment(place.home)
    measure([ox.run("init")], place.work, env)
    for version in (1, 2, 3):
        source = str(home / "source")
        names = list(TABLES.values()) if version < 3 else [TABLES["Parquet"]]
        apart(partial(rows.take, source=source, version=version, names=names), place.data)
        note = ["commit", "-m", f"version {version}"]
        words = (["add", "."], note, ["tag", f"v{version}"])
        measure([ox.run(*each) for each in words], place.work, env)
    return place


def _turn(home: Path, place: Place, edits: int, tools: str | None) -> list[tuple[str, Cost]]:
    """Every tool on every table, by turns."""
    env, made, wanted = environment(place.home), list[tuple[str, Cost]](), (tools or "").split(",")
    for name, command in _commands(home / "source", edits):
        tool = name.split(",", maxsplit=1)[0].split(maxsplit=1)[0]
        if command is None or (tools is not None and tool not in wanted):
            continue
        print(f"  {name} ...", file=sys.stderr, flush=True)
        if name.startswith("ox,"):
            _forget(place)
        made.append((name, measure([command], place.work, env, settle=True)))
    return made


def _commands(source: Path, edits: int) -> Iterator[tuple[str, Command | None]]:
    ox, out = Ox(), ("-f", "-o", "rows.parquet")
    for form, name in TABLES.items():
        ours = (*out, "v1..v2", "--", f"data/{name}")
        bare = partial(joins.duckdb, name=name, count=edits)
        yield f"DuckDB, {form}", harness.script(bare, source)
        yield f"polars, {form}", joins.polars(source, name, edits)
        yield f"ox, {form}", ox.run("diff", "--keys", "id", *ours)
        yield f"ox again, {form}", ox.run("diff", "--keys", "id", *ours)
        yield f"ox found, {form}", ox.run("diff", *ours)
        yield f"ox same, {form}", ox.run("diff", "v1..v1", "--", f"data/{name}")
        yield f"oxen, {form}", joins.oxen(source, name, edits)
    one = (*out, "v1..v3", "--", f"data/{TABLES['Parquet']}")
    yield "ox one edit, Parquet", ox.run("diff", "--keys", "id", *one)


def _row(name: str, costs: Sequence[Cost]) -> Row:
    row: Row = {
        "diff": name,
        "seconds": median(cost.seconds for cost in costs),
        "CPU seconds": median(cost.cpu for cost in costs),
        "RSS MB": round(max(cost.rss for cost in costs)),
    }
    if name.startswith(("ox,", "ox ")):
        row["rows read"] = max(cost.counters.get("rows", 0) for cost in costs)
    return row


def _forget(place: Place) -> None:
    """Take away what ox has found out about the tables."""
    harness.remove(place.work / ".ox" / "index" / "facts")


def _package(home: Path) -> list[Row]:
    """Every table that differs between two versions of a true dataset, and all of them together."""
    name, *versions = PACKAGE
    place, ox = Place(home), Ox()
    place.work.mkdir(parents=True)
    env = environment(place.home)
    measure([ox.run("init")], place.work, env)
    for version in versions:
        folder = packages.fetch(name, version, home)
        if folder is None:
            return []
        measure([["cp", "-r", folder, place.data]], home, env)
        measure([ox.run("add", "."), ox.run("commit", "-m", version)], place.work, env)
        harness.remove(place.data)
    out = home / "rows.json"
    cost = measure([harness.script(partial(packages.tell, out=str(out)), place.work)], home, env)
    whole: Row = {"file": "all of them", "seconds": round(cost.seconds, 1), "RSS MB": cost.rss // 1}
    found: list[Row] = json.loads(out.read_text(encoding="utf-8"))
    return [whole, *found]


if __name__ == "__main__":
    sys.exit(main())
