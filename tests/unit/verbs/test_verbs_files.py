"""Files of any version: list, read, open."""

import os

import pytest

from oxcore.errors import NotFoundError
from oxcore.model.entries import Mode
from oxcore.model.ids import content_id
from oxcore.verbs.show import ShownCommit, ShownFile, ShownFolder


@pytest.fixture
def full(desk):
    desk.commit({"a.txt": "one", "d/b": os.urandom(300_000), "d/e/f": "", "z": "z"}, "first")
    desk.commit({"a.txt": "two"}, "second")
    return desk


def test_read_at_any_revision(full):
    repo = full.repo
    assert repo.read("a.txt") == b"two"
    assert repo.read(b"a.txt", "HEAD~1") == b"one"
    assert repo.read("d/e/f") == b""
    assert b"".join(repo.cat("d/b")) == (full.root / "d/b").read_bytes()
    assert repo.entry("d/b").id == content_id((full.root / "d/b").read_bytes())


def test_open_and_seek(full):
    data = (full.root / "d/b").read_bytes()
    with full.repo.open_file("d/b") as file:
        assert file.read(10) == data[:10]
        file.seek(-20, os.SEEK_END)
        assert file.read() == data[-20:]
        file.seek(150_000)
        assert file.read(70_000) == data[150_000:220_000]


def test_what_is_not_there(full):
    for path in ("nope", "d", "a.txt/x", ""):
        with pytest.raises(NotFoundError):
            full.repo.read(path)
    for path in ("nope", "a.txt/x"):
        with pytest.raises(NotFoundError):
            full.repo.ls(path)
    with pytest.raises(NotFoundError):
        full.repo.read("a.txt", "nope")


def test_ls_counts_what_is_below(full):
    found = [(item.path, item.files, item.size) for item in full.repo.ls()]
    assert found == [(b"a.txt", 1, 3), (b"d/", 2, 300_000), (b"z", 1, 1)]
    assert [item.path for item in full.repo.ls("d")] == [b"d/b", b"d/e/"]
    assert [item.path for item in full.repo.ls("d/", recursive=True)] == [b"d/b", b"d/e/f"]
    assert [item.path for item in full.repo.ls("a.txt")] == [b"a.txt"]
    assert [path for path, _ in full.repo.walk("HEAD~1", "d")] == [b"d/b", b"d/e/f"]


def test_the_stage_is_a_version(full):
    full.write({"new": "3"})
    full.repo.add(["new"])
    assert full.repo.read("new", ":") == b"3"
    assert not full.repo.exists("new")
    assert full.repo.exists("new", ":")
    assert full.repo.exists("d")


def test_an_empty_repository_has_an_empty_stage(desk):
    assert list(desk.repo.ls(rev=":")) == []
    with pytest.raises(NotFoundError):
        desk.repo.ls()


def test_a_link_gives_its_target(desk):
    os.symlink("nowhere", desk.root / "link")
    desk.commit({}, "link")
    assert desk.repo.entry("link").mode == Mode.LINK
    assert desk.repo.read("link") == b"nowhere"


def test_show_tells_what_it_is(full):
    found = full.repo.show()
    assert isinstance(found, ShownCommit)
    assert (found.files, found.size) == (4, 300_004)
    assert [c.path for c in found.changes()] == [b"a.txt"]
    text = full.repo.show("HEAD~1:a.txt")
    assert isinstance(text, ShownFile)
    assert text.text
    assert not full.repo.show("HEAD:d/b").text
    folder = full.repo.show("HEAD:d")
    assert isinstance(folder, ShownFolder)
    assert [item.path for item in folder.items] == [b"d/b", b"d/e/"]
    assert isinstance(full.repo.show(":z"), ShownFile)
    with pytest.raises(NotFoundError):
        full.repo.show("HEAD:nope")


def test_info_of_paths(full):
    one = full.repo.path_info("a.txt")
    assert (one.first[1].title, one.last[1].title) == ("first", "second")
    assert (one.usage.files, one.usage.chunks, one.usage.logical) == (1, 1, 3)
    folder = full.repo.path_info("d")
    assert folder.entry is None
    assert (folder.usage.files, folder.last[1].title) == (2, "first")
    assert full.repo.path_info("").usage.files == 4
    with pytest.raises(NotFoundError):
        full.repo.path_info("nope")


def test_a_name_with_wildcards_is_just_a_name(desk):
    desk.commit({"a[1]": "x"}, "first")
    desk.commit({"a1": "y"}, "second")
    assert desk.repo.path_info("a[1]").last[1].title == "first"


def test_info_of_the_repository(full):
    facts = full.repo.info()
    assert (facts.files, facts.commits, facts.branches, facts.tags) == (4, 2, 1, 0)
    assert facts.objects["commit"].count == 2
    assert facts.objects["file"].count == 1
    assert facts.pack_bytes > 300_000
    assert facts.head == full.core.head()


def test_info_of_an_empty_repository(desk):
    facts = desk.repo.info()
    assert (facts.head, facts.files, facts.commits) == (None, 0, 0)
