"""What is left of a damaged log: gaps, and stale refs in the way of later ones."""

import pytest

from oxcore.codec import oplog
from oxcore.codec.oplog import Operation
from oxcore.model.commits import Moment
from oxcore.refs import State, gaps, salvage, sound_records

ID = "a" * 64


def write(folder, *operations):
    """A log of these operations: (number, changes), or bytes that are none."""
    data = oplog.HEADER
    for one in operations:
        if isinstance(one, bytes):
            data += one
        else:
            data += oplog.encode(Operation(one[0], "verb", "", "", Moment(1), one[1]))
    (folder / "oplog").write_bytes(data)
    return data


@pytest.mark.parametrize(
    ("numbers", "based", "found"),
    [
        ([], False, []),
        ([1, 2, 3], False, []),
        ([7, 8], True, []),
        ([7, 8], False, [(1, 6)]),
        ([1, 4, 5, 7], False, [(2, 3), (6, 6)]),
    ],
)
def test_gaps(numbers, based, found):
    assert list(gaps(numbers, based=based)) == found


def test_records_between_rubbish(tmp_path):
    data = write(tmp_path, b"\0" * 50, (1, {"HEAD": (None, ID)}), b"x" * 9, (2, {}), b"cut")
    found = list(sound_records(data))
    assert [one.operation.number for one in found] == [1, 2]
    assert all(data[one.start : one.start + len(one.raw)] == one.raw for one in found)


def test_what_later_operations_found_corrects_what_earlier_ones_left(tmp_path):
    write(
        tmp_path,
        (1, {"HEAD": (None, ID), "refs/heads/x": (None, ID)}),
        b"damage",
        (3, {"refs/heads/x": ("b" * 64, "c" * 64), "refs/heads/y": (ID, None)}),
    )
    left = salvage(str(tmp_path))
    assert not left.sound
    assert left.base.number == 2
    assert dict(left.base) == {"HEAD": ID, "refs/heads/x": "b" * 64, "refs/heads/y": ID}
    assert left.values() == {"HEAD": ID, "refs/heads/x": "c" * 64}


def test_a_stale_ref_makes_room_for_a_later_one(tmp_path):
    write(
        tmp_path,
        (1, {"refs/heads/a": (None, ID), "refs/heads/b/c": (None, ID), "refs/heads/d": (None, ID)}),
        b"damage",
        (3, {"refs/heads/a/x": (None, ID), "refs/heads/b": (None, ID)}),
    )
    left = salvage(str(tmp_path))
    assert sorted(left.values()) == ["refs/heads/a/x", "refs/heads/b", "refs/heads/d"]


def test_a_sound_log_is_sound(tmp_path):
    State.create(str(tmp_path), {"HEAD": ID}, time=Moment(1)).close()
    left = salvage(str(tmp_path))
    assert (left.sound, left.base, len(left.kept)) == (True, None, 1)
