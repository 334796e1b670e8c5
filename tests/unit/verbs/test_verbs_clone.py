"""``clone`` over paths: what comes, what is refused, what a refusal leaves behind."""

import os
import shutil

import pytest
from support import dataset
from support.sides import Side, Sides

from oxcore.api import Repo
from oxcore.errors import (
    CorruptError,
    ExistsError,
    InvalidError,
    NotFoundError,
    StorageError,
    UnreachableError,
    UnsavedError,
    UsageError,
)
from oxcore.transfer.local import LocalRemote
from oxcore.verbs.clone import default_folder
from oxcore.verbs.moving import update


@pytest.fixture
def sides(tmp_path):
    with Sides(tmp_path) as made:
        yield made


@pytest.fixture
def source(sides):
    """A repository with two commits, a branch and a tag, all of it pushed to the origin."""
    made = sides.new("source")
    made.commit({"a.txt": "one", "dir/b.bin": bytes(300_000)}, "first")
    made.repo.tag("v1")
    made.commit({"a.txt": "two"}, "second")
    made.repo.branch("topic", "v1")
    made.repo.push(all_branches=True, tags=True)
    return made


def test_all_of_it_comes(sides, source):
    side = sides.clone("b")
    done = side.repo.cloned
    assert (done.branch, done.commit.hex(), done.resumed) == ("main", source.head(), False)
    assert done.moved.written == 2
    assert side.files() == source.files()
    assert side.repo.status().clean
    refs = side.repo.refs()
    assert refs["refs/heads/main"] == refs["refs/remotes/origin/main"] == source.head()
    assert {"refs/tags/v1", "refs/remotes/origin/topic"} < refs.keys()
    assert "refs/heads/topic" not in refs
    assert side.repo.config()["branch.main.remote"] == "origin"
    assert [one.url for one in side.repo.remotes()] == [sides.url]
    assert "clone.pending" not in side.core.own_config()


def test_a_dataset_comes_bit_for_bit(sides):
    made = sides.new("source")
    dataset.make(made.root)
    made.commit()
    dataset.revise(made.root)
    made.commit()
    side = sides.clone("b", str(made.root))
    assert dataset.snapshot(side.root) == dataset.snapshot(made.root)
    assert side.repo.status().clean


def test_packs_of_a_path_are_linked(sides, source):
    side = sides.clone("b")
    assert side.repo.cloned.report.linked > 0
    assert side.repo.counters.bytes_received < 10_000
    names = [entry for entry in os.scandir(side.core.store.files.folder) if entry.is_file()]
    assert any(entry.stat().st_nlink > 1 for entry in names)


def test_a_file_address_with_escapes(sides, source):
    moved = sides.folder / "with space"
    shutil.copytree(sides.url, moved)
    side = sides.clone("b", f"file://{sides.folder}/with%20space/")
    assert side.files() == source.files()
    assert side.repo.remotes()[0].url == str(moved)


def test_a_branch_or_a_tag_of_choice(sides, source):
    side = sides.clone("b", branch="topic")
    assert side.repo.cloned.branch == "topic"
    assert side.files()["a.txt"] == b"one"
    assert side.repo.config()["branch.topic.merge"] == "topic"
    tagged = sides.clone("c", branch="v1")
    assert tagged.repo.cloned.branch is None
    assert tagged.core.view().head()[0] is None
    assert tagged.files()["a.txt"] == b"one"


def test_a_bare_clone_has_the_branches_themselves(sides, source):
    done = sides.clone("b", bare=True)
    refs = done.repo.refs()
    assert {ref for ref in refs if ref.startswith("refs/heads/")} == {
        "refs/heads/main",
        "refs/heads/topic",
    }
    assert not any(ref.startswith("refs/remotes/") for ref in refs)
    again = sides.clone("c", done.repo.folder)
    assert again.files() == source.files()


def test_an_empty_repository(sides):
    side = sides.clone("b")
    assert side.repo.cloned.commit is None
    assert side.repo.cloned.branch == "main"
    side.commit({"a": "1"})
    assert side.repo.push().changes[0].kind == "new"


def test_a_head_without_commits_gives_way_to_a_branch_that_has_some(sides):
    made = sides.new("source")
    made.commit({"a": "1"})
    made.repo.push("origin", ["main:work", "main:aside"])
    side = sides.clone("b")
    assert side.repo.cloned.branch == "work"  # the first that was pushed: HEAD went there


def test_depth_leaves_older_commits_and_other_branches_out(sides, source):
    side = sides.clone("b", depth=1)
    assert side.repo.cloned.report.commits == 1
    assert [one.id.hex() for one in side.repo.log()] == [source.head()]
    assert side.core.shallow() == {side.core.head()}
    assert "refs/remotes/origin/topic" not in side.repo.refs()
    before = side.repo.counters.objects_received
    assert side.repo.fetch().changes == ()
    assert side.repo.counters.objects_received == before  # a later fetch asks for no more
    source.commit({"a.txt": "three"})
    source.repo.push()
    assert side.repo.pull().merged.kind == "fast-forward"
    side.commit({"mine": "1"})
    side.repo.push()
    assert source.repo.pull().merged.kind == "fast-forward"


@pytest.mark.parametrize("depth", [0, -3])
def test_no_depth(sides, source, depth):
    with pytest.raises(InvalidError):
        sides.clone("b", depth=depth)
    assert not (sides.folder / "b").exists()


def test_an_unknown_branch_is_told_with_those_that_are_there(sides, source):
    with pytest.raises(NotFoundError) as caught:
        sides.clone("b", branch="nope")
    assert caught.value.items == ("main", "topic")
    assert not (sides.folder / "b").exists()


def test_no_repository_there(sides):
    with pytest.raises(NotFoundError):
        sides.clone("b", str(sides.folder / "nowhere"))
    assert not (sides.folder / "b").exists()


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "file://elsewhere/x", "", "http://127.0.0.1:1", "http://h/only-ns"]
)
def test_no_address(sides, url):
    with pytest.raises(InvalidError):
        sides.clone("b", url or "\n")
    assert not (sides.folder / "b").exists()


def test_what_is_in_the_way_stays(sides, source):
    there = sides.folder / "b"
    there.mkdir()
    (there / "mine").write_text("precious")
    with pytest.raises(ExistsError):
        sides.clone("b")
    assert os.listdir(there) == ["mine"]
    (sides.folder / "file").write_text("x")
    with pytest.raises(ExistsError):
        sides.clone("file")
    with pytest.raises(ExistsError) as caught:
        sides.clone("source")
    assert "ox pull" in caught.value.hint
    os.symlink("nowhere", sides.folder / "dangling")
    with pytest.raises(ExistsError):
        sides.clone("dangling")


def test_into_an_empty_folder(sides, source):
    (sides.folder / "b").mkdir()
    assert sides.clone("b").files() == source.files()


def test_a_hopeless_clone_leaves_nothing(sides, source, monkeypatch):
    def damaged(*_):
        raise CorruptError("damaged")

    monkeypatch.setattr(LocalRemote, "commits", damaged)
    with pytest.raises(CorruptError):
        sides.clone("b")
    assert not (sides.folder / "b").exists()
    (sides.folder / "c").mkdir()
    with pytest.raises(CorruptError):
        sides.clone("c")
    assert os.listdir(sides.folder / "c") == []


@pytest.mark.parametrize("error", [CorruptError("damaged"), None])
def test_what_someone_else_puts_there_meanwhile_stays(sides, source, monkeypatch, error):
    """A clone that cannot go on leaves nothing of its own; one that is only in somebody's way
    goes on when that is gone."""
    target, real = sides.folder / "b", update.move

    def moved(*args, **options):
        (target / "a.txt").write_bytes(b"of another")
        if error is not None:
            raise error
        return real(*args, **options)

    monkeypatch.setattr("oxcore.verbs.clone.move", moved)
    with pytest.raises(UnsavedError if error is None else CorruptError):
        sides.clone("b")
    assert (target / "a.txt").read_bytes() == b"of another"
    assert sorted(os.listdir(target)) == ([".ox"] if error is None else []) + ["a.txt"]
    monkeypatch.undo()
    (target / "a.txt").unlink()
    side = sides.clone("b")
    assert side.files() == source.files()
    assert side.repo.cloned.resumed == (error is None)


@pytest.mark.parametrize("error", [UnreachableError, StorageError, KeyboardInterrupt])
def test_an_interrupted_clone_goes_on(sides, source, monkeypatch, error):
    with monkeypatch.context() as patch:
        patch.setattr("oxcore.verbs.clone._check_out", _raise(error("now")))
        with pytest.raises(error):
            sides.clone("b")
    assert (sides.folder / "b" / ".ox").exists()
    with pytest.raises(ExistsError):
        sides.clone("b", str(source.root))  # another one is no continuation
    side = sides.clone("b")
    assert side.repo.cloned.resumed
    # Commits come again, for their trees may lack something; what they lead to does not.
    assert side.repo.counters.objects_received == side.repo.cloned.report.commits == 2
    assert side.files() == source.files()
    assert "clone.pending" not in side.core.own_config()


def test_broken_off_after_the_checkout(sides, source, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("oxcore.verbs.clone._settle", _raise(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            sides.clone("b")
    source.commit({"a.txt": "three"})
    source.repo.push()
    side = sides.clone("b")
    assert side.files() == source.files()
    assert side.head() == source.head()
    assert side.repo.status().clean


def test_what_cloned_tells_belongs_to_clone(sides):
    with pytest.raises(UsageError):
        _ = sides.new("a").repo.cloned


def test_the_folder_by_default(tmp_path, monkeypatch, sides, source):
    assert default_folder("http://host/ns/cats/") == "cats"
    assert default_folder("/srv/cats") == "cats"
    for address in ("/", "/srv/.ox"):
        with pytest.raises(InvalidError):
            default_folder(address)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with Repo.clone("../origin", settings=sides.settings()) as repo:
        assert repo.path == str(tmp_path / "here" / "origin")
        assert Side(repo).files() == source.files()


def _raise(error):
    def fail(*_, **__):
        raise error

    return fail
