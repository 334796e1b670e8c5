"""The drawing, and that following its lines leads to the parents."""

from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore import history
from oxcore.model.commits import Commit, Moment, Person


def commits_of(rows):
    def oid(number):
        return number.to_bytes(2, "big") * 16

    return {
        oid(at): Commit(b"t" * 32, tuple(map(oid, parents)), Person("a"), Moment(at), f"c{at}")
        for at, parents in enumerate(rows)
    }


def drawn(rows, order="topo"):
    commits = commits_of(rows)
    parents = {parent for commit in commits.values() for parent in commit.parents}
    tips = [oid for oid in reversed(commits) if oid not in parents]
    return list(history.graph(history.walk(commits.__getitem__, tips, order=order)))


def lines(rows, order="topo"):
    return [
        line for row in drawn(rows, order) for line in ((row.mark + row.commit.message), *row.after)
    ]


def test_a_line():
    assert lines([[], [0], [1]]) == ["* c2", "* c1", "* c0"]


def test_a_fork_and_a_merge():
    assert lines([[], [0], [0], [1, 2], [3]]) == [
        "* c4",
        "* c3",
        "|\\",
        "| * c2",
        "* | c1",
        "|/",
        "* c0",
    ]


def test_a_merge_of_three_and_a_long_way_back():
    assert lines([[], [0], [0], [0], [1, 2, 3]]) == [
        "* c4",
        "|\\",
        "| |\\",
        "| | * c3",
        "| * | c2",
        "| |/",
        "* | c1",
        "|/",
        "* c0",
    ]


def test_two_unrelated_lines():
    assert lines([[], [0], [], [2]], "topo") == ["* c3", "* c2", "* c1", "* c0"]


def test_text_stands_beside_the_open_lines():
    rows = drawn([[], [0], [0], [1, 2]])
    assert [row.pad for row in rows] == ["| ", "| | ", "| | ", "  "]


def follow(canvas, row, at):
    """The rows of the commits that the lines from a place lead to. One on its way to the left
    goes straight through those that it crosses."""
    found, pending = set(), [(row, at, False)]
    while pending:
        row, at, slanted = pending.pop()
        row += 1
        if row == len(canvas):
            continue
        line = canvas[row].ljust(at + 3)
        if slanted and at > 0 and line[at - 1] == "/":
            pending.append((row, at - 2, True))
            continue
        if line[at] == "*":
            found.add(row)
        if line[at] == "|":
            pending.append((row, at, False))
        if line[at + 1] == "\\":
            pending.append((row, at + 2, False))
        if line[at] == " " and at > 0 and line[at - 1] == "/":
            pending.append((row, at - 2, True))
    return found


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 12))
    return [
        draw(st.lists(st.integers(0, at - 1), max_size=3, unique=True)) if at else []
        for at in range(size)
    ]


@settings(max_examples=400, deadline=None)
@given(graphs(), st.sampled_from(["date", "topo"]))
def test_the_lines_lead_to_the_parents(rows, order):
    canvas, names = [], {}
    for row in drawn(rows, order):
        assert row.mark.count("*") == 1
        assert len(row.mark) == len(row.pad)
        names[len(canvas)] = row
        canvas += [row.mark, row.pad, *row.after]
    for at, row in names.items():
        reached = {names[place].id for place in follow(canvas, at, row.mark.index("*"))}
        assert reached == set(row.commit.parents)


def test_lines_to_what_is_not_shown_stay_open():
    commits = commits_of([[], [0], [1]])
    rows = list(history.graph(list(commits.items())[:0:-1]))
    assert [row.mark for row in rows] == ["* ", "* "]
    assert rows[-1].pad == "| "
