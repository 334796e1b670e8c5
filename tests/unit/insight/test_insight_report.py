"""Reports against plain Python, and against scikit-learn where that is installed."""

import io
import json
import math
import random
from functools import partial

import pyarrow as pa
import pytest
from PIL import Image

from oxcore.errors import InvalidError, NotFoundError
from oxcore.insight import quantiles
from oxcore.insight.figures import Figure, Weighted, by_class, mcnemar, wilson
from oxcore.insight.page import as_json, page
from oxcore.insight.pictures import Shown, shown
from oxcore.tables.engine import engine

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


def test_throughput_is_of_all_calls_not_of_those_that_a_sample_kept(wild):
    wild.commit([{"sample_rate": 0.1}, {"sample_rate": 0.1}, {"sample_rate": 1.0}])
    assert wild.repo.report("deployed", "wild").whole.rate.value == pytest.approx(21 / (2 / 3600))


def test_latency_is_that_of_all_calls_not_of_those_that_a_sample_kept(wild):
    slow = [{"latency_ms": 900.0, "status": "error"}] * 30
    wild.commit([*slow, *[{"latency_ms": 10.0, "sample_rate": 0.1}] * 70])
    found = wild.repo.report("deployed", "wild").whole.latency
    assert [one.value for one in found] == [10.0, 10.0, 900.0]
    assert [one.n for one in found] == [100, 100, 100]


def test_latencies_and_throughput_have_intervals(wild):
    wild.commit([{"latency_ms": float(n + 1)} for n in range(1000)] + [{"latency_ms": None}])
    found = wild.repo.report("deployed", "wild").whole
    assert found.latency[0] == Figure(500.0, 1000, 470.0, 531.0)
    assert found.latency[1] == Figure(950.0, 1000, 937.0, 964.0)
    assert found.latency[2] == Figure(990.0, 1000, 984.0, 997.0)
    assert found.rate.n == 1001
    low, high = found.rate.low, found.rate.high
    assert low < 3600 * 1001 / 1000 < high
    assert high / low == pytest.approx(1.132, abs=0.001)


def test_an_end_of_an_interval_beyond_all_that_was_measured_is_open(wild):
    wild.commit([{"latency_ms": float(n)} for n in range(20)])
    p50, p95, p99 = wild.repo.report("deployed", "wild").whole.latency
    assert (p50.low, p50.value, p50.high) == (5.0, 9.0, 14.0)
    assert (p95.low, p95.value, p95.high, p99.high) == (17.0, 18.0, None, None)


def test_such_an_interval_holds_the_quantile_19_times_of_20():
    draw, groups = random.Random(5), 60
    times = [draw.expovariate(1) for _ in range(200 * groups)]
    marks = [1 << at % groups for at in range(200 * groups)]
    with engine({}) as sql:
        sql.put("marked", pa.table({"mark": marks, "latency_ms": times}))
        found = quantiles.latencies(sql, "marked", groups, marks=groups, weighted=False)
    held = sum(p50.low <= math.log(2) <= p50.high for p50, _, _ in found)
    assert 53 <= held < 60


def test_groups_by_what_was_told_besides(wild):
    told = [{"camera": "A", "lens": {"mm no": 35}}, {"camera": "A"}, {"camera": "B"}, None]
    wild.commit([{"params": one, "output": {"label": "a"}} for one in told])

    def groups(column):
        found = wild.repo.report("deployed", "wild", by=[column]).groups
        return {group.name: group.measures.n for group in found}

    assert groups("params.camera") == {
        "params.camera = A": 2,
        "params.camera = B": 1,
        "no params.camera": 1,
    }
    assert groups("params.lens.mm no") == {"params.lens.mm no = 35": 1, "no params.lens.mm no": 3}
    assert groups("output.label") == {"output.label = a": 4}
    assert groups("params.it's \\ \"odd") == {"no params.it's \\ \"odd": 4}
    with pytest.raises(InvalidError, match='"camera"') as caught:
        groups("camera")
    assert "params.NAME" in caught.value.hint


def test_classes_are_found_in_one_pass_over_the_pairs():
    """Of free text for labels there are as many classes as records."""

    class Pairs(dict):
        passes = 0

        def items(self):
            self.passes += 1
            return super().items()

    pairs = Pairs({("a", f"g{at}"): Weighted(1, 1.0, 1.0) for at in range(50)})
    pairs |= {("a", "a"): Weighted(2, 2.0, 2.0), ("b", "a"): Weighted(1, 1.0, 1.0)}
    pairs[("a", "")] = Weighted(1, 1.0, 1.0)
    found = {one.label: one for one in by_class(pairs)}
    assert (len(found), pairs.passes) == (52, 1)
    a, b = found["a"], found["b"]
    assert (a.precision.value, a.recall.value, a.support) == (2 / 3, 2 / 53, 53)
    assert (b.precision.value, b.recall.value, b.support) == (None, 0.0, 1)


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
        (b"where: random() < 0.5\n", r"slices/night.yaml: random .* each time"),
        (b"where: ts > Now() - INTERVAL 1 DAY\n", "Now"),
        (b"where: ts > current_date\n", "current_date"),
        (b"where: age(ts) < INTERVAL 1 DAY\n", "age"),
        (b"where: confidence > (SELECT avg(confidence) FROM examples USING SAMPLE 3)\n", "SAMPLE"),
    ],
)
def test_a_slice_that_makes_no_sense_is_named(wild, text, message):
    wild.commit([{"output": "a"}], files={"slices/night.yaml": text})
    with pytest.raises((InvalidError, NotFoundError), match=message):
        wild.repo.report("deployed", "wild")


def test_a_slice_may_speak_of_what_changes(wild):
    where = (
        b"where: prediction = 'now()' AND age(ts, ts) = INTERVAL 0 DAY /* random() */ -- today\n"
    )
    wild.commit([{"output": "now()"}, {"output": "a"}], files={"slices/night.yaml": where})
    assert wild.repo.report("deployed", "wild").groups[0].measures.n == 1
    assert len(wild.repo.failures("deployed", "wild", where="random() < 2")) == 2
    for add in (wild.repo.add_slice, partial(wild.repo.add_rule, label="a")):
        with pytest.raises(InvalidError, match="now is something else each time"):
            add("recent", where="ts > now()")


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


def test_two_models_on_the_same_inputs(wild):
    def one(answer, model, at):
        source = {"hash": f"h{at}", "mime": "text/plain", "size": 1, "path": None}
        return {"output": answer, "model": {"name": model, "version": None}, "input": source}

    old, new = ["a", "a", "b", "b", "a"], ["a", "b", "a", "b", "a"]
    records = [one(answer, "old", at) for at, answer in enumerate(old)]
    records += [one(answer, "new", at) for at, answer in enumerate(new)]
    truth = ["a", "b", "b", "a"]  # the last input has no label: it counts nowhere
    wild.commit(records, [{"record_id": f"r{n:06}", "value": t} for n, t in enumerate(truth)])
    found = wild.repo.versus("deployed", "wild", "new", model="old")
    counts = (found.n, found.both_right, found.both_wrong, found.fixed, found.broken)
    assert counts == (4, 1, 1, 1, 1)
    assert found.p == 1.0
    assert [(turn.before, turn.after) for turn in found.fixes] == [("r000001", "r000006")]
    back = wild.repo.versus("deployed", "wild", "old", model="new")
    assert (back.fixed, back.broken) == (found.broken, found.fixed)
    with pytest.raises(NotFoundError, match="newer"):
        wild.repo.versus("deployed", "wild", "newer")


def test_two_models_within_slices_and_groups(wild):
    def one(answer, model, at):
        source = {"hash": f"h{at}", "mime": "text/plain", "size": 1, "path": None}
        tags = ["night"] if at < 2 else []
        told = {"output": answer, "model": {"name": model, "version": None}, "input": source}
        return {**told, "tags": tags, "params": {"camera": "AB"[at % 2]}}

    old, new = ["a", "a", "b", "b"], ["a", "b", "a", "b"]
    records = [one(answer, "old", at) for at, answer in enumerate(old)]
    records += [one(answer, "new", at) for at, answer in enumerate(new)]
    events = [{"record_id": f"r{n:06}", "value": t} for n, t in enumerate(["a", "b", "b", "a"])]
    wild.commit(records, events, {"slices/night.yaml": b"tag: night\n"})
    found = wild.repo.versus(
        "deployed", "wild", "new", model="old", slices=None, by=["params.camera"]
    )
    told = [(w.name, w.n, w.fixed, w.broken, w.old_accuracy.value) for w in found.groups]
    assert told == [
        ("params.camera = A", 2, 0, 1, 1.0),
        ("night", 2, 1, 0, 0.5),
        ("params.camera = B", 2, 1, 0, 0.0),
    ]
    assert all(w.new_accuracy.n == w.n for w in found.groups)
    text = page(wild.repo.report("deployed", "wild"), {}, found)
    assert "<th>before</th><th>after</th>" in text
    assert json.loads(as_json(wild.repo.report("deployed", "wild"), found))["versus"]["groups"]
    wild.repo.branch("other", "deployed")
    same = wild.repo.versus("deployed", "wild", "other", slices=["night"])
    assert [(w.name, w.n, w.fixed, w.broken) for w in same.groups] == [("night", 2, 0, 0)]


def test_the_page_holds_no_control_characters(wild):
    odd = "\x00\x1b[2J\x85 <b>"
    wild.commit(
        [{"output": odd, "model": {"name": odd, "version": None, "weights_hash": None}}],
        [{"record_id": "r000000", "value": "b"}],
    )
    found = wild.repo.report("deployed", "wild", by=["model"])
    html = page(found, {"r000000": Shown(text=f"{odd}\tand\n")})
    assert "\ufffd\ufffd[2J\ufffd &lt;b&gt;\tand\n" in html
    assert all(char.isprintable() or char in "\t\n\ufffd" for char in html)


def test_the_page_is_the_same_each_time_and_shows_inputs(wild):
    png = io.BytesIO()
    Image.new("L", (8, 8), 200).save(png, "PNG")
    inputs = [
        {"hash": "1", "mime": "image/png", "size": 9, "path": "media/aa/1.png"},
        {"hash": "2", "mime": "text/plain", "size": 9, "path": "media/bb/2.txt"},
    ]
    wild.commit(
        [{"output": "a", "input": source, "confidence": 0.9} for source in inputs],
        [{"record_id": f"r{n:06}", "value": "<b>"} for n in range(2)],
        {"wild/media/aa/1.png": png.getvalue(), "wild/media/bb/2.txt": b"so & so"},
    )
    report = wild.repo.report("deployed", "wild")
    shown = wild.repo.input_of("deployed", "wild", ["r000000", "r000001"])
    text = page(report, shown)
    assert text == page(wild.repo.report("deployed", "wild"), shown)
    assert "data:image/png;base64," in text
    assert "so &amp; so" in text
    assert "<b><b></b>" not in text
    assert json.loads(as_json(report))["whole"]["wrong"] == 2


@pytest.mark.parametrize(("fixed", "broken"), [(0, 0), (5, 5), (9, 1), (0, 12), (300, 250)])
def test_mcnemar_is_the_binomial_test(fixed, broken):
    stats = pytest.importorskip("scipy.stats")
    n = fixed + broken
    wanted = stats.binomtest(min(fixed, broken), n, 0.5).pvalue if n else 1.0
    assert mcnemar(fixed, broken) == pytest.approx(wanted)


@pytest.mark.parametrize(("share", "n"), [(0.0, 10), (0.5, 3), (0.91, 1000), (1.0, 7)])
def test_wilsons_interval(share, n):
    stats = pytest.importorskip("scipy.stats")
    wanted = stats.binomtest(round(share * n), n).proportion_ci(0.95, "wilson")
    assert wilson(round(share * n) / n, n) == pytest.approx((wanted.low, wanted.high))


def test_an_array_is_drawn():
    numpy = pytest.importorskip("numpy")
    for array in (numpy.eye(8), numpy.arange(64, dtype="f4"), numpy.zeros((4, 5, 3), "u1")):
        out = io.BytesIO()
        numpy.save(out, array)
        assert shown(out.getvalue(), "application/x-npy").picture
    numpy.save(out := io.BytesIO(), numpy.zeros((2, 2, 2, 2)))
    assert shown(out.getvalue(), None) == Shown()
    assert shown(b"\x93NUMPY\x01\x00\xff", None) == Shown()
