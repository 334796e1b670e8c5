"""The frame: overview, global flags, the boundary of errors, what a start imports."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from oxcli import catalog
from oxcli.commands import status
from oxcli.params import json_option, verb
from oxcore import __version__
from oxcore.errors import MissingError, UnsavedError

HEAVY = {
    "pyarrow",
    "requests",
    "urllib3",
    "zstandard",
    "PIL",
    "uvicorn",
    "fsspec",
    "numpy",
    "pandas",
}


@pytest.fixture
def failing(monkeypatch):
    """Lets the verb ``status`` do what is handed over: raise it, or call it."""

    def install(what):
        @verb()
        @json_option
        def command(session, as_json):
            if isinstance(what, BaseException):
                raise what
            return what(session)

        monkeypatch.setattr(status, "command", command)

    return install


# -- overview


@pytest.mark.parametrize("args", [(), ("--help",), ("-h",)])
def test_the_overview_answers_without_a_verb(ox, args):
    assert ox(*args).out == catalog.overview()


def test_click_prints_the_same_overview(ox, tmp_path):
    assert ox("-C", tmp_path, "--help").out == catalog.overview()


def test_version(ox, tmp_path):
    assert ox("--version").out == f"ox {__version__}\n"
    assert ox("-C", tmp_path, "--version").out == f"ox {__version__}\n"


def test_the_overview_names_every_verb_once():
    lines = catalog.overview().splitlines()
    for name in catalog.VERBS:
        assert sum(line.startswith(f"  {name} ") for line in lines) == 1


# -- errors


def test_an_unknown_verb_is_answered_with_what_it_looks_like(ox):
    result = ox.fails("stauts")
    assert result.code == 2
    assert result.err == "error: no such verb: stauts\nhint: did you mean: stats, status, stash\n"
    assert "ox --help" in ox.fails("qqqq").err


def test_a_usage_error_of_click_has_our_style(ox):
    result = ox.fails("config", "--zzz")
    assert result.code == 2
    assert result.err == "error: no such option '--zzz'\nhint: see: ox config --help\n"


def test_a_global_option_that_does_not_exist(ox):
    assert ox.fails("--nope", "status").err.endswith("hint: see: ox --help\n")


def test_items_are_cut_at_twenty_for_people_and_whole_for_programs(ox, failing):
    failing(UnsavedError("unsaved work", hint="stash it", items=[f"f{n}" for n in range(1025)]))
    lines = ox.fails("status").err.splitlines()
    assert lines[:2] == ["error: unsaved work", "  f0"]
    assert lines[20:] == ["  f19", "  ... and 1,005 more", "hint: stash it"]
    result = ox.fails("status", "--json")
    assert result.code == 8
    assert result.out == ""
    told = json.loads(result.err)["error"]
    assert (told["kind"], told["message"], told["hint"]) == ("unsaved", "unsaved work", "stash it")
    assert len(told["items"]) == 1025


def test_a_system_error_is_a_storage_error(ox, failing):
    failing(OSError(28, "No space left on device", "pack"))
    result = ox.fails("status")
    assert result.code == 18
    assert "No space left on device (pack)" in result.err
    assert "free some space" in result.err


def test_a_fault_of_ours_is_one_line_and_a_traceback_only_on_demand(ox, failing):
    failing(KeyError("x"))
    result = ox.fails("status")
    assert result.code == 70
    assert result.err.startswith("error: internal error: KeyError: 'x'\nhint: run with --debug")
    assert "Traceback" not in result.err
    assert "Traceback" in ox.fails("--debug", "status").err


def test_debug_shows_the_traceback_of_a_known_error_too(ox, failing):
    failing(MissingError("object is gone"))
    result = ox.fails("--debug", "status")
    assert result.code == 13
    assert "Traceback" in result.err
    assert result.err.endswith("error: object is gone\n")


@pytest.mark.parametrize("args", [("status",), ("status", "--", "--json")])
def test_an_interruption(ox, failing, args):
    failing(KeyboardInterrupt())
    result = ox.fails("status")
    assert (result.code, result.err) == (130, "\ninterrupted\n")


def test_the_code_that_a_command_returns_is_the_exit_code(ox, failing):
    failing(lambda session: 9)
    assert ox.fails("status").code == 9


def test_quiet_drops_remarks_and_keeps_what_was_asked_for(ox, failing):
    failing(lambda session: (session.say("remark"), session.echo("data"), session.warn("odd"))[3:])
    assert ox("status").out == "remark\ndata\n"
    result = ox("-q", "status")
    assert (result.out, result.err) == ("data\n", "warning: odd\n")


# -- global flags


def test_colours_need_a_terminal_that_wants_them(ox, failing, monkeypatch):
    failing(lambda session: session.echo(session.paint("text", "red")))
    assert ox("status", tty=True).out == "\x1b[31mtext\x1b[0m\n"
    assert ox("status").out == "text\n"
    assert ox("--no-color", "status", tty=True).out == "text\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert ox("status", tty=True).out == "text\n"


def test_dash_c_is_where_the_verb_runs(ox, failing, tmp_path):
    failing(lambda session: session.echo(os.getcwd()))
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert ox("-C", "a", "-C", "b", "status").out == f"{tmp_path}/a/b\n"
    result = ox.fails("-C", "nowhere", "status")
    assert (result.code, result.err) == (5, "error: no such folder: nowhere\n")


def test_stats_are_told_at_the_end_even_of_a_failure(ox, failing):
    from oxcore.model.counters import Counters

    def work(session):
        session.counters += [Counters(fsyncs=2, bytes_hashed=1234567), Counters(fsyncs=1)]
        raise MissingError("gone")

    failing(work)
    lines = ox.fails("--stats", "status").err.splitlines()
    assert lines[0] == "stats:"
    assert {tuple(line.rsplit(maxsplit=1)) for line in lines[1:-1]} == {
        ("  bytes hashed", "1,234,567"),
        ("  fsyncs", "3"),
    }
    told = ox.fails("--stats", "status", "--json").err.splitlines()
    assert json.loads(told[0])["stats"]["fsyncs"] == 3


# -- as a process


def loaded(ox, *args):
    """Names of the modules that ``ox args`` imports, beyond those of Python's own start."""
    return imports(ox, "from oxcli.main import main; main()", *args) - imports(ox, "pass")


def imports(ox, code, *args):
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *args],
        cwd=ox.folder,
        env={**os.environ, "PYTHONPATH": str(ox.root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-500:]
    lines = [line for line in result.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_the_overview_loads_nothing_but_the_catalog(ox):
    ours = {
        "oxcli",
        "oxcli.main",
        "oxcli.catalog",
        "oxcli.exits",
        "oxcore",
        "gc",
        "importlib",
        "warnings",
    }
    assert loaded(ox, "--help") - {"__future__", "collections.abc"} <= ours
    assert "oxcli.catalog" in loaded(ox, "--help")


SLOW = HEAVY | {  # modules that take a millisecond and more, and that nobody waits for in vain
    "ast",
    "click",
    "dataclasses",
    "difflib",
    "email",
    "http",
    "inspect",
    "locale",
    "logging",
    "multiprocessing",
    "pathlib",
    "pathspec",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "urllib",
    "uuid",
}


def ours(modules):
    return {name for name in modules if name.startswith(("oxcli", "oxcore"))}


def test_importing_the_library_loads_nothing_else(ox):
    new = imports(ox, "import oxcore") - imports(ox, "pass")
    assert new - {"__future__"} <= {"oxcore", "importlib", "warnings"}


def test_status_of_an_empty_repository_loads_what_it_needs(ox, monkeypatch):
    monkeypatch.setenv("OX_DATE", "@1700000000")  # a date in words loads datetime
    ox("init")
    modules = loaded(ox, "status")
    assert not modules & SLOW
    assert not modules & {"zstandard", "datetime", "platform", "heapq", "unicodedata", "fnmatch"}
    assert len(ours(modules)) <= 67, "each costs an eighth of a millisecond: load it when needed"
    assert not [name for name in ours(modules) if name.startswith("oxcore.store.")]


@pytest.mark.parametrize(
    ("args", "most"),
    [
        (("status",), 72),
        (("add", "."), 94),
        (("commit", "--allow-empty", "-m", "x"), 91),
        (("log",), 88),
        (("diff",), 104),
        (("config", "--list"), 71),
        (("status", "--json"), 72),
    ],
)
def test_a_light_verb_loads_no_heavy_library(repo, ox, args, most):
    modules = loaded(ox, *args)
    assert not {name.partition(".")[0] for name in modules} & (SLOW - {"zstandard"})
    assert len(ours(modules)) <= most


def test_the_help_of_a_verb_opens_no_store(ox):
    assert not {"lmdb", "oxcore.repo"} & loaded(ox, "config", "--help")


def test_a_process_gives_code_and_streams(ox):
    result = ox.process("stauts")
    assert result.returncode == 2
    assert result.stdout == b""
    assert result.stderr.startswith(b"error: no such verb")


def test_a_reader_that_goes_away_is_no_error(ox):
    process = subprocess.Popen(
        [sys.executable, "-c", "" + ENDLESS],
        env={**os.environ, "PYTHONPATH": str(ox.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.read(100)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=30), errors) == (141, b"")


@pytest.mark.parametrize("args", [("--help",), ("config", "--help")])
def test_a_reader_that_never_reads_is_no_error(ox, args):
    closed, pipe = os.pipe()
    os.close(closed)
    result = subprocess.run(
        [sys.executable, "-m", "oxcli", *args],
        env={**os.environ, "PYTHONPATH": str(ox.root)},
        stdout=pipe,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    os.close(pipe)
    assert (result.returncode, result.stderr) == (141, b"")


ENDLESS = """
import sys
from oxcli.commands import status
from oxcli.params import verb
@verb()
def endless(session):
    while True:
        session.echo("x" * 1000)
status.command = endless
from oxcli.main import run
sys.exit(run(["status"]))
"""


# A shell starts what it puts into the background with Ctrl-C ignored.
LISTENS = "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


def test_an_interrupted_process_says_so(ox):
    script = ENDLESS.replace('session.echo("x" * 1000)', "print('on', flush=True); time.sleep(60)")
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENS + script],
        env={**os.environ, "PYTHONPATH": str(ox.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"on\n"
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, b"\ninterrupted\n")
