"""Large files: in bounded memory, and cut as if they lay in memory whole."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from oxcore.chunk import cut
from oxcore.errors import StorageError
from oxcore.store import content

ROOT = Path(__file__).parents[4]

CHILD = """
import json, sys
from oxcore.api import Repo
from oxcore.model.commits import Person
from oxcore.model.settings import Settings
with Repo.init(sys.argv[1], settings=Settings(Person("A"))) as repo:
    repo.add()
    made = repo.commit("large")
    if sys.argv[2:]:
        import os
        os.unlink(sys.argv[1] + "/large")
        repo.restore(["large"])
    # Not ru_maxrss: that starts from what the process that forked us had.
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps([made.nbytes, peak // 1024]))
"""


def sparse(place, size):
    """Mostly holes, with something of its own every 4 MiB."""
    with open(place, "wb") as file:
        file.truncate(size)
        for at in range(0, size, 4 << 20):
            file.seek(at)
            file.write(os.urandom(70_000))


def run_child(folder, *more):
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), *more],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def digest(place):
    with open(place, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def test_memory_is_bounded_both_ways(tmp_path):
    size = 200 << 20
    sparse(tmp_path / "large", size)
    before = digest(tmp_path / "large")
    nbytes, rss = run_child(tmp_path, "and back")
    assert nbytes == size
    assert rss < 150, f"{rss} MB"
    assert digest(tmp_path / "large") == before


@pytest.mark.deep
@pytest.mark.timeout(1200)
def test_memory_is_bounded_for_gigabytes(tmp_path):
    sparse(tmp_path / "large", 6 << 30)
    nbytes, rss = run_child(tmp_path)
    assert nbytes == 6 << 30
    assert rss < 200, f"{rss} MB"


@pytest.mark.parametrize(
    "size", [16_384, 16_385, 262_145, (8 << 20) - 1, 8 << 20, (8 << 20) + 1, 9_999_999]
)
def test_a_streamed_file_is_cut_like_the_whole(desk, size):
    data = os.urandom(min(size, 3_000_000)) * 4
    data = data[:size]
    desk.write({"f": data})
    desk.repo.add()
    found = [length for _, length in content.chunks(desk.core.store, content_of(desk, b"f").id)]
    ends = list(cut(data, desk.core.params, final=True))
    assert found == [b - a for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    assert desk.tree()[b"f"] == data


def refuse(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_runs_full_is_told_with_the_way_out(desk, monkeypatch):
    desk.write({"f": os.urandom(9 << 20)})
    stage = desk.core.stage()
    with monkeypatch.context() as patch:
        patch.setattr(os, "writev", refuse)
        with pytest.raises(StorageError, match="No space left on device") as told:
            desk.repo.add()
    assert told.value.hint == "free some space and run it again"
    assert desk.core.stage() == stage
    desk.repo.add()
    assert desk.tree() == desk.files()


def content_of(desk, path):
    from oxcore import tree

    return tree.get(desk.core.store, desk.core.stage(), path)
