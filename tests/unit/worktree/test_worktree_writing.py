"""The writer against everything that may lie in its way."""

import os
import resource
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from oxcore.errors import CorruptError, InvalidError, StorageError, UnsavedError
from oxcore.model.entries import Entry, Mode
from oxcore.worktree import Ignore, Places, Writer, clean_leftovers, pack_stat, peek, scan
from oxcore.worktree import renames as renames_module

ID = bytes(32)


def entry(data, mode=Mode.FILE):
    return Entry(mode, len(data), ID)


def write(root, path, data, *, mode=Mode.FILE, expect=None):
    with Writer(str(root)) as writer:
        return writer.write(path, entry(data, mode), data, expect=expect)


def stat_of(root, path):
    return peek(str(root), path).stat


def leftovers(root):
    names = [n for _, folders, files in os.walk(root) for n in folders + files]
    return [n for n in names if n.startswith(".ox-tmp-")]


def test_new_file_in_new_folders(tmp_path):
    stat = write(tmp_path, b"a/b/c.txt", b"data")
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"data"
    assert stat == pack_stat(os.lstat(tmp_path / "a/b/c.txt"))
    assert leftovers(tmp_path) == []


def test_pieces_are_written_as_they_come(tmp_path):
    with Writer(str(tmp_path)) as writer:
        writer.write(b"f", Entry(Mode.FILE, 6, ID), iter([b"ab", b"", b"cdef"]))
    assert (tmp_path / "f").read_bytes() == b"abcdef"


def test_modes_follow_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write(tmp_path, b"plain", b"")
        write(tmp_path, b"run", b"", mode=Mode.EXEC)
    finally:
        os.umask(old)
    assert os.stat(tmp_path / "plain").st_mode & 0o777 == 0o640
    assert os.stat(tmp_path / "run").st_mode & 0o777 == 0o750


def test_links_and_names_that_are_no_text(tmp_path):
    stat = write(tmp_path, b"d/\xff\n", b"\xfe target", mode=Mode.LINK)
    place = os.fsencode(tmp_path) + b"/d/\xff\n"
    assert os.readlink(place) == b"\xfe target"
    assert stat == pack_stat(os.lstat(place))


def test_the_expected_is_replaced_whatever_it_is(tmp_path):
    write(tmp_path, b"f", b"one")
    write(tmp_path, b"f", b"two", expect=stat_of(tmp_path, b"f"))
    write(tmp_path, b"f", b"to", mode=Mode.LINK, expect=stat_of(tmp_path, b"f"))
    assert os.readlink(tmp_path / "f") == "to"
    write(tmp_path, b"f", b"four", expect=stat_of(tmp_path, b"f"))
    assert (tmp_path / "f").read_bytes() == b"four"


def test_a_link_is_replaced_not_written_through(tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    root = tmp_path / "root"
    root.mkdir()
    os.symlink(outside, root / "f")
    write(root, b"f", b"new", expect=stat_of(root, b"f"))
    assert outside.read_bytes() == b"mine"
    assert not (root / "f").is_symlink()


@pytest.mark.parametrize("what", ["file", "link", "broken", "folder", "fifo"])
def test_nothing_was_expected_but_something_is_there(tmp_path, what):
    place = tmp_path / "d" / "f"
    place.parent.mkdir()
    make = {
        "file": lambda: place.write_bytes(b"mine"),
        "link": lambda: place.symlink_to("."),
        "broken": lambda: place.symlink_to("nowhere"),
        "folder": place.mkdir,
        "fifo": lambda: os.mkfifo(place),
    }
    make[what]()
    before = os.lstat(place)
    with pytest.raises(UnsavedError) as caught:
        write(tmp_path, b"d/f", b"new")
    assert caught.value.items == ("d/f",)
    assert os.lstat(place) == before
    assert leftovers(tmp_path) == []


def test_a_file_changed_since_the_look_stays(tmp_path):
    place = tmp_path / "f"
    place.write_bytes(b"one")
    seen = stat_of(tmp_path, b"f")
    place.write_bytes(b"edited")
    with pytest.raises(UnsavedError):
        write(tmp_path, b"f", b"new", expect=seen)
    with Writer(str(tmp_path)) as writer, pytest.raises(UnsavedError):
        writer.remove(b"f", expect=seen)
    assert place.read_bytes() == b"edited"


def test_a_file_put_there_between_look_and_rename_stays(tmp_path, monkeypatch):
    """The race itself: someone creates the file when the writer is about to rename."""
    real = renames_module.rename_new()

    def late(folder, old, new):
        (tmp_path / "f").write_bytes(b"mine")
        real(folder, old, new)

    monkeypatch.setattr("oxcore.worktree.placing.rename_new", lambda: late)
    with pytest.raises(UnsavedError):
        write(tmp_path, b"f", b"new")
    assert (tmp_path / "f").read_bytes() == b"mine"
    assert leftovers(tmp_path) == []


def test_a_file_replaced_while_its_content_streams_stays(tmp_path):
    place = tmp_path / "f"
    place.write_bytes(b"one")
    seen = stat_of(tmp_path, b"f")

    def pieces():
        yield b"ne"
        (tmp_path / "g").write_bytes(b"edi")
        os.replace(tmp_path / "g", place)
        yield b"w"

    with Writer(str(tmp_path)) as writer, pytest.raises(UnsavedError):
        writer.write(b"f", Entry(1, 3, ID), pieces(), expect=seen)
    assert place.read_bytes() == b"edi"


def _swapping(monkeypatch, before):
    """Let ``before`` happen right before two files exchange their names, the first time."""
    real, first = renames_module.exchange(), [before]

    def late(folder, one, two):
        while first:
            first.pop()()
        return real(folder, one, two)

    monkeypatch.setattr("oxcore.worktree.placing.exchange", lambda: late)


def test_a_file_changed_between_look_and_exchange_comes_back(tmp_path, monkeypatch):
    place = tmp_path / "f"
    place.write_bytes(b"one")
    seen = stat_of(tmp_path, b"f")
    _swapping(monkeypatch, lambda: place.write_bytes(b"edited"))
    with pytest.raises(UnsavedError):
        write(tmp_path, b"f", b"new", expect=seen)
    assert place.read_bytes() == b"edited"
    assert leftovers(tmp_path) == []


def test_a_folder_put_there_between_look_and_exchange_comes_back(tmp_path, monkeypatch):
    place = tmp_path / "f"
    place.write_bytes(b"one")
    seen = stat_of(tmp_path, b"f")

    def become_folder():
        place.unlink()
        place.mkdir()
        (place / "mine").write_bytes(b"2")

    _swapping(monkeypatch, become_folder)
    with pytest.raises(UnsavedError):
        write(tmp_path, b"f", b"new", expect=seen)
    assert (place / "mine").read_bytes() == b"2"
    assert leftovers(tmp_path) == []


def test_what_cannot_get_its_name_back_is_not_removed(tmp_path, monkeypatch):
    place = tmp_path / "f"
    place.write_bytes(b"one")
    seen = stat_of(tmp_path, b"f")
    real, calls = renames_module.exchange(), []

    def once(folder, one, two):
        calls.append(one)
        if len(calls) > 1:
            raise OSError(5, "Input/output error")
        place.write_bytes(b"edited")
        return real(folder, one, two)

    monkeypatch.setattr("oxcore.worktree.placing.exchange", lambda: once)
    with pytest.raises(StorageError):
        write(tmp_path, b"f", b"new", expect=seen)
    assert b"edited" in {(tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}


@pytest.mark.parametrize("size", [3, 17 << 20])
@pytest.mark.parametrize("able", [True, False])
def test_a_file_takes_the_place_of_another(tmp_path, monkeypatch, size, able):
    """With and without a file system that exchanges; large ones are freed beside."""
    before = threading.active_count()
    if not able:
        monkeypatch.setattr("oxcore.worktree.placing.exchange", lambda: renames_module._cannot)
    place = tmp_path / "f"
    with open(place, "wb") as file:
        file.truncate(size)
    with open(place, "rb") as reader:
        stat = write(tmp_path, b"f", b"new", expect=stat_of(tmp_path, b"f"))
        assert os.fstat(reader.fileno()).st_nlink == 0, "the old one has no name left"
    assert place.read_bytes() == b"new"
    assert stat == pack_stat(os.lstat(place))
    assert leftovers(tmp_path) == []
    assert threading.active_count() == before, "the writer waits for what it frees"


@pytest.mark.parametrize("rename", [renames_module._by_link, renames_module._by_look])
def test_renames_without_the_system_call(tmp_path, rename):
    (tmp_path / "a").write_bytes(b"1")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        rename(folder, b"a", b"b")
        assert os.listdir(tmp_path) == ["b"]
        (tmp_path / "a").write_bytes(b"2")
        with pytest.raises(FileExistsError):
            rename(folder, b"a", b"b")
        assert (tmp_path / "b").read_bytes() == b"1"
    finally:
        os.close(folder)


def test_a_file_that_is_gone_is_no_obstacle(tmp_path):
    write(tmp_path, b"f", b"one")
    seen = stat_of(tmp_path, b"f")
    os.unlink(tmp_path / "f")
    write(tmp_path, b"f", b"two", expect=seen)
    with Writer(str(tmp_path)) as writer:
        assert not writer.remove(b"gone", expect=seen)
        assert not writer.remove(b"no/where", expect=seen)
    assert os.listdir(tmp_path) == ["f"]


def test_never_through_a_linked_folder(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_bytes(b"mine")
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    os.symlink(outside, root / "d")
    os.symlink(outside, root / "deep" / "d")
    for path in (b"d/new", b"d/f", b"deep/d/x/y"):
        with pytest.raises(UnsavedError):
            write(root, path, b"evil")
    with Writer(str(root)) as writer, pytest.raises(UnsavedError):
        writer.remove(b"d/f", expect=pack_stat(os.lstat(outside / "f")))
    assert os.listdir(outside) == ["f"]


def test_a_folder_swapped_for_a_link_meanwhile_leads_nowhere(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)

    def pieces():
        os.rename(root / "d", root / "moved")
        os.symlink(outside, root / "d")
        yield b"x"

    with Writer(str(root)) as writer:
        writer.write(b"d/f", Entry(1, 1, ID), pieces())
    assert os.listdir(outside) == []
    assert os.listdir(root / "moved") == ["f"]


@pytest.mark.parametrize(
    "path", [b"../x", b"/x", b"a/../../x", b".ox/x", b"a/.GIT/x", b"", b"a//b"]
)
def test_paths_that_leave_or_enter_what_is_ours(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(InvalidError):
        write(root, path, b"x")
    assert os.listdir(tmp_path) == ["root"]
    assert os.listdir(root) == []


def test_a_file_in_place_of_a_parent_is_unsaved_work(tmp_path):
    (tmp_path / "a").write_bytes(b"mine")
    with pytest.raises(UnsavedError):
        write(tmp_path, b"a/b", b"new")
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_folders_that_become_empty_go_but_never_the_root(tmp_path):
    for path in (b"a/b/c", b"a/b/d", b"a/keep/e", b"x"):
        write(tmp_path, path, b"")
    (tmp_path / "a/keep/untracked").touch()
    with Writer(str(tmp_path)) as writer:
        for path in (b"a/b/c", b"a/b/d", b"a/keep/e", b"x"):
            assert writer.remove(path, expect=stat_of(tmp_path, path))
    assert sorted(os.listdir(tmp_path)) == ["a"]
    assert os.listdir(tmp_path / "a") == ["keep"]
    assert os.listdir(tmp_path / "a/keep") == ["untracked"]


def test_a_file_takes_the_place_of_a_folder_and_back(tmp_path):
    write(tmp_path, b"a/b/c", b"deep")
    with Writer(str(tmp_path)) as writer:
        writer.remove(b"a/b/c", expect=stat_of(tmp_path, b"a/b/c"))
        writer.write(b"a", entry(b"flat"), b"flat")
    assert (tmp_path / "a").read_bytes() == b"flat"
    with Writer(str(tmp_path)) as writer:
        writer.remove(b"a", expect=stat_of(tmp_path, b"a"))
        writer.write(b"a/b/c", entry(b"deep"), b"deep")
    assert (tmp_path / "a/b/c").read_bytes() == b"deep"


@pytest.mark.parametrize("content", [b"abc", [b"a", b"bc"], [b"abcdefgh"], b""])
@pytest.mark.parametrize("mode", [Mode.FILE, Mode.LINK])
def test_content_of_another_size_never_arrives(tmp_path, content, mode):
    with Writer(str(tmp_path)) as writer, pytest.raises(CorruptError):
        writer.write(b"f", Entry(mode, 5, ID), content)
    assert os.listdir(tmp_path) == []


def test_content_that_breaks_off_leaves_the_old_file(tmp_path):
    write(tmp_path, b"f", b"old")

    def pieces():
        yield b"n"
        raise CorruptError("broken")

    with Writer(str(tmp_path)) as writer, pytest.raises(CorruptError):
        writer.write(b"f", Entry(1, 3, ID), pieces(), expect=stat_of(tmp_path, b"f"))
    assert (tmp_path / "f").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """Really full: a file system of 64 KiB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("mounting needs root")
    try:
        write(tmp_path, b"f", b"old")
        with pytest.raises(StorageError) as caught:
            write(tmp_path, b"f", bytes(100_000), expect=stat_of(tmp_path, b"f"))
        assert "space" in caught.value.hint
        assert (tmp_path / "f").read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["f"]
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_limit_on_file_size_leaves_the_old_file(tmp_path):
    write(tmp_path, b"f", b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(StorageError):
            write(tmp_path, b"f", bytes(20_000), expect=stat_of(tmp_path, b"f"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / "f").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["f"]


def test_a_missing_root_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError):
        Writer(str(tmp_path / "nope"))


@pytest.mark.parametrize("there", [False, True])
def test_a_killed_writer_leaves_whole_files_and_known_leftovers(tmp_path, there):
    """In a folder that was there, the whole ones; a new one is not there until all are."""
    code = (
        "import os, sys\n"
        "from oxcore.model.entries import Entry\n"
        "from oxcore.worktree import Writer\n"
        "def pieces():\n"
        "    yield b'half'\n"
        "    os.kill(os.getpid(), 9)\n"
        "writer = Writer(sys.argv[1])\n"
        "writer.write(b'd/whole', Entry(1, 5, bytes(32)), b'whole')\n"
        "writer.write(b'd/f', Entry(1, 8, bytes(32)), pieces())\n"
    )
    if there:
        (tmp_path / "d").mkdir()
    assert subprocess.run([sys.executable, "-c", code, tmp_path], check=False).returncode == -9
    folders = list(scan(str(tmp_path), Ignore(str(tmp_path))))
    assert [folder.names for folder in folders] == ([[], [b"whole"]] if there else [[]])
    left = [path for folder in folders for path in folder.leftovers]
    assert len(left) == 1
    assert clean_leftovers(str(tmp_path), left, older_than=0) == 1
    assert leftovers(tmp_path) == []


def test_a_new_folder_shows_when_it_is_whole(tmp_path):
    with Writer(str(tmp_path)) as writer:
        for path in (b"d/a", b"d/e/f", b"d/g"):
            writer.write(path, entry(b"1"), b"1")
            assert not (tmp_path / "d").exists()
        writer.write(b"x", entry(b"1"), b"1")
        assert sorted(os.listdir(tmp_path / "d")) == ["a", "e", "g"]
    assert sorted(os.listdir(tmp_path)) == ["d", "x"]


def test_a_new_folder_goes_where_the_writing_fails(tmp_path):
    with pytest.raises(CorruptError), Writer(str(tmp_path)) as writer:
        writer.write(b"d/a", entry(b"1"), b"1")
        writer.write(b"d/e/f", entry(b"1"), b"longer")
    assert os.listdir(tmp_path) == []


def test_someone_makes_the_same_folder_meanwhile(tmp_path):
    """What is theirs stays; what is ours goes in beside it."""
    with Writer(str(tmp_path)) as writer:
        for path in (b"d/a", b"d/e/f", b"d/g/h"):
            writer.write(path, entry(b"1"), b"1")
        (tmp_path / "d/e").mkdir(parents=True)
        (tmp_path / "d/e/mine").write_bytes(b"mine")
    assert (tmp_path / "d/e/mine").read_bytes() == b"mine"
    for path in ("d/a", "d/e/f", "d/g/h"):
        assert (tmp_path / path).read_bytes() == b"1"
    assert os.listdir(tmp_path) == ["d"]


@pytest.mark.parametrize("theirs", ["d", "d/e", "d/e/f"])
def test_someone_puts_a_file_in_place_of_a_new_folder(tmp_path, theirs):
    writer = Writer(str(tmp_path))
    writer.write(b"d/e/f", entry(b"1"), b"1")
    place = tmp_path / theirs
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"mine")
    with pytest.raises(UnsavedError):
        writer.close()
    assert place.read_bytes() == b"mine"
    assert leftovers(tmp_path) == []
    assert os.listdir(tmp_path) == ["d"]


def test_someone_puts_a_link_in_place_of_a_new_folder(tmp_path):
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    writer = Writer(str(root))
    writer.write(b"d/f", entry(b"1"), b"1")
    os.symlink(outside, root / "d")
    with pytest.raises(UnsavedError):
        writer.close()
    assert os.listdir(outside) == []
    assert os.listdir(root) == ["d"]


def test_names_that_the_file_system_takes_for_one(tmp_path):
    """Two entries under one name: the second is refused, in a new folder as elsewhere."""
    with pytest.raises(UnsavedError), Writer(str(tmp_path)) as writer:
        writer.write(b"d/f", entry(b"1"), b"1")
        writer.write(b"d/f", entry(b"2"), b"2")
    assert os.listdir(tmp_path) == []


def test_what_a_file_in_a_new_folder_costs(tmp_path, monkeypatch):
    """One open, write, fstat and close; a rename for all of them together."""
    calls = []
    for name in ("open", "write", "fstat", "close", "rename", "stat", "lstat", "unlink", "link"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *a, _real=real, _name=name, **k: calls.append(_name) or _real(*a, **k)
        )
    with Writer(str(tmp_path)) as writer:
        writer.write(b"d/first", entry(b"1"), b"1")
        calls.clear()
        for number in range(100):
            writer.write(b"d/%d" % number, entry(b"1"), b"1")
        assert calls == ["open", "write", "fstat", "close"] * 100
        calls.clear()
    assert calls.count("rename") == 1


def test_many_folders_do_not_use_up_the_handles(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    with Writer(str(tmp_path)) as writer:
        for number in range(300):
            writer.write(b"d%d/e/f" % number, entry(b"x"), b"x")
        assert len(os.listdir("/proc/self/fd")) < before + 80
        writer.write(b"/".join([b"n"] * 400), entry(b"x"), b"x")  # pytest removes no deeper one
    assert len(os.listdir("/proc/self/fd")) == before
    assert (tmp_path / "d0/e/f").read_bytes() == b"x"


def test_an_edit_right_after_close_shows_in_the_stat(tmp_path):
    for turn in range(20):
        path = b"f%d" % turn
        stat = write(tmp_path, path, b"one")
        (tmp_path / path.decode()).write_bytes(b"two")
        assert stat_of(tmp_path, path) != stat


names = st.sampled_from([b"a", b"b", b"a/a", b"a/b", b"b/a/a", b"b/a/b", b"c/\xff"])


class AgainstADict(RuleBasedStateMachine):
    """Random writes, removals and edits by the user, against a plain dict of what must be there."""

    def __init__(self):
        super().__init__()
        self.root = AgainstADict.factory.mktemp("machine")
        self.model = {}
        self.known = {}

    @rule(path=names, data=st.binary(max_size=4), mode=st.sampled_from([Mode.FILE, Mode.EXEC]))
    def write(self, path, data, mode):
        fits = self._open_path(path) and (
            path not in self.model or self.known.get(path) == stat_of(self.root, path)
        )
        try:
            self.known[path] = write(self.root, path, data, mode=mode, expect=self.known.get(path))
        except UnsavedError:
            assert not fits
        else:
            assert fits
            self.model[path] = (data, mode)

    @rule(path=names)
    def remove(self, path):
        with Writer(str(self.root)) as writer:
            try:
                removed = writer.remove(path, expect=self.known.get(path))
            except UnsavedError:
                assert self.model
            else:
                assert removed == (self.model.pop(path, None) is not None)
        self.known.pop(path, None)

    @rule(path=names, data=st.binary(max_size=4))
    def edit(self, path, data):
        if path in self.model:
            place = os.path.join(os.fsencode(self.root), path)
            with open(place, "r+b") as file:
                file.truncate()
                file.write(data)
            self.model[path] = (data, self.model[path][1])

    @invariant()
    def nothing_else_is_there(self):
        found = {}
        for folder in scan(str(self.root), Ignore(str(self.root))):
            assert not folder.leftovers
            for name, mode in zip(folder.names, folder.modes, strict=True):
                path = folder.join(name)
                with open(os.path.join(os.fsencode(self.root), path), "rb") as file:
                    found[path] = (file.read(), mode)
            assert folder.names or folder.folders or not folder.path
        assert found == self.model

    def _open_path(self, path):
        return not any(
            path.startswith(other + b"/") or other.startswith(path + b"/") for other in self.model
        )


@pytest.fixture(autouse=True, scope="module")
def _factory(tmp_path_factory):
    AgainstADict.factory = tmp_path_factory


TestAgainstADict = AgainstADict.TestCase
TestAgainstADict.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_looking_at_many_places(tmp_path):
    (tmp_path / "d/sub").mkdir(parents=True)
    (tmp_path / "d/file").write_bytes(b"1")
    os.symlink("d", tmp_path / "link")
    with Places(str(tmp_path)) as look:
        assert look.many(b"none/deep", [b"x"]) is None
        assert look.many(b"link", [b"file"]) is None, "what lies behind a link is not there"
        assert look.many(b"d/file", [b"x"]) is None, "nor under a file"
        assert look.many(b"d", [b"x", b"y"]) is None, "two names were asked for, and two others are"
        for names in ([b"file", b"sub", b"x"], [b"x", b"sub", b"file", b"y"]):
            seen = dict(zip(names, look.many(b"d", names), strict=True))
            assert seen[b"file"] == peek(str(tmp_path), b"d/file")
            assert seen[b"sub"].mode == 0
            assert seen[b"x"] is None
        assert look.many(b"", [b"link"])[0].mode == Mode.LINK


def test_a_folder_is_listed_only_where_that_is_cheaper(tmp_path, monkeypatch):
    """One listing in place of a look a file, and not of a folder that holds more."""
    for number in range(40):
        (tmp_path / f"f{number}").touch()
    calls = []
    real = os.stat
    monkeypatch.setattr(os, "stat", lambda *a, **k: calls.append(a) or real(*a, **k))
    with Places(str(tmp_path)) as look:
        assert look.many(b"", [b"n%d" % number for number in range(50)]) is None
        assert not calls
        assert look.many(b"", [b"n%d" % number for number in range(30)]) == [None] * 30
        assert len(calls) == 30
