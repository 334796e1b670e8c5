"""The tools that are compared: what each types for the same step.

A step that a tool does not have is None. Those that are not installed are left out by name;
Oxen ships as a Python package without a program, so it is looked for in this Python and in
the one that the environment variable `OXEN_PYTHON` names.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from benches.harness import Command
from benches.results import Row
from benches.setting import ROOT, Place, environment

Commands = list[Command] | None
_RUN = (sys.executable, "-m", "oxcli")


class Ox:
    """This project, run from its checkout."""

    name = "ox"
    ours = True

    def found(self) -> bool:
        """Whether it can be run here."""
        return True

    def setup(self, place: Place) -> Commands:
        """Before the clock starts: make the store, and the remote."""
        return [self.run("init"), self.run("init", "--bare", place.remote)]

    @contextmanager
    def serving(self, place: Place) -> Iterator[None]:
        """What has to run beside its steps."""
        yield

    def save(self, place: Place, version: int) -> Commands:
        """Keep what is in the folder."""
        return [self.run("add", "."), self.run("commit", "-m", f"version {version}")]

    def mark(self, place: Place) -> Commands:
        """Before the clock goes on: give version 1 a name, if `switch` needs one."""
        return None

    def status(self, place: Place) -> Commands:
        """Ask what has changed."""
        return [self.run("status")]

    def push(self, place: Place) -> Commands:
        """Copy both versions to another store."""
        return [self.run("push", self._remote(place), "main")]

    def fetch(self, place: Place) -> Commands:
        """Get the newest version from that store into a new folder."""
        return [self.run("clone", self._remote(place), place.clone)]

    def switch(self, place: Place) -> Commands:
        """Go back to version 1."""
        return [self.run("checkout", "HEAD~1")]

    def fetched(self, place: Place) -> Path:
        """Where `fetch` puts the dataset."""
        return place.clone / "data"

    def switched(self, place: Place) -> Path:
        """Where `switch` puts the dataset."""
        return place.work / "data"

    def stores(self, place: Place) -> list[Path]:
        """The folders that hold what was kept."""
        return [place.work / ".ox"]

    def run(self, *words: str | Path) -> Command:
        """A command of ox that tells its counters."""
        return [*_RUN, "--stats", *words]

    def _remote(self, place: Place) -> str | Path:
        return place.remote


class OxOverHttp(Ox):
    """This project, with a hub on loopback to push to."""

    def __init__(self) -> None:
        self._address = ""

    @contextmanager
    def serving(self, place: Place) -> Iterator[None]:
        """Run a hub of its own, with an empty store."""
        root = place.home / "hub"
        words = ["-q", "hub", "serve", "--port", "0", "--anonymous", "write", "--root", str(root)]
        server = Popen([*_RUN, *words], env=environment(place.home), stdout=PIPE, text=True)
        try:
            assert server.stdout is not None
            found = (re.search(r"http://[^\s/,]+", line) for line in server.stdout)
            self._address = next(address[0] for address in found if address)
            yield
        finally:
            server.terminate()
            server.wait(timeout=60)

    def setup(self, place: Place) -> Commands:
        """Make the store; the hub makes the remote."""
        return [self.run("init")]

    def _remote(self, place: Place) -> str | Path:
        return f"{self._address}/bench/data"


class Git(Ox):
    """Git, with housekeeping off: it may come at any time, and at someone else's cost."""

    name = "git"
    ours = False

    def found(self) -> bool:
        """Whether there is a program of that name."""
        return shutil.which(self.name) is not None

    def setup(self, place: Place) -> Commands:
        """Make both repositories."""
        return [["git", "init", "-q", "-b", "main"], ["git", "init", "-q", "--bare", place.remote]]

    def save(self, place: Place, version: int) -> Commands:
        """Add and commit."""
        return [["git", "add", "."], ["git", "commit", "-q", "-m", f"version {version}"]]

    def status(self, place: Place) -> Commands:
        """Ask what has changed."""
        return [["git", "status"]]

    def push(self, place: Place) -> Commands:
        """Push the branch."""
        return [["git", "push", "-q", place.remote, "main"]]

    def fetch(self, place: Place) -> Commands:
        """Clone through git's transport: a plain path would make hard links."""
        return [["git", "clone", "-q", "-b", "main", f"file://{place.remote}", place.clone]]

    def switch(self, place: Place) -> Commands:
        """Check out the parent."""
        return [["git", "checkout", "-q", "HEAD~1"]]

    def stores(self, place: Place) -> list[Path]:
        """The folder of git."""
        return [place.work / ".git"]


class GitLfs(Git):
    """git-lfs for all files of the dataset."""

    name = "git-lfs"

    def setup(self, place: Place) -> Commands:
        """As git, and the filters."""
        lfs: list[Command] = [
            ["git", "lfs", "install", "--local"],
            ["git", "lfs", "track", "data/**"],
            ["git", "remote", "add", "origin", f"file://{place.remote}"],
        ]
        return [*(super().setup(place) or []), *lfs]

    def push(self, place: Place) -> Commands:
        """Push the branch; large files go through the pre-push hook."""
        return [["git", "push", "-q", "origin", "main"]]

    def fetch(self, place: Place) -> Commands:
        """Clone with the filters on."""
        lfs = [word for setting in _LFS_FILTER for word in ("-c", setting)]
        return [["git", *lfs, "clone", "-q", "-b", "main", f"file://{place.remote}", place.clone]]


class Dvc(Git):
    """DVC over git: both are asked for each step."""

    name = "dvc"

    def setup(self, place: Place) -> Commands:
        """Make both repositories and the remote folder."""
        return [
            *(super().setup(place) or []),
            ["dvc", "init", "-q"],
            ["dvc", "remote", "add", "-q", "-d", "far", place.home / "remote-data"],
        ]

    def save(self, place: Place, version: int) -> Commands:
        """Add the folder, commit the pointer."""
        return [["dvc", "add", "-q", "data"], *(super().save(place, version) or [])]

    def status(self, place: Place) -> Commands:
        """Ask what has changed."""
        return [["dvc", "status", "-q"]]

    def push(self, place: Place) -> Commands:
        """Push the data, then the pointers."""
        return [["dvc", "push", "-q", "-A"], *(super().push(place) or [])]

    def fetch(self, place: Place) -> Commands:
        """Clone the pointers, then pull the data."""
        return [*(super().fetch(place) or []), ["dvc", "--cd", place.clone, "pull", "-q"]]

    def switch(self, place: Place) -> Commands:
        """Check out the pointer, then the data."""
        return [*(super().switch(place) or []), ["dvc", "checkout", "-q"]]

    def stores(self, place: Place) -> list[Path]:
        """Its cache."""
        return [place.work / ".dvc" / "cache"]


class Restic(Git):
    """restic: a backup program without branches; a switch is a whole restore elsewhere."""

    name = "restic"

    def setup(self, place: Place) -> Commands:
        """Make both repositories with the same parameters of chunking."""
        first: Command = ["restic", "-q", "-r", place.store, "init"]
        both = [*_restic(place.remote), "init", "--copy-chunker-params", "--from-repo", place.store]
        return [first, both]

    def save(self, place: Place, version: int) -> Commands:
        """Back the folder up under a tag."""
        return [[*_restic(place.store), "backup", "--tag", f"v{version}", "data"]]

    def status(self, place: Place) -> Commands:
        """Ask what a backup would store."""
        return [[*_restic(place.store), "backup", "--dry-run", "data"]]

    def push(self, place: Place) -> Commands:
        """Copy all snapshots."""
        return [[*_restic(place.remote), "copy", "--from-repo", place.store]]

    def fetch(self, place: Place) -> Commands:
        """Restore the newest version from the copy."""
        return [[*_restic(place.remote), "restore", "latest", "--tag", "v2", "-t", place.clone]]

    def switch(self, place: Place) -> Commands:
        """Restore the older version beside the folder."""
        beside = place.home / "v1"
        return [[*_restic(place.store), "restore", "latest", "--tag", "v1", "-t", beside]]

    def switched(self, place: Place) -> Path:
        """Restored under the name that it was saved from."""
        return place.home / "v1" / "data"

    def stores(self, place: Place) -> list[Path]:
        """Its repository."""
        return [place.store]


class Borg(Restic):
    """borg: as restic; it copies no archives between repositories."""

    name = "borg"

    def setup(self, place: Place) -> Commands:
        """Make the repository, without encryption."""
        return [["borg", "init", "-e", "none", place.store], ["mkdir", place.home / "v1"]]

    def save(self, place: Place, version: int) -> Commands:
        """Make an archive."""
        return [["borg", "create", f"{place.store}::v{version}", "data"]]

    def status(self, place: Place) -> Commands:
        """It has nothing that only looks."""
        return None

    def push(self, place: Place) -> Commands:
        """It has nothing for this."""
        return None

    def fetch(self, place: Place) -> Commands:
        """It has nothing for this."""
        return None

    def switch(self, place: Place) -> Commands:
        """Extract the older version beside the folder."""
        return [["env", "-C", place.home / "v1", "borg", "extract", f"{place.store}::v1"]]

    def switched(self, place: Place) -> Path:
        """Extracted under the name that it was saved from."""
        return place.home / "v1" / "data"


class Oxen(Git):
    """Oxen, through its Python package; a remote takes its server, so there is no push."""

    name = "oxen"

    def found(self) -> bool:
        """Whether some Python has the package."""
        return self.python() is not None

    def setup(self, place: Place) -> Commands:
        """Say who commits, and make the repository."""
        return [self._call("oxen.user.config_user('Ann', 'ann@example.org'); repo.init()")]

    def save(self, place: Place, version: int) -> Commands:
        """Add and commit."""
        return [self._call("repo.add('data')"), self._call(f"repo.commit('version {version}')")]

    def mark(self, place: Place) -> Commands:
        """It goes to branches only."""
        return [self._call("repo.checkout('v1', True); repo.checkout('main')")]

    def status(self, place: Place) -> Commands:
        """Ask what has changed."""
        return [self._call("repo.status()")]

    def push(self, place: Place) -> Commands:
        """Takes a server of its own."""
        return None

    def fetch(self, place: Place) -> Commands:
        """Takes a server of its own."""
        return None

    def switch(self, place: Place) -> Commands:
        """Check out the older version."""
        return [self._call("repo.checkout('v1')")]

    def stores(self, place: Place) -> list[Path]:
        """Its folder."""
        return [place.work / ".oxen"]

    def python(self) -> str | None:
        """A Python that has the package."""
        if importlib.util.find_spec("oxen") is not None:
            return sys.executable
        return os.environ.get("OXEN_PYTHON")

    def _call(self, code: str) -> Command:
        return [self.python() or "python3", "-c", f"import oxen; repo = oxen.Repo('.'); {code}"]


_LFS_FILTER = (
    "filter.lfs.smudge=git-lfs smudge -- %f",
    "filter.lfs.process=git-lfs filter-process",
    "filter.lfs.required=true",
)
ALL: tuple[Ox, ...] = (Ox(), Git(), GitLfs(), Dvc(), Oxen(), Restic(), Borg())


def choose(wanted: str | None) -> tuple[list[Ox], list[Row]]:
    """The tools that are here (of those named in `wanted`, if any), and the names of the others."""
    asked = [tool for tool in ALL if wanted is None or tool.name in wanted.split(",")]
    here = [tool for tool in asked if tool.found()]
    return here, [{"absent": tool.name} for tool in asked if tool not in here]


def versions(tools: Sequence[Ox]) -> list[Row]:
    """What each tool says that it is."""
    asked = {tool.name: [tool.name, "--version"] for tool in tools} | {
        "ox": [*_RUN, "--version"],
        "restic": ["restic", "version"],
        "oxen": [
            Oxen().python() or "",
            "-c",
            "import importlib.metadata as m; print('oxenai', m.version('oxenai'))",
        ],
    }
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    told: list[Row] = []
    for name in [tool.name for tool in tools]:
        done = subprocess.run(asked[name], capture_output=True, text=True, check=False, env=env)
        line = done.stdout.strip().split("\n")[0]
        told.append({"version": name, "is": line if name in line else f"{name} {line}"})
    return told


def _restic(repository: Path) -> list[str | Path]:
    return ["restic", "-q", "-r", repository]
