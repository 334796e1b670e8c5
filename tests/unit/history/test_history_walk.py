"""Walks, merge bases and transfers against brute force on any graph with any dates."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oxcore import history
from oxcore.errors import MissingError
from oxcore.model.commits import Commit, Moment, Person


def oid(number):
    return number.to_bytes(2, "big") * 16


class Graph:
    """Commits by number: ``rows[n]`` is (parents, time); counts reads."""

    def __init__(self, rows):
        self.rows = rows
        self.reads = 0
        self.commits = {
            oid(at): Commit(
                b"t" * 32, tuple(map(oid, parents)), Person("a"), Moment(time), f"commit {at}"
            )
            for at, (parents, time) in enumerate(rows)
        }

    def read(self, name):
        self.reads += 1
        if name not in self.commits:
            raise MissingError("not here", items=[name.hex()])
        return self.commits[name]

    def ancestors(self, *tips, first_parent=False, shallow=()):
        found, pending = set(), list(tips)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                parents = self.commits[name].parents[: 1 if first_parent else None]
                pending.extend(() if name in shallow else parents)
        return found


@st.composite
def graphs(draw, max_size=14, skew=True):
    size = draw(st.integers(1, max_size))
    rows = []
    for at in range(size):
        near = st.integers(max(0, at - 4), max(0, at - 1))
        any_of = near | st.integers(0, max(0, at - 1))
        parents = draw(st.lists(any_of, max_size=3, unique=True)) if at else []
        if at and not parents and draw(st.integers(0, 3)):
            parents = [at - 1]
        time = draw(st.integers(0, 6)) if skew else at // 2
        rows.append((parents, time))
    return Graph(rows)


some = st.lists(st.integers(0, 99), max_size=3)


def pick(graph, numbers):
    return [oid(number % len(graph.rows)) for number in numbers]


@settings(max_examples=200, deadline=None)
@given(graphs(), some, some, st.sampled_from(["date", "topo"]), st.booleans(), some)
def test_walk_gives_each_once_and_children_first(graph, tips, hide, order, first, cut):
    tips, hide, shallow = pick(graph, tips), pick(graph, hide), frozenset(pick(graph, cut))
    shown = graph.ancestors(*tips, first_parent=first, shallow=shallow)
    hidden = graph.ancestors(*hide, shallow=shallow)
    found = list(
        history.walk(graph.read, tips, hide, order=order, first_parent=first, shallow=shallow)
    )
    names = [name for name, _ in found]
    assert sorted(names) == sorted(shown - hidden)
    assert all(commit is graph.commits[name] for name, commit in found)
    place = {name: at for at, name in enumerate(names)}
    for name, commit in found:
        if name not in shallow:
            parents = commit.parents[: 1 if first else None]
            assert all(place[name] < place.get(parent, 99) for parent in parents)


@settings(max_examples=100, deadline=None)
@given(graphs(skew=False), some)
def test_walk_by_date_is_newest_first_where_clocks_are_right(graph, tips):
    times = [commit.time.us for _, commit in history.walk(graph.read, pick(graph, tips))]
    assert times == sorted(times, reverse=True)


@settings(max_examples=250, deadline=None)
@given(graphs(), st.integers(0, 99), st.integers(0, 99), some)
def test_merge_bases(graph, a, b, cut):
    (a, b), shallow = pick(graph, [a, b]), frozenset(pick(graph, cut))
    above = {name: graph.ancestors(name, shallow=shallow) for name in graph.commits}
    common = above[a] & above[b]
    best = {
        one for one in common if not any(one != other and one in above[other] for other in common)
    }
    found = history.merge_bases(graph.read, a, b, shallow)
    assert len(found) == len(best)
    assert set(found) == best
    assert found == history.merge_bases(graph.read, b, a, shallow)
    assert history.merge_base(graph.read, a, b, shallow) == (found[0] if found else None)
    assert history.is_ancestor(graph.read, a, b, shallow) == (a in above[b])


@settings(max_examples=150, deadline=None)
@given(graphs(max_size=30), some, some)
def test_missing(graph, tips, theirs):
    tips, theirs = pick(graph, tips), graph.ancestors(*pick(graph, theirs))
    found = history.missing(graph.read, tips, lambda names: [name in theirs for name in names])
    names = [name for name, _ in found]
    assert sorted(names) == sorted(graph.ancestors(*tips) - theirs)
    seen = set()
    for name, commit in found:
        assert set(commit.parents) <= seen | theirs
        seen.add(name)


def line(count):
    """One line of commits; every tenth is dated an hour before its parent."""
    return Graph([([at - 1] if at else [], at - 3600 * (at % 10 == 0)) for at in range(count)])


def test_a_line_is_walked_lazily():
    graph = line(1000)
    walk = history.walk(graph.read, [oid(999)])
    assert [next(walk)[0] for _ in range(5)] == [oid(at) for at in range(999, 994, -1)]
    assert graph.reads <= 6
    graph.reads = 0
    assert len(list(history.walk(graph.read, [oid(999)], [oid(989)]))) == 10
    assert graph.reads <= 1000
    assert len(list(history.walk(graph.read, [oid(999)]))) == 1000


def forks(count):
    """A line with a side branch of three commits in every ten, merged again."""
    rows = [([], 0)]
    for at in range(1, count):
        step = at % 10
        parents = {4: [at - 4], 7: [at - 4, at - 1]}.get(step, [at - 1])
        rows.append((parents, at))
    return Graph(rows)


def test_merged_branches_are_walked_lazily_too():
    graph = forks(1000)
    walk = history.walk(graph.read, [oid(999)])
    for _ in range(5):
        next(walk)
    assert graph.reads <= 20
    graph.reads = 0
    assert history.is_ancestor(graph.read, oid(990), oid(999))
    assert history.merge_base(graph.read, oid(986), oid(983)) == oid(980)
    assert graph.reads <= 40
    assert [name for name, _ in history.walk(graph.read, [oid(999)])][-1] == oid(0)


def test_topo_keeps_lines_together_and_first_parent_skips_them():
    graph = forks(10)
    topo = [name for name, _ in history.walk(graph.read, [oid(7)], order="topo")]
    assert topo == [oid(at) for at in (7, 6, 5, 4, 3, 2, 1, 0)]
    first = [name for name, _ in history.walk(graph.read, [oid(7)], first_parent=True)]
    assert first == [oid(at) for at in (7, 3, 2, 1, 0)]
    some = history.walk(graph.read, [oid(7)], [oid(1)], first_parent=True)
    assert [name for name, _ in some] == [oid(at) for at in (7, 3, 2)]


def test_questions_are_few_and_large():
    graph = line(5000)
    asked = []

    def have(names):
        asked.append(len(names))
        return [name < oid(1000) for name in names]

    assert len(history.missing(graph.read, [oid(4999)], have)) == 4000
    assert len(asked) <= 12
    assert max(asked) <= 1024


def test_missing_history_is_an_error_unless_it_was_cut():
    graph = line(10)
    del graph.commits[oid(4)]
    with pytest.raises(MissingError):
        list(history.walk(graph.read, [oid(9)]))
    walk = history.walk(graph.read, [oid(9)], shallow=frozenset([oid(5)]))
    assert [name for name, _ in walk][-1] == oid(5)
