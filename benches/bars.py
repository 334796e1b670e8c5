"""The bars: what ox has to reach, each a ratio within one run, or a count, or bytes.

A bar names figures of its benchmark by "row/column" (see `results.Report`). `python -m benches`
prints each beside what was measured; `--strict` makes a missed one an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

Judged = dict[str, str | float | bool | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """`figure` (over the figure `over`, if there is one) is at most `most`, or under it."""

    case: str
    says: str
    figure: str
    most: float
    over: str | None = None
    under: bool = False

    def judge(self, figures: Mapping[str, float]) -> Judged:
        """What was measured, and whether the bar is held; None and False if it was not."""
        measured = self._measured(figures)
        held = measured is not None and measured <= self.most
        return {
            "bar": self.says,
            "figure": self.figure,
            "over": self.over,
            "most": self.most,
            "under": self.under,
            "measured": measured,
            "held": held and not (self.under and measured == self.most),
        }

    def _measured(self, figures: Mapping[str, float]) -> float | None:
        value = figures.get(self.figure)
        base = 1.0 if self.over is None else figures.get(self.over)
        return None if value is None or not base else round(value / base, 3)


def _millions() -> Iterator[Bar]:
    for shape in ("folders", "flat"):
        many, few = f"many, {shape}", f"few, {shape}"
        for step in ("add", "status", "checkout"):
            says = f"{step}, time a file over that at a tenth, {shape}"
            yield Bar("million", says, f"{many}/{step} us", 1.25, f"{few}/{step} us")
        yield Bar(
            "million",
            f"one file changed: nodes written, {shape}",
            f"{many}/nodes written",
            12,
            under=True,
        )
        yield Bar(
            "million",
            f"one file changed, add + commit, over a clean status, {shape}",
            f"{many}/one changed",
            1.2,
            f"{many}/status",
            under=True,
        )
        yield Bar(
            "million",
            f"diff of a hundred files: nodes read, {shape}",
            f"{many}/diff nodes",
            400,
            under=True,
        )
        yield Bar("million", f"RSS, MB, {shape}", f"{many}/RSS MB", 600, under=True)


def _row_diffs() -> Iterator[Bar]:
    for form in ("CSV", "Parquet", "plain Parquet"):
        says = f"keyed diff of {form} over DuckDB's join"
        yield Bar("rowdiff", says, f"ox, {form}/seconds", 1.3, f"DuckDB, {form}/seconds")
        yield Bar("rowdiff", f"RSS, MB, {form}", f"ox, {form}/RSS MB", 2147, under=True)
        yield Bar("rowdiff", f"nothing changed, {form}: rows", f"ox same, {form}/rows read", 0)


BARS = (
    Bar("files", "add + commit over restic", "ox/add+commit", 0.5, "restic/add+commit"),
    Bar("files", "add + commit over reading and hashing", "ox/add+commit", 2.2, "read and hash/s"),
    Bar("files", "status over Oxen", "ox/status", 0.5, "oxen/status"),
    Bar("files", "status over git", "ox/status", 3.5, "git/status"),
    Bar("files", "1% changed, add + commit, over git", "ox/changed", 1.0, "git/changed"),
    Bar("files", "switch over git", "ox/switch", 1.5, "git/switch"),
    Bar("files", "push to a path over restic copy", "ox/push", 0.4, "restic/push"),
    Bar("files", "clone from a path over cp -r", "ox/clone", 1.6, "cp -r/s"),
    Bar("files", "RSS, MB", "ox/RSS MB", 250, under=True),
    *_millions(),
    Bar("large", "add over cp", "ox/add", 1.6, "cp -r/s"),
    Bar("large", "RSS, MB", "ox/RSS MB", 300, under=True),
    Bar("large", "second version grows the store, MiB a file", "ox/growth a file", 20, under=True),
    Bar("large", "checkout over cp", "ox/switch", 1.6, "cp -r/s"),
    Bar("large", "push of the second version, MiB a file", "ox/sent a file", 22, under=True),
    Bar("tables", "add of the CSV over zstd -1 -T2", "ox, CSV/add", 2.5, "zstd -1 -T2/s"),
    Bar("capture", "save of 1 KB, p50, microseconds", "ox, 1 KB/p50 us", 50),
    Bar("capture", "save of 200 KB, p50, microseconds", "ox, 200 KB/p50 us", 500),
    Bar("capture", "a dead hub: memory that grew, MB", "dead hub/RSS grew MB", 64),
    Bar("insight", "report, seconds", "ox report/seconds", 2, under=True),
    Bar("insight", "report, RSS, MB (1 GiB)", "ox report/RSS MB", 1073, under=True),
    Bar("tables", "add of both over restic", "ox/add+commit", 0.5, "restic/add+commit"),
    Bar("tables", "stored over restic", "ox/stored MiB", 1.0, "restic/stored MiB"),
    Bar("tables", "CSV: growth, % of what was stored", "ox, CSV/growth %", 5, under=True),
    Bar("tables", "Parquet: growth, % of what was stored", "ox, Parquet/growth %", 15, under=True),
    *_row_diffs(),
    *(
        Bar(
            "images",
            f"{shape}: the whole way over Oxen",
            f"ox, {shape}/total",
            1 / 3,
            f"oxen, {shape}/total",
        )
        for shape in ("CelebA", "Food-101")
    ),
    *(
        Bar(
            "sharing",
            f"{step}, {size}, over a path",
            f"HTTP, {size}/{step}",
            1.5,
            f"path, {size}/{step}",
        )
        for size in ("small", "medium", "large")
        for step in ("push", "clone")
    ),
    *(
        Bar(
            "sharing",
            f"requests per 64 MiB, {step}",
            f"HTTP, large/{step} per 64 MiB",
            3,
            under=True,
        )
        for step in ("push", "clone")
    ),
    Bar("start", "ox --help", "ox --help/ms", 3, "python -c pass/ms", under=True),
    Bar("start", "ox status", "ox status/ms", 4, "python -c pass/ms", under=True),
    Bar("start", "import oxcore", "import oxcore/ms", 2, "python -c pass/ms", under=True),
)


def judge(case: str, figures: Mapping[str, float]) -> list[Judged]:
    """Every bar of a benchmark beside its figures."""
    return [bar.judge(figures) for bar in BARS if bar.case == case]


def rows(judged: Iterable[Mapping[str, object]]) -> list[dict[str, str | float]]:
    """Judged bars as rows of a table."""
    return [
        {
            "bar": str(bar["bar"]),
            "measured": bar["measured"] if isinstance(bar["measured"], float) else "-",
            "wanted": f"{'under' if bar['under'] else 'at most'} {bar['most']:.3g}",
            "": "held" if bar["held"] else "not measured" if bar["measured"] is None else "MISSED",
        }
        for bar in judged
    ]


def named(case: str) -> set[str]:
    """The rows that the bars of a benchmark speak of: tools that no bar names run once only."""
    keys = [key for bar in BARS if bar.case == case for key in (bar.figure, bar.over) if key]
    return {key.split("/")[0].split(",")[0] for key in keys}
