"""Reports over odd records: none labelled, one, free text, not a number, shards that are broken."""

import io
import json
import random

import pyarrow as pa
import pytest
from pyarrow import parquet

from oxcore.errors import InvalidError, NotFoundError
from oxcore.insight import quantiles
from oxcore.insight.page import as_json, page
from oxcore.insight.shapes import RECORDS, arrow_schema
from oxcore.tables import direct
from oxcore.tables.engine import engine
from oxcore.testing import captured


def some(seed, n):
    """Records and labels, a few of both twice, and votes."""
    draw = random.Random(seed)
    records = [
        {
            "output": draw.choice([{"label": "a", "cost": 0.5}, {"label": "b"}, "a", None, ["a"]]),
            "confidence": draw.choice([None, draw.random()]),
            "latency_ms": draw.choice([None, 0.0, draw.expovariate(0.01)]),
            "tags": draw.choice([[], ["x"], ["x", "y"]]),
            "status": draw.choice(["ok", "ok", "error"]),
        }
        for _ in range(n)
    ]
    events = [
        {
            "record_id": f"r{draw.randrange(n + 3):06}",
            "value": draw.choice(["a", "b", {"label": "a"}, None]),
            "kind": draw.choice(["label", "correction", "vote", "note"]),
            "source": draw.choice(["gold", "human", None]),
            "ts": captured.START + draw.randrange(10**9),
        }
        for _ in range(n)
    ]
    return records, events


@pytest.mark.parametrize("seed", range(4))
def test_shards_that_the_engine_reads_by_itself_give_the_same_report(wild, monkeypatch, seed):
    wild.commit(*some(seed, 60))
    wild.commit(*some(seed + 9, 50))
    streamed = as_json(wild.repo.report("deployed", "wild", by=["tags", "status"]))
    monkeypatch.setattr(direct, "LEAST", 0)
    assert as_json(wild.repo.report("deployed", "wild", by=["tags", "status"])) == streamed
    assert json.loads(streamed)["whole"]["n"] == 60


def test_shards_without_a_column_or_with_another_type(wild, monkeypatch):
    monkeypatch.setattr(direct, "LEAST", 0)
    wild.commit([{"output": "a"}], [{"record_id": "r000000", "value": "a"}])
    time = arrow_schema(RECORDS).field("ts_start").type
    few = pa.table({"record_id": ["x"], "ts_start": pa.array([1], time)})
    short = {"wild/dt=2023-11-15/v-000001.parquet": _bytes(few)}
    wild.commit(files=short)
    assert wild.repo.report("deployed", "wild").whole.n == 2
    other = few.set_column(1, "ts_start", pa.array([1], pa.timestamp("ms", "UTC")))
    wild.commit(files={"wild/dt=2023-11-15/v-000002.parquet": _bytes(other)})
    assert wild.repo.report("deployed", "wild").whole.n == 2  # the same record


@pytest.mark.parametrize("least", [0, 1 << 30])
@pytest.mark.parametrize("at", [0.3, 1.0])
def test_a_damaged_shard_is_named(wild, monkeypatch, least, at):
    monkeypatch.setattr(direct, "LEAST", least)
    records, _ = some(1, 300)
    data = captured.shard([captured.record(n, **one) for n, one in enumerate(records)], RECORDS)
    cut = int(len(data) * at) - 8
    broken = data[:cut] + b"\xff" * 8 + data[cut + 8 :]
    wild.commit(files={"wild/dt=2023-11-14/bad-000001.parquet": broken})
    with pytest.raises(InvalidError, match="bad-000001"):
        wild.repo.report("deployed", "wild")


@pytest.mark.parametrize("column", ["record_id", "ts_start"])
def test_a_shard_of_records_without_id_or_time_is_named(wild, column):
    wild.commit([{"output": "a"}])
    time = arrow_schema(RECORDS).field("ts_start").type
    few = pa.table({"record_id": ["x"], "ts_start": pa.array([1], time)})
    place = few.schema.get_field_index(column)
    nulls = few.set_column(place, few.schema.field(column), pa.nulls(1, few.schema.types[place]))
    for table in (few.drop_columns([column]), nulls):
        wild.commit(files={"wild/dt=2023-11-15/odd-000001.parquet": _bytes(table)})
        for ask in (wild.repo.report, wild.repo.failures):
            with pytest.raises(InvalidError, match=f"odd-000001.* without {column}"):
                ask("deployed", "wild")


def _bytes(table):
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def shown(wild, **how):
    """The report; made twice, and put on a page."""
    found = wild.repo.report("deployed", "wild", **how)
    assert as_json(found) == as_json(wild.repo.report("deployed", "wild", **how))
    assert page(found, {}).endswith("</html>\n")
    return found


def test_one_record_without_a_label(wild):
    wild.commit([{"output": "a"}])
    found = shown(wild, by=["tags", "model"])
    assert (found.whole.n, found.whole.labelled, found.whole.rate.value) == (1, 0, None)
    assert found.whole.accuracy.value is None
    assert found.whole.coverage.value == 0.0
    assert [group.name for group in found.groups] == ["no model"]


def test_nothing_is_left_as_of_a_time_before_all(wild):
    wild.commit([{"output": "a"}], [{"record_id": "r000000", "value": "a"}])
    found = shown(wild, as_of=captured.START - 1, by=["model"])
    assert (found.whole.n, found.points, found.worst, found.orphans) == (0, (), (), 0)


def test_feedback_alone(wild):
    wild.commit(events=[{"record_id": "gone", "value": "a"}])
    found = shown(wild)
    assert (found.whole.n, found.orphans) == (0, 1)
    with pytest.raises(NotFoundError):
        wild.repo.report("deployed", "else")


def test_a_confidence_that_is_no_number_counts_nowhere(wild):
    wild.commit(
        [{"output": "a", "confidence": sure} for sure in (float("nan"), float("inf"), 0.5)],
        [{"record_id": f"r{n:06}", "value": "a"} for n in range(3)],
    )
    found = shown(wild)
    assert (found.whole.labelled, found.whole.ece.n, found.whole.brier.n) == (3, 1, 1)
    assert found.whole.brier.value == 0.25
    json.loads(as_json(found), parse_constant=pytest.fail)


def test_labels_that_are_objects_and_lists(wild):
    wild.commit(
        [{"output": {"label": "a"}}, {"output": ["a", "b"]}, {"output": {"boxes": []}}],
        [
            {"record_id": "r000000", "value": {"label": "a", "why": "seen"}},
            {"record_id": "r000001", "value": ["a", "b"]},
            {"record_id": "r000002", "value": {"boxes": [1]}},
        ],
    )
    found = shown(wild)
    assert (found.whole.labelled, found.whole.wrong) == (2, 0)


def test_free_text_has_no_confusion_matrix(wild):
    texts = [f"answer {n}" for n in range(250)]
    wild.commit(
        [{"output": {"text": text if n % 5 else "no"}} for n, text in enumerate(texts)],
        [{"record_id": f"r{n:06}", "value": text} for n, text in enumerate(texts)],
    )
    found = shown(wild)
    assert found.whole.accuracy.value == 0.8
    assert (found.cells, found.classes, found.whole.f1.value) == ((), (), None)


def test_groups_are_the_most_frequent_values(wild):
    tags = [["all", f"t{n}"] for n in range(80)]
    wild.commit([{"output": "a", "tags": one, "session_id": f"s{n}"} for n, one in enumerate(tags)])
    found = shown(wild, by=["tags", "session_id"])
    names = [group.name for group in found.groups]
    assert len(names) == 100
    assert "all" in names
    with pytest.raises(InvalidError, match="nothing"):
        wild.repo.report("deployed", "wild", by=["nothing"])


@pytest.mark.parametrize("seed", range(5))
def test_quantiles_are_those_of_the_engine(seed):
    draw = random.Random(seed)
    odd = [0.0, -1.0, None, float("nan"), float("inf"), 1e-9, 250.0]
    n = draw.choice([1, 2, 30, 700])
    rows = [
        (draw.randrange(1, 8), draw.choice([*odd, *(draw.expovariate(0.01) for _ in range(9))]))
        for _ in range(n)
    ]
    weights = [draw.choice([1, 1, 2, 10]) for _ in rows] if seed % 2 else [1] * n
    table = pa.table(
        {
            "mark": [one[0] for one in rows],
            "latency_ms": [one[1] for one in rows],
            "weight": pa.array(weights, pa.float64()),
        }
    )
    with engine({}) as sql:
        sql.put("marked", table)
        sql.run("CREATE TEMP TABLE each AS SELECT *, unnest(range(weight::BIGINT)) FROM marked")
        wanted = [
            sql.rows(
                "SELECT quantile_disc(latency_ms, [0.5, 0.95, 0.99]) FROM each "
                f"WHERE mark & {1 << bit} <> 0"
            )[0][0]
            for bit in range(4)
        ]
        found = quantiles.latencies(sql, "marked", 4, marks=7, weighted=bool(seed % 2))
        got = [[one.value for one in each] for each in found]
    assert list(map(repr, got)) == [repr(one or [None] * 3) for one in wanted]


def test_commits_of_the_branch_are_marked_over_time(wild):
    records = [{"output": "a"} for _ in range(300)]
    wild.commit(records)
    wild.commit(files={"slices/new.yaml": b"where: confidence < 0.5\n"})
    found = shown(wild)
    first, end = found.points[0].start, found.points[-1].start + found.step * 1_000_000
    wanted = [one for one in wild.repo.log("deployed") if first <= one.commit.time.us <= end]
    assert [one.commit for one in found.commits] == [one.id.hex() for one in reversed(wanted)]
    assert {one.title for one in found.commits} >= {"captured"}
    assert f"{found.commits[-1].commit[:10]} captured" in page(found, {})


def test_the_worst_of_numbers_are_those_farthest_off(wild):
    said = [1.5, 9.25, 2.0, None]
    wild.commit(
        [{"output": {"value": one}} for one in said],
        [{"record_id": f"r{n:06}", "value": 1.5} for n in range(4)],
    )
    found = shown(wild)
    assert [one.record_id for one in found.worst] == ["r000003", "r000001", "r000002"]
    assert "farthest off" in page(found, {})
