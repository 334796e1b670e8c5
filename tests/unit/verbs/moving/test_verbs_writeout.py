"""Large files that the kernel copies, more than one in the making: a move as any other."""

import os
import threading

import pytest

from oxcore.errors import CorruptError, UnsavedError
from oxcore.model.ids import content_id
from oxcore.store import content
from oxcore.testing.faults import flip
from oxcore.testing.stores import noise
from oxcore.worktree import Making, Writer, copying

SIZE = (1 << 20) + 9_000
OLD = {b"%d" % at: noise(at, SIZE + at) for at in range(4)}
NEW = {b"%d" % at: noise(at + 10, SIZE + 20 + at) for at in range(4)}


@pytest.fixture
def two(desk):
    """Branches main and topic, of four large files each, all of which differ; HEAD is on main."""
    desk.commit(OLD)
    desk.repo.switch(create="topic")
    desk.become({**NEW, b"new/a": NEW[b"0"], b"new/b": OLD[b"1"], b"new/c": b"c", b"x/y": b"y"})
    desk.repo.switch("main")
    before = threading.active_count()
    yield desk
    assert threading.active_count() == before
    assert not [name for _, d, names in os.walk(desk.root) for name in d + names if "-tmp-" in name]


@pytest.fixture
def most(monkeypatch):
    """How many were in the making, each time one was finished."""
    begun, found = [], []
    begin, finish = Writer.begin, Making.finish
    monkeypatch.setattr(Writer, "begin", lambda *a, **k: begun.append(begin(*a, **k)) or begun[-1])

    def finished(making):
        if making in begun:
            found.append(len(begun))
            begun.remove(making)
        return finish(making)

    monkeypatch.setattr(Making, "finish", finished)
    return found


def test_there_and_back(two, most):
    two.repo.switch("topic")
    assert two.files() == two.committed("topic") == {
        **NEW, b"new/a": NEW[b"0"], b"new/b": OLD[b"1"], b"new/c": b"c", b"x/y": b"y"
    }  # fmt: skip
    assert two.clean()
    assert len(most) == 6
    assert max(most) == 2
    two.repo.switch("main")
    assert two.files() == OLD
    assert two.clean()


def spoil(desk, data):
    """Turn a bit of the last chunk of these bytes, on disk."""
    *_, chunk = content.chunks(desk.core.store, content_id(data))
    where = desk.core.store.locate([chunk[0]])[0]
    name = desk.core.index.locations.packs()[where.pack]
    flip(desk.core.store.files.path(name), where.offset + 9)
    return chunk[0].hex()


@pytest.mark.parametrize("which", [b"0", b"1", b"3"])
def test_a_damaged_one_is_named_by_its_chunk_and_all_stays(two, which):
    chunk = spoil(two, NEW[which])
    with pytest.raises(CorruptError, match=chunk):
        two.repo.switch("topic")
    assert two.files() == OLD
    assert two.repo.status().branch == "main"
    spoil(two, NEW[which])
    two.repo.switch("topic")
    assert two.clean()


@pytest.mark.parametrize("which", [1, 2, 6])
def test_what_was_copied_badly_is_written_again(two, monkeypatch, which):
    """As it is where the store has a sound copy elsewhere."""
    copy, files = copying._copy_range, []

    def badly(source, to, count, start, at):
        if at == 0:
            files.append(to)
            if len(files) == which:
                return os.pwrite(to, b"x" * count, at)
        return copy(source, to, count, start, at)

    monkeypatch.setattr(copying, "_copy_range", badly)
    two.repo.switch("topic")
    assert len(files) == 6
    assert two.files() == two.committed("topic")
    assert two.clean()


@pytest.mark.parametrize("which", [b"0", b"1", b"3"])
def test_work_that_comes_in_between_is_not_lost(two, monkeypatch, which):
    """A file is changed when the plan is made already, and the last ones are in the making."""
    begin = Writer.begin

    def late(writer, path, *args, **named):
        if path == which:
            (two.root / os.fsdecode(path)).write_bytes(b"mine")
        return begin(writer, path, *args, **named)

    monkeypatch.setattr(Writer, "begin", late)
    with pytest.raises(UnsavedError):
        two.repo.switch("topic")
    assert two.files() == {**OLD, which: b"mine"}
    assert two.repo.status().branch == "main"
