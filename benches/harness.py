"""What the benchmarks of whole programs share: arguments, processes and what they cost, bytes.

Every tool gets the same bytes in a new folder with a new store, does the same steps in processes
of its own, and must give back what it was handed, or the run fails. The page cache is warm. The
machine's mood moves absolute times; ratios within one run are what to read.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, Popen

from blake3 import blake3

MIB = 1 << 20
LOOK_EVERY = 0.2  # seconds between looks at the memory of processes
Command = Sequence[str | Path]
Work = Callable[[Path], object]
Arguments = argparse.Namespace
_PSS = re.compile(r"^Pss: +(\d+) kB$", re.MULTILINE)
_COUNTER = re.compile(r"^  ([a-z ]+[a-z]) +([\d,]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step cost: seconds of each process, CPU seconds, memory, ox's counters."""

    parts: tuple[float, ...]
    cpu: float
    rss: float
    """The peak in MB of the largest process, or of all that ran at once, if that is more."""
    counters: Mapping[str, int]

    @property
    def seconds(self) -> float:
        """From start to end of all processes, one after the other."""
        return sum(self.parts)


def arguments(doc: str | None, *, json_file: bool = False) -> argparse.ArgumentParser:
    """What every benchmark takes: sizes, repetitions, a folder to work in, JSON."""
    parser = argparse.ArgumentParser(description=(doc or "").split("\n", maxsplit=1)[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--smoke", action="store_true", help="tiny: does it run?")
    size.add_argument("--full", action="store_true", help="the sizes that the bars are stated for")
    size.add_argument("--scale", type=float, metavar="F", help="this part of the full sizes")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="runs of each tool")
    parser.add_argument("--tools", metavar="NAMES", help="only these, with commas between")
    parser.add_argument("--folder", type=Path, help="where to work (a lot of room is needed)")
    parser.add_argument("--strict", action="store_true", help="end with 1 if a bar is not held")
    if json_file:
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here")
    else:
        parser.add_argument("--json", action="store_true", help="print JSON, not tables")
    return parser


def sized(args: argparse.Namespace, smoke: int, moderate: int, full: int) -> int:
    """The size to run at."""
    if args.scale:
        return max(smoke, int(full * args.scale))
    return smoke if args.smoke else full if args.full else moderate


@contextmanager
def workplace(args: argparse.Namespace) -> Iterator[Path]:
    """A new folder that goes when the block ends."""
    if args.folder is not None:
        os.makedirs(args.folder, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ox-bench-", dir=args.folder) as folder:
        yield Path(folder).resolve()


def measure(
    commands: Iterable[Command], cwd: Path, env: Mapping[str, str], *, settle: bool = False
) -> Cost:
    """Run commands one after the other; `RuntimeError` with what it said if one fails.

    `settle`: first let the disk finish what earlier steps left in the cache.
    """
    if settle:
        os.sync()
    runs = [_run([str(word) for word in command], cwd, env) for command in commands]
    counters: dict[str, int] = {}
    for run in runs:
        for name, count in run.counters.items():
            counters[name] = counters.get(name, 0) + count
    parts = tuple(part for run in runs for part in run.parts)
    rss = max((run.rss for run in runs), default=0.0)
    return Cost(parts, sum(run.cpu for run in runs), rss, counters)


def _run(words: list[str], cwd: Path, env: Mapping[str, str]) -> Cost:
    """The cost of one process and of those that it waited for.

    `ru_maxrss` of Linux counts the memory of the forking process too: this one has to stay small.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = Popen(words, cwd=cwd, env=env, stdout=said, stderr=said, stdin=DEVNULL)
        with _watched(process.pid) as peaks:
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(max(0, said.seek(0, os.SEEK_END) - 3000))
        text = said.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}:\n{text}")
    counters = {name: int(count.replace(",", "")) for name, count in _COUNTER.findall(text)}
    rss = max(used.ru_maxrss, *peaks) * 1024 / 1e6
    return Cost((seconds,), used.ru_utime + used.ru_stime, rss, counters)


@contextmanager
def _watched(pid: int) -> Iterator[list[int]]:
    """Look now and then how many KiB a process and its helpers hold together; pages by share."""
    peaks, over = [0], threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_EVERY):
            peaks.append(_together(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        over.set()
        watcher.join()


def _together(pid: int) -> int:
    total, waiting = 0, [str(pid)]
    while waiting:
        here = f"/proc/{waiting.pop()}"
        try:
            rollup = Path(here, "smaps_rollup").read_text(encoding="ascii")
            total += sum(int(size) for size in _PSS.findall(rollup))
            for task in os.listdir(f"{here}/task"):
                waiting += Path(here, "task", task, "children").read_text(encoding="ascii").split()
        except OSError:
            continue  # it has just ended, or this system does not tell
    return total


def script(work: Work, path: Path) -> Command:
    """A command that does `work` on a path in a process of its own.

    `work` is a function of a module of `benches`, or a `partial` of one with keywords.
    """
    keywords = work.keywords if isinstance(work, partial) else {}
    work = work.func if isinstance(work, partial) else work
    module, name = work.__module__, work.__qualname__
    call = f"{name}(pathlib.Path(sys.argv[1]), **{dict(keywords)!r})"
    line = f"import sys, pathlib; from pathlib import *; from {module} import {name}; {call}"
    return [sys.executable, "-c", line.replace("PosixPath(", "Path("), path]


def apart(work: Work, path: Path) -> None:
    """Do `work` on a path in a process of its own, for its memory is not to be ours."""
    measure([script(work, path)], path.parent, os.environ)


def digest(folder: Path) -> str:
    """One hash over the paths and bytes of all files below a folder, taken by another process."""
    with tempfile.NamedTemporaryFile() as out:
        apart(partial(_digest_into, out=out.name), folder)
        return out.read().decode()


def _digest_into(folder: Path, out: str) -> None:
    whole = blake3()
    for path in sorted(walk(folder)):
        whole.update(os.path.relpath(path, folder).encode() + b"\0" + hash_file(path))
    Path(out).write_text(whole.hexdigest(), encoding="ascii")


def walk(folder: str | Path) -> Iterator[str]:
    """The files below a folder, each looked at once."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from walk(entry.path)
        else:
            entry.stat(follow_symlinks=False)
            yield entry.path


def hash_file(path: str | Path) -> bytes:
    """The BLAKE3 of a file, read in pieces."""
    hasher = blake3()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(MIB):
            hasher.update(piece)
    return hasher.digest()


def size(folders: Iterable[Path]) -> float:
    """Bytes of all files below some folders, in MiB; each file once, whatever names it has."""
    total, seen = 0, set()
    for stat in (os.lstat(path) for folder in folders for path in walk(folder)):
        if stat.st_nlink > 1 and (stat.st_dev, stat.st_ino) in seen:
            continue
        if stat.st_nlink > 1:
            seen.add((stat.st_dev, stat.st_ino))
        total += stat.st_size
    return total / MIB


def remove(folder: Path) -> None:
    """Remove a folder and all in it, by a program: a million names would stay in our memory."""
    measure([["rm", "-rf", folder]], folder.parent, os.environ)
