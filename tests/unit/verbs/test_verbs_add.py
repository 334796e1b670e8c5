"""``add``: what it takes, what it leaves, and what it says about it."""

import os
import socket
import stat
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.errors import InvalidError, NotFoundError, StorageError, UnstableError
from oxcore.model.entries import Mode
from oxcore.model.ids import content_id
from oxcore.store import content


def staged(desk):
    return desk.tree()


def entry(desk, path):
    from oxcore import tree

    return tree.get(desk.core.store, desk.core.stage(), path)


def place(desk, path):
    return os.path.join(os.fsencode(desk.root), path)


# -- fidelity


def test_modes_links_and_odd_names_come_back(desk):
    desk.write(
        {"plain": "x", "run": "#!/bin/sh\n", b"\xff\xfe name": "y", "new\nline": "z", "e": ""}
    )
    os.chmod(desk.root / "run", 0o755)
    os.symlink("plain", desk.root / "link")
    os.symlink("no/such/place", desk.root / "dangling")
    os.symlink(b"\xff", place(desk, b"odd"))
    desk.commit(message="all")
    kept = desk.core.head()
    desk.repo.rm([b"plain", b"run", b"link", b"dangling", b"odd", b"e", b"\xff\xfe name"])
    desk.repo.commit("gone")
    desk.repo.reset(kept.hex(), "hard")
    assert desk.repo.status().clean
    assert os.access(desk.root / "run", os.X_OK)
    assert not os.access(desk.root / "plain", os.X_OK) or os.getuid() == 0
    assert not (desk.root / "plain").stat().st_mode & stat.S_IXUSR
    assert os.readlink(desk.root / "link") == "plain"
    assert os.readlink(desk.root / "dangling") == "no/such/place"
    assert os.readlink(place(desk, b"odd")) == b"\xff"
    assert (desk.root / "e").read_bytes() == b""
    with open(place(desk, b"\xff\xfe name"), "rb") as file:
        assert file.read() == b"y"


def test_the_longest_name_that_a_file_system_holds(desk):
    desk.commit({b"n" * 255: "long"})
    assert desk.clean()
    with pytest.raises(OSError):
        desk.write({b"n" * 256: "longer"})


def test_a_name_that_no_file_system_holds_is_no_file_of_the_work_tree(desk):
    with desk.repo.transaction("main", message="by program") as edits:
        edits.put("short", b"1")
    with pytest.raises(StorageError), desk.repo.transaction("main", message="long") as edits:
        edits.put(b"n" * 256, b"1")
    assert desk.files() == {b"short": b"1"}


def test_ids_are_plain_blake3(desk):
    desk.write({"f": "content"})
    desk.repo.add()
    assert entry(desk, b"f") == (Mode.FILE, 7, content_id(b"content"))


def test_the_executable_bit_alone_is_a_change(desk):
    desk.commit({"f": "x"})
    os.chmod(desk.root / "f", 0o755)
    assert [c.path for c in desk.repo.status().changed.changes] == [b"f"]
    assert desk.repo.add().modified == 1
    assert entry(desk, b"f").mode == Mode.EXEC


# -- what is left aside


def test_specials_are_skipped_and_told(desk, monkeypatch):
    monkeypatch.chdir(desk.root)  # the path of a socket must be short
    desk.write({"f": "x"})
    os.mkfifo(desk.root / "pipe")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("sock")
        result = desk.repo.add()
    assert result.aside.specials == [(b"pipe", "fifo"), (b"sock", "socket")]
    assert staged(desk) == {b"f": b"x"}
    assert desk.repo.add(["pipe"]).aside.specials == [(b"pipe", "fifo")]


def test_a_tracked_file_that_becomes_a_fifo_is_gone(desk):
    desk.commit({"f": "x", "g": "y"})
    os.unlink(desk.root / "f")
    os.mkfifo(desk.root / "f")
    result = desk.repo.add()
    assert (result.removed, result.aside.specials) == (1, [(b"f", "fifo")])
    assert staged(desk) == {b"g": b"y"}


@pytest.mark.parametrize("name", [".ox", ".git", ".GIT", ".Ox"])
def test_nested_repositories_are_never_entered(desk, name):
    desk.write({"sub/f": "x", f"sub/{name}/secret": "y"})
    result = desk.repo.add()
    assert staged(desk) == {b"sub/f": b"x"}
    assert result.aside.nested == [b"sub/" + name.encode()]
    for path in (f"sub/{name}", f"sub/{name}/secret"):
        with pytest.raises(InvalidError):
            desk.repo.add([path])


def test_what_lies_behind_a_link_is_not_ours(desk, tmp_path_factory):
    other = tmp_path_factory.mktemp("elsewhere")
    (other / "f").write_text("theirs")
    (other / "d").mkdir()
    desk.write({"a": "x"})
    os.symlink(other, desk.root / "link")
    desk.repo.add()
    assert staged(desk) == {b"a": b"x", b"link": os.fsencode(other)}
    with pytest.raises(NotFoundError):
        desk.repo.add(["link/f"])
    with pytest.raises(InvalidError):
        desk.repo.add(["link/d"])


def test_ignored_files_stay_out_but_tracked_ones_are_looked_at(desk):
    desk.commit({"log.txt": "1"})
    desk.write({".oxignore": "*.txt\nout/\n", "other.txt": "2", "out/f": "3"})
    desk.write({"log.txt": "changed"})
    desk.repo.add()
    assert staged(desk) == {b"log.txt": b"changed", b".oxignore": b"*.txt\nout/\n"}
    for path in ("other.txt", "out", "out/f", "*her.txt"):
        with pytest.raises(NotFoundError):
            desk.repo.add([path])
    desk.repo.add(["log.txt"])  # clean, ignored, and known


def test_a_file_that_a_rule_brings_back_can_be_named(desk):
    desk.write({".oxignore": "*.txt\n!keep.txt\n", "keep.txt": "1"})
    assert desk.repo.add(["keep.txt"]).added == 1


@pytest.mark.parametrize(
    ("first", "second", "group"),
    [
        ("Photo.png", "photo.png", (b"Photo.png", b"photo.png")),
        ("A/x", "a/y", (b"A", b"a")),
        ("deep/A/b/x", "deep/a", (b"deep/A", b"deep/a")),
        ("caf\u00e9", "cafe\u0301", (b"cafe\xcc\x81", b"caf\xc3\xa9")),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_names_that_some_systems_take_for_one_are_told(desk, first, second, group, at_once):
    desk.write({first: "1"})
    if not at_once:
        assert desk.repo.add().aside.collisions == []
        desk.repo.commit("one")
    desk.write({second: "2"})
    assert group in desk.repo.add().aside.collisions
    assert len(staged(desk)) == 2


def test_a_change_of_case_is_no_collision(desk):
    desk.commit({"Photo.png": "1"})
    os.rename(desk.root / "Photo.png", desk.root / "photo.png")
    result = desk.repo.add()
    assert (result.added, result.removed, result.aside.collisions) == (1, 1, [])


def test_old_collisions_are_not_told_again(desk):
    desk.commit({"A": "1", "a": "2"})
    desk.write({"b": "3"})
    assert desk.repo.add().aside.collisions == []


# -- paths


def test_a_file_takes_the_place_of_a_folder_and_back(desk):
    desk.commit({"d": "file", "e/f/g": "deep", "k": "x"})
    desk.write({"d": None, "e/f/g": None})
    os.rmdir(desk.root / "e/f")
    os.rmdir(desk.root / "e")
    desk.write({"d/x": "inside", "e": "flat"})
    result = desk.repo.add(["d", "e"])
    assert (result.added, result.removed) == (2, 2)
    assert staged(desk) == {b"d/x": b"inside", b"e": b"flat", b"k": b"x"}
    assert not desk.repo.status().changed.total


@pytest.mark.parametrize("pattern", ["d/x", "d/*", "d", "."])
def test_a_file_below_what_was_one_replaces_it_however_it_is_named(desk, pattern):
    desk.commit({"d": "file"})
    desk.write({"d": None})
    desk.write({"d/x": "inside"})
    desk.repo.add([] if pattern == "." else [pattern])
    assert staged(desk) == {b"d/x": b"inside"}
    assert not desk.repo.status().changed.total
    assert desk.repo.add().removed == 0


def test_one_named_file_is_counted_once(desk):
    desk.commit({"d/x": "1", "d/y": "1"})
    desk.write({"d/x": "22", "d/y": "22"})
    assert desk.repo.add(["d/x"]).modified == 1
    desk.write({"d/x": None})
    assert desk.repo.add(["d/x"]).removed == 1
    assert desk.repo.add(["d"]).modified == 1


def test_patterns(desk):
    desk.write({"a.png": "1", "d/b.png": "2", "d/c.txt": "3", "[x]": "4"})
    assert desk.repo.add(["*.png"]).added == 2
    assert desk.repo.add(["[x]"]).added == 1
    assert desk.repo.add(["d/*"]).added == 1
    assert desk.repo.add(["*.png", "d"]).added == 0


def test_what_fits_nothing_is_named_and_nothing_is_staged(desk):
    desk.write({"a": "1"})
    with pytest.raises(NotFoundError, match="'nope'"):
        desk.repo.add(["a", "nope"])
    assert staged(desk) == {}


def test_update_leaves_new_files(desk):
    desk.commit({"a": "1", "b": "2"})
    desk.write({"a": "changed", "b": None, "c": "new"})
    result = desk.repo.add(update=True)
    assert (result.added, result.modified, result.removed) == (0, 1, 1)
    assert desk.repo.status().untracked == {b"c": 1}


def test_a_dry_run_changes_nothing(desk):
    desk.commit({"a": "1"})
    desk.write({"a": "22", "b": "333"})
    before = desk.core.view()
    result = desk.repo.add(dry_run=True)
    assert (result.added, result.modified, result.nbytes) == (1, 1, 5)
    assert desk.core.view() == before


def test_the_same_content_twice_stores_nothing(desk):
    blob = os.urandom(300_000)
    desk.write({"a": blob, "s": "small"})
    desk.repo.add()
    stored = desk.repo.counters.bytes_stored
    chunks = desk.repo.counters.chunks_stored
    desk.write({"b": blob, "t": "small"})
    desk.repo.add()
    assert desk.repo.counters.chunks_stored == chunks
    assert desk.repo.counters.bytes_stored - stored < 1000  # a tree node


def test_a_second_add_reads_no_file(desk):
    desk.commit({f"f{i}": "x" * i for i in range(20)})
    desk.repo.status()
    opened = desk.repo.counters.files_opened
    desk.repo.add()
    assert desk.repo.counters.files_opened == opened


# -- files that do not hold still


def refused_add(desk):
    """What was staged before an `add` that met the writer, and its error.

    On a busy machine the writer may stand still for a whole read: then that `add` is right.
    """
    for _ in range(200):
        before = staged(desk)
        try:
            desk.repo.add()
        except UnstableError as error:
            return before, error
    pytest.fail("no add met the writer")


def after_reads(monkeypatch, act):
    """Call ``act`` after every read of 4000 bytes or more, into a buffer or not."""
    real, real_into = os.read, os.readv

    def read(handle, count):
        data = real(handle, count)
        if count >= 4000:
            act()
        return data

    def read_into(handle, buffers):
        count = real_into(handle, buffers)
        if count >= 4000:
            act()
        return count

    monkeypatch.setattr(os, "read", read)
    monkeypatch.setattr(os, "readv", read_into)


@pytest.mark.parametrize("size", [5000, 300_000, 9 << 20])
def test_a_file_that_keeps_changing_is_named(desk, monkeypatch, size):
    desk.write({"busy": b"0" * size, "calm": "x"})

    def change():
        with open(desk.root / "busy", "r+b", buffering=0) as file:
            file.write(os.urandom(64))

    after_reads(monkeypatch, change)
    with pytest.raises(UnstableError) as caught:
        desk.repo.add()
    assert caught.value.items == ("busy",)
    monkeypatch.undo()
    assert staged(desk) == {}
    desk.repo.add()
    assert set(staged(desk)) == {b"busy", b"calm"}


def test_status_takes_a_file_that_keeps_changing_for_changed(desk, monkeypatch):
    desk.commit({"busy": b"0" * 5000})
    desk.write({"busy": b"1" * 5000})
    real = os.read

    def read(handle, count):
        desk.write({"busy": os.urandom(5000)})
        return real(handle, count)

    monkeypatch.setattr(os, "read", read)
    assert [c.path for c in desk.repo.status().changed.changes] == [b"busy"]


@pytest.mark.parametrize("size", [5000, 300_000, 9 << 20])
def test_a_file_under_a_writer_is_refused_or_read_whole(desk, size):
    desk.write({"busy": b"0" * size})
    stop = threading.Event()

    def scribble():
        with open(desk.root / "busy", "r+b", buffering=0) as file:
            while not stop.is_set():
                file.seek(0)
                file.write(os.urandom(64))

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        for _ in range(3):
            try:
                desk.repo.add()
            except UnstableError as error:
                assert error.items == ("busy",)  # noqa: PT017 -- either end is right
    finally:
        stop.set()
        writer.join()
    desk.repo.add()
    assert staged(desk) == desk.files()


@pytest.mark.parametrize("size", [4000, 200_000, 9 << 20])
@pytest.mark.parametrize("step", [-1, 1])
def test_a_file_that_grows_or_shrinks_while_it_is_read(desk, monkeypatch, size, step):
    """One change, right after the first bytes are read: the second try gets the new state."""
    desk.write({"f": b"a" * size})
    done = []

    def change():
        if not done:
            done.append(True)
            os.truncate(desk.root / "f", size + step * 100)

    after_reads(monkeypatch, change)
    desk.repo.add()
    monkeypatch.undo()
    assert done
    assert entry(desk, b"f").size == size + step * 100
    assert desk.clean() or desk.repo.status().changed.total == 0


@pytest.fixture
def careful(monkeypatch):
    """Every file is taken for one that may have changed since the walk, and read by itself: so it
    is with new ones, but not on a machine that was slow to get here."""
    monkeypatch.setattr(
        "oxcore.verbs.storing.intake.racy_rows", lambda stats, _: list(range(len(list(stats))))
    )


def test_a_file_that_grows_between_the_look_and_the_read_is_cut(desk, monkeypatch, careful):
    """Small when the walk saw it, large when it is read: stored as chunks like any other."""
    from oxcore.verbs.storing import ingest

    desk.write({"f": "small"})
    blob = os.urandom(400_000)
    real = ingest.read_file

    def grown(root, path):
        (desk.root / "f").write_bytes(blob)
        return real(root, path)

    monkeypatch.setattr(ingest, "read_file", grown)
    desk.repo.add()
    assert staged(desk) == {b"f": blob}
    assert len(list(content.chunks(desk.core.store, content_id(blob)))) > 1


def test_a_file_that_vanishes_is_no_trouble(desk, monkeypatch, careful):
    from oxcore.verbs.storing import ingest

    desk.write({"f": "1", "g": "2"})
    real = ingest.read_file

    def late(root, path):
        if path == b"f":
            (desk.root / "f").unlink()
        return real(root, path)

    monkeypatch.setattr(ingest, "read_file", late)
    desk.repo.add()
    assert staged(desk) == {b"g": b"2"}


def test_a_file_that_cannot_be_read_is_named_and_nothing_is_staged(desk, monkeypatch, careful):
    from oxcore.verbs.storing import ingest

    desk.write({"f": "1", "g": "2"})
    real = ingest.read_file

    def broken(root, path):
        if path == b"f":
            raise StorageError("read f: input/output error")
        return real(root, path)

    monkeypatch.setattr(ingest, "read_file", broken)
    with pytest.raises(StorageError, match="1 file cannot be read") as caught:
        desk.repo.add()
    assert caught.value.items == ("f: read f: input/output error",)
    assert staged(desk) == {}


NAMES = st.sampled_from([bytes([letter]) for letter in b"abcdefgh"] + [b"s/a", b"s/b", b"s/c"])


@given(st.lists(st.dictionaries(NAMES, st.none() | st.binary(max_size=3)), min_size=1, max_size=4))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_parts_of_a_directory_are_compared_as_the_whole(desks, monkeypatch, rounds):
    monkeypatch.setattr(sys.modules["oxcore.worktree.scan"], "_PART", 3)
    desk, files = desks(), {}
    for changes in rounds:
        news = {path: data for path, data in changes.items() if data != files.get(path)}
        desk.write(news)
        tracked = {path for path in news if path in files}
        assert desk.repo.status().changed.total == len(tracked)
        files = {path: data for path, data in {**files, **news}.items() if data is not None}
        desk.repo.add()
        assert desk.tree() == files
        assert desk.repo.status().changed.total == 0
