"""One query over files of the work tree and of versions."""

import re

import pytest

from oxcore.api import Repo
from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.tables import Part


@pytest.fixture
def repo(tmp_path):
    with Repo.init(str(tmp_path), author="Ann <ann@example.org>") as made:
        (tmp_path / "parts").mkdir()
        (tmp_path / "labels.csv").write_bytes(b"id,label\n1,cat\n2,dog\n3,cat\n")
        (tmp_path / "parts/a.csv").write_bytes(b"id,n\n1,10\n")
        (tmp_path / "parts/b.jsonl").write_bytes(b'{"id": 2, "extra": true}\n')
        made.add()
        made.commit("one")
        made.tag("v1")
        (tmp_path / "labels.csv").write_bytes(b"id,label\n1,cat\n2,wolf\n4,fox\n")
        made.add()
        made.commit("two")
        (tmp_path / "labels.csv").write_bytes(b"id,label\n1,lion\n")
        yield made


def rows(repo, query, **named):
    with repo.sql(query, **named) as found:
        return [tuple(row.values()) for batch in found.batches() for row in batch.to_pylist()]


def test_versions_side_by_side(repo):
    query = """
        select id, a.label, b.label, c.label
        from 'labels.csv'@'v1' a full join 'labels.csv'@'HEAD' b using (id)
        full join 'labels.csv' c using (id) order by id
    """
    with repo.sql(query) as found:
        assert found.total == 4
        table = [list(row) for row in zip(*next(found.batches()).to_pydict().values(), strict=True)]
    assert table == [
        [1, "cat", "cat", "lion"],
        [2, "dog", "wolf", None],
        [3, "cat", None, None],
        [4, None, "fox", None],
    ]


def test_the_same_file_twice_is_one(repo):
    query = "select count(*) from 'labels.csv'@'v1' a, 'labels.csv'@'v1' b"
    assert rows(repo, query) == [(9,)]


def test_patterns(repo, tmp_path):
    for rev in ("", "@'v1'"):
        assert rows(repo, f"select id, n, extra, file from 'parts/*'{rev} order by id") == [
            (1, 10, None, "parts/a.csv"),
            (2, None, True, "parts/b.jsonl"),
        ]
    (tmp_path / "parts/c.csv").write_bytes(b"id,file\n7,mine\n")
    assert rows(repo, "select id, file, file_2 from 'parts/*.csv' order by id") == [
        (1, None, "parts/a.csv"),
        (7, "mine", "parts/c.csv"),
    ]
    with pytest.raises(NotFoundError, match="no file fits"):
        rows(repo, "from 'nope/*.csv'")


def test_paths_count_from_a_folder(repo):
    assert rows(repo, "select id from 'a.csv'", here="parts") == [(1,)]
    assert rows(repo, "select label from '../labels.csv'", here="parts") == [("lion",)]
    assert rows(repo, "select label from './labels.csv'@'v1' where id = 2") == [("dog",)]


def test_a_part(repo):
    query = "select id from 'labels.csv'@'v1' order by id desc"
    assert rows(repo, query, part=Part("head", 2)) == [(3,), (2,)]
    assert rows(repo, query, part=Part("tail", 1)) == [(1,)]


def test_a_query_without_files(repo):
    assert rows(repo, "select 1 + 1") == [(2,)]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            "select nope\nfrom 'labels.csv'@'v1' a\nwhere a.id = 1",
            "line 1: select nope\n               ^^^^",
        ),
        (
            "select * from 'labels.csv'@'v1' a where a.nope",
            f"line 1: select * from 'labels.csv'@'v1' a where a.nope\n{' ' * 48}^^^^^^",
        ),
        ("insert into 'labels.csv' values (1)", "syntax error|not a query"),
        ("copy (from 'labels.csv') to 'x.csv'", "not a query: COPY"),
        ("select * from read_csv('labels.csv')", "Permission Error"),
        ('select * from "/etc/passwd"', "does not exist"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(repo, query, told):

    with pytest.raises(InvalidError) as caught:
        rows(repo, query)
    assert told in caught.value.message or re.search(told, caught.value.message)


def test_a_broken_file_is_told_as_such(repo, tmp_path):
    (tmp_path / "bad.csv").write_bytes(b"a,b\n1,2\n3\n")
    with pytest.raises(InvalidError, match=r"bad.csv, row 3: 1 fields"):
        rows(repo, "select count(*) from 'bad.csv'")
    with pytest.raises(NotFoundError, match=r"nope.csv is not in v1"):
        rows(repo, "from 'nope.csv'@'v1'")
    with pytest.raises(UsageError, match="middle"):
        rows(repo, "select 1", part=Part("middle", 1))
