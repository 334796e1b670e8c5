"""Capture: what `ox.save` costs its caller, beside a plain append and beside what others log with.

    python -m benches capture [--smoke | --full] [--json]

Latency of one call, one after the other, in a process of its own; then calls of many threads and
processes a second; then the memory of a process that saves 2,000 times a second for a hub that does
not answer. Peers run where they are installed (huggingface_hub, mlflow, langfuse), offline, as
their pages say to use them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen

from benches import harness, results, savers
from benches.harness import measure, script
from benches.results import Row
from benches.setting import compile_ox, environment

SIZES = {"1 KB": 1000, "200 KB": 200_000}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    count = harness.sized(args, 50, 1500, 10_000)
    seconds = harness.sized(args, 1, 5, 60)
    with harness.workplace(args) as home:
        compile_ox()
        latency = [row for size in SIZES for row in _latencies(home, size, count)]
        throughput = [_threads(home, count), _processes(home, count)]
        dead: Row = {"case": "dead hub", **_apart(home, partial(savers.dead_hub, seconds=seconds))}
    tables = {"microseconds a call": latency, "saves a second": throughput, "a dead hub": [dead]}
    what = f"What a save costs its caller, {count} calls; a dead hub for {seconds} s"
    return results.show(args, results.Report("capture", what, tables))


def _latencies(home: Path, size: str, count: int) -> Iterator[Row]:
    for name, found in savers.PEERS.items():
        if found is None or find_spec(found) is not None:
            work = partial(savers.latency, peer=name, size=SIZES[size], count=count)
            yield {"tool": f"{name}, {size}", **_apart(home, work)}


def _apart(home: Path, work: harness.Work) -> Row:
    """What ``work`` wrote into its folder, done by a process of its own."""
    folder = home / os.urandom(4).hex()
    folder.mkdir()
    measure([script(work, folder)], folder, _environment(folder), settle=True)
    found: Row = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    harness.remove(folder)
    return found


def _environment(folder: Path) -> dict[str, str]:
    return {**environment(folder), "OX_STATE_HOME": str(folder / "state")}


# -- many at once


def _threads(home: Path, count: int) -> Row:
    return {"case": "ox, 8 threads, 1 KB", **_apart(home, partial(savers.threads, count=count))}


def _processes(home: Path, count: int) -> Row:
    import oxcore as ox

    folder = home / "processes"
    folder.mkdir()
    ox.Repo.init(str(folder / "repo"), bare=True, author="Ann").close()
    command = [str(word) for word in script(partial(savers.one_process, count=count), folder)]
    begun = time.perf_counter()
    running = [Popen(command, cwd=folder, env=_environment(folder)) for _ in range(4)]
    if any(one.wait() for one in running):
        raise RuntimeError("a process that saves failed")
    seconds = time.perf_counter() - begun
    savers.check(folder, 4 * count)
    row: Row = {"case": "ox, 4 processes, 1 KB, with start and end"}
    return {**row, "a second": round(4 * count / seconds, 1)}


if __name__ == "__main__":
    sys.exit(main())
