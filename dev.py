#!/usr/bin/env python3
"""Run the project's checks, from nothing but Python.

The first run makes `.venv` and installs the project into it; later runs install again only when
what the project needs has changed. CI runs `python3 dev.py test`.
"""

import argparse
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 -- this file is what tells the user
    sys.exit(f"dev.py needs Python 3.11 or newer; this is {sys.version.split()[0]}")

import tomllib

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "dev-stamp"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")

Step = list[str]  # a program of the environment, and its arguments

MEND: Step = ["ruff", "check", "--fix"]
REFORMAT: Step = ["ruff", "format"]
FORMAT: Step = ["ruff", "format", "--check"]
RUFF: Step = ["ruff", "check"]
TYPES: Step = ["mypy"]
CONTRACTS: Step = ["lint-imports", "--no-logo"]
UNIT: Step = ["python", "-m", "pytest", "-n", "2"]
SMOKE: Step = ["python", "-m", "benches", "--smoke"]
DEEP: Step = ["python", "-m", "pytest", "-m", "deep", "--timeout", "3600"]
BENCH: Step = ["python", "-m", "benches"]
DEMO: Step = ["python", "examples/main_job.py"]
DIGITS: Step = ["python", "examples/digits.py"]
TEST = [FORMAT, RUFF, TYPES, CONTRACTS, UNIT, SMOKE]

VERBS: dict[str, tuple[str, list[Step]]] = {
    "demo": ("the whole main job on real data", [DEMO]),
    "digits": ("a model that fails in service, found, mended and proved", [DIGITS]),
    "test": ("what CI runs: format, lint, types, contracts, tests, benchmark smoke", TEST),
    "lint": ("formatting and lint", [FORMAT, RUFF]),
    "fix": ("mend what ruff can mend, and reformat", [MEND, REFORMAT]),
    "types": ("mypy, strict", [TYPES]),
    "contracts": ("import contracts", [CONTRACTS]),
    "unit": ("the test suite alone", [UNIT]),
    "bench": ("the benchmarks beside their bars, small; --full for full size", [BENCH]),
    "deep": ("tests that take minutes or gigabytes", [DEEP]),
    "all": ("everything: test, deep, demo, digits, bench", [*TEST, DEEP, DEMO, DIGITS, BENCH]),
}


def wanted_stamp() -> str:
    """Return the digest of all that decides what the environment holds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needs = [project["build-system"], project["project"], str(ROOT), sys.version]
    return hashlib.sha256(json.dumps(needs, sort_keys=True).encode()).hexdigest()


def prepare() -> None:
    """Make the environment match pyproject.toml; do nothing when it does already."""
    stamp = wanted_stamp()
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == stamp and PYTHON.exists():
        return
    STAMP.unlink(missing_ok=True)
    say(f"preparing {VENV.name}")
    if not PYTHON.exists() or shutil.which("pip", path=BIN) is None:
        call([sys.executable, "-m", "venv", "--clear", str(VENV)])
    call([str(PYTHON), "-m", "pip", "install", "--quiet", "--editable", f"{ROOT}[dev]"])
    STAMP.write_text(stamp, encoding="utf-8")


def say(line: str) -> None:
    """Print a line ahead of whatever the next step prints."""
    print(f"==> {line}", flush=True)


def call(command: Step) -> None:
    """Run `command` at the root, the environment's programs first; exit as it does if it fails."""
    env = os.environ | {"VIRTUAL_ENV": str(VENV), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    program = shutil.which(command[0], path=BIN)
    if program is None:
        sys.exit(f"dev.py: no {command[0]} in {VENV.name}: delete that folder and run this again")
    code = subprocess.run([program, *command[1:]], cwd=ROOT, env=env, check=False).returncode
    if code:
        say(f"failed ({code}): {shlex.join(command)}")
        sys.exit(code if code > 0 else 128 - code)


def main() -> None:
    """Run the steps of the verb named on the command line, up to the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (help_line, _) in VERBS.items():
        verbs.add_parser(verb, help=help_line, add_help=False)
    chosen, extra = parser.parse_known_args()
    steps = VERBS[chosen.verb][1]
    if extra and len(steps) > 1:
        parser.error(f"{chosen.verb} runs several steps and takes no arguments of theirs")
    prepare()
    for step in steps:
        say(shlex.join([*step, *extra]))
        call([*step, *extra])


if __name__ == "__main__":
    main()
