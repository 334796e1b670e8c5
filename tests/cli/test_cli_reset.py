"""``ox restore`` and ``ox reset``."""

import pytest


@pytest.fixture
def two(ox, repo, write):
    write({"a.txt": "second\n"})
    ox("commit", "-a", "-m", "second")
    return repo


def test_restore_a_file(ox, two, write):
    write({"a.txt": "unsaved"})
    assert ox("restore", "a.txt").out == "restored 1 file\n"
    assert (two / "a.txt").read_text() == "second\n"


def test_restore_the_stage(ox, two, write):
    write({"a.txt": "staged"})
    ox("add", ".")
    assert ox("restore", "--staged", ".").out == "unstaged 1 file\n"
    assert (two / "a.txt").read_text() == "staged"


def test_restore_from_a_version(ox, two):
    assert ox("restore", "-s", "HEAD~1", "a.txt").out == "restored 1 file\n"
    assert (two / "a.txt").read_text() == "one\ntwo\n"
    assert ox("restore", "--source", "HEAD", "--staged", "--worktree", ".").code == 0
    assert (two / "a.txt").read_text() == "second\n"


def test_what_restore_refuses(ox, two):
    assert ox.fails("restore").code == 2
    assert ox.fails("restore", "nope").code == 5
    assert ox.fails("restore", "-s", "nope", ".").code == 5


def test_reset_hard_and_soft(ox, two, golden):
    golden("reset-soft", ox("reset", "--soft", "HEAD~1").out)
    assert (two / "a.txt").read_text() == "second\n"
    golden("reset-hard", ox("reset", "--hard").out)
    assert (two / "a.txt").read_text() == "one\ntwo\n"


def test_reset_paths_unstages(ox, two, write):
    write({"a.txt": "staged", "new": "1"})
    ox("add", ".")
    assert ox("reset", "a.txt").out == "unstaged 1 file\n"
    assert ox("reset", "--", "new").out == "unstaged 1 file\n"
    assert ox("reset", "HEAD~1", "--", "a.txt").out == "unstaged 1 file\n"


def test_what_reset_refuses(ox, two):
    assert ox.fails("reset", "--hard", "HEAD", "a.txt").code == 2
    assert ox.fails("reset", "nope").code == 5
    assert ox.fails("reset", "HEAD", "HEAD~1").code in (2, 5)
