"""A change within the same tick of the clock, of the same size: never missed."""

import os

import pytest


def changed(desk):
    return [change.path for change in desk.repo.status().changed.changes]


def overwrite(desk, path, data):
    """In place: the inode stays, the size stays; the time stamp may be the same."""
    with open(desk.root / path, "r+b", buffering=0) as file:
        file.write(data)


@pytest.mark.parametrize("size", [8, 200_000])
def test_right_after_add(desk, size):
    for turn in range(25):
        desk.write({"f": b"%08d" % turn + b"x" * (size - 8)})
        desk.repo.add()
        overwrite(desk, "f", b"%08d" % (turn + 10**6))
        assert changed(desk) == [b"f"]


def test_right_after_commit_and_status(desk):
    for turn in range(25):
        desk.write({"f": b"%08d" % turn})
        desk.repo.add()
        desk.repo.commit("one")
        assert desk.repo.status().clean
        overwrite(desk, "f", b"%08d" % (turn + 10**6))
        assert changed(desk) == [b"f"]


def test_right_after_a_checkout(desk):
    desk.commit({"f": "main one", "g": "1"})
    desk.repo.switch(create="topic")
    desk.commit({"f": "topic 12", "g": "2"})
    for turn in range(25):
        desk.repo.switch("main" if turn % 2 == 0 else "topic")
        overwrite(desk, "f", b"%08d" % turn)
        assert changed(desk) == [b"f"]
        desk.repo.restore(["f"])
        overwrite(desk, "f", b"%08d" % (turn + 10**6))
        assert changed(desk) == [b"f"]
        desk.repo.restore(["f"])


def test_right_after_mv(desk):
    for turn in range(15):
        desk.write({"f": b"%08d" % turn})
        desk.repo.add()
        desk.repo.mv([b"f"], b"g", force=True)
        overwrite(desk, "g", b"%08d" % (turn + 10**6))
        assert changed(desk) == [b"g"]


def test_a_change_with_the_old_time_put_back(desk):
    desk.commit({"f": "one"})
    desk.repo.status()
    before = os.stat(desk.root / "f")
    overwrite(desk, "f", b"two")
    os.utime(desk.root / "f", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changed(desk) == [b"f"]
