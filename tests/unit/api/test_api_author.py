"""Who commits, as callers from Python say it; and the names that they need for it."""

import subprocess
import sys

import pytest

import oxcore as ox
from oxcore.errors import InvalidError, UsageError

ANN = ox.Person("Ann Author", "ann@example.org")


@pytest.mark.parametrize("author", [ANN, "Ann Author <ann@example.org>", str(ANN)])
def test_init_open_and_clone_take_an_author(tmp_path, author):
    with ox.Repo.init(str(tmp_path / "a"), author=author) as repo:
        assert repo.commit("one", allow_empty=True).commit.author == ANN
    with ox.Repo.open(str(tmp_path / "a"), author=author) as repo:
        assert repo.commit("two", allow_empty=True).commit.author == ANN
        assert {row.operation.who for row in repo.oplog()} == {str(ANN)}
    copy = ox.Repo.clone(str(tmp_path / "a"), str(tmp_path / "b"), author=author)
    with copy as repo:
        assert repo.commit("three", allow_empty=True).commit.author == ANN


def test_the_author_stands_before_that_of_the_settings_and_changes_them_not(tmp_path):
    settings = ox.Settings(author=ox.Person("Bob"), excludes=("*.tmp",))
    with ox.Repo.init(str(tmp_path), author="Ann", settings=settings) as repo:
        assert repo.commit("one", allow_empty=True).commit.author == ox.Person("Ann")
        assert repo._repo.settings.excludes == ("*.tmp",)
    assert settings.author == ox.Person("Bob")


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Ann", ox.Person("Ann")),
        ("Ann Author<a@b.c>", ox.Person("Ann Author", "a@b.c")),
        (" <a@b.c> ", ox.Person("", "a@b.c")),
    ],
)
def test_parts_of_an_author_may_be_left_out(text, person):
    assert ox.Person.parse(text) == person


@pytest.mark.parametrize("text", ["", "<>", "Ann <a@b.c", "Ann <a> <b>", "Ann <a b>", "Ann\nBob"])
def test_what_is_no_author(tmp_path, text):
    with pytest.raises(InvalidError, match="not a name with an address"):
        ox.Repo.init(str(tmp_path / "none"), author=text)
    assert not (tmp_path / "none").exists()


def test_an_unknown_author_is_told_both_ways_out(tmp_path):
    with ox.Repo.init(str(tmp_path)) as repo, pytest.raises(UsageError) as caught:
        repo.commit("one", allow_empty=True)
    assert "ox config" in caught.value.hint
    assert "author=" in caught.value.hint


def test_the_public_names_load_when_they_are_used():
    code = (
        "import sys, oxcore as ox; assert not [m for m in sys.modules if m.startswith('oxcore.')];"
        "assert all(getattr(ox, name) for name in ox.__all__)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
