"""Start-up: what ox takes before it does anything, beside Python itself.

    python -m benches start [--smoke | --full] [--json]

The console script as pip writes it, with its import of re; ox is compiled. Runs by turns, medians.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benches import harness, results
from benches.harness import Command, Cost, measure
from benches.results import Row, median
from benches.setting import compile_ox, environment

SCRIPT = """#!{python}
# -*- coding: utf-8 -*-
import re
import sys
from oxcli.main import main
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit(main())
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    args = harness.arguments(__doc__).parse_args(argv)
    turns = args.repeat * (2 if args.smoke else 100 if args.full else 30)
    with harness.workplace(args) as home:
        compile_ox()
        costs = _turns(home, turns)
    rows: list[Row] = [
        {
            "start": name,
            "ms": median(1000 * cost.seconds for cost in each),
            "least ms": round(1000 * min(cost.seconds for cost in each), 1),
            "CPU ms": median(1000 * cost.cpu for cost in each),
            "RSS MB": round(max(cost.rss for cost in each), 1),
        }
        for name, each in costs.items()
    ]
    report = results.Report(
        "start", f"Start-up, {turns} runs by turns", {"start": rows}, chart={"start": ["ms"]}
    )
    return results.show(args, report)


def _turns(home: Path, turns: int) -> dict[str, list[Cost]]:
    script = home / "ox"
    script.write_text(SCRIPT.format(python=sys.executable), encoding="utf-8")
    script.chmod(0o755)
    env = environment(home)
    (home / "empty").mkdir()
    measure([[script, "init"]], home / "empty", env)
    commands: dict[str, Command] = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import oxcore": [sys.executable, "-c", "import oxcore"],
        "ox --help": [script, "--help"],
        "ox status": [script, "status"],
    }
    os.sync()
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(turns):
        for name, command in commands.items():
            costs[name].append(measure([command], home / "empty", env))
    return costs


if __name__ == "__main__":
    sys.exit(main())
