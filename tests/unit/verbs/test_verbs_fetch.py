"""``fetch``: what comes, which refs follow, and what stays as it is."""

import pytest
from support.sides import Sides

from oxcore.errors import InvalidError, NotFoundError, RejectedError, UsageError


@pytest.fixture
def sides(tmp_path):
    with Sides(tmp_path) as made:
        yield made


@pytest.fixture
def two(sides):
    """``a`` has pushed a commit, ``b`` is a clone."""
    a = sides.new("a")
    a.commit({"f": "1"})
    a.repo.push()
    return a, sides.clone("b")


def kinds(result):
    return {one.ref: one.kind for one in result.changes}


def test_new_and_moved_branches_and_tags(sides, two):
    a, b = two
    a.commit({"f": "2"})
    a.repo.branch("topic")
    a.repo.tag("v1")
    a.repo.push(all_branches=True, tags=True)
    files = b.files()
    result = b.repo.fetch()
    assert kinds(result) == {
        "refs/remotes/origin/main": "fast-forward",
        "refs/remotes/origin/topic": "new",
        "refs/tags/v1": "new",
    }
    assert {one.source for one in result.changes} == {
        "refs/heads/main",
        "refs/heads/topic",
        "refs/tags/v1",
    }
    assert result.heads == {"main": a.head(), "topic": a.head()}
    assert (result.remote, result.url, result.report.commits) == ("origin", sides.url, 1)
    assert b.files() == files
    assert b.head() != a.head()
    again = b.repo.fetch()
    assert again.changes == ()
    assert again.report.objects == 0


def test_named_branches_alone(two):
    a, b = two
    a.repo.branch("topic")
    a.repo.branch("other")
    a.repo.tag("v1")
    a.repo.push(all_branches=True, tags=True)
    assert kinds(b.repo.fetch("origin", ["topic"])) == {"refs/remotes/origin/topic": "new"}
    both = b.repo.fetch("origin", ["topic"], tags=True)
    assert kinds(both) == {"refs/tags/v1": "new"}
    assert kinds(b.repo.fetch(tags=False)) == {"refs/remotes/origin/other": "new"}


def test_the_setting_names_branches_too(two):
    a, b = two
    a.repo.branch("topic")
    a.repo.branch("other")
    a.repo.push(all_branches=True)
    b.core.set_config({"remote.origin.branches": "main topic"})
    assert kinds(b.repo.fetch()) == {"refs/remotes/origin/topic": "new"}
    assert kinds(b.repo.fetch("origin", ["other"])) == {"refs/remotes/origin/other": "new"}
    a.repo.push("origin", ["topic", "other"], delete=True)
    with pytest.raises(NotFoundError):
        b.repo.fetch()


def test_prune_forgets_what_is_gone_there(two):
    a, b = two
    a.repo.branch("topic")
    a.repo.push(all_branches=True)
    b.repo.fetch()
    a.repo.push("origin", ["topic"], delete=True)
    assert b.repo.fetch().changes == ()
    result = b.repo.fetch(prune=True)
    assert kinds(result) == {"refs/remotes/origin/topic": "deleted"}
    assert "refs/remotes/origin/topic" not in b.repo.refs()
    assert "refs/remotes/origin/main" in b.repo.refs()


def test_a_branch_that_was_forced(two):
    a, b = two
    a.commit({"f": "2"})
    a.repo.push()
    b.repo.fetch()
    a.repo.reset("HEAD~1", "hard")
    a.commit({"f": "3"})
    a.repo.push(force_with_lease=True)
    result = b.repo.fetch()
    assert kinds(result) == {"refs/remotes/origin/main": "forced"}
    assert b.repo.refs()["refs/remotes/origin/main"] == a.head()


def test_a_tag_of_ours_stays(two):
    a, b = two
    b.repo.tag("v1")
    mine = b.repo.refs()["refs/tags/v1"]
    a.commit({"f": "2"})
    a.repo.tag("v1")
    a.repo.push(tags=True)
    assert kinds(b.repo.fetch())["refs/tags/v1"] == "refused"
    assert b.repo.refs()["refs/tags/v1"] == mine


def test_an_annotated_tag_comes_whole(two):
    a, b = two
    a.repo.tag("v1", message="a version")
    a.repo.push(tags=True)
    b.repo.fetch()
    assert b.repo.refs()["refs/tags/v1"] == a.repo.refs()["refs/tags/v1"]
    assert b.core.peel(bytes.fromhex(b.repo.refs()["refs/tags/v1"])).hex() == a.head()


def test_from_an_address_without_a_name(two):
    a, b = two
    a.commit({"f": "2"})
    refs = b.repo.refs()
    result = b.repo.fetch(str(a.root))
    assert result.remote == ""
    assert result.heads == {"main": a.head()}
    assert b.repo.refs() == refs
    assert b.core.commit(bytes.fromhex(a.head())).message == "change"


def test_deeper_and_deepest(sides):
    a = sides.new("a")
    commits = [a.commit({"f": str(n)}, f"c{n}") for n in range(6)]
    a.repo.push()
    b = sides.clone("b", depth=1)
    b.repo.fetch(depth=3)
    assert [one.id.hex() for one in b.repo.log()] == commits[:2:-1]
    assert b.core.shallow() == {bytes.fromhex(commits[3])}
    result = b.repo.fetch(unshallow=True)
    assert result.report.commits == 3
    assert [one.id.hex() for one in b.repo.log()] == commits[::-1]
    assert b.core.shallow() == frozenset()
    assert "shallow" not in b.core.view()
    for number, commit in enumerate(commits):
        assert b"".join(b.repo.cat("f", commit)) == str(number).encode()
    assert b.repo.fetch(unshallow=True).report.objects == 0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"depth": 0}, InvalidError),
        ({"depth": 2, "unshallow": True}, UsageError),
        ({"branches": ["nope"]}, NotFoundError),
    ],
)
def test_what_is_refused_changes_nothing(two, options, error):
    _, b = two
    before = b.state()
    with pytest.raises(error):
        b.repo.fetch("origin", **options)
    assert b.state() == before


def test_an_unknown_branch_is_told_with_those_that_are_there(two):
    _, b = two
    with pytest.raises(NotFoundError) as caught:
        b.repo.fetch("origin", ["nope"])
    assert caught.value.items == ("main",)


def test_others_may_write_while_it_receives(two, monkeypatch):
    a, b = two
    a.commit({"f": "2"})
    a.repo.push()
    from oxcore.verbs import fetch as verb

    transfer = verb.transfer

    def slow(*args, **named):
        report = transfer(*args, **named)
        b.commit({"mine": "1"})  # needs the lock
        return report

    monkeypatch.setattr(verb, "transfer", slow)
    assert kinds(b.repo.fetch()) == {"refs/remotes/origin/main": "fast-forward"}
    assert b.files()["mine"] == b"1"


def test_two_at_once_do_not_lose_what_is_shallow(sides, monkeypatch):
    a = sides.new("a")
    for n in range(4):
        a.commit({"f": str(n)})
    a.repo.push()
    b = sides.clone("b", depth=1)
    from oxcore.verbs import fetch as verb

    transfer = verb.transfer

    def overtaken(*args, **named):
        report = transfer(*args, **named)
        monkeypatch.undo()
        b.repo.fetch(unshallow=True)
        return report

    monkeypatch.setattr(verb, "transfer", overtaken)
    with pytest.raises(RejectedError):
        b.repo.fetch(depth=2)
    assert len(list(b.repo.log())) == 4
