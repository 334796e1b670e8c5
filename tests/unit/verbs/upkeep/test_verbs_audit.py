"""What an audit found by hand, held in place."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oxcore import verbs
from oxcore.api.repo import Repo
from oxcore.errors import BusyError, MissingError, NotFoundError, RejectedError, StorageError
from oxcore.model.commits import Person
from oxcore.model.settings import Settings

SETTINGS = Settings(author=Person("Ada"))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with two commits."""
    made = Repo.init(str(tmp_path / "repo"), settings=SETTINGS)
    for text in ("one", "two"):
        (tmp_path / "repo" / "a").write_text(text)
        made.add()
        made.commit(text)
    return made


def test_a_point_means_everything(repo: Repo) -> None:
    with repo:
        (Path(repo.path) / "b").write_text("b")
        assert repo.add(["."]).added == 1
        (Path(repo.path) / "c").write_text("c")
        assert repo.add(["./c"]).added == 1


def test_many_writers_of_one_branch_lose_nothing(repo: Repo) -> None:
    def write(name: str) -> None:
        with Repo.open(repo.path, settings=SETTINGS) as own:
            for number in range(8):
                with own.transaction("busy", message=f"{name} {number}") as edits:
                    edits.put(f"{name}/{number}", name.encode())

    writers = [threading.Thread(target=write, args=(name,)) for name in ("a", "b", "c", "d")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    with repo:
        assert len(dict(repo.walk("busy"))) == 32
        assert len(list(repo.log("busy"))) == 32


def test_a_transaction_that_changes_nothing_stores_nothing(repo: Repo) -> None:
    with repo:
        before = repo.counters.bytes_stored
        with repo.transaction("main", message="nothing") as edits:
            edits.put("a", b"two")
        assert edits.commit_id is None
        assert repo.counters.bytes_stored == before


def test_the_default_branch_of_a_remote_is_not_deleted(repo: Repo, tmp_path: Path) -> None:
    with repo, Repo.init(str(tmp_path / "bare"), bare=True):
        repo.add_remote("origin", str(tmp_path / "bare"))
        repo.push()
        with pytest.raises(RejectedError, match="default branch"):
            repo.push("origin", ["main"], delete=True)


def test_what_a_shallow_clone_left_out_is_named_as_such(repo: Repo, tmp_path: Path) -> None:
    with repo, Repo.clone(repo.path, str(tmp_path / "copy"), depth=1, settings=SETTINGS) as copy:
        with pytest.raises(MissingError, match="left out of this clone") as caught:
            copy.revision("HEAD~1")
        assert "--unshallow" in caught.value.hint


@pytest.fixture
def frozen(repo: Repo, tmp_path: Path) -> Iterator[Repo]:
    """The repository on a file system that is mounted read-only."""
    repo.close()
    place = tmp_path / "frozen"
    place.mkdir()
    for step in (["mount", "--bind", repo.path, place], ["mount", "-o", "remount,ro,bind", place]):
        if subprocess.run(step, capture_output=True, check=False).returncode:
            pytest.skip("mounting takes a right that is not ours here")
    try:
        with Repo.open(str(place), settings=SETTINGS) as found:
            yield found
    finally:
        subprocess.run(["umount", place], check=True)


def test_what_is_mounted_read_only_can_be_read(frozen: Repo, tmp_path: Path) -> None:
    assert frozen.status().clean
    assert frozen.read("a") == b"two"
    assert [logged.commit.message for logged in frozen.log()] == ["two", "one"]
    assert list(frozen.diff()) == []
    assert frozen.fsck().sound
    with Repo.clone(frozen.path, str(tmp_path / "copy"), settings=SETTINGS) as copy:
        assert copy.read("a") == b"two"
    with pytest.raises(StorageError):
        frozen.add()


def test_a_bare_repository_has_no_files_to_compare(tmp_path: Path) -> None:
    with Repo.init(str(tmp_path / "bare"), bare=True) as bare:
        assert bare.status().bare


def test_before_the_first_commit_reset_says_how_to_unstage(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    with Repo.init(str(tmp_path), settings=SETTINGS) as fresh:
        fresh.add()
        with pytest.raises(NotFoundError, match="no commit to go back to") as caught:
            fresh.reset()
        assert "restore --staged" in caught.value.hint
        fresh.restore(["a"], staged=True, worktree=False)
        assert fresh.status().staged.total == 0


def test_the_last_try_of_a_transaction_keeps_rivals_out(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, moved = verbs.transaction._commit_of, []

    def rival_then(*args: object, **more: object) -> object:
        made = real(*args, **more)
        try:
            with rival.transaction("busy", message="rival") as edits:
                edits.put(f"rival/{len(moved)}", b"r")
            moved.append(edits.commit_id)
        except BusyError:
            moved.append(None)
        return made

    hasty = Settings(author=Person("Rival"), lock_wait=0.05)
    with repo, Repo.open(repo.path, settings=hasty) as rival:
        with repo.transaction("busy", message="ours") as edits:
            edits.put("ours", b"o")
            monkeypatch.setattr(verbs.transaction, "_commit_of", _once_at_a_time(rival_then, real))
        assert repo.read("ours", "busy") == b"o"
    assert moved[-1] is None
    assert all(moved[:-1])
    assert len(moved) == verbs.transaction._TRIES


def _once_at_a_time(outer: Callable[..., object], inner: Callable[..., object]) -> object:
    """``outer``, but ``inner`` for what is called while ``outer`` runs."""
    running: list[int] = []

    def call(*args: object, **more: object) -> object:
        if running:
            return inner(*args, **more)
        running.append(1)
        try:
            return outer(*args, **more)
        finally:
            running.pop()

    return call


def test_a_commit_that_is_collected_before_its_branch_moves_is_made_again(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = verbs.transaction._commit_of, []

    def collect_behind(*args: object, **more: object) -> object:
        made = real(*args, **more)
        calls.append(made)
        if len(calls) == 1:
            with Repo.open(repo.path, settings=SETTINGS) as other:
                other.gc(grace=0, keep_operations=0)
        return made

    monkeypatch.setattr(verbs.transaction, "_commit_of", collect_behind)
    with repo:
        with repo.transaction("side", message="what main holds already") as edits:
            edits.put("copy", b"two")
        assert repo.read("copy", "side") == b"two"
        assert repo.fsck().sound
    assert len(calls) == 2
