"""Ignored files: named they are refused with the line that ignores them, forced they are staged."""

from pathlib import Path

import pytest

from oxcore.api.repo import Repo
from oxcore.errors import NotFoundError
from oxcore.model.commits import Person
from oxcore.model.settings import Settings


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit, an ignored file and an ignored folder."""
    (tmp_path / ".oxignore").write_text("# noise\n*.log\n/cache/\n")
    (tmp_path / "kept.txt").write_text("kept")
    (tmp_path / "run.log").write_text("noise")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "a").write_text("a")
    made = Repo.init(str(tmp_path), settings=Settings(author=Person("Ada")))
    made.add()
    made.commit("first")
    return made


def test_the_line_that_ignores_a_file_is_named(repo: Repo) -> None:
    with repo, pytest.raises(NotFoundError, match=r"line 2 of \.oxignore: \*\.log") as caught:
        repo.add(["run.log"])
    assert "add -f run.log" in caught.value.hint


def test_ignored_files_are_staged_when_asked_for(repo: Repo) -> None:
    with repo:
        assert repo.add(["run.log", "cache"], ignored=True).added == 2
        repo.commit("noise too")
        assert repo.read("cache/a") == b"a"
        assert repo.status().clean


def test_files_that_were_untracked_come_out_of_the_stash_untracked(repo: Repo) -> None:
    with repo:
        folder = Path(repo.path)
        (folder / "loose.txt").write_text("loose")
        (folder / "staged.txt").write_text("staged")
        repo.add(["staged.txt"])
        repo.stash_push("all of it", untracked=True)
        assert not (folder / "loose.txt").exists()
        repo.stash_pop()
        found = repo.status()
        assert [change.path for change in found.staged.changes] == [b"staged.txt"]
        assert list(found.untracked) == [b"loose.txt"]
