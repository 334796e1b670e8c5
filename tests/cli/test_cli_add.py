"""``ox add``."""

import os

import pytest


def test_a_first_add(ox, write, golden):
    ox("init")
    write({"a.txt": "one\n", "photos/a.png": b"\x89PNG", "photos/b.png": b"\x89PNG2"})
    golden("add-first", ox("add", ".").out)
    golden("add-again", ox("add", ".").out)


def test_help_shows_examples(ox):
    assert "Examples:\n  ox add .\n" in ox("add", "--help").out


def test_new_changed_and_removed_files_are_told_apart(ox, repo, write, golden):
    write({"a.txt": "changed\n", "new": "1"})
    os.unlink(repo / "data/c.csv")
    golden("add-verbose", ox("add", "-A", "-v").out)


def test_update_leaves_new_files(ox, repo, write):
    write({"a.txt": "changed\n", "new": "1"})
    assert ox("add", "-u").out == "staged 1 changed, 8 B\n"


def test_a_dry_run_names_and_stages_nothing(ox, repo, write, golden):
    write({"a.txt": "changed\n", "new": "1"})
    golden("add-dry-run", ox("add", "--dry-run", ".").out)
    assert ox("add", ".").out == "staged 1 new, 1 changed, 9 B\n"


def test_patterns_are_of_the_folder_one_stands_in(ox, repo, write):
    write({"data/x.bin": "1", "y.bin": "2"})
    assert ox("add", "*.bin", cwd=repo / "data").out == "staged 1 new, 1 B\n"
    assert ox("add", "..", cwd=repo / "data").out == "staged 1 new, 1 B\n"


def test_what_is_left_out_is_told_on_stderr(ox, repo, write, golden):
    os.mkfifo(repo / "pipe")
    write({"sub/.git/config": "x", "sub/f": "1", "A.TXT": "2"})
    result = ox("add", ".")
    golden("add-warnings", result.err)
    assert result.out == "staged 2 new, 2 B\n"


def test_many_warnings_are_counted(ox, repo):
    for number in range(14):
        os.mkfifo(repo / f"pipe{number:02}")
    lines = ox("add", ".").err.splitlines()
    assert len(lines) == 11
    assert lines[-1] == "warning: ... and 4 more such lines"


def test_update_is_silent_on_what_is_new(ox, repo, write):
    os.mkfifo(repo / "pipe")
    write({"other/.git/x": "1", "a.txt": "changed"})
    assert ox("add", "-u").err == ""
    (repo / "data/c.csv").unlink()
    os.mkfifo(repo / "data/c.csv")
    assert ox("add", "-u").err == "warning: skipped data/c.csv: a fifo\n"


def test_what_fits_nothing(ox, repo):
    result = ox.fails("add", "nope")
    assert (result.code, result.out) == (5, "")
    assert result.err.startswith("error: nothing to add under 'nope'\n")


@pytest.mark.parametrize("args", [(), ("-A", "-u")])
def test_calls_that_make_no_sense(ox, repo, args):
    assert ox.fails("add", *args).code == 2


def test_outside_of_the_repository(ox, repo, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    assert ox.fails("add", other).code == 3
    assert ox.fails("add", ".", cwd=other).code == 4


def test_json(ox, repo, write):
    write({"new": "1", b"\xff": "2"})
    found = ox("add", ".", "--json").json
    assert (found["added"], found["nbytes"]) == (2, 2)
    assert found["changes"][0]["path"] == "new"
    assert found["changes"][1]["path_hex"] == "ff"


def test_quiet(ox, repo, write):
    write({"new": "1"})
    assert ox("-q", "add", ".").out == ""
