"""The main job, typed as a person would: a folder, to a hub, and back, bit for bit.

    python examples/main_job.py [--keep FOLDER]

Two true versions of one dataset go through init, add, commit, branch, diff, push to a hub on
loopback, clone, pull and checkout. Every command is printed with what it says; at the end
stands what was stored, shared and sent, and whether what came out is what went in.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datasets import two_versions

OX = [sys.executable, "-m", "oxcli"]
SHOWN = 12  # lines of a command's output


class Shell:
    """Types commands in a folder and shows them, with what they say and how long they take."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {
            **os.environ,
            "OX_CONFIG_HOME": str(home / "config"),
            "OX_AUTHOR_NAME": "Ada",
            "OX_AUTHOR_EMAIL": "ada@example.org",
        }

    def ox(self, *words: str, cwd: Path, shown: int = SHOWN) -> str:
        """Run one command; its output, or the end of this program if it fails."""
        place = cwd.relative_to(self.home)
        print(f"\n{place}$ ox {shlex.join(words)}")
        start = time.perf_counter()
        done = subprocess.run(
            [*OX, *words], cwd=cwd, env=self.env, capture_output=True, text=True, check=False
        )
        spent = time.perf_counter() - start
        lines = (done.stdout + done.stderr).rstrip().splitlines()
        for line in lines[:shown]:
            print(f"  {line}")
        if len(lines) > shown:
            print(f"  ... {len(lines) - shown} lines more")
        print(f"  ({spent:.2f} s)")
        if done.returncode:
            sys.exit(f"that ended with {done.returncode}")
        return done.stdout

    @contextmanager
    def hub(self, root: Path) -> Iterator[str]:
        """A hub in a process of its own on loopback; gives its address."""
        words = ["hub", "serve", "--root", str(root), "--port", "0"]
        print("\n$ ox hub serve --root hub --port 0 &")
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
            print(f"  {line.rstrip()}")
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


def run(home: Path) -> None:
    """The whole job in the folder ``home``."""
    older, newer, what = two_versions()
    print(f"dataset: {what}")
    shell, work, copy = Shell(home), home / "emoji", home / "copy"
    work.mkdir()
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
    with shell.hub(home / "hub") as address:
        token = json.loads(shell.ox("token", "create", "--root", str(home / "hub"), "--user", "ada",
                                    "--scope", "write", "--json", cwd=home))["token"]
        shell.env["OX_TOKEN"] = token
        url = f"{address}/zoo/emoji"
        shell.ox("remote", "add", "origin", url, cwd=work)
        pushed = shell.ox("push", "--all", "--tags", cwd=work)
        shell.ox("clone", "-b", "main", url, "copy", cwd=home)
        print("  clone:", same(copy, older))
        shell.ox("merge", "next", cwd=work)
        (work / "README.md").write_text("# Emoji\n\nPictures and their names.\n", encoding="utf-8")
        shell.ox("add", "README.md", cwd=work)
        shell.ox("commit", "-m", "say what this is", cwd=work)
        again = shell.ox("push", cwd=work)
        shell.ox("pull", cwd=copy)
        print("  pull:", same(copy, work))
    shell.ox("log", "--oneline", "--graph", cwd=copy)
    shell.ox("diff", "v1..main", "--stat", cwd=copy)
    shell.ox("checkout", "v1", cwd=copy)
    print("  checkout v1:", same(copy, older))
    shell.ox("verify", "origin/main", cwd=copy)
    shell.ox("fsck", cwd=copy)
    print("\nStored, shared, sent")
    shell.ox("du", "--all", cwd=copy, shown=40)
    print("  first push: ", pushed.rstrip().splitlines()[-1])
    print("  second push:", again.rstrip().splitlines()[-1])


def main() -> None:
    """Read the arguments and run the job in a folder that goes when it is done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work here, and leave it")
    args = parser.parse_args()
    if args.keep is not None:
        args.keep.mkdir(parents=True)
        run(args.keep.resolve())
        return
    with tempfile.TemporaryDirectory(prefix="ox-demo-") as folder:
        run(Path(folder).resolve())


if __name__ == "__main__":
    main()
