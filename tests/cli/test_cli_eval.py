"""``ox eval`` and ``ox compare``: predictions measured, and what changed, as people see it."""

import random

import pytest

from oxcore.api import Repo
from oxcore.model.commits import Moment, Person
from oxcore.model.settings import Settings
from oxcore.testing import captured


@pytest.fixture
def measured(repo, write, ox):
    """A truth, and the predictions of two models: the second is better, but not at night."""
    draw, gold, one, two = random.Random(2), ["photo,label,when"], [], []
    for at in range(60):
        truth, when = draw.choice(["cat", "dog"]), draw.choice(["day", "night"])
        wrong = {"cat": "dog", "dog": "cat"}[truth]
        gold.append(f"p{at:02},{truth},{when}")
        one.append(f"p{at:02},{truth if draw.random() < 0.6 else wrong},0.75")
        good = draw.random() < (0.95 if when == "day" else 0.5)
        two.append(f"p{at:02},{truth if good else wrong},0.75")
    head = "photo,prediction,confidence"
    files = {
        "gold.csv": gold,
        "one.csv": [head, *one],
        "two.csv": [head, *two[:-1], "p99,cat,1"],
    }
    write({name: ("\n".join(lines) + "\n").encode() for name, lines in files.items()}, repo)
    ox("add", ".", cwd=repo)
    ox("commit", "-m", "gold", cwd=repo)
    return repo


def evaluate(ox, folder, name, *more):
    words = ("eval", "--pred", f"{name}.csv", "--on", "main:gold.csv", "--key", "photo", *more)
    return ox(*words, cwd=folder)


def test_an_evaluation_is_a_commit(ox, measured, golden):
    golden("eval", evaluate(ox, measured, "two", "--by", "when").out)
    assert ox("status", "--json", cwd=measured).json["clean"]
    assert "eval two: " in ox("log", "--oneline", cwd=measured).lines[0]
    assert "is as it was" in evaluate(ox, measured, "two", "--by", "when").out
    note = measured / "evals/two.json"
    assert '"first_missing": [\n  "p59"\n ]' in note.read_text()
    ox("undo", cwd=measured)
    assert "gold" in ox("log", "--oneline", cwd=measured).lines[0]


def test_it_may_stay_staged(ox, measured):
    assert "is staged" in evaluate(ox, measured, "one", "--no-commit").out
    assert ox("diff", "--staged", "--stat", cwd=measured).out.count("evals/one") == 2
    words = ("eval", "--pred", "two.csv", "--on", "main:gold.csv", "--key", "photo")
    failed = ox.fails(*words, cwd=measured)
    assert failed.code == 2
    assert "--no-commit" in failed.err


def test_what_was_fixed_and_what_broke(ox, measured, golden):
    evaluate(ox, measured, "one", "--by", "when")
    evaluate(ox, measured, "two", "--by", "when")
    golden("compare", ox("compare", "one", "two", "-n", "3", cwd=measured).out)
    back = ox("compare", "two", "one", "--json", cwd=measured, code=None)
    assert back.json["versus"]["broken"] > back.json["versus"]["fixed"]
    assert back.code == (1 if back.json["regression"] else 0)


def test_the_exit_code_tells_of_a_regression(ox, measured):
    evaluate(ox, measured, "one")
    evaluate(ox, measured, "two")
    none = ox("compare", "one", "two", cwd=measured)
    assert none.lines[-1] == "no regression"
    many = ox("compare", "one", "two", "--max-broken", "2", cwd=measured, code=1)
    assert "broke: more than 2" in many.lines[-1]
    fell = ox("compare", "two", "one", "--tolerance", "0.01", cwd=measured, code=1)
    assert "accuracy fell by " in fell.lines[-1]
    ox("compare", "two", "one", "--tolerance", "0.9", cwd=measured)
    ox("compare", "one", "one", cwd=measured)


def test_what_cannot_be_done_is_told(ox, measured):
    evaluate(ox, measured, "one")
    assert "no evaluation is called" in ox.fails("compare", "one", "gone", cwd=measured).err
    assert ox.fails("compare", "one", "one", "--alpha", "x", cwd=measured).code == 3
    words = ("eval", "--pred", "gone:wild", "--on", "main:gold.csv")
    assert "BRANCH:DIR" in ox.fails(*words, cwd=measured).err
    assert ox.fails("eval", "--pred", "one.csv", "--on", "gold.csv", cwd=measured).code == 2
    lost = ox.fails("eval", "--pred", "one.csv", "--on", "main:gold.csv", cwd=measured)
    assert "no column that is the key" in lost.err


def test_labels_that_arrive_as_a_table(ox, repo, write, golden):
    settings = Settings(Person("Ann"), lambda: Moment(1_700_000_000_000_000, 0))
    with (
        Repo.open(str(repo), settings=settings) as opened,
        opened.transaction("deployed", message="captured") as t,
    ):
        records = [{"output": {"label": "cat"}} for _ in range(3)]
        for path, data in captured.files(1, "wild", records, []).items():
            t.put(path, data)
    write({"t.csv": b"id,animal\nr000000,cat\nr000001,dog\nr7,dog\nr000002,\n"}, repo)
    words = ("label", "import", "t.csv", "--key", "id", "--value", "animal", "deployed", "wild")
    golden("label-import", ox(*words, cwd=repo).out)
    again = ox(*words, "--json", cwd=repo).json
    assert (again["added"], again["known"], again["commit"]) == (0, 2, None)
    assert "2 labelled, 1 of these wrong" in ox("report", "deployed", "wild", cwd=repo).out
    lost = ox.fails("label", "import", "t.csv", "--key", "key", "deployed", "wild", cwd=repo)
    assert lost.code == 5
    assert "there are: id, animal" in lost.err
