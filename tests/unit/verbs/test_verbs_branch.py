"""Branches: made, listed, renamed, deleted, and what they follow."""

import pytest

from oxcore.errors import (
    ExistsError,
    InvalidError,
    NotFoundError,
    UnsavedError,
    UsageError,
)


def set_refs(desk, **refs):
    """Put refs into the state as they are: ``origin="..."`` becomes refs/remotes/origin/main."""
    with desk.core.lock("test"):
        changes = {f"refs/remotes/{name}/main": (None, oid.hex()) for name, oid in refs.items()}
        desk.core.operate("test", "", changes)


def names(desk, which="local"):
    return [branch.name for branch in desk.repo.branches(which)]


def test_a_repository_without_commits(desk):
    assert desk.repo.branches() == []
    with pytest.raises(NotFoundError):
        desk.repo.branch("topic")
    desk.repo.rename_branch("trunk")
    assert desk.repo.status().branch == "trunk"
    desk.commit({"a": "1"})
    assert names(desk) == ["trunk"]


def test_making_and_listing(desk):
    first = desk.commit({"a": "1"}, "first\n\nmore")
    second = desk.commit({"a": "2"}, "second")
    made = desk.repo.branch("old", "HEAD~1")
    assert (made.name, made.ref, made.commit) == ("old", "refs/heads/old", first)
    assert (made.title, made.current, made.worktree, made.upstream) == ("first", False, None, None)
    listed = desk.repo.branches()
    assert [(one.name, one.commit, one.current) for one in listed] == [
        ("main", second, True),
        ("old", first, False),
    ]
    assert listed[0].worktree == str(desk.root)
    assert desk.files() == {b"a": b"2"}


@pytest.mark.parametrize("name", ["a b", "-x", "HEAD", "a..b", "", "a/", "x.lock"])
def test_bad_names(desk, name):
    desk.commit({"a": "1"})
    for act in (
        lambda: desk.repo.branch(name),
        lambda: desk.repo.rename_branch(name),
        lambda: desk.repo.switch(create=name),
    ):
        with pytest.raises(InvalidError):
            act()
    assert names(desk) == ["main"]


def test_what_is_there_is_moved_by_force_alone(desk):
    first = desk.commit({"a": "1"})
    second = desk.commit({"a": "2"})
    desk.repo.branch("topic")
    with pytest.raises(ExistsError):
        desk.repo.branch("topic", "HEAD~1")
    assert desk.repo.branches()[1].commit == second
    desk.repo.branch("topic", "HEAD~1", force=True)
    assert desk.repo.branches()[1].commit == first
    with pytest.raises(UsageError):
        desk.repo.branch("main", "HEAD~1", force=True)
    with pytest.raises(ExistsError):
        desk.repo.branch("topic/below")


def test_a_branch_from_a_remote_one_follows_it(desk):
    tip = desk.commit({"a": "1"})
    set_refs(desk, origin=tip)
    made = desk.repo.branch("mine", "origin/main")
    assert made.upstream == "refs/remotes/origin/main"
    config = desk.repo.config()
    assert (config["branch.mine.remote"], config["branch.mine.merge"]) == ("origin", "main")
    assert names(desk, "remote") == ["origin/main"]
    assert names(desk, "all") == ["main", "mine", "origin/main"]
    assert desk.repo.branches("remote")[0].remote


def test_ahead_behind_and_gone(desk):
    desk.commit({"a": "1"})
    desk.repo.branch("other")
    tips = [desk.commit({"a": text}) for text in "23"]
    set_refs(desk, origin=tips[1])
    desk.repo.switch("other")
    desk.commit({"b": "1"})
    one = desk.repo.set_upstream("origin/main")
    assert one.upstream == "refs/remotes/origin/main"
    one = desk.repo.branches()[1]
    assert (one.ahead, one.behind, one.gone) == (1, 2, False)
    assert desk.repo.status().behind == 2
    one = desk.repo.branches(compare=False)[1]
    assert (one.ahead, one.behind) == (0, 0)
    desk.repo.delete_branches(["origin/main"], remote=True)
    one = desk.repo.branches()[1]
    assert (one.gone, one.upstream) == (True, "refs/remotes/origin/main")
    desk.repo.set_upstream(None)
    assert desk.repo.branches()[1].upstream is None
    with pytest.raises(NotFoundError):
        desk.repo.set_upstream(None)


def test_following_what_cannot_be_followed(desk):
    desk.commit({"a": "1"})
    desk.repo.tag("v1")
    for followed, error in (("nope", NotFoundError), ("v1", InvalidError)):
        with pytest.raises(error):
            desk.repo.set_upstream(followed)
    with pytest.raises(NotFoundError):
        desk.repo.set_upstream("main", "nope")
    desk.repo.branch("topic")
    assert desk.repo.set_upstream("main", "topic").upstream == "refs/heads/main"


def test_renaming_takes_head_and_settings_along(desk):
    tip = desk.commit({"a": "1"})
    set_refs(desk, origin=tip)
    desk.repo.set_upstream("origin/main")
    desk.repo.set_config({"branch.main.x.note": "of a branch called main.x", "branch.main.k": "v"})
    desk.repo.branch("there")
    assert desk.repo.rename_branch("trunk") == ("main", "trunk")
    assert desk.core.view()["HEAD"] == "ref:refs/heads/trunk"
    assert names(desk) == ["there", "trunk"]
    config = desk.repo.config()
    assert {key: value for key, value in config.items() if key.startswith("branch")} == {
        "branch.main.x.note": "of a branch called main.x",
        "branch.trunk.remote": "origin",
        "branch.trunk.merge": "main",
        "branch.trunk.k": "v",
    }
    with pytest.raises(ExistsError):
        desk.repo.rename_branch("trunk", "there")
    with pytest.raises(UsageError):
        desk.repo.rename_branch("trunk", "there", force=True)
    with pytest.raises(NotFoundError):
        desk.repo.rename_branch("new", "nope")
    desk.repo.rename_branch("trunk", "trunk")
    desk.repo.rename_branch("there", force=True)
    assert names(desk) == ["there"]
    assert desk.core.view()["HEAD"] == "ref:refs/heads/there"
    desk.repo.rename_branch("there/below")
    assert names(desk) == ["there/below"]


def test_a_renamed_branch_was_not_left(desk):
    desk.commit({"a": "1"})
    desk.repo.switch(create="topic")
    desk.repo.rename_branch("subject")
    assert desk.repo.switch("-").branch == "main"
    assert desk.repo.switch("-").branch == "subject"


def test_deleting(desk):
    desk.commit({"a": "1"})
    for name in ("merged", "ahead", "followed"):
        desk.repo.branch(name)
    desk.repo.switch("ahead")
    tip = desk.commit({"b": "1"})
    desk.repo.switch("followed")
    set_refs(desk, origin=desk.commit({"c": "1"}))
    desk.repo.set_upstream("origin/main")
    desk.repo.switch("main")
    with pytest.raises(UsageError, match="checked out"):
        desk.repo.delete_branches(["main"], force=True)
    with pytest.raises(UnsavedError, match="ahead"):
        desk.repo.delete_branches(["merged", "ahead"])
    with pytest.raises(NotFoundError):
        desk.repo.delete_branches(["merged", "nope"])
    assert names(desk) == ["ahead", "followed", "main", "merged"]
    assert [one.name for one in desk.repo.delete_branches(["merged"]).branches] == ["merged"]
    desk.repo.delete_branches(["followed"])
    assert not [key for key in desk.repo.config() if key.startswith("branch.")]
    gone = desk.repo.delete_branches(["ahead", "ahead"], force=True)
    assert [one.commit for one in gone.branches] == [tip]
    assert gone.operation == desk.core.view().number
    assert names(desk) == ["main"]


def test_head_on_no_branch(desk):
    desk.commit({"a": "1"})
    desk.repo.switch("HEAD", detach=True)
    assert [one.current for one in desk.repo.branches()] == [False]
    for act in (
        lambda: desk.repo.rename_branch("new"),
        lambda: desk.repo.set_upstream("main"),
    ):
        with pytest.raises(UsageError, match="on no branch"):
            act()
