"""Run the benchmarks, all or those that are named.

    python -m benches [--smoke | --full | --scale F] [--repeat N] [--strict] [--json FILE] [NAME...]

Each is a module beside this one with a `main(argv)` that takes the arguments of
`harness.arguments`. Ends with 1 if one of them fails. A bar that is not held fails with `--strict`
only. `python -m benches.report FILE` makes pictures and tables of the JSON.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from subprocess import PIPE

from benches import harness
from benches.setting import ROOT

NAMES = (
    "start", "files", "million", "large", "tables", "rowdiff", "images", "sharing", "chunking",
    "trees", "capture", "insight"
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for; gives the exit code."""
    parser = harness.arguments(__doc__, json_file=True)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    args = parser.parse_args(argv)
    unknown = set(args.names) - set(NAMES)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    names, passed_on = args.names or NAMES, _passed_on(args)
    if args.json is None:
        went_well = [run(name, passed_on) for name in names]
        return int(not all(went_well))
    found = {}
    codes = []
    for name in names:
        code, document = run_json(name, passed_on)
        codes.append(code)
        if document is not None:
            found[name] = document
            args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return int(any(codes))


def _passed_on(args: argparse.Namespace) -> list[str]:
    flags = [f"--{flag}" for flag in ("smoke", "full", "strict") if getattr(args, flag)]
    valued = ("scale", "repeat", "tools", "folder")
    return flags + [f"--{name}={getattr(args, name)}" for name in valued if getattr(args, name)]


def run(name: str, argv: list[str]) -> bool:
    """Run one; tells whether it went well."""
    print(f"\n== {name}", flush=True)
    start = time.perf_counter()
    code = subprocess.run(_words(name, argv), cwd=ROOT, check=False).returncode
    print(f"== {name}: {'failed, ' if code else ''}{time.perf_counter() - start:.1f} s", flush=True)
    return not code


def run_json(name: str, argv: list[str]) -> tuple[int, object]:
    """Run one; gives its exit code and the JSON document that it prints, None if it failed."""
    print(f"== {name}", file=sys.stderr, flush=True)
    done = subprocess.run(_words(name, [*argv, "--json"]), cwd=ROOT, stdout=PIPE, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None


def _words(name: str, argv: list[str]) -> list[str]:
    """Each runs in a process of its own: what one loads is not to weigh on the next."""
    return [sys.executable, "-m", f"benches.{name}", *argv]


if __name__ == "__main__":
    sys.exit(main())
