"""Labels that arrive as a table, against a plain dict of what is known."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore.api import Repo
from oxcore.errors import InvalidError, NotFoundError


@pytest.fixture
def shown(wild, tmp_path_factory):
    """Five records (the last two of one input), and a way to import a text as a table."""
    folder = tmp_path_factory.mktemp("tables")
    source = {"hash": "ab", "mime": "text/plain", "size": 1, "path": "media/ab/ab.txt"}
    records = [
        {"output": {"label": "7"}, "group_key": "g1", "params": {"order": 31}},
        {"output": {"label": "3"}, "group_key": "g1"},
        {"output": {"label": "3"}},
        {"output": {"label": "7"}, "input": source},
        {"output": {"label": "8"}, "input": source},
    ]
    wild.commit(records, [{"record_id": "r000002", "value": "9"}])

    def load(text, **more):
        file = folder / f"truth.{'jsonl' if text.startswith('{') else 'csv'}"
        file.write_text(text)
        return wild.repo.import_labels(str(file), "deployed", "wild", **more)

    wild.load = load
    return wild


def truths(wild, **reading):
    with wild.repo.examples("deployed", "wild", **reading) as found:
        rows = found.sql.rows("SELECT record_id, truth FROM examples WHERE truth IS NOT NULL")
    return {int(record[1:]): truth for record, truth in rows}


def test_labels_become_events_once(shown):
    text = "record_id,label\nr000000,7\nr000002,3\nr9,1\n,4\nr000001,\n"
    done = shown.load(text)
    assert (done.added, done.known, done.unmatched, done.first, done.empty) == (2, 0, 1, ("r9",), 2)
    assert truths(shown) == {0: "7", 2: "3"}, "gold is trusted more than a person"
    tip = shown.repo.refs()["refs/heads/deployed"]
    again = shown.load(text)
    assert (again.added, again.known, again.commit) == (0, 2, None)
    assert shown.repo.refs()["refs/heads/deployed"] == tip
    before = {path for path, _ in shown.repo.walk("deployed~1")}
    (event,) = [path for path, _ in shown.repo.walk(tip) if path not in before]
    rows = shown.repo.table(event, tip).to_arrow().to_pylist()
    assert [(row["kind"], row["source"], row["author"], row["value"]) for row in rows] == [
        ("label", "gold", "Ann", "7"),
        ("label", "gold", "Ann", "3"),
    ]


def test_two_who_import_the_same_at_once_add_it_once(shown, tmp_path_factory):
    file = tmp_path_factory.mktemp("both") / "truth.csv"
    file.write_text("record_id,label\n" + "".join(f"r{n:06},7\n" for n in range(5)))

    def load(_):
        with Repo.open(shown.repo.path, author="Bob <bob@example.org>") as repo:
            return repo.import_labels(str(file), "deployed", "wild")

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(load, range(2)))
    assert sorted((one.added, one.known) for one in done) == [(0, 5), (5, 0)]


def test_who_changes_his_mind_is_heard_each_time(shown):
    for value in ("a", "b", "a"):
        assert shown.load(f"key,label\nr000000,{value}\n").added == 1
        assert truths(shown)[0] == value


def test_all_records_of_an_input_are_meant(shown):
    assert shown.load("key,label\nab,5\n").added == 2
    assert truths(shown) == {2: "9", 3: "5", 4: "5"}


def test_other_keys(shown):
    assert shown.load("group_key,label\ng1,x\n", key="group_key").added == 2
    order = "CAST(params->>'$.order' AS INT)"
    done = shown.load("order,value\n31,y\n", key="order", match=order, source="expert")
    assert done.added == 1
    assert truths(shown) == {0: "x", 1: "x", 2: "9"}
    assert truths(shown, trust=("expert", "gold"))[0] == "y"


def test_numbers_are_labels_as_models_write_them(shown):
    shown.load('{"key": "r000000", "label": 7.0}\n{"key": "r000001", "label": 4.0}\n')
    with shown.repo.examples("deployed", "wild") as found:
        rows = found.sql.rows("SELECT truth, correct FROM examples ORDER BY record_id LIMIT 2")
    assert rows == [("7", True), ("4", False)]


def test_what_cannot_be_is_told(shown):
    with pytest.raises(InvalidError, match="contradict"):
        shown.load("key,label\nr000000,1\nr000000,2\n")
    with pytest.raises(InvalidError, match="two keys label the record r000003"):
        shown.load("key,label\nr000003,1\nab,2\n")
    with pytest.raises(NotFoundError, match="no column"):
        shown.load("key,label\nr000000,1\n", value="truth")
    with shown.repo.transaction("main", message="truth") as t:
        t.put("truth.csv", b"key,label\nr000000,1\n")
    with pytest.raises(NotFoundError, match="no branch"):
        shown.repo.import_labels("main:truth.csv", "gone", "wild")
    with pytest.raises(NotFoundError, match="no record lies below"):
        shown.repo.import_labels("main:truth.csv", "main", "wild")
    with pytest.raises(NotFoundError, match="no table is at"):
        shown.repo.import_labels("main:gone.csv", "deployed", "wild")


@given(st.lists(st.dictionaries(st.integers(0, 4), st.text(max_size=4), min_size=1), max_size=4))
@settings(max_examples=8, deadline=None)
def test_the_last_import_counts(tables):
    import json
    from itertools import count
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from oxcore.model.commits import Moment, Person
    from oxcore.model.settings import Settings
    from oxcore.testing import captured

    ticks = count(1_700_000_000)
    known = {}
    with TemporaryDirectory() as name:
        around = Settings(Person("Ann"), lambda: Moment(next(ticks) * 1_000_000, 0))
        with Repo.init(f"{name}/repo", settings=around) as repo:
            with repo.transaction("wild", message="m") as t:
                made = captured.files(1, "d", [{"output": {"label": "x"}}] * 5, [])
                for path, data in made.items():
                    t.put(path, data)
            for table in tables:
                file = Path(name, "t.jsonl")
                rows = [json.dumps({"key": f"r{k:06}", "label": v}) for k, v in table.items()]
                file.write_text("\n".join(rows) + "\n")
                done = repo.import_labels(str(file), "wild", "d")
                new = {k: v for k, v in table.items() if known.get(k) != v}
                assert (done.added, done.known) == (len(new), len(table) - len(new))
                known.update(table)
            with repo.examples("wild", "d") as found:
                got = found.sql.rows(
                    "SELECT record_id, truth FROM examples WHERE truth IS NOT NULL"
                )
    assert {int(key[1:]): truth for key, truth in got} == known
