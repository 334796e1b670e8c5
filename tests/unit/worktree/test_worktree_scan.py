"""The walk over real folders: links, special files, names that are no text, what must stay out."""

import os
import shutil
import socket
import stat
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError
from oxcore.model.entries import Mode
from oxcore.worktree import (
    PREFIX,
    Ignore,
    clean_leftovers,
    exists,
    is_temporary,
    pack_stat,
    peek,
    scan,
    temporary_name,
)


def walk(root, **options):
    return list(scan(str(root), Ignore(str(root)), **options))


def found(root, **options):
    return {
        folder.join(name): mode
        for folder in walk(root, **options)
        for name, mode in zip(folder.names, folder.modes, strict=True)
    }


def put(root, path, data=b"x"):
    place = os.path.join(os.fsencode(root), path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "wb") as file:
        file.write(data)
    return place


def test_columns_run_in_step_and_say_what_lstat_says(tmp_path):
    put(tmp_path, b"b.txt", b"four")
    os.chmod(put(tmp_path, b"run.sh"), 0o755)
    os.symlink("b.txt", tmp_path / "link")
    put(tmp_path, b"sub/deep/c")
    folders = walk(tmp_path)
    assert [f.path for f in folders] == [b"", b"sub", b"sub/deep"]
    top = folders[0]
    assert top.names == [b"b.txt", b"link", b"run.sh"]
    assert list(top.modes) == [Mode.FILE, Mode.LINK, Mode.EXEC]
    assert top.folders == [b"sub"]
    for name, packed in zip(top.names, top.packed, strict=True):
        real = os.lstat(os.path.join(os.fsencode(tmp_path), name))
        assert packed == pack_stat(real)
        assert PREFIX.unpack(packed) == (
            real.st_size,
            real.st_mtime_ns,
            real.st_ctime_ns,
            real.st_ino,
        )


def test_only_the_owners_bit_makes_executable(tmp_path):
    os.chmod(put(tmp_path, b"a"), 0o611)
    assert found(tmp_path) == {b"a": Mode.FILE}


def test_links_are_never_followed(tmp_path):
    outside = tmp_path / "outside"
    put(outside, b"secret")
    root = tmp_path / "root"
    root.mkdir()
    os.symlink(outside, root / "door")
    os.symlink(".", root / "loop")
    os.symlink("nowhere", root / "broken")
    assert found(root) == {b"door": 3, b"loop": 3, b"broken": 3}


def test_special_files_are_told_and_skipped(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("plug")
        (folder,) = walk(tmp_path)
    assert folder.names == []
    assert folder.specials == [(b"pipe", "fifo"), (b"plug", "socket")]


def test_devices_are_told_and_skipped(tmp_path):
    try:
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("making a device needs root")
    (folder,) = walk(tmp_path)
    assert folder.specials == [(b"null", "device")]


def test_names_that_are_not_utf8(tmp_path):
    names = [b"caf\xe9", b"\xff\xfe", b"new\nline", b" ", b"\xf0\x9f\x98\x80"]
    for name in names:
        put(tmp_path, b"d/" + name)
    assert list(found(tmp_path)) == [b"d/" + name for name in sorted(names)]


@pytest.mark.parametrize("name", [b".ox", b".git", b".OX", b".Git"])
def test_repositories_inside_are_never_entered(tmp_path, name):
    put(tmp_path, b"sub/" + name + b"/config")
    put(tmp_path, name + b"/config")
    put(tmp_path, b"sub/data")
    folders = walk(tmp_path)
    assert found(tmp_path) == {b"sub/data": 1}
    assert [f.nested for f in folders] == [[], [b"sub/" + name]]


def test_a_git_file_of_a_submodule_is_left_out(tmp_path):
    put(tmp_path, b"sub/.git", b"gitdir: elsewhere")
    put(tmp_path, b"sub/.gitignore")
    assert found(tmp_path) == {b"sub/.gitignore": 1}


def test_hard_links_are_plain_files(tmp_path):
    os.link(put(tmp_path, b"a"), tmp_path / "b")
    assert found(tmp_path) == {b"a": 1, b"b": 1}


def test_temporary_files_are_left_out_but_not_their_lookalikes(tmp_path):
    ours = temporary_name()
    put(tmp_path, b"d/" + ours)
    put(tmp_path, b"d/.ox-tmp-notes")
    folders = walk(tmp_path)
    assert folders[1].leftovers == [b"d/" + ours]
    assert folders[1].names == [b".ox-tmp-notes"]
    assert is_temporary(ours)


def test_only_old_leftovers_are_cleaned(tmp_path):
    old, young = temporary_name(), temporary_name()
    put(tmp_path, young)
    long_ago = time.time() - 3700
    os.utime(put(tmp_path, b"d/" + old), (long_ago, long_ago))
    leftovers = [path for folder in walk(tmp_path) for path in folder.leftovers]
    assert clean_leftovers(str(tmp_path), [*leftovers, b"gone"]) == 1
    assert [path for folder in walk(tmp_path) for path in folder.leftovers] == [young]


def test_a_folder_that_vanishes_is_an_error_not_a_traceback(tmp_path):
    put(tmp_path, b"a/one")
    put(tmp_path, b"b/two")
    steps = scan(str(tmp_path), Ignore(str(tmp_path)))
    next(steps)
    shutil.rmtree(tmp_path / "a")
    rest = list(steps)
    assert [f.path for f in rest] == [b"a", b"b"]
    assert rest[0].errors == [(b"a", "No such file or directory")]
    assert rest[1].names == [b"two"]


def test_an_unreadable_folder_is_an_error(tmp_path, monkeypatch):
    put(tmp_path, b"shut/in")
    put(tmp_path, b"z")
    real = os.listdir

    def refusing(path):
        if path.endswith(b"/shut"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "listdir", refusing)
    folders = walk(tmp_path)
    assert folders[0].names == [b"z"]
    assert folders[1].errors == [(b"shut", "Permission denied")]


def test_start_at_a_folder_a_file_or_nothing(tmp_path):
    put(tmp_path, b"a/b/c")
    put(tmp_path, b"a/d")
    put(tmp_path, b"e")
    assert found(tmp_path, start=b"a/b") == {b"a/b/c": 1}
    (alone,) = walk(tmp_path, start=b"a/d")
    assert (alone.path, alone.names, len(alone.packed)) == (b"a", [b"d"], 1)
    assert walk(tmp_path, start=b"a/nope") == []
    assert walk(tmp_path, start=b"e/under") == []


def test_start_behind_a_link_is_refused(tmp_path):
    put(tmp_path, b"a/b/c")
    os.symlink("a", tmp_path / "door")
    with pytest.raises(InvalidError):
        walk(tmp_path, start=b"door/b")
    assert found(tmp_path, start=b"door") == {b"door": 3}


def test_ignored_folders_are_not_entered(tmp_path):
    put(tmp_path, b"build/x")
    put(tmp_path, b"a.pyc")
    put(tmp_path, b"keep/b.pyc")
    put(tmp_path, b".oxignore", b"/build/\n*.pyc\n")
    put(tmp_path, b"keep/.oxignore", b"!b.pyc\n")
    folders = walk(tmp_path)
    assert [f.path for f in folders] == [b"", b"keep"]
    assert folders[0].ignored == [b"a.pyc", b"build/"]
    assert folders[1].names == [b".oxignore", b"b.pyc"]


def test_start_inside_what_is_ignored_gives_nothing(tmp_path):
    put(tmp_path, b"build/x/y")
    put(tmp_path, b".oxignore", b"build\n")
    (folder,) = walk(tmp_path, start=b"build/x")
    assert (folder.names, folder.ignored) == ([], [b"build/x/"])
    (folder,) = walk(tmp_path, start=b"build/x/y")
    assert (folder.names, folder.ignored) == ([], [b"build/x/y"])


def test_peek_sees_files_and_links_only(tmp_path):
    place = put(tmp_path, b"a/b", b"123")
    os.symlink("a", tmp_path / "door")
    os.mkfifo(tmp_path / "pipe")
    assert peek(str(tmp_path), b"a/b") == (1, pack_stat(os.lstat(place)))
    assert peek(str(tmp_path), b"door").mode == Mode.LINK
    for path in (b"a", b"door/b", b"a/b/c", b"nope", b"pipe", b"x/y"):
        assert peek(str(tmp_path), path) is None
    assert exists(str(tmp_path), b"pipe")
    assert exists(str(tmp_path), b"a")
    assert not exists(str(tmp_path), b"door/b")


name = st.binary(min_size=1, max_size=6).filter(
    lambda n: not {0, 47} & set(n) and n not in {b".", b".."} and n.lower() not in {b".ox", b".git"}
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(name, min_size=1, max_size=3), max_size=8))
def test_every_file_is_found_once_in_order(tmp_path_factory, parts):
    root = tmp_path_factory.mktemp("walk")
    expected = set()
    for one in parts:
        path = b"/".join(one)
        try:
            put(root, path)
        except (IsADirectoryError, NotADirectoryError, FileExistsError):
            continue
        expected.add(path)
    folders = walk(root)
    assert set(found(root)) == expected
    assert sum(len(f.names) for f in folders) == len(expected)
    for folder in folders:
        assert folder.names == sorted(folder.names)
        assert len(folder.names) == len(folder.packed) == len(folder.modes)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_large_directory_comes_in_parts(tmp_path, monkeypatch, size):
    paths = [b"a", b"b/x", b"b/y", b"c", b"d/x", b"e", b"f", b".hidden", b"g/h/i", b"z"]
    for path in paths:
        put(tmp_path, path)
    os.mkfifo(tmp_path / "pipe")
    whole = found(tmp_path)
    [top] = [folder for folder in walk(tmp_path) if not folder.path]
    monkeypatch.setattr(sys.modules["oxcore.worktree.scan"], "_PART", size)
    parts = [folder for folder in walk(tmp_path) if not folder.path]
    assert found(tmp_path) == whole
    assert list(found(tmp_path)) == list(whole)
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    assert len(parts) == -(-10 // size)  # six files, three folders, a fifo
    for column in ("names", "packed", "modes", "folders", "specials"):
        assert [x for part in parts for x in getattr(part, column)] == list(getattr(top, column))
