"""``push``: refs that move, refs that may not, and what is sent."""

import threading

import pytest
from support.sides import Sides

from oxcore.errors import (
    InvalidError,
    MissingError,
    NotFoundError,
    RejectedError,
    UsageError,
)

MAIN = "refs/heads/main"


@pytest.fixture
def sides(tmp_path):
    with Sides(tmp_path) as made:
        yield made


@pytest.fixture
def a(sides):
    """A repository with one commit, nothing pushed."""
    made = sides.new("a")
    made.commit({"f": "1"})
    return made


def kinds(result):
    return [(one.ref, one.kind) for one in result.changes]


def test_the_first_and_the_next(sides, a):
    done = a.repo.push()
    assert kinds(done) == [(MAIN, "new")]
    assert (done.remote, done.url, done.upstream) == ("origin", sides.url, "origin/main")
    assert done.changes[0].source == MAIN
    assert (done.report.commits, done.report.objects) == (1, 3)
    assert sides.refs() == {MAIN: a.head()}
    assert a.repo.refs()["refs/remotes/origin/main"] == a.head()
    a.commit({"f": "2"})
    again = a.repo.push()
    assert kinds(again) == [(MAIN, "fast-forward")]
    assert again.upstream is None
    idle = a.repo.push()
    assert (idle.changes, idle.report.objects) == ((), 0)


def test_a_behind_remote_branch_is_noted_even_if_nothing_moves(sides, a):
    a.repo.push()
    with a.core.lock("test"):
        a.core.operate("test", "", {"refs/remotes/origin/main": (a.head(), None)})
    a.repo.push()
    assert a.repo.refs()["refs/remotes/origin/main"] == a.head()


def test_only_what_is_new_travels(a):
    a.commit({f"dir{n}/f{n}": f"{n}" for n in range(200)} | {"big": bytes(range(256)) * 9000})
    a.repo.push()
    a.write({"f": "changed"})
    a.commit()
    done = a.repo.push()
    assert done.report.commits == 1
    assert done.report.objects <= 5  # chunk, nodes of one path, commit
    a.repo.branch("copy")
    assert a.repo.push("origin", ["copy"]).report.objects == 0


def test_what_is_spared_is_counted(a):
    a.commit({"f": "1", "copy": "1", "big": bytes(range(256)) * 9000})
    a.repo.push()
    a.write({"big": bytes(range(256)) * 9000 + b"more"})
    a.commit()
    done = a.repo.push()
    assert done.report.spared > 0
    assert done.report.nbytes > 0


def test_names_sources_and_targets(sides, a):
    first = a.head()
    a.commit({"f": "2"})
    a.repo.push("origin", ["main:elsewhere", "HEAD~1:refs/heads/older", "HEAD"])
    assert sides.refs() == {
        MAIN: a.head(),
        "refs/heads/elsewhere": a.head(),
        "refs/heads/older": first,
    }
    assert a.core.own_config()["branch.main.merge"] == "main"
    a.repo.push("origin", [":elsewhere"])
    a.repo.push("origin", ["older"], delete=True)
    assert sides.refs() == {MAIN: a.head()}
    assert "refs/remotes/origin/older" not in a.repo.refs()


def test_an_upstream_of_another_name_is_set_when_asked_for(a):
    a.repo.push("origin", ["main:next"])
    assert "branch.main.remote" not in a.core.own_config()
    done = a.repo.push("origin", ["main:next"], set_upstream=True)
    assert done.upstream == "origin/next"
    a.commit({"f": "2"})
    assert kinds(a.repo.push()) == [("refs/heads/next", "fast-forward")]


def test_what_it_follows_counts_on_that_remote_alone(sides, a):
    a.repo.push("origin", ["main:next"], set_upstream=True)
    other = sides.new("other", remote=False)
    other.repo.switch(create="aside")
    a.repo.add_remote("backup", str(other.root))
    assert kinds(a.repo.push("backup")) == [(MAIN, "new")]
    assert a.core.own_config()["branch.main.remote"] == "origin"


def test_tags(sides, a):
    a.repo.tag("light")
    a.repo.tag("heavy", message="a version")
    done = a.repo.push(tags=True)
    assert {ref for ref, _ in kinds(done)} == {MAIN, "refs/tags/light", "refs/tags/heavy"}
    a.commit({"f": "2"})
    a.repo.tag("late")
    assert kinds(a.repo.push("origin", ["late"])) == [("refs/tags/late", "new")]
    a.repo.push("origin", ["heavy:refs/heads/from-tag"])
    commit = a.core.peel(bytes.fromhex(a.repo.refs()["refs/tags/heavy"])).hex()
    assert sides.refs()["refs/heads/from-tag"] == commit
    a.repo.push("origin", ["late"], delete=True)
    assert "refs/tags/late" not in sides.refs()


def test_a_tag_that_is_there_does_not_move(sides, a):
    a.repo.tag("v1")
    a.repo.push(tags=True)
    a.repo.delete_tags(["v1"])
    a.commit({"f": "2"})
    a.repo.tag("v1")
    before = sides.refs()
    with pytest.raises(RejectedError) as caught:
        a.repo.push(tags=True)
    assert "--delete v1" in caught.value.hint
    assert sides.refs() == before


def test_all_branches(sides, a):
    a.repo.branch("x")
    a.repo.branch("y")
    a.repo.push(all_branches=True)
    assert sides.refs().keys() == {MAIN, "refs/heads/x", "refs/heads/y"}
    settings = a.core.own_config()
    assert settings["branch.y.merge"] == "y"


def test_a_remote_that_moved_on(sides, a):
    a.repo.push()
    b = sides.clone("b")
    b.commit({"g": "b"})
    b.repo.push()
    a.commit({"f": "2"})
    before, there = a.state(), sides.refs()
    with pytest.raises(RejectedError) as caught:
        a.repo.push()
    assert "ox pull" in caught.value.hint
    assert (a.state(), sides.refs()) == (before, there)
    a.repo.pull()
    assert kinds(a.repo.push()) == [(MAIN, "fast-forward")]


def test_all_or_none(sides, a):
    a.repo.branch("x")
    a.repo.push(all_branches=True)
    b = sides.clone("b")
    b.commit({"g": "b"})
    b.repo.push()
    a.commit({"f": "2"})
    a.repo.branch("x", force=True)
    there = sides.refs()
    with pytest.raises(RejectedError):
        a.repo.push(all_branches=True)
    assert sides.refs() == there


def test_force_with_lease(sides, a):
    a.commit({"f": "2"})
    a.repo.push()
    a.repo.reset("HEAD~1", "hard")
    a.commit({"f": "3"})
    with pytest.raises(RejectedError):
        a.repo.push()
    done = a.repo.push(force_with_lease=True)
    assert kinds(done) == [(MAIN, "forced")]
    assert sides.refs() == {MAIN: a.head()}


def test_the_lease_is_lost_when_somebody_pushed(sides, a):
    a.repo.push()
    b = sides.clone("b")
    b.commit({"g": "b"})
    b.repo.push()
    a.commit({"f": "2"}, "other")
    there = sides.refs()
    with pytest.raises(RejectedError) as caught:
        a.repo.push(force_with_lease=True)
    assert "ox fetch" in caught.value.hint
    assert sides.refs() == there
    a.repo.fetch()
    assert kinds(a.repo.push(force_with_lease=True)) == [(MAIN, "forced")]


def test_a_push_between_the_look_and_the_swap(sides, a, monkeypatch):
    a.repo.push()
    b = sides.clone("b")
    b.commit({"g": "b"})
    a.commit({"f": "2"})
    from oxcore.verbs import push as verb

    transfer = verb.transfer

    def overtaken(*args, **named):
        monkeypatch.undo()
        b.repo.push()
        return transfer(*args, **named)

    monkeypatch.setattr(verb, "transfer", overtaken)
    with pytest.raises(RejectedError) as caught:
        a.repo.push()
    assert "main" in caught.value.message
    assert "ox pull" in caught.value.hint
    assert sides.refs() == {MAIN: b.head()}
    a.repo.pull()
    assert a.repo.push().report.spared >= 0


def test_two_at_once_exactly_one_wins(sides, a):
    a.repo.push()
    others = [sides.clone(f"c{n}") for n in range(3)]
    for n, side in enumerate(others):
        side.commit({f"mine{n}": "x"})
    gate, results = threading.Barrier(3), []

    def go(side):
        gate.wait()
        try:
            results.append(side.repo.push().changes[0].kind)
        except RejectedError as error:
            results.append(error.hint)

    threads = [threading.Thread(target=go, args=(side,)) for side in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("fast-forward") == 1
    assert sum("ox pull" in one for one in results) == 2
    assert sides.refs()[MAIN] in [side.head() for side in others]


def test_a_branch_that_is_checked_out_there(sides, a):
    b = sides.clone("b", str(a.root))
    b.commit({"f": "2"})
    before = a.state()
    with pytest.raises(RejectedError) as caught:
        b.repo.push()
    assert str(a.root) in caught.value.message
    assert "another branch" in caught.value.hint
    assert a.state() == before
    done = b.repo.push("origin", ["main:review"])
    assert kinds(done) == [("refs/heads/review", "new")]
    assert a.files() == {"f": b"1"}


@pytest.mark.parametrize(
    ("refspecs", "options", "error"),
    [
        (["nope"], {}, NotFoundError),
        (["nope:main"], {}, NotFoundError),
        (["main:a b"], {}, InvalidError),
        (["main:refs/remotes/x/y"], {}, InvalidError),
        (["main:refs/other"], {}, InvalidError),
        ([":nope"], {}, NotFoundError),
        (["nope"], {"delete": True}, NotFoundError),
        ([], {"delete": True}, UsageError),
        (["main"], {"delete": True, "tags": True}, UsageError),
    ],
)
def test_what_is_refused_changes_nothing(sides, a, refspecs, options, error):
    before, there = a.state(), sides.refs()
    with pytest.raises(error):
        a.repo.push("origin", refspecs, **options)
    assert (a.state(), sides.refs()) == (before, there)


def test_nothing_to_push_yet(sides):
    side = sides.new("empty")
    with pytest.raises(NotFoundError) as caught:
        side.repo.push()
    assert "commit" in caught.value.hint


def test_head_on_no_branch(sides, a):
    a.repo.switch("HEAD", detach=True)
    with pytest.raises(UsageError) as caught:
        a.repo.push()
    assert "HEAD:BRANCH" in caught.value.hint
    a.repo.push("origin", ["HEAD:work"])
    assert sides.refs() == {"refs/heads/work": a.head()}


def test_to_an_address_without_a_name(sides, a):
    done = a.repo.push(sides.url)
    assert (done.remote, done.upstream) == ("", None)
    assert sides.refs() == {MAIN: a.head()}
    assert "refs/remotes/origin/main" not in a.repo.refs()


def test_no_remote_and_no_repository_there(sides, a):
    other = sides.new("other", remote=False)
    other.commit({"f": "1"})
    with pytest.raises(NotFoundError) as caught:
        other.repo.push()
    assert "ox remote add origin" in caught.value.hint
    with pytest.raises(NotFoundError) as caught:
        a.repo.push(str(sides.folder / "nowhere"))
    assert "ox init --bare" in caught.value.hint


def test_a_shallow_clone_pushes_back(sides, a):
    a.commit({"f": "2"})
    a.repo.push()
    b = sides.clone("b", depth=1)
    b.commit({"g": "1"})
    assert kinds(b.repo.push()) == [(MAIN, "fast-forward")]
    other = sides.new("other", remote=False)
    with pytest.raises(MissingError):
        b.repo.push(str(other.root), ["main:review"])
    assert other.repo.refs() == {}
