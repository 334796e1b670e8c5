"""Reports against plain Python, and against scikit-learn where that is installed."""

import random

import pytest

from oxcore.errors import InvalidError, NotFoundError

LABELS = ("cat", "dog", "fox")


def some(seed, n, labelled=0.7):
    """Records with predictions and, for some, labels; gives (records, events)."""
    draw = random.Random(seed)
    records, events = [], []
    for at in range(n):
        truth = draw.choice(LABELS)
        guess = truth if draw.random() < 0.8 else draw.choice(LABELS)
        records.append(
            {
                "output": {"label": guess, "score": 0.5},
                "confidence": round(draw.random(), 3),
                "tags": ["night"] if draw.random() < 0.3 else [],
                "model": {"name": "m", "version": str(at % 2), "weights_hash": None},
            }
        )
        if draw.random() < labelled:
            events.append({"record_id": f"r{at:06}", "value": truth})
    return records, events


@pytest.mark.parametrize("seed", range(3))
def test_figures_of_classes_are_those_of_scikit_learn(wild, seed):
    metrics = pytest.importorskip("sklearn.metrics")
    records, events = some(seed, 300)
    wild.commit(records, events)
    found = wild.repo.report("deployed", "wild")
    truth = {one["record_id"]: one["value"] for one in events}
    real = list(truth.values())
    said = [records[int(key[1:])]["output"]["label"] for key in truth]
    assert found.whole.n == 300
    assert found.whole.labelled == len(real)
    assert found.whole.coverage.value == pytest.approx(len(real) / 300)
    assert found.whole.accuracy.value == pytest.approx(metrics.accuracy_score(real, said))
    wanted = metrics.precision_recall_fscore_support(real, said, average="macro", zero_division=0)
    got = (found.whole.precision, found.whole.recall, found.whole.f1)
    assert [one.value for one in got] == pytest.approx(wanted[:3])
    each = metrics.precision_recall_fscore_support(real, said, labels=LABELS, zero_division=0)
    assert [one.precision.value for one in found.classes] == pytest.approx(list(each[0]))
    assert [one.f1.value for one in found.classes] == pytest.approx(list(each[2]))
    assert [one.support for one in found.classes] == list(each[3])
    sure = [records[int(key[1:])]["confidence"] for key in truth]
    right = [a == b for a, b in zip(real, said, strict=True)]
    assert found.whole.brier.value == pytest.approx(metrics.brier_score_loss(right, sure))


def test_figures_of_numbers(wild):
    pairs = [(1.5, 1.0), (2.0, 2.5), (4.25, 4.25), (-1.0, 1.0)]
    records = [{"output": {"value": guess}} for guess, _ in pairs]
    wild.commit(records, [{"record_id": f"r{n:06}", "value": t} for n, (_, t) in enumerate(pairs)])
    found = wild.repo.report("deployed", "wild")
    assert found.task == "numbers"
    assert found.whole.mae.value == pytest.approx(0.75)
    assert found.whole.rmse.value == pytest.approx(((0.25 + 0.25 + 0 + 4) / 4) ** 0.5)


def test_no_label_is_never_right_and_a_failed_call_is_wrong(wild):
    wild.commit(
        [
            {"output": {"label": "cat"}},
            {"output": {"label": "cat"}},
            {"status": "error", "error": "ValueError: no"},
            {"status": "error"},
        ],
        [{"record_id": "r000000", "value": "cat"}, {"record_id": "r000002", "value": "cat"}],
    )
    found = wild.repo.report("deployed", "wild").whole
    assert (found.n, found.labelled, found.wrong) == (4, 2, 1)
    assert found.accuracy.value == 0.5
    assert found.error_rate.value == 0.5


def test_the_label_is_of_the_most_trusted_source_then_the_latest(wild):
    hour = 3_600_000_000
    ts = 1_700_000_000_000_000 + hour
    wild.commit(
        [{"output": {"label": "cat"}}],
        [
            {"record_id": "r000000", "value": "dog", "source": "human", "ts": ts},
            {"record_id": "r000000", "value": "fox", "source": "human", "ts": ts + hour},
            {"record_id": "r000000", "value": "cat", "source": "model", "ts": ts + 2 * hour},
            {"record_id": "r000000", "value": "up", "kind": "vote", "ts": ts},
            {"record_id": "gone", "value": "cat", "ts": ts},
        ],
    )

    def truth(**how):
        with wild.repo.examples("deployed", "wild", **how) as found:
            return found.sql.rows("SELECT truth, truth_source, up, down FROM examples")[0]

    assert truth() == ("fox", "human", 1, 0)
    assert truth(as_of=ts) == ("dog", "human", 1, 0)
    assert truth(trust=("model",)) == ("cat", "model", 1, 0)
    assert wild.repo.report("deployed", "wild").orphans == 1


def test_records_that_were_shipped_twice_count_once_and_gaps_are_told(wild):
    rows = [{"output": {"label": "a"}}, {"output": {"label": "b"}}]
    lost = {"status": "gap", "params": {"dropped": 7, "reason": "full"}, "record_id": "g"}
    wild.commit([*rows, lost])
    wild.commit(rows)
    found = wild.repo.report("deployed", "wild")
    assert (found.whole.n, found.lost) == (2, 7)


def test_weights_undo_the_sampling(wild):
    wild.commit(
        [
            {"output": {"label": "a"}, "sample_rate": 0.1},
            {"output": {"label": "b"}, "sample_rate": 1.0},
        ],
        [{"record_id": f"r{n:06}", "value": "a"} for n in range(2)],
    )
    found = wild.repo.report("deployed", "wild").whole
    assert found.accuracy.value == pytest.approx(10 / 11)
    assert found.accuracy.n == 2


def test_slices_and_groups(wild):
    records, events = some(5, 200)
    wild.commit(
        records,
        events,
        {
            "slices/night.yaml": b"about: at night\ntag: night\n",
            "slices/unsure.yaml": b"where: confidence < 0.3\n",
            "slices/both.yaml": b"all: [night, unsure]\n",
            "slices/day.yaml": b"not: night\n",
            "slices/one.yaml": b"records: [r000003]\n",
        },
    )
    found = wild.repo.report("deployed", "wild", by=["model"])
    n = {group.name: group.measures.n for group in found.groups}
    night = {at for at, one in enumerate(records) if one["tags"]}
    unsure = {at for at, one in enumerate(records) if one["confidence"] < 0.3}
    assert n == {
        "night": len(night),
        "unsure": len(unsure),
        "both": len(night & unsure),
        "day": 200 - len(night),
        "one": 1,
        "model = m@0": 100,
        "model = m@1": 100,
    }
    wrong = sum(group.measures.wrong for group in found.groups if "model" in group.name)
    assert wrong == found.whole.wrong
    recoverable = [group.recoverable for group in found.groups]
    assert recoverable == sorted(recoverable, reverse=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"where: nothing < 3\n", "nothing"),
        (b"all: [night]\n", "circle"),
        (b"any: [gone]\n", "gone"),
        (b"when: 3\n", "when"),
        (b"a: [\n", "line"),
        (b"3", "conditions"),
    ],
)
def test_a_slice_that_makes_no_sense_is_named(wild, text, message):
    wild.commit([{"output": "a"}], files={"slices/night.yaml": text})
    with pytest.raises((InvalidError, NotFoundError), match=message):
        wild.repo.report("deployed", "wild")


def test_a_folder_without_records(wild):
    wild.commit([{"output": "a"}])
    with pytest.raises(NotFoundError, match="tame"):
        wild.repo.report("deployed", "tame")


def test_failures_come_the_surest_first(wild):
    wild.commit(
        [
            {"output": {"label": "a"}, "confidence": 0.6},
            {"output": {"label": "a"}, "confidence": 0.9},
            {"output": {"label": "a"}, "confidence": 0.99},
            {"status": "error", "error": "boom"},
        ],
        [
            {"record_id": "r000000", "value": "b"},
            {"record_id": "r000001", "value": "b"},
            {"record_id": "r000002", "value": "a"},
        ],
    )
    ids = [one.record_id for one in wild.repo.failures("deployed", "wild")]
    assert ids == ["r000001", "r000000", "r000003"]
    found = wild.repo.failures("deployed", "wild", where="confidence > 0.7", sort="uncertainty")
    assert [one.record_id for one in found] == ["r000001", "r000002"]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_commit_gives_the_same_report(wild, seed):
    wild.commit(*some(seed, 400))
    one, two = (wild.repo.report("deployed", "wild", by=["model", "tags"]) for _ in range(2))
    assert one == two
