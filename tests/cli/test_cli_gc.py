"""``ox gc`` as it is typed."""

import pytest


@pytest.fixture
def loose(ox, repo, monkeypatch):
    """A staged file that was taken back: nothing but the log needs it; and a day goes by."""
    (repo / "gone.bin").write_bytes(bytes(range(256)) * 40)
    ox("add", ".")
    (repo / "gone.bin").unlink()
    ox("add", ".")
    monkeypatch.setenv("OX_DATE", "2026-01-03T03:04:05+01:00")
    return repo


def test_young_data_stays(ox, loose):
    result = ox("gc", "--keep-days", "0")
    assert result.lines[0] == "deleted 0 objects, 0 B"
    assert "too young to touch" in result.out


def test_the_dry_run_tells_what_happens(ox, loose):
    flags = ("--grace", "0", "--keep-days", "0", "--json")
    told = ox("gc", "--dry-run", *flags).json
    done = ox("gc", *flags).json
    assert (told.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert told == done
    assert done["objects"] > 0
    assert done["nbytes"] > 0
    assert done["damaged"] == []
    ox("fsck")


def test_operations_are_kept(ox, loose):
    ox("gc", "--grace", "0", "--keep-days", "0", "--keep-ops")
    assert len(ox("oplog", "--json").json) == 5
    ox("undo")
    assert ox("ls", "--json").json


def test_forgotten_operations_are_told(ox, loose):
    result = ox("gc", "--grace", "0", "--keep-days", "0")
    assert result.lines[0].startswith("deleted ")
    assert "old operations from the log" in result.out


def test_bad_values(ox, repo):
    assert ox.fails("gc", "--grace", "-1").code == 2
