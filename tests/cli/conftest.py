"""How the command line is tested: in this process, with a home and a clock of its own.

``ox("add", ".", cwd=folder)`` gives a ``Result``; ``golden("name", text)`` compares with
``tests/cli/goldens/name.txt``, and writes that file if OX_UPDATE_GOLDENS is 1.
"""

import io
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from oxcli.main import run

ROOT = Path(__file__).parents[2]
GOLDENS = Path(__file__).parent / "goldens"
DATE = "2026-01-02T03:04:05+01:00"
AUTHOR = {"OX_AUTHOR_NAME": "Ann Author", "OX_AUTHOR_EMAIL": "ann@example.org"}


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str
    raw: bytes

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def json(self):
        import json

        return json.loads(self.out)


class Terminal(io.TextIOWrapper):
    """Standard output or error as bytes in memory; ``tty`` makes it claim to be a terminal."""

    def __init__(self, tty):
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")
        self.tty = tty

    def isatty(self):
        return self.tty

    def bytes(self):
        self.flush()
        return self.buffer.getvalue()


class Ox:
    """Runs ox in this process; ``code`` given, it must be the exit code."""

    root = ROOT

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *args, cwd=None, code=0, tty=False, stdin=""):
        out, err = Terminal(tty), Terminal(tty)
        with _inside(cwd or self.folder), _streams(out, err, io.StringIO(stdin)):
            exit_code = run([str(arg) for arg in args])
        result = Result(exit_code, _text(out), _text(err), out.bytes())
        told = f"ox {args} -> {exit_code}\n{result.out}{result.err}"
        assert code is None or exit_code == code, told
        return result

    def fails(self, *args, **named):
        """Run what must fail; gives the result, whose code the test looks at."""
        result = self(*args, code=None, **named)
        assert result.code != 0, result.out
        return result

    def process(self, *args, cwd=None, env=(), stdin=None):
        """The same in a process of its own: slow, for what only a process shows."""
        command = [sys.executable, "-m", "oxcli", *map(str, args)]
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **dict(env)},
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )


def _text(stream):
    return stream.bytes().decode("utf-8", "surrogateescape")


@contextmanager
def _inside(folder):
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _streams(out, err, stdin):
    before = sys.stdout, sys.stderr, sys.stdin
    sys.stdout, sys.stderr, sys.stdin = out, err, stdin
    try:
        yield
    finally:
        sys.stdout, sys.stderr, sys.stdin = before


@pytest.fixture
def home(tmp_path_factory, monkeypatch):
    """A configuration of our own; no variable of the developer's shell comes through."""
    for name in [name for name in os.environ if name.startswith(("OX_", "_OX_"))]:
        if name != "OX_UPDATE_GOLDENS":
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("OX_CONFIG_HOME", str(folder))
    monkeypatch.setenv("OX_DATE", DATE)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in AUTHOR.items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture
def ox(home, tmp_path):
    """Runs ox in ``tmp_path``, an empty folder, unless ``cwd`` says otherwise."""
    return Ox(tmp_path)


@pytest.fixture
def repo(ox, tmp_path):
    """A repository in ``tmp_path`` with three files committed; gives the folder."""
    ox("init")
    write(tmp_path, {"a.txt": "one\ntwo\n", "data/b.bin": b"\x00\x01" * 50, "data/c.csv": "x\n1\n"})
    ox("add", ".")
    ox("commit", "-m", "first")
    return tmp_path


def write(folder, files):
    """Make these files, text or bytes by path."""
    for path, content in files.items():
        target = Path(os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(path))))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture(name="write")
def write_fixture(tmp_path):
    """``write({path: content})`` makes files in ``tmp_path``, or ``write(files, folder)``."""
    return lambda files, folder=tmp_path: write(folder, files)


@pytest.fixture
def golden(tmp_path):
    """``golden("name", text)``: ``text`` is as goldens/name.txt says; our folder shows as ROOT."""

    def check(name, text):
        shown = re.sub(re.escape(str(tmp_path)), "ROOT", text)
        file = GOLDENS / f"{name}.txt"
        if os.environ.get("OX_UPDATE_GOLDENS") == "1":
            file.parent.mkdir(exist_ok=True)
            file.write_text(shown, encoding="utf-8")
        expected = file.read_text(encoding="utf-8") if file.exists() else ""
        assert shown == expected, f"{file.name}: OX_UPDATE_GOLDENS=1 writes it anew"

    return check
