"""What an evaluation costs: each table is read once, and what is there already is not written."""

import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.model.commits import Person
from oxcore.model.settings import Settings

ROWS = 3000


def table(**columns):
    out = io.BytesIO()
    parquet.write_table(pa.table({"key": list(range(ROWS)), **columns}), out)
    return out.getvalue()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What each step took: counters that moved."""
    root, steps = tmp_path_factory.mktemp("evals"), {}
    (root / "gold.parquet").write_bytes(table(label=["a", "b", "c"] * (ROWS // 3)))
    (root / "old.parquet").write_bytes(table(prediction=["a"] * ROWS))
    (root / "new.parquet").write_bytes(table(prediction=["b"] * ROWS))
    with Repo.init(str(root), settings=Settings(Person("Ann"))) as repo:

        def step(name, call):
            before = repo.counters.as_dict()
            call()
            after = repo.counters.as_dict()
            steps[name] = {key: after[key] - before[key] for key in after}

        repo.add()
        repo.commit("tables")
        on = "HEAD:gold.parquet"
        step("old", lambda: repo.evaluate("HEAD:old.parquet", on))
        step("file", lambda: repo.evaluate(str(root / "new.parquet"), on))
        step("again", lambda: repo.evaluate("HEAD:old.parquet", on))
        step("compare", lambda: repo.compare_evaluations("old", "new"))
    return steps


def test_both_tables_are_read_once(told):
    assert [told[name]["rows"] for name in ("old", "file", "again", "compare")] == [2 * ROWS] * 4


def test_an_evaluation_is_two_files_and_a_commit(told):
    assert told["old"]["chunks_stored"] == 2
    assert told["again"]["chunks_stored"] == 0
    assert told["again"]["bytes_stored"] == 0
    assert told["compare"]["bytes_stored"] == 0
