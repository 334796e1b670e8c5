"""Requests: what is pinned stays, and what passes is what the figure says."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from oxcore.api import Repo
from oxcore.errors import (
    AmbiguousError,
    ExistsError,
    InvalidError,
    NotFoundError,
    RejectedError,
    UsageError,
)
from oxcore.insight.requests import Request
from oxcore.testing import captured

SLICE = {"slices/night.yaml": b"about: at night\ntag: night\n"}


def put(wild, files, branch="main"):
    with wild.repo.transaction(branch, message="files") as t:
        for path, text in files.items():
            t.put(path, text.encode() if isinstance(text, str) else text)


def save(wild, answers, truths, *, start=0, tags=("night",), model="cam", **given):
    """Records with these answers, and a label where there is a truth; inputs are ``input N``."""
    inputs = [f"input {start + n}".encode() for n in range(len(answers))]
    records, events, files = captured.labelled("wild", inputs, start=start)
    for record, said in zip(records, answers, strict=True):
        record.update(output={"label": said}, tags=list(tags), model={"name": model}, **given)
    events = [
        {**event, "value": truth}
        for event, truth in zip(events, truths, strict=True)
        if truth is not None
    ]
    wild.commit(records, events, {**files, **SLICE})


def table(answers, head="record_id,prediction"):
    rows = "".join(f"{key},{said}\n" for key, said in answers.items())
    return f"{head}\n{rows}"


def ids(*numbers):
    return [f"r{n:06}" for n in numbers]


@pytest.fixture
def asked(wild):
    """Ten records of the night, four of them right, and a request for nine tenths."""
    save(wild, ["cat"] * 4 + ["dog"] * 6, ["cat"] * 10)
    save(wild, ["dog"] * 3, [None, None, "dog"], start=10, tags=["day"])
    wild.repo.open_request("night", "deployed", "wild", "night", at_least=0.9, owner="Grace")
    return wild


def said(wild, right, n=10, name="new.csv"):
    """Answers of which ``right`` are right, as a table of main."""
    answers = {key: "cat" if at < right else "dog" for at, key in enumerate(ids(*range(n)))}
    put(wild, {name: table(answers)})
    return f"main:{name}"


def test_what_is_pinned(asked):
    found = asked.repo.request("night")
    request = found.kept.request
    assert (found.kept.branch, request.state, request.owner) == ("request/night", "open", "Grace")
    assert (request.n, request.wrong, request.figure, request.model) == (10, 6, 0.4, ("cam",))
    assert request.commit == asked.repo.refs()["refs/heads/deployed"]
    assert [one.record_id for one in found.failing] == ids(*range(4, 10))
    assert {one.truth for one in found.failing} == {"cat"}
    assert found.inputs == 10
    data = asked.repo.read("requests/night/" + found.failing[0].input_path, "request/night")
    assert data == b"input 4"
    rows = parquet.read_table(
        io.BytesIO(asked.repo.read("requests/night/rows.parquet", "request/night"))
    )
    assert [row["correct"] for row in rows.to_pylist()] == [True] * 4 + [False] * 6
    assert [(step.did, step.author) for step in found.history] == [("opened", "Ann")]
    assert found.relabelled == ()


def test_the_file_has_one_field_a_line_and_no_moment(asked, tmp_path_factory):
    text = asked.repo.read("requests/night/request.yaml", "request/night").decode()
    names = [line.partition(":")[0] for line in text.splitlines()]
    assert names[:5] == ["state", "owner", "slice", "metric", "at_least"]
    assert names == [one for one in Request.__dataclass_fields__ if one in names]
    again = asked.repo.open_request("b", "deployed", "wild", "night", at_least=0.9, owner="Grace")
    assert asked.repo.read("requests/b/request.yaml", again.branch).decode() == text
    assert asked.repo.read("requests/b/rows.parquet", again.branch) == asked.repo.read(
        "requests/night/rows.parquet", "request/night"
    )


def test_the_branch_is_made_of_the_present_commit_and_holds_all_that_it_needs(asked, tmp_path):
    assert asked.repo.merge("request/night").kind == "fast-forward"
    assert asked.repo.request("night", "HEAD").kept.branch == "main"
    assert (tmp_path / "requests/night/rows.parquet").exists()
    assert asked.repo.read("readme") == b"a dataset"


def test_a_model_that_passes_closes_it(asked):
    few = asked.repo.test_request("night", said(asked, 8))
    assert not few.passed
    assert few.commit is None
    assert few.why == ("accuracy is 80.0%, and at least 90.0% is asked for",)
    tried = asked.repo.test_request("night", said(asked, 9), dry_run=True)
    assert (tried.passed, tried.commit) == (True, None)
    done = asked.repo.test_request("night", said(asked, 9), model="cam@2")
    versus = done.comparison.versus
    assert (versus.fixed, versus.broken, versus.both_right, versus.both_wrong) == (5, 0, 4, 1)
    assert done.kept.request.state == "passed"
    assert done.commit.hex() == asked.repo.refs()["refs/heads/request/night"]
    found = asked.repo.request("night")
    assert [step.did for step in found.history] == ["opened", "passed"]
    passed = found.kept.request.passed
    assert (passed["model"], passed["figure"], passed["n"], passed["fixed"]) == (
        "cam@2",
        0.9,
        10,
        5,
    )
    assert passed["path"] == "new.csv"
    compared = asked.repo.compare_evaluations(
        "request/night:requests/night/rows.parquet", "request/night:requests/night/passed.parquet"
    )
    assert compared.versus.fixed == 5


def test_one_that_passed_stays_a_test_and_opens_again(asked):
    asked.repo.test_request("night", said(asked, 10))
    tip = asked.repo.refs()["refs/heads/request/night"]
    assert not asked.repo.test_request("night", said(asked, 3)).passed
    assert asked.repo.test_request("night", said(asked, 9)).passed
    assert asked.repo.refs()["refs/heads/request/night"] == tip
    asked.repo.reopen_request("night")
    with pytest.raises(UsageError, match="is open"):
        asked.repo.reopen_request("night")
    found = asked.repo.request("night")
    assert (found.kept.request.state, found.kept.request.passed) == ("open", {})
    asked.repo.close_request("night", "a new\ncamera")
    assert asked.repo.request("night").kept.request.reason == "a new\ncamera"
    with pytest.raises(UsageError, match="closed already"):
        asked.repo.close_request("night", "x")
    steps = [step.did for step in asked.repo.request("night").history]
    assert steps == ["opened", "passed", "reopened", "closed"]


@pytest.mark.parametrize("head", ["input_hash,prediction", "path,label"])
def test_inputs_may_be_the_key(asked, head):
    rows = asked.repo.request("night", limit=99)
    name = head.split(",")[0]
    data = asked.repo.read("requests/night/rows.parquet", "request/night")
    keys = parquet.read_table(io.BytesIO(data)).column(name).to_pylist()
    assert rows.kept.request.n == len(set(keys))
    put(asked, {"new.csv": table(dict.fromkeys([*keys, "another"], "cat"), head)})
    assert asked.repo.test_request("night", "main:new.csv").figure.value == 1


def test_what_is_said_of_a_record_stands_before_what_is_said_of_its_input(asked):
    asked.repo.open_request("one", "deployed", "wild", "night", at_least=0.9)
    data = asked.repo.read("requests/one/rows.parquet", "request/one")
    hashes = parquet.read_table(io.BytesIO(data)).column("input_hash").to_pylist()
    answers = {**dict.fromkeys(hashes, "cat"), "r000000": "dog", "r000001": "dog"}
    put(asked, {"new.csv": table(answers, "key,prediction")})
    assert asked.repo.test_request("one", "main:new.csv").figure.value == 0.8


def test_a_record_without_a_prediction_is_wrong(asked):
    put(asked, {"new.csv": table(dict.fromkeys(ids(*range(8)), "cat"))})
    done = asked.repo.test_request("night", "main:new.csv")
    assert (done.figure.value, done.evaluation.missing) == (0.8, 2)


def test_captured_answers_of_a_later_model(asked):
    inputs = [f"input {n}".encode() for n in range(10)]
    records, _, files = captured.labelled("wild", inputs, start=50)
    for n, record in enumerate(records):
        record.update(output={"label": "cat"}, model={"name": "cam", "version": "2"})
        record["ts_start"] = captured.START + (100 + n) * 1_000_000
    asked.commit(records, [], files)
    done = asked.repo.test_request("night", "deployed:wild", dry_run=True)
    assert (done.model, done.figure.value) == ("cam@2", 1)
    with pytest.raises(InvalidError, match="no pinned record has a prediction"):
        asked.repo.test_request("night", "deployed:wild", model="cam@3")


def test_answers_of_several_models_prove_nothing(asked):
    for start, model, n in ((50, "two", 5), (70, "three", 8)):
        inputs = [f"input {at}".encode() for at in range(n)]
        records, _, files = captured.labelled("wild", inputs, start=start)
        for at, record in enumerate(records):
            record.update(model={"name": model}, output={"label": "cat"})
            record["ts_start"] = captured.START + (200 - start + at) * 1_000_000
        asked.commit(records, [], files)
    with pytest.raises(UsageError, match="of 2 models: three, two"):
        asked.repo.test_request("night", "deployed:wild")
    assert asked.repo.test_request("night", "deployed:wild", model="three").figure.value == 0.8


def test_an_evaluation_by_name(asked):
    put(asked, {"gold.csv": table(dict.fromkeys(ids(*range(10)), "cat"), "key,truth")})
    asked.repo.evaluate(said(asked, 9), "main:gold.csv", name="second")
    assert asked.repo.test_request("night", "second").passed


def test_labels_that_change_later_are_told_and_change_nothing(asked):
    asked.commit([], [{"record_id": "r000000", "value": "dog", "ts": captured.START * 2}])
    done = asked.repo.test_request("night", said(asked, 9))
    assert done.passed
    assert [tuple(one) for one in done.relabelled] == [("r000000", "cat", "dog")]
    asked.repo.delete_branches(["deployed"], force=True)
    assert asked.repo.request("night").relabelled is None


def test_only_what_is_kept_for_the_test_is_pinned(asked):
    kept = asked.repo.open_request(
        "fair", "deployed", "wild", "night", at_least=0.99, split=0.5, dry_run=True
    )
    made = asked.repo.promote(
        "deployed", "wild", to="test", slice_name="night", split=0.5, dry_run=True
    )
    assert 0 < kept.request.n == made.added["test"] < 10
    assert "refs/heads/request/fair" not in asked.repo.refs()


def test_slices_without_a_label_have_a_way_out(wild):
    save(wild, ["cat"] * 3, [None] * 3)
    with pytest.raises(InvalidError, match="no label on any of its 3 records") as told:
        wild.repo.open_request("night", "deployed", "wild", "night", at_least=0.9)
    assert "ox label import" in told.value.hint
    wild.commit([], [{"record_id": one, "value": "dog", "source": "rule"} for one in ids(0, 1)])
    with pytest.raises(InvalidError, match="no label but the 2 that rules"):
        wild.repo.open_request("night", "deployed", "wild", "night", at_least=0.9)
    kept = wild.repo.open_request("night", "deployed", "wild", "night", at_least=0.9, proposed=True)
    assert (kept.request.n, kept.request.unlabelled, kept.request.figure) == (2, 1, 0)
    with pytest.raises(InvalidError, match="the slice night of fox has no record"):
        wild.repo.open_request("b", "deployed", "wild", "night", at_least=0.9, model="fox")


def test_inputs_do_not_lie_over_what_was_pinned(wild):
    files = {"rows.parquet": b"easy", "request.yaml": b"state: passed"}
    records, events, _ = captured.labelled("wild", [b"a", b"b"])
    for record, path in zip(records, files, strict=True):
        record["input"]["path"] = path
        record["tags"] = ["night"]
    more = {f"wild/{path}": data for path, data in files.items()}
    wild.commit(records, events, {**more, **SLICE})
    wild.repo.open_request("night", "deployed", "wild", "night", at_least=0.9)
    found = wild.repo.request("night")
    assert (found.kept.request.state, found.inputs) == ("open", 2)
    assert found.failing[0].input_path.startswith("media/")


def test_nothing_of_the_branch_is_needed(asked):
    repo = asked.repo
    repo.delete_branches(["deployed"], force=True)
    repo.gc(grace=0, keep_operations=0)
    inputs = [one.input_path for one in repo.request("night").failing]
    assert repo.read(f"requests/night/{inputs[0]}", "request/night") == b"input 4"
    assert repo.test_request("night", said(asked, 9)).passed


def test_whatever_became_of_the_branch(asked):
    asked.commit(files={"wild/dt=2030-01-01/w-1.parquet": b"torn"})
    assert asked.repo.request("night").relabelled is None
    assert asked.repo.test_request("night", said(asked, 9)).passed


def test_opening_is_one_operation(asked):
    before = asked.repo.refs()
    asked.repo.open_request("b", "deployed", "wild", "night", at_least=0.9)
    asked.repo.undo()
    assert asked.repo.refs() == before


def test_what_is_called_otherwise_is_the_same_branch(asked):
    asked.repo.switch("deployed")
    kept = asked.repo.open_request("b", "HEAD", "wild", "night", at_least=0.9, slices_of="HEAD")
    assert kept.request.branch == "deployed"
    assert kept.request.slices == kept.request.commit
    old = asked.repo.open_request("c", "HEAD~1", "wild", "night", at_least=0.9, dry_run=True)
    assert old.request.branch == "HEAD~1"


def test_a_bare_repository(asked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bare")
    Repo.init(str(folder), bare=True).close()
    asked.repo.add_remote("origin", str(folder))
    asked.repo.push("origin", ["main", "deployed", "request/night"])
    (folder / "new.csv").write_text(table(dict.fromkeys(ids(*range(10)), "cat")))
    with Repo.open(str(folder), author="Grace <g@x>") as bare:
        assert bare.test_request("night", str(folder / "new.csv")).kept.request.state == "passed"
        assert bare.open_request("b", "deployed", "wild", "night", at_least=0.9).branch


def test_calibration(wild):
    save(wild, ["cat"] * 4, ["cat", "cat", "dog", "dog"], confidence=0.9)
    ask = wild.repo.open_request
    kept = ask("sure", "deployed", "wild", "night", metric="ece", at_most=0.1)
    assert kept.request.figure == pytest.approx(0.4)
    head = "record_id,prediction,confidence"
    for sure, why in (("0.5", ()), ("", ("4 of 4 have no answer that ece can count",))):
        put(wild, {"a.csv": table(dict.fromkeys(ids(*range(4)), f"cat,{sure}"), head)})
        done = wild.repo.test_request("sure", "main:a.csv", dry_run=True)
        assert done.why[: len(why)] == why
        assert done.passed == (not why)


def test_what_makes_no_sense(asked):
    ask = asked.repo.open_request
    with pytest.raises(NotFoundError, match="no slice is called 'dusk'"):
        ask("x", "deployed", "wild", "dusk", at_least=0.9)
    with pytest.raises(InvalidError, match="'auc' is no metric"):
        ask("x", "deployed", "wild", "night", metric="auc", at_least=0.9)
    with pytest.raises(InvalidError, match="mae is of numbers"):
        ask("x", "deployed", "wild", "night", metric="mae", at_most=1)
    with pytest.raises(InvalidError, match="no figure of ece"):
        ask("x", "deployed", "wild", "night", metric="ece", at_most=0.1)
    with pytest.raises(UsageError, match="more of it is better"):
        ask("x", "deployed", "wild", "night", at_most=0.9)
    with pytest.raises(InvalidError, match=r"40\.0% already"):
        ask("x", "deployed", "wild", "night", at_least=0.4)
    with pytest.raises(ExistsError, match="open, on request/night"):
        ask("night", "deployed", "wild", "night", at_least=0.9)
    with pytest.raises(InvalidError, match="names no request"):
        ask("../x", "deployed", "wild", "night", at_least=0.9)
    with pytest.raises(NotFoundError, match="no request is called 'day'") as told:
        asked.repo.test_request("day", "main:x.csv")
    assert told.value.hint == "there are: night"
    with pytest.raises(NotFoundError, match="called 'night' in main") as told:
        asked.repo.request("night", "main")
    assert told.value.hint == "there is one on request/night"
    with pytest.raises(UsageError, match="staged"):
        ask("x", "deployed", "wild", "night", at_least=0.9, slices_of=":")
    put(asked, {"far.csv": table({"x": "cat"})})
    with pytest.raises(InvalidError, match="no pinned record has a prediction") as told:
        asked.repo.test_request("night", "main:far.csv")
    assert "'r000000'" in told.value.hint
    assert "'x'" in told.value.hint


def test_numbers(wild):
    save(wild, [1.5, 2.75, 7.0], [1.0, 2.25, 3.0])
    ask = wild.repo.open_request
    with pytest.raises(InvalidError, match="f1 is of classes"):
        ask("n", "deployed", "wild", "night", metric="f1", at_least=0.9)
    with pytest.raises(InvalidError, match="accuracy is of classes"):
        ask("n", "deployed", "wild", "night", at_least=0.9)
    assert ask("w", "deployed", "wild", "night", at_least=0.9, within=0.5).request.wrong == 1
    kept = ask("n", "deployed", "wild", "night", metric="mae", at_most=0.25)
    assert kept.request.figure == pytest.approx(5 / 3)
    put(wild, {"a.csv": table({"r000000": 1.0, "r000001": 2.0})})
    few = wild.repo.test_request("n", "main:a.csv")
    assert few.why == ("1 of 3 have no answer that mae can count",)
    put(wild, {"a.csv": table({"r000000": 1.0, "r000001": 2.5, "r000002": 3.5})})
    assert wild.repo.test_request("n", "main:a.csv").passed
    assert wild.repo.test_request("w", "main:a.csv").passed


def test_silence_gains_nothing(wild):
    save(wild, ["cat", "dog", "dog", "cat"], ["cat", "cat", "dog", "dog"])
    wild.repo.open_request("p", "deployed", "wild", "night", metric="precision", at_least=0.9)
    put(wild, {"a.csv": table({"r000000": "cat", "r000002": "dog"})})
    done = wild.repo.test_request("p", "main:a.csv")
    assert done.figure.value == 1
    assert done.why == ("2 of 4 have no answer that precision can count",)


def test_rows_that_were_edited_are_not_what_was_pinned(asked):
    with asked.repo.transaction("request/night", message="cheat") as t:
        t.put("requests/night/rows.parquet", b"easy")
    with pytest.raises(InvalidError, match="is not what was pinned"):
        asked.repo.test_request("night", said(asked, 10))
    with asked.repo.transaction("request/night", message="cheat") as t:
        t.remove("requests/night/rows.parquet")
    with pytest.raises(InvalidError, match="is gone"):
        asked.repo.request("night")


def test_it_may_lie_on_any_branch(asked):
    repo = asked.repo
    ask = repo.open_request
    assert ask("a", "deployed", "wild", "night", at_least=0.9, onto="main").branch == "main"
    assert repo.request("a").kept.branch == "main"
    repo.branch("one", "main")
    repo.branch("two", "main")
    repo.close_request("a", "no", onto="one")
    assert repo.request("a").kept.request.state == "open"
    repo.switch("deployed")
    with pytest.raises(AmbiguousError, match="on 2 branches"):
        repo.request("a")
    assert repo.request("a", "one").kept.request.reason == "no"
    assert [one.request.name for one in repo.requests()] == ["a", "a", "night"]
    assert [one.request.name for one in repo.requests("main")] == ["a"]
    repo.switch("main")
    done = repo.test_request("a", said(asked, 9), onto="two")
    assert done.commit.hex() == repo.refs()["refs/heads/two"]


def test_the_work_tree_follows_its_branch(asked, tmp_path):
    asked.repo.switch("request/night")
    (tmp_path / "readme").write_text("changed")
    asked.repo.test_request("night", said(asked, 9))
    assert "state: passed" in (tmp_path / "requests/night/request.yaml").read_text()
    assert (tmp_path / "readme").read_text() == "changed"


def test_it_travels_and_two_who_close_it_alike_agree(asked, tmp_path_factory):
    repo, folder = asked.repo, tmp_path_factory.mktemp("hub")
    Repo.init(str(folder), bare=True).close()
    repo.add_remote("origin", str(folder))
    repo.push("origin", ["main", "request/night"])
    repo.test_request("night", said(asked, 9, name="a.csv"))
    mine = repo.refs()["refs/heads/request/night"]
    other = tmp_path_factory.mktemp("other")
    Repo.clone(str(folder), str(other)).close()
    with Repo.open(str(other), author="Grace <g@x>") as theirs:
        found = theirs.request("night")
        assert found.kept.branch == "origin/request/night"
        assert found.relabelled is None
        assert theirs.read("requests/night/" + found.failing[0].input_path, "origin/request/night")
        (other / "a.csv").write_bytes(repo.read("a.csv", "main"))
        done = theirs.test_request("night", str(other / "a.csv"))
        assert (done.kept.branch, done.passed) == ("request/night", True)
        theirs.push("origin", ["request/night"])
        assert theirs.refs()["refs/heads/request/night"] != mine


def test_a_request_that_changed_meanwhile(asked, monkeypatch):
    from oxcore.api import requesting

    real = requesting.answers

    def slow(*words):
        asked.repo.close_request("night", "too late")
        return real(*words)

    monkeypatch.setattr(requesting, "answers", slow)
    with pytest.raises(RejectedError, match="changed meanwhile"):
        asked.repo.test_request("night", said(asked, 9))
    assert asked.repo.request("night").kept.request.state == "closed"


WORDS = st.sampled_from(["cat", "dog"])
LATER = st.lists(st.sampled_from(["records", "labels", "slice", "tags", "gone"]), max_size=3)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(WORDS, st.none() | WORDS, st.none() | WORDS), min_size=1, max_size=8),
    st.sampled_from([0.3, 0.5, 2 / 3, 0.9, 1.0]),
    LATER,
)
def test_it_passes_iff_the_figure_of_what_was_pinned_does(make_wild, rows, bar, later):
    """Whatever comes to the branch meanwhile."""
    wild = make_wild()
    save(wild, [one[0] for one in rows], [one[1] for one in rows])
    pinned = {f"r{n:06}": row for n, row in enumerate(rows) if row[1] is not None}

    def share(at):
        return sum(row[at] == row[1] for row in pinned.values()) / len(pinned)

    if not pinned or share(0) >= bar:
        with pytest.raises(InvalidError, match=r"no label|already"):
            wild.repo.open_request("night", "deployed", "wild", "night", at_least=bar)
        return
    wild.repo.open_request("night", "deployed", "wild", "night", at_least=bar)
    for what in later:
        happens(wild, what, len(rows))
    answers = {f"r{n:06}": row[2] for n, row in enumerate(rows) if row[2] is not None}
    put(wild, {"new.csv": table(answers or {"r000000": ""})})
    if not pinned.keys() & (answers or {"r000000": ""}):
        with pytest.raises(InvalidError, match="no pinned record"):
            wild.repo.test_request("night", "main:new.csv")
        return
    done = wild.repo.test_request("night", "main:new.csv")
    assert done.figure.value == pytest.approx(share(2))
    assert done.passed == (share(2) >= bar) == (done.kept.request.state == "passed")


def happens(wild, what, n):
    """Something to the branch that a request was opened of."""
    if what == "records":
        save(wild, ["dog"] * 3, ["cat", "dog", None], start=n)
    elif what == "labels":
        late = {"ts": captured.START * 2, "source": "gold"}
        wild.commit([], [{"record_id": one, "value": "fox", **late} for one in ids(*range(n))])
    elif what == "tags":
        wild.commit([], [{"record_id": "r000000", "kind": "untag", "value": "night"}])
    elif what == "slice":
        wild.commit(files={"slices/night.yaml": b"tag: nothing"})
    elif "refs/heads/deployed" in wild.repo.refs():
        wild.repo.delete_branches(["deployed"], force=True)
