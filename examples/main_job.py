"""The main job, typed as a person would: a folder, to a hub, and back, bit for bit.

    python examples/main_job.py [--keep FOLDER] [--made]

Two true versions of one dataset go through init, add, commit, branch, diff, push to a hub on
loopback, clone, pull and checkout. Every command is printed with what it says; at the end
stands what was stored, shared and sent. It ends with an error unless what came out is what
went in.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from datasets import HOME, two_versions

ROOT = Path(__file__).resolve().parent.parent
OX = [sys.executable, "-m", "oxcli"]
SHOWN = 12  # lines of a command's output
MIB = 1 << 20


@dataclass(frozen=True)
class Said:
    """What a command printed, and what ox counted while it ran (``--stats``)."""

    out: str
    err: str

    def count(self, name: str) -> int:
        """One counter; 0 if nothing was counted."""
        found = re.search(rf"^ *{name} +([\d,]+)$", self.err, re.MULTILINE)
        return int(found[1].replace(",", "")) if found else 0


class Shell:
    """Types commands in a folder and shows them, with what they say and how long they take."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OX_CONFIG_HOME": str(home / "config"),
            "OX_AUTHOR_NAME": "Ada",
            "OX_AUTHOR_EMAIL": "ada@example.org",
        }

    def ox(self, *words: str, cwd: Path, shown: int = SHOWN) -> Said:
        """Run one command and show it; ends this program if it fails."""
        place = cwd.name if cwd != self.home else "~"
        print(f"\n{place}$ ox {shlex.join(words)}".replace(str(self.home), "~"))
        start = time.perf_counter()
        done = subprocess.run(
            [*OX, *words], cwd=cwd, env=self.env, capture_output=True, text=True, check=False
        )
        spent = time.perf_counter() - start
        lines = (done.stdout + done.stderr).replace(str(self.home), "~").rstrip().splitlines()
        print(*(f"  {line}" for line in lines[:shown]), sep="\n")
        if len(lines) > shown:
            print(f"  ... {len(lines) - shown} lines more")
        print(f"  ({spent:.2f} s)", flush=True)
        if done.returncode:
            sys.exit(f"that ended with {done.returncode}")
        return Said(done.stdout, done.stderr)

    def quiet(self, *words: str, cwd: Path) -> str:
        """What a command gives to programs, as JSON, without showing it."""
        asked = [*OX, *words, "--json"]
        done = subprocess.run(
            asked, cwd=cwd, env=self.env, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def token(self) -> str:
        """A token of the hub, which is not shown."""
        print("\n~$ ox token create --root hub --user ada")
        words = ("token", "create", "--root", "hub", "--user", "ada")
        return str(json.loads(self.quiet(*words, cwd=self.home))["token"])

    @contextmanager
    def hub(self, root: Path) -> Iterator[str]:
        """A hub in a process of its own on loopback; gives its address."""
        words = ["-q", "hub", "serve", "--root", str(root), "--port", "0"]
        print("\n~$ ox hub serve --root hub --port 0 &")
        server = subprocess.Popen(
            [*OX, *words], env=self.env, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        try:
            yield self._address(server)
        finally:
            server.terminate()
            server.wait(timeout=30)

    def _address(self, server: subprocess.Popen[str]) -> str:
        assert server.stdout is not None
        for line in server.stdout:
            print(f"  {line.rstrip()}".replace(str(self.home), "~"), flush=True)
            for word in line.split():
                if word.startswith("http://"):
                    return word.rstrip("/.,")
        sys.exit("the hub did not start")


def fill(folder: Path, version: Path) -> None:
    """Make the work tree hold exactly one version of the dataset."""
    for entry in folder.iterdir():
        if entry.name != ".ox":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(version, folder, dirs_exist_ok=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder: relative path to bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".ox" not in path.relative_to(folder).parts
    }


def same(one: Path, other: Path) -> str:
    """Whether two folders hold the same files, in words; ends the program if they do not."""
    left, right = contents(one), contents(other)
    if left != right:
        sys.exit(f"{one} and {other} differ")
    return f"{len(left):,} files, {sum(map(len, left.values())):,} bytes: the same, bit for bit"


def edit_row(folder: Path) -> Path:
    """Change one name in the middle of the largest table; gives the table."""
    table = max(folder.glob("*.json"), key=lambda path: path.stat().st_size)
    text = table.read_text(encoding="utf-8")
    at = text.index('"name": "', len(text) // 2) + len('"name": "')
    table.write_text(text[:at] + "(checked) " + text[at:], encoding="utf-8")
    return table


def run(home: Path, older: Path, newer: Path) -> None:
    """The whole job in the folder ``home``."""
    shell, work, copy = Shell(home), home / "emoji", home / "copy"
    work.mkdir()
    two_commits(shell, work, older, newer)
    with shell.hub(home / "hub") as address:
        shell.env["OX_TOKEN"] = shell.token()
        url = f"{address}/zoo/emoji"
        shell.ox("remote", "add", "origin", url, cwd=work)
        first = shell.ox("--stats", "push", "--all", "--tags", cwd=work)
        shell.ox("clone", "-b", "main", url, "copy", cwd=home)
        print("  clone:", same(copy, older))
        shell.ox("merge", "next", cwd=work)
        table = edit_row(work)
        print(f"\n(one name in {table.name}, {table.stat().st_size:,} bytes, is changed)")
        shell.ox("commit", "-a", "-m", "one name checked", cwd=work)
        second = shell.ox("--stats", "push", cwd=work)
        shell.ox("pull", cwd=copy)
        print("  pull:", same(copy, work))
    shell.ox("log", "--oneline", "--graph", cwd=copy)
    shell.ox("checkout", "v1", cwd=copy)
    print("  checkout v1:", same(copy, older))
    shell.ox("verify", "origin/main", cwd=copy)
    shell.ox("fsck", cwd=copy)
    shell.ox("du", "--all", cwd=copy)
    summary(shell, copy, first, second)


def two_commits(shell: Shell, work: Path, older: Path, newer: Path) -> None:
    """The older version on main, tagged; the newer one on a branch; back to main."""
    fill(work, older)
    shell.ox("init", cwd=work)
    shell.ox("add", ".", cwd=work)
    shell.ox("commit", "-m", "the older version", cwd=work)
    shell.ox("tag", "v1", cwd=work)
    shell.ox("switch", "-c", "next", cwd=work)
    fill(work, newer)
    shell.ox("status", cwd=work)
    shell.ox("add", "-A", cwd=work)
    shell.ox("diff", "--staged", "--stat", cwd=work)
    shell.ox("commit", "-m", "the newer version", cwd=work)
    shell.ox("switch", "main", cwd=work)
    print("  main:", same(work, older))


def summary(shell: Shell, copy: Path, first: Said, second: Said) -> None:
    """What was stored, shared and sent, from ox's own counts."""
    versions = json.loads(shell.quiet("du", "--all", cwd=copy))
    new = [version["adds"] for version in versions]
    total, stored = sum(one["bytes"] for one in versions), sum(one["stored"] for one in new)
    shared = {
        "files as in the version before": total - sum(one["logical"] for one in new),
        "equal files within a version": sum(one["saved_by_files"] for one in new),
        "equal pieces of files": sum(one["saved_by_chunks"] for one in new),
        "compression": sum(one["saved_by_compression"] for one in new),
    }
    print(f"\nStored {size(stored)}  for {len(versions)} versions, {size(total).strip()} together")
    for why, spared in shared.items():
        print(f"Shared {size(spared)}  {why}")
    old, changed = sum(one["bytes"] for one in versions[:2]), versions[2]["bytes"]
    for push, what in (
        (first, f"two versions, {size(old).strip()} together"),
        (second, f"a version of {size(changed).strip()} that has one row changed"),
    ):
        sent, requests = push.count("bytes sent"), push.count("requests")
        print(f"Sent   {size(sent)}  in {requests} requests: {what}")


def size(count: int) -> str:
    """A number of bytes for people, in a column."""
    return f"{count / MIB:6.1f} MiB" if count >= MIB else f"{count / 1024:6.1f} KiB"


def main() -> None:
    """Read the arguments and run the job in a folder that goes when it is done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work here, and leave it")
    parser.add_argument("--made", action="store_true", help="fetch nothing: the made dataset")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ox-demo-") as scratch:
        home = Path(args.keep or scratch).resolve()
        home.mkdir(parents=True, exist_ok=True)
        older, newer, what = two_versions(home / "data" if args.made else HOME, made=args.made)
        print(f"dataset: {what}")
        run(home, older, newer)


if __name__ == "__main__":
    main()
