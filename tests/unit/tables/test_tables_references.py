"""Which texts of a query are files, and that nothing else of it moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxcore.tables.references import references, replaced


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select * from 'a.csv'", ["a.csv"]),
        ("FROM 'a.csv' SELECT x", ["a.csv"]),
        ("select * from 'a.csv'@'main~3' a join 'b.csv' b using (id)", ["a.csv@main~3", "b.csv"]),
        ("select * from 'a.csv'  @ -- version\n 'v1'", ["a.csv@v1"]),
        ("select * from 'a.csv' x, 'b.csv' y where x.id in ('c.csv', 'd.csv')", ["a.csv", "b.csv"]),
        ("select 'x', 'y' from 'a.csv' where z = 'w'", ["a.csv"]),
        ("select (select max(v) from 'b.csv'), 'c' from 'a.csv'", ["b.csv", "a.csv"]),
        ("select * from 'it''s.csv'", ["it's.csv"]),
        ("select * from t where a is distinct from 'x'", []),
        ("select * from t where a is not distinct from 'x'", []),
        (
            "select extract(year from '2026-01-01'), trim(both from 'x'), substring('x' from 'y')",
            [],
        ),
        ("select extract(year from (select d from 'a.csv'))", ["a.csv"]),
        ("select '-- from ''no.csv''' from 'a.csv' -- from 'no.csv'", ["a.csv"]),
        (
            "select /* from 'no.csv' */ $$ from 'no.csv' $$, e'from \\'no.csv' from 'a.csv'",
            ["a.csv"],
        ),
        ("select \"from 'no.csv'\" from 'a.csv'", ["a.csv"]),
        ("select * from 'a.csv' union select * from 'b.csv' order by 1, 'c'", ["a.csv", "b.csv"]),
        ("select * from read_csv('a.csv')", []),
        ("select * from 'a.csv", []),
        ("select * from 'a.csv' left join 'b.csv' on 'x' = 'y'", ["a.csv", "b.csv"]),
        ("with a as (from 'a.csv') select * from a, 'b.csv'", ["a.csv", "b.csv"]),
        ("select $1, $a", []),
    ],
)
def test_the_files_of_a_query(sql, names):
    found = references(sql)
    assert [one.name for one in found] == names
    own = replaced(sql, {one: one.name for one in found})
    assert len(own) == len(sql)
    for one in found:
        assert own[one.start : one.end].rstrip() == f'"{one.name}"'
    assert references(own) == []


@given(st.text("'\"@-/*$ae\n(),. fromjoin", max_size=40))
def test_no_text_is_too_odd(sql):
    for one in references(sql):
        assert sql[one.start] == "'"
        assert sql[one.end - 1] == "'"
