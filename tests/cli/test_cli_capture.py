"""``ox capture``: what waits, sending it, what went wrong."""

import os
import shutil
import signal

import pytest
from support.captures import gaps, in_child, records, told

import oxcore as ox_api
from oxcore.capturing import REGISTRY


@pytest.fixture(autouse=True)
def alone(home, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OX_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    yield
    REGISTRY.close()


@pytest.fixture
def place(ox, tmp_path):
    """A repository at the current folder."""
    ox("init")
    return str(tmp_path)


def died(place, count=3, **options):
    """A process saves so many records, and is killed before it sends them; gives their ids."""

    def work(tell):
        for n in range(count):
            tell(ox_api.save(place, "deployed", "wild", bytes(50), {"n": n}, **options))
        os.kill(os.getpid(), signal.SIGKILL)

    pid, out = in_child(work)
    saved = told(out)
    os.waitpid(pid, 0)
    return saved


def ids(place):
    with ox_api.Repo.open(place) as repo:
        return [row["record_id"] for row in records(repo)]


def test_status_where_nothing_was_captured(ox, place, tmp_path_factory):
    assert ox("capture").out == "nothing was captured here\n"
    assert ox("capture", "status", "--json").json == []
    outside = tmp_path_factory.mktemp("outside")
    assert ox("capture", "status", cwd=outside).out == "nothing was captured here\n"
    assert ox("capture", "doctor", cwd=outside).out == "nothing is wrong\n"


def test_what_a_killed_process_left_is_told_and_sent(ox, place):
    saved = died(place)
    line = f"{place} deployed:wild: 3 records ("
    assert ox("capture").out.startswith(line)
    assert "of 1 process that ended\n" in ox("capture", "status").out
    [found] = ox("capture", "status", "--json").json
    assert (found["records"], found["writers"], found["alive"]) == (3, 1, 0)
    assert found["where"] == {"address": place, "branch": "deployed", "directory": "wild"}
    assert "ox capture flush" in ox("capture", "doctor").out
    assert ox("capture", "doctor", "--json").json["sound"] is False
    out = ox("capture", "flush").out
    assert out == f"{place} deployed:wild: sent 3 records in 1 shard, nothing waits\n"
    assert ids(place) == saved
    assert ox("capture", "flush", "--json").json[0]["records"] == 0
    assert ox("capture", "doctor").out.endswith("nothing is wrong\n")


def test_flush_asks_processes_at_work(ox, place):
    made = ox_api.save(place, "deployed", "wild", b"x", {}, seal_seconds=1000)
    assert "of 1 process at work" in ox("capture").out
    assert ids(place) == []
    assert ox("capture", "flush", "--wait", "20").out.endswith("nothing waits\n")
    assert ids(place) == [made]


def test_replay_of_a_spool_from_elsewhere(ox, place, tmp_path_factory):
    saved = died(place)
    [spool] = os.scandir(os.path.join(place, ".ox", "capture"))
    copied = tmp_path_factory.mktemp("copied")
    shutil.copytree(spool.path, copied / "one")
    shutil.copytree(spool.path, copied / "two")
    other = tmp_path_factory.mktemp("other")
    ox("init", cwd=other)
    for name in ("one", "two"):  # the same once more: nothing is there twice
        sent = ox("capture", "replay", copied / name, "--to", other, "--branch", "again")
        assert sent.out == "sent 3 records in 1 shard\n"
    with ox_api.Repo.open(str(other)) as repo:
        assert [row["record_id"] for row in records(repo, "again")] == saved
    assert ox("capture", "replay", spool.path, "--json").json["records"] == 3
    assert ids(place) == saved
    result = ox.fails("capture", "replay", other)
    assert (result.code, "no spool of capture" in result.err) == (3, True)


def test_replay_leaves_a_spool_that_is_in_use(ox, place):
    ox_api.save(place, "deployed", "wild", b"x", {}, seal_seconds=1000)
    [spool] = os.scandir(os.path.join(place, ".ox", "capture"))
    result = ox.fails("capture", "replay", spool.path)
    assert "is in use\nhint: ox capture flush sends it\n" in result.err


def test_doctor_tells_what_was_lost_and_what_failed(ox, place):
    died(place, 60, max_bytes=3000)
    out = ox("capture", "doctor").out
    assert "records lost, which the branch does not tell yet" in out
    ox("capture", "flush")
    with ox_api.Repo.open(place) as repo:
        assert len(gaps(repo)) == 1
    url = "http://127.0.0.1:9/lab/speech"
    ox_api.save(url, "deployed", "wild", object(), {})
    ox_api.save(place, "deployed", "../out", b"x", {})
    REGISTRY.close()
    result = ox.fails("capture", "flush", "--wait", "0")
    assert result.code == 16
    assert "127.0.0.1:9 does not answer" in result.err
    out = ox("capture", "doctor").out
    assert "an input was left out: an input of the type builtins.object cannot be kept" in out
    assert "unreachable: sending to http://127.0.0.1:9/lab/speech deployed:wild" in out
    assert "places that cannot be used:" in out
    assert "a dataset cannot hold the path '../out'" in out
    cleared = ox("capture", "doctor", "--clear", "--json").json
    assert len(cleared["troubles"]) == 1
    assert "unreachable" not in ox("capture", "doctor").out
