"""A dataset and its later versions through every tool: the course that most benchmarks share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benches.harness import (
    Command,
    Cost,
    Work,
    apart,
    digest,
    hash_file,
    measure,
    remove,
    script,
    size,
    walk,
)
from benches.peers import Commands, Ox
from benches.results import Row, median
from benches.setting import Place, compile_ox, environment


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a course: what is typed, and what has to come out.

    `changes`: the dataset moves on to version 2 first. `gives`: the version that then lies there.
    """

    name: str
    ask: Callable[[Ox, Place], Commands]
    changes: bool = False
    gives: tuple[int, Callable[[Ox, Place], Path]] | None = None


SAVE = Step("add+commit", lambda tool, place: tool.save(place, 1))
STATUS = Step("status", lambda tool, place: tool.status(place))
CHANGED = Step("changed", lambda tool, place: tool.save(place, 2), changes=True)
PUSH = Step("push", lambda tool, place: tool.push(place))
AGAIN = Step("push again", lambda tool, place: tool.push(place))
SWITCH = Step(
    "switch", lambda tool, place: tool.switch(place), gives=(1, lambda tool, at: tool.switched(at))
)
CLONE = Step(
    "clone", lambda tool, place: tool.fetch(place), gives=(2, lambda tool, at: tool.fetched(at))
)
CLONE_FIRST = Step(
    "clone", lambda tool, place: tool.fetch(place), gives=(1, lambda tool, at: tool.fetched(at))
)


@dataclass(frozen=True, slots=True)
class Course:
    """The dataset: `make` writes version 1 into a folder, `change` makes version 2 of it."""

    make: Work
    change: Work
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Floor:
    """What the bytes cost without any tool: `ask` gets the dataset and a place for a copy."""

    name: str
    ask: Callable[[Path, Path], list[Command]]


@dataclass(slots=True)
class Lap:
    """One run of one tool: the cost of each step, MiB of the store after each version."""

    costs: dict[str, Cost] = field(default_factory=dict)
    stored: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows of the tools and of the floors (medians), CPU seconds, counters of ox by step."""

    rows: list[Row]
    floors: list[Row]
    cpu: list[Row]
    figures: dict[str, float]


class Race:
    """Runs tools over a course in one folder; version 1 is made once and copied."""

    def __init__(self, course: Course, home: Path, *, settle: bool = True) -> None:
        self._course, self._home, self._settle = course, home, settle
        home.mkdir(parents=True, exist_ok=True)
        self.first = home / "first"
        compile_ox()
        apart(course.make, self.first)
        self._wanted = {1: digest(self.first)}

    def run(
        self,
        tools: Sequence[Ox],
        floors: Sequence[Floor] = (),
        repeat: int = 1,
        often: Collection[str] | None = None,
    ) -> Outcome:
        """Floors and tools by turns, `repeat` times; tools that are not in `often` once only.

        A peer that fails is told and left out; `RuntimeError` if ox does.
        """
        laps: dict[str, list[Lap]] = {tool.name: [] for tool in tools}
        bare: dict[str, list[Cost]] = {floor.name: [] for floor in floors}
        for turn in range(repeat):
            for floor in floors:
                bare[floor.name].append(self._floor(floor))
            for tool in tools:
                if turn == 0 or often is None or tool.name in often:
                    laps[tool.name] += self._try(tool)
        raced = {name: each for name, each in laps.items() if each}
        rows = [_row(name, each) for name, each in raced.items()]
        cpu = [_cpu(name, each) for name, each in raced.items()]
        beneath: list[Row] = [
            {"floor": name, "s": median(cost.seconds for cost in costs)}
            for name, costs in bare.items()
        ]
        figures = {key: value for one in raced.items() for key, value in _figures(*one).items()}
        return Outcome(rows, beneath, cpu, figures)

    def lap(self, tool: Ox) -> Lap:
        """Take one tool over the course; `RuntimeError` if it gives other bytes back."""
        place, lap = Place(self._home / tool.name), Lap()
        place.work.mkdir(parents=True)
        env = environment(place.home)
        with tool.serving(place):
            measure(tool.setup(place) or [], place.work, env)
            measure([["cp", "-a", self.first, place.data]], place.work, env)
            for step in self._course.steps:
                self._step(tool, step, place, lap)
        remove(place.home)
        return lap

    def _step(self, tool: Ox, step: Step, place: Place, lap: Lap) -> None:
        if step.changes:
            apart(self._course.change, place.data)
            if 2 not in self._wanted:
                self._wanted[2] = digest(place.data)
        commands = step.ask(tool, place)
        if commands is None:
            return
        env = environment(place.home)
        lap.costs[step.name] = measure(commands, place.work, env, settle=self._settle)
        if step in {SAVE, CHANGED}:
            lap.stored.append(size(tool.stores(place)))
        if step is SAVE:
            measure(tool.mark(place) or [], place.work, env)
        if step.gives is not None:
            version, where = step.gives
            if digest(where(tool, place)) != self._wanted[version]:
                raise RuntimeError(f"{tool.name}: {step.name} gave other bytes than were kept")

    def _try(self, tool: Ox) -> list[Lap]:
        print(f"  {tool.name} ...", file=sys.stderr, flush=True)
        try:
            return [self.lap(tool)]
        except RuntimeError as error:
            if tool.ours:
                raise
            print(f"  left out: {error}", file=sys.stderr)
            return []

    def _floor(self, floor: Floor) -> Cost:
        copy = self._home / "copy"
        env = environment(self._home)
        cost = measure(floor.ask(self.first, copy), self._home, env, settle=self._settle)
        remove(copy)
        return cost


def _row(name: str, laps: list[Lap]) -> Row:
    row: Row = {"tool": name}
    for step in laps[0].costs:
        row[step] = median(lap.costs[step].seconds for lap in laps)
    row["RSS MB"] = round(max(cost.rss for lap in laps for cost in lap.costs.values()))
    if laps[0].stored:
        row["stored MiB"] = median(lap.stored[0] for lap in laps)
    if len(laps[0].stored) > 1:
        row["growth MiB"] = median(lap.stored[1] - lap.stored[0] for lap in laps)
    return row


def _cpu(name: str, laps: list[Lap]) -> Row:
    steps = laps[0].costs
    row: Row = {"CPU seconds": name}
    return row | {step: median(lap.costs[step].cpu for lap in laps) for step in steps}


def _figures(name: str, laps: list[Lap]) -> dict[str, float]:
    """The first command of the first step alone, and every counter that ox told."""
    figures = {f"{name}/add": median(lap.costs["add+commit"].parts[0] for lap in laps)}
    for step, cost in laps[0].costs.items():
        for counter in cost.counters:
            counts = [lap.costs[step].counters.get(counter, 0) for lap in laps]
            figures[f"{name}/{step}: {counter}"] = median(counts)
    return figures


COPY = Floor("cp -r", lambda first, copy: [["cp", "-r", first, copy]])


def floor(work: Work) -> Floor:
    """A floor that is a function of the dataset."""
    name = getattr(work, "__name__", "").replace("_", " ")
    return Floor(name, lambda first, _: [script(work, first)])


def walk_and_stat(folder: Path) -> None:
    """Look at every file below a folder."""
    for _ in walk(folder):
        pass


def read_and_hash(folder: Path) -> None:
    """Read every file below a folder and take the BLAKE3 of its bytes."""
    for path in walk(folder):
        hash_file(path)
