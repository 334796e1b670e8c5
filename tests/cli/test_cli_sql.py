"""``ox sql``; what queries may be is in tests/unit/verbs/tabular/test_verbs_sql.py."""

import pytest

LABELS = "photo,label\ntom.png,cat\nrex.png,dog\n"


@pytest.fixture
def labels(ox, repo, write):
    write({"labels.csv": LABELS.encode()}, repo)
    ox("add", "labels.csv", cwd=repo)
    ox("commit", "-m", "labels", cwd=repo)
    write({"labels.csv": LABELS.replace("dog", "wolf").encode()}, repo)
    return repo


CHANGED = (
    "select a.photo, b.label as before, a.label as now from 'labels.csv' a"
    " join 'labels.csv'@'HEAD' b using (photo) where a.label <> b.label"
)


def test_two_versions(ox, labels, golden):
    golden("sql", ox("sql", CHANGED, cwd=labels).out)
    assert ox("sql", CHANGED, "--json", cwd=labels).json == [
        {"photo": "rex.png", "before": "dog", "now": "wolf"}
    ]


def test_paths_start_from_where_we_are(ox, labels):
    out = ox("sql", "select label from '../labels.csv'", "-n", "1", cwd=labels / "data").out
    assert "cat" in out
    assert "the first 1 of 2 rows" in out


def test_writing(ox, labels):
    ox("sql", "from 'labels.csv'@'HEAD' order by photo", "-o", "out.tsv", cwd=labels)
    assert (labels / "out.tsv").read_text() == "photo\tlabel\nrex.png\tdog\ntom.png\tcat\n"
    assert ox.fails("sql", "from 'labels.csv'", "-o", "out.tsv", cwd=labels).code == 7


def test_errors(ox, labels):
    failed = ox.fails("sql", "select nope from 'labels.csv'@'HEAD'", cwd=labels)
    assert failed.code == 3
    assert "line 1: select nope from 'labels.csv'@'HEAD'\n               ^^^^" in failed.err
    assert ox.fails("sql", "from 'nope.csv'", cwd=labels).code == 5
    assert ox.fails("sql", "drop table x", cwd=labels).code == 3
