"""Run the benchmarks, all or those that are named.

    python -m benches [--smoke | --full] [--json FILE] [NAME...]

Each is a module beside this one with a `main(argv)` that takes `--smoke` (seconds), `--full`
(the sizes that the project's bars are stated for) and `--json` (print one JSON document). Ends
with 1 if one of them fails.
"""

import argparse
import contextlib
import io
import json
import pkgutil
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import benches


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names()))
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--smoke", action="store_true", help="tiny: does each one run?")
    size.add_argument("--full", action="store_true", help="full size: minutes to an hour")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here")
    args = parser.parse_args(argv)
    unknown = set(args.names) - set(names())
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    passed_on = [f"--{size}" for size in ("smoke", "full") if getattr(args, size)]
    if args.json is None:
        went_well = [run(name, passed_on) for name in args.names or names()]
        return int(not all(went_well))
    results = {name: run_json(name, passed_on) for name in args.names or names()}
    args.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return int(None in results.values())


def names() -> list[str]:
    """The benchmarks: every module here with a `main`."""
    found = sorted(module.name for module in pkgutil.iter_modules(benches.__path__))
    return [name for name in found if not name.startswith("_") and name in set(_with_main(found))]


def run(name: str, argv: list[str]) -> bool:
    """Run one; tells whether it went well."""
    print(f"\n== {name}", flush=True)
    start = time.perf_counter()
    try:
        code = import_module(f"benches.{name}").main(argv)
    except Exception:  # noqa: BLE001 -- one that fails does not stop the others
        traceback.print_exc()
        code = 1
    print(f"== {name}: {'failed, ' if code else ''}{time.perf_counter() - start:.1f} s", flush=True)
    return not code


def run_json(name: str, argv: list[str]) -> object:
    """Run one; gives the JSON document that it prints, None if it failed."""
    out = io.StringIO()
    print(f"== {name}", file=sys.stderr, flush=True)
    try:
        with contextlib.redirect_stdout(out):
            code = import_module(f"benches.{name}").main([*argv, "--json"])
        return None if code else json.loads(out.getvalue())
    except Exception:  # noqa: BLE001 -- one that fails does not stop the others
        traceback.print_exc()
        return None


def _with_main(modules: Sequence[str]) -> Iterator[str]:
    for name in modules:
        source = Path(benches.__path__[0], f"{name}.py").read_text(encoding="utf-8")
        if "\ndef main(" in source:
            yield name


if __name__ == "__main__":
    sys.exit(main())
