"""Records that are marked with their slices while they are read: the same report as afterwards."""

import random

import pytest

from oxcore.errors import InvalidError
from oxcore.insight import cube, report

SLICES = {
    "night": "tag: night",
    "day": "not: night",
    "unsure": "where: confidence < 0.5",
    "not-unsure": "not: {where: confidence < 0.5}",
    "missed": "where: NOT correct -- as far as known",
    "praised": "where: up > down",
    "slow": "where: latency_ms > 50 and model = 'm@1'",
    "few": "records: [r000003, r000004]",
    "camera": "where: params->>'$.camera' = 'a'",
}


def drawn(seed, n):
    """Records of all kinds: failed, unlabelled, without confidence, gaps, weights, prices."""
    draw = random.Random(seed)
    records, events = [], []
    for at in range(n):
        one = {
            "output": draw.choice([{"label": "cat"}, {"class": "dog"}, "cat", None, ["dog"]]),
            "confidence": draw.choice([None, 0.25, 0.5, 0.75]),
            "tags": draw.choice([None, [], ["night"]]),
            "params": draw.choice([{}, {"camera": "a"}, {"cost": 0.5}]),
            "model": {"name": "m", "version": str(at % 2), "weights_hash": None},
            "sample_rate": draw.choice([None, 0.5]),
            "status": draw.choice(["ok", "ok", "ok", "error", "gap"]),
        }
        records.append(one)
        for kind, value in (("label", "cat"), ("correction", "dog"), ("vote", "up")):
            if draw.random() < 0.3:
                events.append({"record_id": f"r{at:06}", "kind": kind, "value": value})
    return records, events


def files(slices):
    return {f"slices/{name}.yaml": f"{text}\n".encode() for name, text in slices.items()}


@pytest.fixture
def made(monkeypatch):
    """How many tables of marks were made afterwards."""
    found = []
    mark = cube._mark

    def noted(*args, marked, **named):
        found.append(not marked)
        return mark(*args, marked=marked, **named)

    monkeypatch.setattr(cube, "_mark", noted)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_marks_made_while_reading_are_those_made_afterwards(wild, monkeypatch, made, seed):
    records, events = drawn(seed, 120)
    votes = seed % 2 == 0
    events = [one for one in events if votes or one["kind"] != "vote"]
    wild.commit(records, events, files(SLICES))
    ahead = wild.repo.report("deployed", "wild")
    assert made == [False]
    monkeypatch.setattr(report, "marks_of", lambda slices: ())
    assert wild.repo.report("deployed", "wild") == ahead
    assert made == [False, True]
    n = {one.name: one.measures.n for one in ahead.groups}
    assert n["unsure"] + n["not-unsure"] == n["night"] + n["day"] == ahead.whole.n
    alone = [wild.repo.report("deployed", "wild", slices=[name]) for name in SLICES]
    assert {one.groups[0].name: one.groups[0] for one in alone} == {
        one.name: one for one in ahead.groups
    }


def test_of_records_that_were_shipped_twice_one_is_marked(wild, monkeypatch, made):
    records, events = drawn(7, 60)
    wild.commit(records, events, files(SLICES))
    wild.commit(drawn(8, 30)[0])
    ahead = wild.repo.report("deployed", "wild")
    assert ahead.whole.n + sum(one["status"] == "gap" for one in records) <= 60
    monkeypatch.setattr(report, "marks_of", lambda slices: ())
    assert wild.repo.report("deployed", "wild") == ahead
    assert made == [True, True]


def test_a_slice_may_ask_for_all_examples(wild, made):
    wild.commit(
        [{"output": "a", "confidence": at / 10} for at in range(10)],
        files=files({"low": "where: confidence < (SELECT avg(confidence) FROM examples)"}),
    )
    (low,) = wild.repo.report("deployed", "wild").groups
    assert (low.measures.n, made) == (5, [True])


def test_groups_by_column_are_marked_afterwards(wild, made):
    wild.commit([{"output": "a"}, {"output": "b"}], files=files(SLICES))
    found = wild.repo.report("deployed", "wild", by=["prediction"])
    n = {one.name: one.measures.n for one in found.groups}
    assert (n["prediction = a"], made) == (1, [True])


def test_slices_that_make_sense_together_alone_are_refused(wild):
    wild.commit([{"output": "a"}], files=files({"a": "where: true /*", "b": 'where: "*/ true"'}))
    with pytest.raises(InvalidError, match=r"slices/a\.yaml"):
        wild.repo.report("deployed", "wild")


def test_more_slices_than_a_mark_has_room_for(wild, made):
    wild.commit(
        [{"output": "a", "confidence": at / 100} for at in range(100)],
        files=files({f"s{at:02}": f"where: confidence < {at / 100}" for at in range(70)}),
    )
    found = wild.repo.report("deployed", "wild")
    assert {one.name: one.measures.n for one in found.groups} == {
        f"s{at:02}": at for at in range(70)
    }
    assert made == [True, True]


def test_an_example_tells_nothing_of_its_marks(wild):
    wild.commit([{"output": "a"}])
    with wild.repo.examples("deployed", "wild") as found:
        names = [row[0] for row in found.sql.rows("DESCRIBE examples")]
    assert not any("mark" in name for name in names)
