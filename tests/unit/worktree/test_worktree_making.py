"""Several large files in the making at once: each is proved before it shows, or leaves nothing."""

import os
import threading
import time

import pytest
from blake3 import blake3

from oxcore.errors import CorruptError, StorageError, UnsavedError
from oxcore.model.entries import Entry, Mode
from oxcore.model.extents import Extents
from oxcore.worktree import Writer, making, pack_stat, peek

BAD = bytes(32)


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path):
    """Whatever happens: no thread, no handle, no temporary file."""
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    yield
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before
    assert [name for _, d, names in os.walk(tmp_path) for name in d + names if "tmp" in name] == []


def begin(writer, path, data, *, oid=None, expect=None, mode=Mode.FILE):
    whole = b"".join(data[:])
    entry = Entry(mode, len(whole), oid or blake3(whole).digest())
    return writer.begin(path, entry, Extents(data), expect=expect)


class Slow(list):
    """Content whose last piece takes a while; ``look`` is called right before it comes."""

    def __init__(self, pieces, look=lambda: None):
        super().__init__(pieces)
        self._look = look

    def __iter__(self):
        yield from self[:-1]
        time.sleep(0.1)
        self._look()
        yield self[-1]


def stat_of(root, path):
    return peek(str(root), path).stat


def test_two_at_once_and_others_meanwhile(tmp_path):
    (tmp_path / "b").write_bytes(b"old")
    with Writer(str(tmp_path)) as writer:
        one = begin(writer, b"a", Slow([b"1", b"11"]), mode=Mode.EXEC)
        two = begin(writer, b"b", [b"2", b"22"], expect=stat_of(tmp_path, b"b"))
        writer.write(b"c/small", Entry(Mode.FILE, 1, BAD), b"3")
        assert (tmp_path / "b").read_bytes() == b"old"
        stats = {b"a": writer.finish(one), b"b": writer.finish(two)}
    assert (tmp_path / "a").read_bytes() == b"111"
    assert os.access(tmp_path / "a", os.X_OK)
    assert (tmp_path / "b").read_bytes() == b"222"
    assert stats == {path: stat_of(tmp_path, path) for path in stats}
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]


def test_a_new_folder_does_not_show_before_what_is_in_it_is_proved(tmp_path):
    shown = []
    with Writer(str(tmp_path)) as writer:
        slow = Slow([b"1", b"2"], lambda: shown.append((tmp_path / "d").exists()))
        good, bad = begin(writer, b"d/e/good", slow), begin(writer, b"d/bad", [b"3"], oid=BAD)
        writer.write(b"x", Entry(Mode.FILE, 1, BAD), b"x")
        assert shown == [False]
        assert os.listdir(tmp_path / "d") == ["e"]
        assert writer.finish(good) == stat_of(tmp_path, b"d/e/good")
        with pytest.raises(CorruptError):
            writer.finish(bad)
        writer.write(b"d/bad", Entry(Mode.FILE, 5, BAD), b"again")
    assert (tmp_path / "d/e/good").read_bytes() == b"12"
    assert (tmp_path / "d/bad").read_bytes() == b"again"


@pytest.mark.parametrize("folder", [b"", b"new/"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_one_that_is_not_what_its_id_says(tmp_path, folder, which):
    (tmp_path / "kept").write_bytes(b"kept")
    with Writer(str(tmp_path)) as writer:
        begun = [
            begin(writer, folder + b"%d" % at, [b"%d" % at], oid=BAD if at == which else None)
            for at in range(3)
        ]
        for at, made in enumerate(begun):
            if at != which:
                writer.finish(made)
                continue
            with pytest.raises(CorruptError):
                writer.finish(made)
    expected = {"0", "1", "2"} - {str(which)}
    assert set(os.listdir(tmp_path / folder.decode())) - {"kept"} - {"new"} == expected


@pytest.mark.parametrize("there", [False, True])
def test_what_is_put_in_the_way_meanwhile_stays(tmp_path, there):
    if there:
        (tmp_path / "a").write_bytes(b"old")
    expect = stat_of(tmp_path, b"a") if there else None
    with Writer(str(tmp_path)) as writer:
        one = begin(writer, b"a", [b"1"], expect=expect)
        two = begin(writer, b"b", [b"2"])
        (tmp_path / "a").write_bytes(b"mine")
        with pytest.raises(UnsavedError):
            writer.finish(one)
        writer.finish(two)
    assert (tmp_path / "a").read_bytes() == b"mine"
    assert (tmp_path / "b").read_bytes() == b"2"


def test_two_names_that_are_one_in_a_new_folder(tmp_path):
    with Writer(str(tmp_path)) as writer:
        one = begin(writer, b"d/a", Slow([b"1", b"1"]))
        with pytest.raises(UnsavedError):
            begin(writer, b"d/a", [b"2"])
        writer.finish(one)
    assert (tmp_path / "d/a").read_bytes() == b"11"


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("folder", [b"", b"new/"])
def test_what_nobody_finishes_goes(tmp_path, folder, fails):
    def endless():
        while True:
            yield bytes(1000)

    try:
        with Writer(str(tmp_path)) as writer:
            writer.begin(folder + b"endless", Entry(Mode.FILE, 1, BAD), Extents(endless()))
            begin(writer, folder + b"a", Slow([b"1", b"2"]))
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert [name for _, _, names in os.walk(tmp_path) for name in names] == []


@pytest.mark.parametrize("error", [CorruptError("broken"), OSError(5, "Input/output error")])
@pytest.mark.parametrize("folder", ["", "d"])
def test_content_that_breaks_off(tmp_path, folder, error):
    def broken():
        yield b"1"
        raise error

    (tmp_path / "d").mkdir()
    path = os.path.join(folder, "a").encode()
    with Writer(str(tmp_path)) as writer:
        made = writer.begin(path, Entry(Mode.FILE, 2, BAD), Extents(broken()))
        with pytest.raises((CorruptError, StorageError)):
            writer.finish(made)
    assert os.listdir(tmp_path / "d") == []


def test_a_folder_swapped_for_a_link_meanwhile_leads_nowhere(tmp_path):
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (root / "d").mkdir(parents=True)
    with Writer(str(root)) as writer:
        made = begin(writer, b"d/f", [b"x"])
        os.rename(root / "d", root / "moved")
        os.symlink(outside, root / "d")
        assert writer.finish(made) == pack_stat(os.lstat(root / "moved/f"))
    assert os.listdir(outside) == []


def test_its_folder_may_be_put_out_of_hand_meanwhile(tmp_path):
    """More folders than are held open at once are written to before it is finished."""
    (tmp_path / "d").mkdir()
    with Writer(str(tmp_path)) as writer:
        made = begin(writer, b"d/f", [b"x"])
        for number in range(100):
            writer.write(b"%d/f" % number, Entry(Mode.FILE, 1, BAD), b"x")
        writer.finish(made)
    assert (tmp_path / "d/f").read_bytes() == b"x"


def test_a_removal_beside_it(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old/f").write_bytes(b"x")
    with Writer(str(tmp_path)) as writer:
        made = begin(writer, b"new/f", Slow([b"1", b"2"]))
        writer.remove(b"old/f", expect=stat_of(tmp_path, b"old/f"))
        writer.write(b"x", Entry(Mode.FILE, 1, BAD), b"x")
        writer.finish(made)
    assert sorted(os.listdir(tmp_path)) == ["new", "x"]
    assert (tmp_path / "new/f").read_bytes() == b"12"


@pytest.mark.parametrize("path", [b"f", b"new/f"])
def test_no_thread_is_to_be_had(tmp_path, monkeypatch, path):
    def refused(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(making, "Copy", refused)
    with pytest.raises(RuntimeError), Writer(str(tmp_path)) as writer:
        begin(writer, path, [b"x"])
    assert os.listdir(tmp_path) == []
