"""Where and under which settings every tool runs: folders, environment, ox compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one tool in one run. The dataset is `work`/data."""

    home: Path

    @property
    def work(self) -> Path:
        """Where the tool is called."""
        return self.home / "work"

    @property
    def data(self) -> Path:
        """The dataset."""
        return self.work / "data"

    @property
    def store(self) -> Path:
        """The store of tools that keep it outside the folder."""
        return self.home / "store"

    @property
    def remote(self) -> Path:
        """What is pushed to."""
        return self.home / "remote"

    @property
    def clone(self) -> Path:
        """What is cloned into."""
        return self.home / "clone"


@cache
def compile_ox() -> None:
    """Compile ox, as installing it does: no run is to pay for that."""
    packages = [ROOT / "oxcore", ROOT / "oxcli"]
    command = [sys.executable, "-m", "compileall", "-q", "-j0", *map(str, packages)]
    subprocess.run(command, check=True, env=environment(ROOT))


def environment(home: Path) -> dict[str, str]:
    """The same for every tool: a home of its own, an author, no housekeeping, no questions."""
    settings = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / ".cache",
        "PYTHONPATH": ROOT,
        "OX_CONFIG_HOME": home,
        "OX_AUTHOR_NAME": "Ann",
        "OX_AUTHOR_EMAIL": "ann@example.org",
        "GIT_CONFIG_NOSYSTEM": 1,
        "DVC_NO_ANALYTICS": 1,
        "RESTIC_PASSWORD": "bench",
        "RESTIC_FROM_PASSWORD": "bench",
        "BORG_BASE_DIR": home,
    }
    git = {
        "user.name": "Ann",
        "user.email": "ann@example.org",
        "gc.auto": 0,
        "maintenance.auto": "false",
        "core.autocrlf": "false",
    }
    settings["GIT_CONFIG_COUNT"] = len(git)
    for number, (key, value) in enumerate(git.items()):
        settings |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    ours = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**ours, **{key: str(value) for key, value in settings.items()}}
