"""Which commits a log shows, in which order, with which names."""

import pytest

from oxcore.errors import InvalidError, NotFoundError
from oxcore.model.ids import parse_id


def titles(found):
    return [one.commit.title for one in found]


def branch(desk, name, value=None):
    with desk.core.lock("test"):
        at = value or desk.core.head().hex()
        desk.core.operate("branch", name, {name: (desk.core.view().get(name), at)})


def merge_commit(desk, parents, files, message):
    """A commit on main with these parents, written past the verbs."""
    from oxcore import tree
    from oxcore.model.commits import Commit
    from oxcore.verbs.commit import store_commit

    old = desk.core.commit(parents[0]).tree
    with desk.core.batch() as batch:
        from oxcore.model.entries import Entry, Mode
        from oxcore.verbs.storing.deposit import put_bytes

        edits = [
            (path, Entry(Mode.FILE, len(data), put_bytes(desk.core, batch, data)))
            for path, data in sorted(files.items())
        ]
        root = tree.edit(batch, batch, old, edits)
    core = desk.core
    made = Commit(root, tuple(parents), core.author(), core.settings.clock(), message)
    oid = store_commit(core, made)
    branch(desk, "refs/heads/main", oid.hex())
    return oid


@pytest.fixture
def forked(desk):
    """one - two - merge, one - side - merge; side and two are siblings."""
    one = desk.commit({"a": "1"}, "one")
    branch(desk, "refs/heads/side")
    with desk.repo.transaction("side", message="side") as edit:
        edit.put("s", b"side")
    two = desk.commit({"b": "2"}, "two")
    side = parse_id(desk.core.view()["refs/heads/side"])
    merge_commit(desk, [two, side], {b"s": b"side"}, "merge")
    return desk, one, two, side


def test_an_empty_repository_has_an_empty_log(desk):
    assert list(desk.repo.log()) == []
    with pytest.raises(NotFoundError):
        list(desk.repo.log("HEAD"))


def test_newest_first_up_to_a_limit(forked):
    desk = forked[0]
    assert titles(desk.repo.log()) == ["merge", "two", "side", "one"]
    assert titles(desk.repo.log(limit=2)) == ["merge", "two"]
    assert titles(desk.repo.log(limit=0)) == []
    assert titles(desk.repo.log(first_parent=True)) == ["merge", "two", "one"]


def test_ranges(forked):
    desk = forked[0]
    assert titles(desk.repo.log("side..main")) == ["merge", "two"]
    assert titles(desk.repo.log("HEAD^1...side")) == ["two", "side"]
    assert titles(desk.repo.log("main", "^side")) == ["merge", "two"]


def test_only_commits_that_change_the_paths(forked):
    desk = forked[0]
    assert titles(desk.repo.log(paths=["a"])) == ["one"]
    assert titles(desk.repo.log(paths=["s"])) == ["side"]  # the merge has it as its parent has
    assert titles(desk.repo.log(paths=["[bs]"])) == ["merge", "two", "side"]
    assert titles(desk.repo.log(paths=["nope"])) == []


def test_a_removed_and_a_nested_path(desk):
    desk.commit({"d/x": "1", "e": "1"}, "one")
    desk.commit({"e": "2"}, "two")
    desk.commit({"d/x": None}, "three")
    assert titles(desk.repo.log(paths=["d"])) == ["three", "one"]
    assert titles(desk.repo.log(paths=["d/x"])) == ["three", "one"]


def test_path_limits_read_few_nodes(desk):
    desk.commit({f"d{n:03}/{m:03}": f"{n} {m}" for n in range(40) for m in range(50)}, "many")
    for number in range(5):
        desk.commit({"d039/049": str(number)}, f"edit {number}")
    before = desk.core.counters.nodes_read
    assert titles(desk.repo.log(paths=["d000"])) == ["many"]
    assert desk.core.counters.nodes_read - before < 30


def test_author_and_times(forked):
    desk = forked[0]
    rows = list(desk.repo.log())
    assert titles(desk.repo.log(author="ANN")) == titles(rows)
    assert titles(desk.repo.log(author="bob")) == []
    middle = rows[1].commit.time
    assert titles(desk.repo.log(since=middle.us)) == ["merge", "two"]
    assert titles(desk.repo.log(until=middle.us)) == ["two", "side", "one"]
    assert titles(desk.repo.log(since=middle.iso())) == ["merge", "two"]
    assert len(titles(desk.repo.log(since="2023-11-14", until="2023-11-14"))) == 4
    assert titles(desk.repo.log(since="2023-11-15")) == []
    with pytest.raises(InvalidError):
        desk.repo.log(since="yesterday")


def test_refs_stand_beside_commits(forked):
    desk, one, _, side = forked
    branch(desk, "refs/tags/v1", one.hex())
    branch(desk, "refs/stash/1", one.hex())
    found = {row.id: row.refs for row in desk.repo.log()}
    assert found[desk.core.head()] == ("HEAD", "refs/heads/main")
    assert found[side] == ("refs/heads/side",)
    assert found[one] == ("refs/tags/v1",)


def test_a_graph_of_a_fork(forked):
    desk = forked[0]
    rows = list(desk.repo.log(graph=True))
    assert [row.drawn.mark.rstrip() for row in rows] == ["*", "| *", "* |", "*"]
    assert titles(rows) == ["merge", "side", "two", "one"]


def test_a_graph_leads_over_what_is_left_out(desk):
    for number in range(4):
        desk.commit({"a" if number in {0, 3} else "b": str(number)}, str(number))
    rows = list(desk.repo.log(graph=True, paths=["a"]))
    assert titles(rows) == ["3", "0"]
    assert [row.drawn.mark.rstrip() for row in rows] == ["*", "*"]
    assert rows[0].commit.parents != (rows[1].id,)  # the commit itself is as it is


def test_what_a_commit_changes(forked):
    desk = forked[0]
    found = [(c.letter, c.path) for c in desk.repo.changes()]
    assert found == [("A", b"s")]  # against the first parent
    assert [c.path for c in desk.repo.changes("HEAD~2")] == [b"a"]
    assert list(desk.repo.changes("HEAD~2", paths=["b"])) == []
