"""Two versions of a dataset through every tool: the course that `files` and `large` share."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benches.harness import Command, Cost, Row, digest, hash_file, measure, median, script, size
from benches.peers import Commands, Ox, Place, environment

STEPS = ("add+commit", "status", "changed", "push", "clone", "switch")


@dataclass(frozen=True, slots=True)
class Course:
    """The dataset: `make` writes version 1 into a folder, `change` makes version 2 of it."""

    make: Callable[[Path], None]
    change: Callable[[Path], None]
    steps: tuple[str, ...] = STEPS


@dataclass(frozen=True, slots=True)
class Lap:
    """One run of one tool: the cost of each step, MiB of the store after each version."""

    costs: dict[str, Cost]
    stored: tuple[float, float]


class Race:
    """Runs tools over a course in one folder; both versions are made once and copied."""

    def __init__(self, course: Course, home: Path) -> None:
        self._course, self._home = course, home
        self.first, self._second = home / "first", home / "second"
        course.make(self.first)
        shutil.copytree(self.first, self._second)
        course.change(self._second)
        self._wanted = {1: digest(self.first), 2: digest(self._second)}

    def rows(self, tools: list[Ox], repeat: int) -> list[Row]:
        """One row a tool: medians of seconds, the most memory, the size of the store.

        A peer that fails is told and left out; `RuntimeError` if ox does.
        """
        laps: dict[str, list[Lap]] = {tool.name: [] for tool in tools}
        for _ in range(repeat):
            for tool in tools:
                print(f"  {tool.name} ...", file=sys.stderr, flush=True)
                try:
                    laps[tool.name].append(self.lap(tool))
                except RuntimeError as error:
                    if tool.name == "ox":
                        raise
                    print(f"  left out: {error}", file=sys.stderr)
        return [_row(name, each) for name, each in laps.items() if each]

    def lap(self, tool: Ox) -> Lap:
        """Take one tool over the course; `RuntimeError` if it gives other bytes back."""
        place = Place(self._home / tool.name)
        shutil.rmtree(place.home, ignore_errors=True)
        place.work.mkdir(parents=True)
        env = environment(place.home)
        measure(tool.setup(place) or [], place.work, env)
        shutil.copytree(self.first, place.work / "data")
        costs = {"add+commit": measure(tool.save(place, 1) or [], place.work, env)}
        sizes = [size(tool.stores(place))]
        measure(tool.mark(place) or [], place.work, env)
        for step in self._course.steps[1:]:
            if step == "changed":
                self._course.change(place.work / "data")
            commands = _commands(tool, step, place)
            if commands is not None:
                costs[step] = measure(commands, place.work, env)
                self._check(tool, step, place)
            if step == "changed":
                sizes.append(size(tool.stores(place)))
        shutil.rmtree(place.home)
        return Lap(costs, (sizes[0], sizes[1]))

    def floors(self, repeat: int, work: tuple[Callable[[Path], None], ...]) -> list[Row]:
        """What the bytes cost without any tool: functions in processes of their own, and cp."""
        copy: Command = ["cp", "-r", self.first, self._home / "copy"]
        tasks = {code.__name__.replace("_", " "): script(code, self.first) for code in work}
        rows: list[Row] = []
        for name, command in {**tasks, "cp -r": copy}.items():
            costs = []
            for _ in range(repeat):
                costs.append(measure([command], self._home, environment(self._home)))
                shutil.rmtree(self._home / "copy", ignore_errors=True)
            rows.append({"floor": name, "s": median(cost.seconds for cost in costs)})
        return rows

    def _check(self, tool: Ox, step: str, place: Place) -> None:
        out = {"switch": (1, tool.switched), "clone": (2, tool.fetched)}
        if step in out:
            version, where = out[step]
            if digest(where(place)) != self._wanted[version]:
                raise RuntimeError(f"{tool.name}: {step} gave other bytes than were kept")


def _commands(tool: Ox, step: str, place: Place) -> Commands:
    if step == "changed":
        return tool.save(place, 2)
    verb = {"status": tool.status, "push": tool.push, "clone": tool.fetch, "switch": tool.switch}
    return verb[step](place)


def _row(name: str, laps: list[Lap]) -> Row:
    row: Row = {"tool": name}
    for step in laps[0].costs:
        row[step] = median(lap.costs[step].seconds for lap in laps)
    row["RSS MiB"] = round(max(cost.rss for lap in laps for cost in lap.costs.values()))
    row["stored MiB"] = median(lap.stored[0] for lap in laps)
    row["growth MiB"] = median(lap.stored[1] - lap.stored[0] for lap in laps)
    return row


def walk_and_stat(folder: Path) -> None:
    """Look at every file below a folder."""
    for _ in _files(folder):
        pass


def read_and_hash(folder: Path) -> None:
    """Read every file below a folder and take the BLAKE3 of its bytes."""
    for path in _files(folder):
        hash_file(path)


def _files(folder: Path) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        else:
            entry.stat(follow_symlinks=False)
            yield entry.path
