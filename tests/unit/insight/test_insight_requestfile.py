"""The file of a request: what it says, and what people may write into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxcore.errors import InvalidError
from oxcore.insight.requests import Goal, Request, checked, dump, parse

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(
    st.builds(
        Request,
        name=st.just("a"),
        state=st.sampled_from(["open", "passed", "closed"]),
        owner=TEXTS,
        note=TEXTS,
        slice=TEXTS.filter(bool),
        metric=st.just("mae"),
        at_least=st.none(),
        at_most=st.floats(0, 1e6).map(lambda x: float(f"{x:.9g}")),
        within=st.floats(0, 9).map(lambda x: float(f"{x:.9g}")),
        model=st.lists(TEXTS, max_size=2).map(tuple),
        n=st.integers(0, 9),
        wrong=st.integers(0, 9),
        figure=st.none() | st.just(0.0) | st.just(0.123456789),
        low=st.none(),
        high=st.none(),
        unlabelled=st.integers(0, 3),
        proposed=st.integers(0, 3),
        split=st.none() | st.just(0.0) | st.just(0.5),
        prediction=TEXTS,
        trust=st.lists(TEXTS, max_size=2).map(tuple),
        branch=TEXTS.filter(bool),
        folder=TEXTS,
        commit=st.just("00"),
        slices=TEXTS,
        rows=st.just("11"),
        reason=TEXTS,
        passed=st.just({}) | st.just({"model": "m", "figure": 0.5, "n": 3}),
    )
)
def test_a_file_says_what_it_was_made_of_in_one_line_a_field(request):
    text = dump(request)
    assert parse("a", text) == request
    fields = [line.partition(b":")[0].decode() for line in text.splitlines()]
    assert fields == [one for one in Request.__dataclass_fields__ if one in fields]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("state: open", "state: ajar", "'ajar' is no state"),
        ("slice: s", "", "it says no slice"),
        ("n: 3", "n: many", "n cannot be 'many'"),
        ("n: 3", "m: 3", "'m' is no field"),
        ("at_least: 0.9", "at_most: 0.9", "how much accuracy is asked for"),
        ("n: 3", "n: [3", "request.yaml, line"),
        ("n: 3", "n: true", "n cannot be True"),
    ],
)
def test_files_that_people_edit(old, new, why):
    lines = ["state: open", "slice: s", "metric: accuracy", "at_least: 0.9", "n: 3", "wrong: 1"]
    text = "\n".join([*lines, "branch: b", "commit: c", "rows: d", ""])
    assert parse("x", text.encode()).n == 3
    with pytest.raises(InvalidError, match=r"requests/x/request\.yaml") as told:
        parse("x", text.replace(old, new).encode())
    assert why in str(told.value)


def test_goals():
    assert checked(Goal(at_least=1.0)).met_by(1)
    assert checked(Goal("mae", at_most=0.0)).met_by(0)
    for goal in (Goal(at_least=1.1), Goal("mae", at_most=-1.0), Goal(at_least=float("nan"))):
        with pytest.raises(InvalidError):
            checked(goal)
