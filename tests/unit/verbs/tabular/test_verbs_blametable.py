"""The last commit of each row, where history is not a line of good tables."""

import pytest
from support.joins import join

from oxcore.errors import InvalidError, NotFoundError


def last(found):
    return [found[place].id for place in range(len(found))]


def commits(desk, *versions, path="t.csv"):
    return [desk.commit({path: data}, str(n)) for n, data in enumerate(versions)]


def test_rows_of_any_order_and_doubled_rows(desk):
    versions = "a,b\n1,x\n1,x\n2,y\n", "a,b\n2,y\n1,x\n1,x\n1,x\n", "a,b\n1,x\n1,z\n"
    one, two, three = commits(desk, *versions)
    assert sorted(last(desk.repo.blame_table("t.csv", two.hex()))) == sorted([one, one, one, two])
    assert last(desk.repo.blame_table("t.csv")) == [one, three]


def test_a_new_column_changes_every_row_and_one_that_goes_none(desk):
    _, two, _ = commits(desk, "id,x\n1,a\n2,b\n", "id,x,y\n1,a,\n2,b,\n", "id,x,y\n1,a,\n")
    assert last(desk.repo.blame_table("t.csv")) == [two]
    _, drop = commits(desk, "id,x,y\n1,a,p\n", "id,y\n1,p\n", path="u.csv")
    assert last(desk.repo.blame_table("u.csv")) != [drop]


def test_a_merge(desk):
    one = desk.commit({"t.csv": "id,x\n1,a\n2,b\n3,c\n"})
    desk.repo.branch("side")
    two = desk.commit({"t.csv": "id,x\n1,A\n2,b\n3,c\n"})
    desk.repo.checkout("side")
    three = desk.commit({"t.csv": "id,x\n1,a\n2,b\n3,C\n"})
    four = join(desk, {b"t.csv": b"id,x\n1,A\n2,b\n3,C\n4,d\n"})
    assert last(desk.repo.blame_table("t.csv", four.hex())) == [two, one, three, four]


def test_the_rename_of_the_file_is_followed(desk):
    one = desk.commit({"t.csv": "id,x\n1,a\n"})
    desk.commit({"t.csv": None, "u/v.csv": "id,x\n1,a\n"})
    three = desk.commit({"u/v.csv": "id,x\n2,b\n1,a\n"})
    found = desk.repo.blame_table("u/v.csv")
    assert last(found) == [three, one]
    assert found[1].path == b"t.csv"
    assert found.number(0) == 2


def test_both_sides_lead_to_one_commit(desk):
    """Rows that go by different ways meet again where the ways do."""
    one = desk.commit({"t.csv": "id,x\n1,a\n2,b\n3,c\n4,d\n"})
    desk.repo.branch("side")
    two = desk.commit({"t.csv": "id,x\n1,a\n2,B\n3,c\n4,D\n"})
    desk.repo.checkout("side")
    three = desk.commit({"t.csv": "id,x\n1,A\n2,b\n3,c\n4,d\n"})
    four = join(desk, {b"t.csv": b"id,x\n1,A\n2,b\n3,c\n4,D\n"})
    found = desk.repo.blame_table("t.csv", four.hex())
    assert last(found) == [three, one, one, two]
    counts = {(since.id, since.rows) for since in found.since}
    assert counts == {(one, 2), (two, 1), (three, 1)}


def test_versions_that_cannot_be_read(desk):
    one, _, three = commits(desk, "id,x\n1,a\n2,b\n", "id,x\n1\n", "id,x\n1,a\n2,c\n")
    found = desk.repo.blame_table("t.csv")
    assert last(found) == [one, three]
    assert len(found.remarks) == 1
    assert "row 2" in found.remarks[0]
    with pytest.raises(InvalidError):
        desk.repo.blame_table("t.csv", "HEAD~1")
    with pytest.raises(NotFoundError):
        desk.repo.blame_table("nope.csv")


def test_a_table_without_rows(desk):
    commits(desk, "id,x\n1,a\n", "id,x\n")
    found = desk.repo.blame_table("t.csv")
    assert len(found) == 0
    assert list(found.rows()) == []


def test_some_rows_only(desk):
    (one,) = commits(desk, "id,x\n" + "".join(f"{n},a\n" for n in range(100)))
    found = desk.repo.blame_table("t.csv")
    assert sum(len(batch) for batch, _ in found.rows(7)) == 7
    assert list(found.rows(0)) == []
    assert found.since == [(one, desk.core.commit(one), b"t.csv", 100)]
