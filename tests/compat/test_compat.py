"""Repositories made by every release are read for ever: same refs, same history, same bytes."""

import tarfile
from pathlib import Path

import pytest
from blake3 import blake3

from oxcore.api.repo import Repo
from oxcore.model.commits import Person
from oxcore.model.settings import Settings

HERE = Path(__file__).resolve().parent

REFS = {
    "0.1.0": {
        "refs/heads/main": "015bccdf70dce5fce6f1b5639694cb21003ebe1f7e30e9228be31928f83d2643",
        "refs/heads/side": "fa24910c7840fad2cdae90a4a0ee90685ad6bbd1cbd2ae95f323b81301c44dc2",
        "refs/stash/1": "339d48e4076993b9b5d9b56fd4679f701f3ed07b5efe44aa657a4c007d64f5f5",
        "refs/tags/v1": "e0e3f0a734f0d4644e475c1111c1578e488f105538c09d6b4dea47bdc37f4b93",
    },
}


@pytest.fixture(params=sorted(REFS))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Repo]:
    """The version and the repository that it made, with an empty work tree."""
    with tarfile.open(HERE / request.param / "repo.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    (tmp_path / "work").mkdir()
    (tmp_path / "ox").rename(tmp_path / "work" / ".ox")
    settings = Settings(author=Person("Ada"))
    return request.param, Repo.open(str(tmp_path / "work"), settings=settings)


def test_every_version_kept_is_read() -> None:
    assert {folder.name for folder in HERE.iterdir() if (folder / "repo.tar.gz").exists()} == set(
        REFS
    )


def test_the_refs_and_the_history_are_those_that_were_made(old: tuple[str, Repo]) -> None:
    version, repo = old
    with repo:
        assert repo.refs() == REFS[version]
        titles = [logged.commit.title for logged in repo.log()]
        assert titles == ["Merge branch 'side' into main", "one row more", "on the side", "first"]
        assert repo.revision("v1").id == repo.revision("HEAD~2").id


def test_every_byte_of_every_version_is_there(old: tuple[str, Repo]) -> None:
    _, repo = old
    with repo:
        for rev in ("main", "main~1", "side", "v1", "stash"):
            for path, entry in repo.walk(rev):
                assert blake3(repo.read(path, rev)).digest() == entry.id, (rev, path)
        rows = repo.read("labels.csv", "main")
        assert rows.splitlines()[-1] == b"20000,last"


def test_work_goes_on_where_the_release_left_it(old: tuple[str, Repo]) -> None:
    _, repo = old
    with repo:
        folder = Path(repo.path)
        repo.restore(["*"])
        assert repo.status().clean
        assert (folder / "tool.sh").stat().st_mode & 0o100
        assert (folder / "link").readlink() == Path("labels.csv")
        repo.stash_pop()
        assert (folder / "tool.sh").read_text().endswith("exit 1\n")
        repo.commit("go on", all_tracked=True)
        repo.switch("side")
        assert not (folder / "img" / "200.txt").exists()
        assert (folder / "side.txt").read_text() == "side\n"
