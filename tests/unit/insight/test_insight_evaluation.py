"""Evaluations against plain Python and scikit-learn; comparisons against plain counting."""

import io
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from oxcore.errors import AmbiguousError, InvalidError, NotFoundError, UsageError
from oxcore.insight.comparison import Bar
from oxcore.insight.figures import mcnemar
from oxcore.insight.versus import judged
from oxcore.testing import captured


def put(wild, files, message="files"):
    with wild.repo.transaction("main", message=message) as t:
        for path, text in files.items():
            t.put(path, text.encode())


def csv(head, rows):
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n"


def rows_of(wild, name):
    data = wild.repo.read(f"evals/{name}.parquet")
    return parquet.read_table(io.BytesIO(data)).to_pylist()


def note_of(wild, name):
    return json.loads(wild.repo.read(f"evals/{name}.json"))


def test_figures_are_those_of_scikit_learn(wild):
    metrics = pytest.importorskip("sklearn.metrics")
    draw = random.Random(1)
    real = [draw.choice("abc") for _ in range(300)]
    said = [one if draw.random() < 0.7 else draw.choice("abc") for one in real]
    put(wild, {"gold.csv": csv("id,label", enumerate(real))})
    put(wild, {"pred.csv": csv("id,prediction", list(enumerate(said))[::-1])})
    done = wild.repo.evaluate("main:pred.csv", "main:gold.csv", key="id")
    whole = done.evaluation.whole
    wanted = metrics.precision_recall_fscore_support(real, said, average="macro")
    assert whole.accuracy.value == pytest.approx(metrics.accuracy_score(real, said))
    assert [whole.precision.value, whole.recall.value, whole.f1.value] == pytest.approx(wanted[:3])
    assert whole.n == len(rows_of(wild, "pred")) == 300
    told = note_of(wild, "pred")["figures"]["accuracy"]["value"]
    assert told == pytest.approx(whole.accuracy.value)


def test_a_missing_answer_is_wrong_and_a_missing_truth_is_left_out(wild):
    put(wild, {"gold.csv": csv("key,truth", [(1, "a"), (2, "b"), (3, ""), (4, "b"), (5, "a")])})
    put(wild, {"p.csv": csv("key,prediction", [(1, "a"), (2, ""), (3, "a"), (4, "b"), (9, "a")])})
    made = wild.repo.evaluate("main:p.csv", "main:gold.csv").evaluation
    assert (made.whole.n, made.whole.wrong) == (4, 2)
    assert (made.missing, made.first_missing, made.extra, made.unlabelled) == (1, ("5",), 1, 1)
    assert made.answered.value == 0.5
    assert [(row["key"], row["prediction"], row["correct"]) for row in rows_of(wild, "p")] == [
        ("1", "a", True),
        ("2", None, False),
        ("4", "b", True),
        ("5", None, False),
    ]


def test_numbers_are_the_same_however_they_are_written(wild):
    put(wild, {"gold.csv": csv("key,label", [(1, 7), (2, 3)])})
    put(wild, {"p.jsonl": '{"key": 1.0, "label": 7.0}\n{"key": 2.0, "label": 4.0}\n'})
    made = wild.repo.evaluate("main:p.jsonl", "main:gold.csv").evaluation
    assert made.whole.wrong == 1
    assert [row["prediction"] for row in rows_of(wild, "p")] == ["7", "4"]


def test_numbers_within(wild):
    put(wild, {"gold.csv": csv("key,label", [(1, 7.5), (2, 3), (3, 1)])})
    put(wild, {"p.csv": csv("key,label", [(1, 7.4), (2, 4.5), (3, 1)])})
    made = wild.repo.evaluate("main:p.csv", "main:gold.csv", within=0.2).evaluation
    assert made.task == "numbers"
    assert made.whole.mae.value == pytest.approx(1.6 / 3)
    assert [row["correct"] for row in rows_of(wild, "p")] == [True, False, True]


def test_the_same_inputs_give_the_same_bytes_and_no_second_commit(wild):
    put(wild, {"gold.csv": csv("key,label,by", [(1, "a", "x"), (2, "b", "y")])})
    put(wild, {"p.csv": csv("key,label", [(1, "a"), (2, "a")])})
    one = wild.repo.evaluate("main:p.csv", "main~0:gold.csv", by=["by"])
    two = wild.repo.evaluate("main:p.csv", f"{one.commit.hex()}~1:gold.csv", by=["by"])
    assert one.evaluation == two.evaluation
    assert one.commit is not None
    assert two.commit is None
    assert [part.name for part in one.evaluation.groups] == ["by = x", "by = y"]


def test_a_file_outside_of_the_repository(wild, tmp_path_factory):
    put(wild, {"gold.csv": csv("key,label", [(1, "a"), (2, "b")])})
    file = tmp_path_factory.mktemp("elsewhere") / "mine.csv"
    file.write_text(csv("key,label,confidence", [(1, "a", 0.5), (2, "b", 1)]))
    made = wild.repo.evaluate(str(file), "main:gold.csv", commit=False)
    assert made.commit is None
    assert [one["confidence"] for one in rows_of_stage(wild, "mine")] == [0.5, 1.0]
    with pytest.raises(UsageError, match="other changes are staged"):
        wild.repo.evaluate(str(file), "main:gold.csv")


def rows_of_stage(wild, name):
    data = wild.repo.read(f"evals/{name}.parquet", rev=":")
    return parquet.read_table(io.BytesIO(data)).to_pylist()


def test_captured_records_by_id_and_by_input(wild):
    source = {"hash": "ab", "mime": "text/plain", "size": 1, "path": "media/ab/ab.txt"}
    wild.commit(
        [
            {"output": {"label": "cat"}, "confidence": 0.9},
            {"output": {"label": "old"}, "input": source},
            {"output": {"label": "dog"}, "input": source},
            {"output": {"label": "cat"}, "status": "error"},
        ]
    )
    put(
        wild,
        {"gold.csv": csv("id,label", [("r000000", "cat"), ("ab", "dog"), ("r000003", "cat")])},
    )
    made = wild.repo.evaluate("deployed:wild", "main:gold.csv").evaluation
    assert [
        (row["key"], row["prediction"], row["correct"]) for row in rows_of(wild, "deployed")
    ] == [
        ("ab", "dog", True),
        ("r000000", "cat", True),
        ("r000003", None, False),
    ]
    assert made.extra == 1


@pytest.mark.parametrize(
    ("gold", "pred", "kind", "match"),
    [
        ("key,label\n1,a\n1,b\n", "key,label\n1,a\n", InvalidError, "'1' is there 2 times"),
        ("key,label\n1,a\n", "key,label\n1,a\n1,b\n", InvalidError, "the predictions: the key"),
        ("key,label\n1,a\n", "key,label\n2,a\n", InvalidError, "no key of the truth"),
        ("key,x\n1,a\n", "key,label\n1,a\n", NotFoundError, "no column that is the truth"),
        ("x,label\n1,a\n", "key,label\n1,a\n", NotFoundError, "no column that is the key"),
    ],
)
def test_what_cannot_be_measured_is_told(wild, gold, pred, kind, match):
    put(wild, {"gold.csv": gold, "p.csv": pred})
    with pytest.raises(kind, match=match):
        wild.repo.evaluate("main:p.csv", "main:gold.csv")
    assert wild.repo.status().clean


def evaluated(wild, name, truth, said, slices=None):
    rows = [(key, value, (slices or {}).get(key, "s")) for key, value in truth.items()]
    put(
        wild,
        {"gold.csv": csv("key,label,part", rows), "p.csv": csv("key,prediction", said.items())},
    )
    return wild.repo.evaluate("main:p.csv", "main:gold.csv", name=name, by=["part"])


def test_a_comparison_against_plain_counting(wild):
    draw = random.Random(5)
    truth = {key: draw.choice("ab") for key in range(100)}
    part = {key: draw.choice("xy") for key in truth}
    old = {key: draw.choice("ab") for key in truth}
    new = {key: draw.choice("ab") for key in truth}
    evaluated(wild, "old", truth, old, part)
    evaluated(wild, "new", truth, new, part)
    found = wild.repo.compare_evaluations("old", "new", limit=200)
    fixed = sorted(str(k) for k in truth if old[k] != truth[k] == new[k])
    broken = sorted(str(k) for k in truth if new[k] != truth[k] == old[k])
    assert [turn.before for turn in found.versus.fixes] == fixed
    assert [turn.before for turn in found.versus.breaks] == broken
    assert (found.versus.fixed, found.versus.broken, found.versus.n) == (
        len(fixed),
        len(broken),
        100,
    )
    assert found.versus.p == mcnemar(len(fixed), len(broken))
    assert found.versus.old_accuracy.value == pytest.approx(
        sum(old[k] == truth[k] for k in truth) / 100
    )
    assert {name: one.n for name, one in found.groups} == {
        f"part = {value}": sum(one == value for one in part.values()) for value in "xy"
    }
    assert sum(one.broken for _, one in found.groups) == len(broken)


def test_what_is_not_on_both_sides_is_told(wild):
    evaluated(wild, "old", {1: "a", 2: "b", 3: "b"}, {1: "a", 2: "b", 3: "b"})
    evaluated(wild, "new", {2: "a", 3: "b", 4: "b"}, {2: "b", 3: "b", 4: "b"})
    found = wild.repo.compare_evaluations("old", "new")
    assert (found.versus.n, found.only_old, found.only_new, found.other_truth) == (1, 1, 1, 1)
    evaluated(wild, "else", {9: "a"}, {9: "a"})
    with pytest.raises(InvalidError, match="no key in common"):
        wild.repo.compare_evaluations("old", "else")


def test_evaluations_are_named_in_many_ways(wild):
    first = evaluated(wild, "m", {1: "a"}, {1: "a"})
    second = evaluated(wild, "m", {1: "a"}, {1: "b"})
    assert wild.repo.compare_evaluations(first.commit.hex(), second.commit.hex()).versus.broken == 1
    assert wild.repo.compare_evaluations(f"{first.commit.hex()}:evals/m.parquet", "m").versus.n == 1
    third = evaluated(wild, "n", {1: "a"}, {1: "a"})
    assert wild.repo.compare_evaluations("m", third.commit.hex()).versus.fixed == 1
    put(wild, {"x": "y"})
    with pytest.raises(AmbiguousError, match="2 evaluations"):
        wild.repo.compare_evaluations("m", "main")
    for name in ("nothing", "main:evals/gone.parquet"):
        with pytest.raises(NotFoundError):
            wild.repo.compare_evaluations("m", name)
    with pytest.raises(InvalidError, match="is no evaluation"):
        wild.repo.compare_evaluations("m", "main:gold.csv")
    put(
        wild,
        {
            "twice.csv": csv(
                "key,truth,prediction,correct,confidence", [(1, "a", "a", "true", 1)] * 2
            )
        },
    )
    with pytest.raises(InvalidError, match=r"main:twice\.csv: the key 1 is there 2 times"):
        wild.repo.compare_evaluations("main:twice.csv", "main:twice.csv")


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 99))
@settings(deadline=None)
def test_the_bars_of_a_regression(fixed, broken, same):
    found = judged(
        "a", "b", {(True, True): same, (False, True): fixed, (True, False): broken}, (), ()
    )
    drop = (broken - fixed) / max(1, fixed + broken + same)
    assert bool(Bar().passed_by(found)) == (broken > fixed and mcnemar(fixed, broken) < 0.05)
    assert bool(Bar(max_broken=5).passed_by(found)) == (broken > 5)
    assert bool(Bar(tolerance=0.1).passed_by(found)) == (drop > 0.1)
    assert bool(Bar(alpha=0.01).passed_by(found)) == (broken > fixed and found.p < 0.01)


def test_figures_are_told_to_nine_digits_for_threads_add_in_any_order(wild):
    put(wild, {"gold.csv": csv("key,label", [(key, "a") for key in range(3)])})
    put(wild, {"p.csv": csv("key,label", enumerate("aba"))})
    whole = wild.repo.evaluate("main:p.csv", "main:gold.csv").evaluation.whole
    told = note_of(wild, "p")["figures"]["accuracy"]
    assert told["value"] == float(f"{whole.accuracy.value:.9g}") != whole.accuracy.value


def test_a_prompt_that_breaks_answers_is_a_regression(wild):
    """Two branches of captured answers to the same questions, by the hashes of these."""

    def source(n):
        return {"hash": f"h{n:02}", "mime": "text/plain", "size": 1, "path": f"media/h{n:02}"}

    gold = [(f"h{n:02}", "yes" if n % 2 else "no") for n in range(20)]
    put(wild, {"gold.csv": csv("question,answer", gold)})
    for branch, wrong in (("prompt-1", set()), ("prompt-2", set(range(7)))):
        records = [
            {
                "output": {"choices": [{"text": "maybe" if n in wrong else answer}]},
                "input": source(n),
            }
            for n, (_, answer) in enumerate(gold)
        ]
        with wild.repo.transaction(branch, message="captured") as t:
            for path, data in captured.files(1, "chat", records, []).items():
                t.put(path, data)
        wild.repo.evaluate(
            f"{branch}:chat", "main:gold.csv", key="question", prediction="choices[0].text"
        )
    found = wild.repo.compare_evaluations("prompt-1", "prompt-2")
    assert (found.versus.fixed, found.versus.broken, found.regression) == (0, 7, True)
    assert found.versus.breaks[0].new == "maybe"
    assert not wild.repo.compare_evaluations("prompt-1", "prompt-2", max_broken=7).regression
