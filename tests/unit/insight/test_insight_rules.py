"""Rules: what they say of themselves, what they propose, and how right they are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxcore.errors import InvalidError, NotFoundError, UsageError
from oxcore.insight.figures import wilson
from oxcore.insight.rules import Rule, dump, parse
from oxcore.testing.captured import labelled

CODE = b"""
def short(record):
    return "short" if len(record["input"]) < 8 else None

def even(record):
    return int(record["record_id"][1:]) % 2 == 0

def fails(record):
    return 1 / 0

def odd(record):
    return [1]
"""


@pytest.fixture
def ruled(wild):
    """Ten records, of which people labelled the first four ``even`` or ``odd``."""
    records, _, files = labelled("wild", [f"text {n:03}".encode()[: 6 + n] for n in range(10)])
    events = [{"record_id": f"r{n:06}", "value": "odd" if n % 2 else "even"} for n in range(3)]
    events.append({"record_id": "r000003", "value": "even", "source": "gold"})
    wild.commit(records, events, files)
    with open(wild.repo.path + "/code.py", "wb") as file:
        file.write(CODE)
    wild.repo.add()
    return wild


def test_coverage_conflicts_and_precision(ruled):
    ruled.repo.add_rule("low", where="record_id < 'r000006'", label="even")
    ruled.repo.add_rule("high", where="record_id >= 'r000004'", label="odd")
    ruled.repo.add_rule("same", where="record_id = 'r000005'", label="even")
    ruled.repo.add_rule("none", where="false", label="x")
    found = {one.name: one for one in ruled.repo.test_rules("deployed", "wild")}
    low = found["low"]
    assert (low.records, low.coverage, low.agreeing, low.conflicts) == (6, 0.6, 0, 2)
    assert low.precision == (0.75, 4, *wilson(0.75, 4))
    assert (found["high"].records, found["high"].conflicts) == (6, 2)
    assert (found["high"].precision.value, found["high"].precision.n) == (None, 0)
    assert (found["none"].records, found["none"].coverage) == (0, 0.0)
    [only] = ruled.repo.test_rules("deployed", "wild", ["same"])
    assert (only.agreeing, only.conflicts) == (0, 0)
    low, same = ruled.repo.test_rules("deployed", "wild", ["low", "same"])
    assert (low.agreeing, same.agreeing, same.conflicts) == (1, 1, 0)


def test_applied_they_are_labels_of_the_source_rule(ruled):
    ruled.repo.add_rule("low", where="record_id < 'r000006'", label="even")
    ruled.repo.add_rule("high", where="record_id >= 'r000005'", label="odd")
    before = ruled.repo.refs()
    told = ruled.repo.apply_rules("deployed", "wild", dry_run=True)
    assert ruled.repo.refs() == before
    made = ruled.repo.apply_rules("deployed", "wild")
    assert made == told
    assert [one.record_id for one in made.new] == [f"r{n:06}" for n in (4, 6, 7, 8, 9)]
    assert (made.conflicts, made.known, made.same) == (["r000005"], 4, 0)
    with ruled.repo.examples("deployed", "wild") as found:
        rows = found.sql.rows(
            "SELECT record_id, truth, truth_author FROM examples "
            "WHERE truth_source = 'rule' ORDER BY 1"
        )
        sure = found.sql.rows("SELECT DISTINCT author, confidence FROM e WHERE source = 'rule'")
    assert rows[0] == ("r000004", "even", "low")
    assert [row[1:] for row in rows[1:]] == [("odd", "high")] * 4
    assert sorted(sure) == [("high", None), ("low", 0.75)]
    tip = ruled.repo.refs()
    again = ruled.repo.apply_rules("deployed", "wild")
    assert (again.new, again.same) == ([], 5)
    assert ruled.repo.refs() == tip


def test_a_rule_that_says_otherwise_later_is_heard(ruled):
    ruled.repo.add_rule("one", where="record_id = 'r000007'", label="a")
    ruled.repo.apply_rules("deployed", "wild")
    ruled.repo.add_rule("one", where="record_id = 'r000007'", label="b")
    assert len(ruled.repo.apply_rules("deployed", "wild").new) == 1
    with ruled.repo.examples("deployed", "wild") as found:
        where = "record_id = 'r000007'"
        assert found.sql.rows(f"SELECT truth FROM examples WHERE {where}") == [("b",)]


def test_proposals_are_promoted_only_where_it_is_said(ruled):
    ruled.repo.add_rule("high", where="record_id >= 'r000004'", label="odd")
    ruled.repo.apply_rules("deployed", "wild")
    made = ruled.repo.promote("deployed", "wild", split=0, dry_run=True)
    assert (made.added["train"], made.left["label only proposed"]) == (4, 6)


def test_code_runs_only_where_it_is_asked_for(ruled):
    ruled.repo.add_rule("short", python="code.py:short")
    ruled.repo.add_rule("even", python="code.py:even", label="even")
    with pytest.raises(UsageError, match="even, short: code of the repository"):
        ruled.repo.test_rules("deployed", "wild")
    even, short = ruled.repo.test_rules("deployed", "wild", allow_python=True)
    assert (even.records, even.precision.n, even.precision.value) == (5, 2, 1.0)
    assert short.records == 2
    made = ruled.repo.apply_rules("deployed", "wild", ["even"], allow_python=True)
    assert [one.record_id for one in made.new] == ["r000004", "r000006", "r000008"]


@pytest.mark.parametrize(
    ("python", "label", "why"),
    [
        ("code.py:fails", "", "fails on record r000000, line 9: ZeroDivisionError"),
        ("code.py:odd", "", r"says \[1\] of record r000000"),
        ("code.py:even", "", "says True of record r000000"),
        ("code.py:nothing", "", "code.py has no function nothing"),
        ("other.py:f", "", "other.py is not staged"),
        ("readme.py:f", "", "readme.py: SyntaxError"),
    ],
)
def test_code_that_fails(ruled, python, label, why):
    with open(ruled.repo.path + "/readme.py", "wb") as file:
        file.write(b"def (:")
    ruled.repo.add()
    ruled.repo.add_rule("bad", python=python, label=label)
    with pytest.raises((InvalidError, NotFoundError), match=why):
        ruled.repo.test_rules("deployed", "wild", allow_python=True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"where: 'true'", "label: is missing"),
        (b"label: x", "where: or python:"),
        (b"where: a\npython: b.py:c\nlabel: x", "one of them"),
        (b"python: nothing", "names no function"),
        (b"where: [1]\nlabel: x", "where must be text or a number"),
        (b"wear: x", "'wear' is nothing that a rule says"),
        (b"- 1", "a rule has where: and label:"),
        (b"a: b: c", "line 1"),
        (b"\xff", "rules/bad.yaml"),
    ],
)
def test_files_that_make_no_sense(text, why):
    with pytest.raises(InvalidError, match=why):
        parse("bad", text)


def test_rules_that_are_not_there(ruled):
    with pytest.raises(NotFoundError, match="there is no rule"):
        ruled.repo.test_rules("deployed", "wild")
    with pytest.raises(NotFoundError, match="no rule is called 'x'"):
        ruled.repo.test_rules("deployed", "wild", ["x"])
    with pytest.raises(InvalidError, match=r"rules/bad\.yaml: .*nothing"):
        ruled.repo.add_rule("bad", where="nothing > 1", label="x")
    ruled.repo.add_rule("bad", where="confidence > 1", label="x")
    Path(ruled.repo.path, "rules/bad.yaml").write_text("where: nothing > 1\nlabel: x\n")
    ruled.repo.add(["rules"])
    with pytest.raises(InvalidError, match=r"rules/bad\.yaml: .*nothing"):
        ruled.repo.test_rules("deployed", "wild")
    with pytest.raises(NotFoundError, match="no branch is called 'deploy'"):
        ruled.repo.apply_rules("deploy", "wild", ["bad"])


lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(lines, lines, st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_read(where, label, about):
    rule = Rule("name", about, where, "", label)
    assert parse("name", dump(rule)) == rule
