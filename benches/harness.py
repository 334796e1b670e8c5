"""What the benchmarks of whole programs share: running, measuring, medians, tables.

Every tool gets the same bytes in a new folder with a new store, does the same steps in processes
of its own, and must give back what it was handed, or the run fails. The page cache is warm. The
machine's mood moves absolute times; ratios within one run are what to read.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen

from blake3 import blake3

MIB = 1 << 20
Command = Sequence[str | Path]
Row = dict[str, str | float]


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall time, the peak memory in MiB of the largest process, and what the last one said."""

    seconds: float
    rss: float
    said: str


def arguments(doc: str) -> argparse.ArgumentParser:
    """What every benchmark takes: sizes, repetitions, a folder to work in, JSON."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--smoke", action="store_true", help="tiny: does it run?")
    size.add_argument("--full", action="store_true", help="the sizes that the bars are stated for")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="runs of each tool")
    parser.add_argument("--tools", metavar="NAMES", help="only these, with commas between")
    parser.add_argument("--folder", type=Path, help="where to work (a lot of room is needed)")
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")
    return parser


@contextmanager
def workplace(args: argparse.Namespace) -> Iterator[Path]:
    """A new folder that goes when the block ends."""
    if args.folder is not None:
        os.makedirs(args.folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ox-bench-", dir=args.folder) as folder:
        yield Path(folder).resolve()


def measure(commands: Iterable[Command], cwd: Path, env: Mapping[str, str]) -> Cost:
    """Run commands one after the other; `RuntimeError` with what it said if one fails."""
    start, most, said = time.perf_counter(), 0, ""
    for command in commands:
        peak, said = _run([str(word) for word in command], cwd, env)
        most = max(most, peak)
    return Cost(time.perf_counter() - start, most / 1024, said)


def _run(words: list[str], cwd: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """Peak memory in KiB of the process and those that it waited for, and the end of what it said.

    `ru_maxrss` of Linux counts the memory of the forking process too: this one has to stay small.
    """
    with tempfile.TemporaryFile() as said:
        process = Popen(words, cwd=cwd, env=env, stdout=said, stderr=said, stdin=DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()[-2000:].decode(errors="replace")
        if process.returncode:
            raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}:\n{text}")
        return used.ru_maxrss, text


def digest(folder: Path) -> str:
    """One hash over the paths and bytes of all files below a folder."""
    whole = blake3()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(str(path.relative_to(folder)).encode() + b"\0" + hash_file(path))
    return whole.hexdigest()


def hash_file(path: str | Path) -> bytes:
    """The BLAKE3 of a file, read in pieces."""
    hasher = blake3()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(MIB):
            hasher.update(piece)
    return hasher.digest()


def size(folders: Iterable[Path]) -> float:
    """Bytes of all files below some folders, in MiB."""
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files) / MIB


def median(values: Iterable[float]) -> float:
    """The median, rounded to three digits behind the point."""
    return round(statistics.median(values), 3)


def ratios(rows: Sequence[Row], columns: Sequence[str], mine: str = "ox") -> list[Row]:
    """Time of `mine` over that of each other tool: under 1 means that `mine` is faster."""
    own = next((row for row in rows if row["tool"] == mine), None)
    if own is None:
        return []
    return [
        {"ox over": row["tool"]}
        | {
            name: round(float(own[name]) / float(row[name]), 2)
            for name in columns
            if name in own and row.get(name)
        }
        for row in rows
        if row is not own
    ]


def show(args: argparse.Namespace, what: str, tables: Mapping[str, Sequence[Row]]) -> int:
    """Print the tables, or one JSON document with them and the machine; gives exit code 0."""
    machine = {
        "system": platform.system(),
        "machine": platform.machine(),
        "processors": os.cpu_count() or 0,
        "python": platform.python_version(),
    }
    if args.json:
        document = {"what": what, "machine": machine, "repeat": args.repeat, **tables}
        print(json.dumps(document, indent=2))
        return 0
    print(what)
    for title, rows in tables.items():
        if rows:
            print(f"\n{title}\n{table(rows)}")
    return 0


def table(rows: Sequence[Row]) -> str:
    """Rows as text in columns; what a row lacks is a dash."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_cell(row.get(name, "-")) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in cells)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    yield line[0].ljust(widths[0])
    yield from (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))


def _cell(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else value


def script(code: Callable[[Path], None], path: Path) -> Command:
    """A command that runs a function of a module of `benches` on a path, in its own process."""
    module, name = code.__module__, code.__name__
    line = f"import sys, pathlib; from {module} import {name}; {name}(pathlib.Path(sys.argv[1]))"
    return [sys.executable, "-c", line, path]
