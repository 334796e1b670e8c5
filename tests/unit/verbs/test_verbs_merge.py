"""Merge, cherry-pick, revert: one path, many paths, what stops them and what is left alone."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oxcore.errors import (
    ConflictError,
    NotFoundError,
    NothingToDoError,
    RejectedError,
    UnsavedError,
    UsageError,
)
from oxcore.model.commits import Person

some = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

paths = st.sampled_from([b"a", b"a.txt", b"d/x", b"d/y", b"d/e/z", b"n\xff", b"q"])
contents = st.sampled_from([b"", b"one", b"two", b"three", b"same"])
folders = st.dictionaries(paths, contents, max_size=6)
# a file may have been where another version has a folder
rough_paths = st.sampled_from([b"a", b"a/b", b"a/b/c", b"a-", b"b", b"b/c", b"c"])
rough = st.dictionaries(rough_paths, contents, max_size=4).filter(
    lambda files: not any(other.startswith(path + b"/") for path in files for other in files)
)


def fork(desk, base, ours, theirs):
    """Branches main and topic, parted after a commit with ``base``; HEAD is on main."""
    desk.become(base, "base")
    desk.repo.branch("topic")
    desk.become(ours, "ours")
    desk.repo.switch("topic")
    desk.become(theirs, "theirs")
    desk.repo.switch("main")
    assert desk.files() == ours


def expected(base, ours, theirs):
    """The rule for each path, and the paths in conflict (files alone, no folders in the way)."""
    merged, conflicts = {}, []
    for path in {*base, *ours, *theirs}:
        old, left, right = base.get(path), ours.get(path), theirs.get(path)
        if left not in {old, right} and right != old:
            conflicts.append(path)
        value = right if left == old else left
        if value is not None:
            merged[path] = value
    return merged, sorted(conflicts)


@some
@given(folders, folders, folders)
def test_files_merge_by_the_rule_for_one_path(desks, base, ours, theirs):
    desk = desks()
    fork(desk, base, ours, theirs)
    merged, conflicts = expected(base, ours, theirs)
    result = desk.repo.merge("topic")
    assert [conflict.path for conflict in result.conflicts] == conflicts
    assert desk.files() == desk.tree() == merged
    if conflicts:
        assert result.kind == "conflicts"
        assert desk.repo.status().pending.conflicts == result.conflicts
    else:
        assert desk.clean()
        assert len(desk.core.commit(desk.core.head()).parents) == 2


@some
@given(folders, folders, folders)
def test_the_other_way_round_only_the_sides_change(desks, base, ours, theirs):
    one, two = desks(), desks()
    fork(one, base, ours, theirs)
    fork(two, base, theirs, ours)
    left, right = one.repo.merge("topic"), two.repo.merge("topic")
    assert [(c.path, c.base, c.theirs, c.ours) for c in left.conflicts] == [
        (c.path, c.base, c.ours, c.theirs) for c in right.conflicts
    ]
    if left.kind != "conflicts":
        assert one.files() == two.files()


@some
@given(rough, rough, rough, st.sampled_from(["ours", "theirs", "both"]))
def test_what_is_aborted_never_was_and_what_is_resolved_is_committed(
    desks, base, ours, theirs, side
):
    desk = desks()
    fork(desk, base, ours, theirs)
    desk.write({b"loose": b"untracked"})
    head, stage, before = desk.core.head(), desk.core.stage(), desk.files()
    if desk.repo.merge("topic").kind != "conflicts":
        return
    desk.repo.abort("merge")
    assert (desk.core.head(), desk.core.stage()) == (head, stage)
    assert desk.files() == before
    assert desk.repo.pending() is None

    result = desk.repo.merge("topic")
    settled = desk.repo.resolve([], side)
    assert {c.path for c in settled} == {c.path for c in result.conflicts}
    made = desk.repo.commit()
    assert made.commit.parents == (head, desk.core.peel(settle_tip(desk)))
    del before[b"loose"]
    files = desk.files()
    assert files.pop(b"loose") == b"untracked"
    assert files == desk.tree() == desk.committed()
    for conflict in settled:
        check_side(conflict, side, files, ours, theirs)


def settle_tip(desk):
    return bytes.fromhex(desk.repo.refs()["refs/heads/topic"])


def check_side(conflict, side, files, ours, theirs):
    path = conflict.path
    if side == "both":
        kept = [files[p] for p in files if p == path or b".theirs" in p]
        wanted = {v for v in (ours.get(path), theirs.get(path)) if v is not None}
        assert wanted <= set(kept)
    else:
        chosen = {"ours": ours, "theirs": theirs}[side]
        assert files.get(path) == chosen.get(path)


@some
@given(folders, folders, folders, st.data())
def test_unsaved_work_comes_through_or_stops_the_merge(desks, base, ours, theirs, data):
    desk = desks()
    fork(desk, base, ours, theirs)
    dirty = data.draw(st.dictionaries(paths, st.just(b"unsaved"), max_size=3))
    desk.write(dirty)
    before, stage, head = desk.files(), desk.core.stage(), desk.core.head()
    try:
        result = desk.repo.merge("topic")
    except UnsavedError:
        assert (desk.files(), desk.core.stage(), desk.core.head()) == (before, stage, head)
        merged, conflicts = expected(base, ours, theirs)
        touched = {p for p in {*ours, *merged} if ours.get(p) != merged.get(p)} | {*conflicts}
        assert touched & set(dirty)
        return
    assert all(desk.files()[path] == b"unsaved" for path in dirty)
    if result.kind == "conflicts":
        desk.repo.abort()
        assert (desk.files(), desk.core.stage(), desk.core.head()) == (before, stage, head)


def test_fast_forward_up_to_date_and_a_merge_all_the_same(desk):
    first = desk.commit({"a": "1"})
    desk.repo.switch(create="topic")
    tip = desk.commit({"b": "2"})
    assert desk.repo.merge("main").kind == "up-to-date"
    desk.repo.switch("main")
    result = desk.repo.merge("topic")
    assert (result.kind, result.commit) == ("fast-forward", tip)
    assert desk.clean()
    assert desk.repo.refs()["refs/heads/main"] == tip.hex()
    desk.repo.switch(create="other", target=first.hex())
    result = desk.repo.merge("topic", forward="never", message="joined")
    made = desk.core.commit(result.commit)
    assert (made.parents, made.message) == ((first, tip), "joined")
    assert desk.clean()


def test_the_message_names_both(desk):
    fork(desk, {b"a": b"1"}, {b"a": b"2"}, {b"a": b"1", b"b": b"1"})
    made = desk.core.commit(desk.repo.merge("topic").commit)
    assert made.message == "Merge branch 'topic' into main"


def test_only_a_fast_forward_or_nothing(desk):
    fork(desk, {b"a": b"1"}, {b"a": b"2"}, {b"b": b"1"})
    head = desk.core.head()
    with pytest.raises(RejectedError):
        desk.repo.merge("topic", forward="only")
    assert desk.core.head() == head
    assert desk.clean()


def test_into_a_branch_without_commits(desk):
    desk.commit({"a": "1"})
    tip = desk.core.head()
    with desk.core.lock("test"):
        changes = {"HEAD": ("ref:refs/heads/main", "ref:refs/heads/new")}
        desk.core.operate("test", "", changes)
    # HEAD is unborn now and all is staged: it is the same content, so it stays
    assert desk.repo.merge("main").commit == tip
    assert desk.clean()


def test_unrelated_histories(desk):
    with desk.repo.transaction("other", message="alone") as edit:
        edit.put("b", b"2")
    desk.commit({"a": "1"})
    with pytest.raises(UsageError, match="no commit in common"):
        desk.repo.merge("other")
    result = desk.repo.merge("other", allow_unrelated=True)
    assert result.kind == "merged"
    assert desk.files() == {b"a": b"1", b"b": b"2"}
    assert desk.clean()


def test_staged_work_stops_a_true_merge_only(desk):
    desk.commit({"a": "1"})
    desk.repo.branch("side")
    desk.repo.switch(create="topic")
    desk.commit({"b": "2"})
    desk.repo.switch("main")
    desk.write({"c": "staged"})
    desk.repo.add()
    assert desk.repo.merge("side").kind == "up-to-date"
    assert desk.repo.merge("topic").kind == "fast-forward"
    assert desk.tree()[b"c"] == b"staged"
    desk.repo.switch("side")
    desk.repo.commit("c")
    desk.write({"d": "staged"})
    desk.repo.add()
    with pytest.raises(UnsavedError) as caught:
        desk.repo.merge("topic")
    assert caught.value.items == ("d",)


def test_a_second_merge_waits_for_the_first(desk):
    fork(desk, {b"a": b"1"}, {b"a": b"2"}, {b"a": b"3"})
    desk.repo.merge("topic")
    for act in (
        lambda: desk.repo.merge("topic"),
        lambda: desk.repo.cherry_pick(["topic"]),
        lambda: desk.repo.revert(["HEAD"]),
        lambda: desk.repo.switch("topic"),
        lambda: desk.repo.checkout("topic"),
        lambda: desk.repo.switch(create="new"),
        desk.repo.commit,
    ):
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.items == ("a",)


def test_neither_commit_nor_add_of_everything_settles_what_nobody_looked_at(desk):
    fork(desk, {b"a": b"1", b"b": b"1"}, {b"a": b"2", b"b": b"2"}, {b"a": b"3", b"b": b"3"})
    desk.repo.merge("topic")
    with pytest.raises(ConflictError):
        desk.repo.commit(all_tracked=True)
    desk.repo.add()
    assert len(desk.repo.pending().conflicts) == 2
    desk.write({"a": "mixed"})
    desk.repo.add()
    assert [c.path for c in desk.repo.pending().conflicts] == [b"b"]
    desk.repo.add(["b"])
    assert desk.repo.pending().conflicts == ()
    desk.repo.commit()
    assert desk.committed() == {b"a": b"mixed", b"b": b"2"}


def test_a_conflict_with_unsaved_work_stops_the_merge(desk):
    fork(desk, {b"a": b"1"}, {b"a": b"2"}, {b"a": b"3"})
    desk.write({"a": "unsaved"})
    with pytest.raises(UnsavedError) as caught:
        desk.repo.merge("topic")
    assert caught.value.items == ("a",)
    assert desk.repo.pending() is None
    assert desk.files() == {b"a": b"unsaved"}


def test_deleted_here_and_an_untracked_file_there_now(desk):
    fork(desk, {b"a": b"1", b"k": b""}, {b"k": b""}, {b"a": b"3", b"k": b""})
    desk.write({"a": "untracked"})
    with pytest.raises(UnsavedError):
        desk.repo.merge("topic")
    assert desk.files()[b"a"] == b"untracked"


def test_mode_here_and_content_there_go_together(desk):
    desk.commit({"run": "1"})
    desk.repo.branch("topic")
    os.chmod(desk.root / "run", 0o755)
    desk.commit()
    desk.repo.switch("topic")
    desk.commit({"run": "2"})
    desk.repo.switch("main")
    assert desk.repo.merge("topic").kind == "merged"
    assert os.access(desk.root / "run", os.X_OK)
    assert desk.files() == {b"run": b"2"}


def test_a_criss_cross_takes_all_bases(desk):
    fork(desk, {b"a": b"0", b"b": b"0"}, {b"a": b"1", b"b": b"0"}, {b"a": b"0", b"b": b"1"})
    main, topic = desk.core.head(), settle_tip(desk)
    desk.repo.merge(topic.hex())
    desk.repo.switch("topic")
    desk.repo.merge(main.hex())
    desk.become({b"a": b"0", b"b": b"1"}, "take the other change back")
    desk.repo.switch("main")
    desk.commit({"c": "2"})
    assert desk.repo.merge("topic").kind == "merged"
    # against one of the two bases alone "a" would look untouched by topic
    assert desk.files() == {b"a": b"0", b"b": b"1", b"c": b"2"}


def test_a_criss_cross_whose_bases_disagree(desk):
    fork(desk, {b"a": b"0"}, {b"a": b"1"}, {b"a": b"2"})
    main, topic = desk.core.head(), settle_tip(desk)
    desk.repo.merge(topic.hex())
    desk.repo.resolve([], "ours")
    desk.repo.commit()
    desk.repo.switch("topic")
    desk.repo.merge(main.hex())
    desk.repo.resolve([], "ours")
    desk.repo.commit()
    desk.repo.switch("main")
    result = desk.repo.merge("topic")
    assert [desk.content(getattr(result.conflicts[0], s)) for s in ("base", "ours", "theirs")] == [
        b"0",
        b"1",
        b"2",
    ]


def test_merges_that_touch_untracked_files_in_the_way(desk):
    fork(desk, {b"k": b"1"}, {b"k": b"2"}, {b"k": b"1", b"new": b"theirs", b"n/x": b"theirs"})
    desk.write({"new": "mine"})
    with pytest.raises(UnsavedError):
        desk.repo.merge("topic")
    os.unlink(desk.root / "new")
    desk.write({"n": "mine: a file where they have a folder"})
    with pytest.raises(UnsavedError):
        desk.repo.merge("topic")
    os.unlink(desk.root / "n")
    desk.write({"new/mine": "a folder where they have a file"})
    with pytest.raises(UnsavedError):
        desk.repo.merge("topic")
    assert desk.files() == {b"k": b"2", b"new/mine": b"a folder where they have a file"}
    assert desk.core.stage() == desk.core.head_tree()


def test_resolve_beside_what_is_there(desk):
    fork(desk, {b"d/a.b.c": b"1"}, {b"d/a.b.c": b"2"}, {b"d/a.b.c": b"3"})
    desk.repo.merge("topic")
    desk.write({"d/a.b.theirs.c": "untracked"})
    desk.repo.resolve([b"d"], "both")
    assert desk.files() == {
        b"d/a.b.c": b"2",
        b"d/a.b.theirs.c": b"untracked",
        b"d/a.b.theirs-2.c": b"3",
    }
    with pytest.raises(NotFoundError):
        desk.repo.resolve([b"d"], "both")


def test_resolving_unknown_paths(desk):
    fork(desk, {b"a": b"1"}, {b"a": b"2"}, {b"a": b"3"})
    with pytest.raises(NotFoundError, match="in progress"):
        desk.repo.resolve(["a"], "ours")
    with pytest.raises(NotFoundError, match="in progress"):
        desk.repo.abort()
    desk.repo.merge("topic")
    with pytest.raises(NotFoundError):
        desk.repo.resolve(["a", "nope"], "ours")
    with pytest.raises(NotFoundError, match="but a merge"):
        desk.repo.abort("revert")
    assert len(desk.repo.pending().conflicts) == 1


def test_a_file_of_theirs_over_a_folder_with_something_untracked(desk):
    fork(desk, {b"k": b""}, {b"k": b"", b"p/x": b"ours"}, {b"k": b"", b"p": b"theirs"})
    desk.repo.merge("topic")
    desk.write({"p/loose": "untracked"})
    before = desk.files()
    with pytest.raises(UnsavedError):
        desk.repo.resolve([b"p"], "theirs")
    assert desk.files() == before
    assert desk.repo.pending().conflicts
    os.unlink(desk.root / "p/loose")
    desk.repo.resolve([b"p"], "theirs")
    assert desk.files() == {b"k": b"", b"p": b"theirs"}


def test_pick_and_revert(desk):
    desk.commit({"a": "1", "b": "1"})
    desk.repo.switch(create="topic")
    tips = [desk.commit({"a": "2"}, "two"), desk.commit({"c": "3"}, "three")]
    desk.repo.switch("main")
    desk.commit({"b": "2"})
    done = desk.repo.cherry_pick(["main..topic"])
    assert [source for source, _ in done.made] == tips
    assert desk.files() == {b"a": b"2", b"b": b"2", b"c": b"3"}
    assert desk.clean()
    with pytest.raises(NothingToDoError):
        desk.repo.cherry_pick(["topic"])
    picked = [new for _, new in done.made]
    done = desk.repo.revert(["HEAD~2..HEAD"])
    assert [source for source, _ in done.made] == picked[::-1]
    assert desk.files() == {b"a": b"1", b"b": b"2"}
    made = desk.core.commit(desk.core.head())
    assert made.title == 'Revert "two"'
    assert done.made[1][0].hex() in made.message


@some
@given(folders, folders)
def test_a_commit_reverted_and_picked_again(desks, before, after):
    desk = desks()
    desk.become(before)
    desk.become(after)
    if before == after:
        with pytest.raises(NothingToDoError):
            desk.repo.revert(["HEAD"])
        return
    desk.repo.revert(["HEAD"])
    assert desk.files() == before
    assert desk.clean()
    desk.repo.cherry_pick(["HEAD~1"])
    assert desk.files() == after
    assert desk.clean()


def test_a_pick_that_stops_keeps_its_author(desk):
    desk.commit({"a": "1"})
    desk.repo.switch(create="topic")
    first, second, third = (desk.commit({"a": text}, text) for text in ("x", "y", "z"))
    desk.repo.switch("main")
    desk.commit({"a": "other"})
    done = desk.repo.cherry_pick([first.hex(), second.hex(), third.hex()])
    assert (done.stopped, done.remaining, done.made) == (first, (second, third), ())
    desk.repo.resolve([], "theirs")
    made = desk.repo.commit()
    assert (made.commit.message, len(made.commit.parents)) == ("x", 1)
    desk.repo.cherry_pick([second.hex()])
    assert desk.files() == {b"a": b"y"}


def test_picks_of_merges_need_a_parent(desk):
    fork(desk, {b"a": b"1"}, {b"a": b"2"}, {b"a": b"1", b"b": b"1"})
    merged = desk.repo.merge("topic").commit.hex()
    with pytest.raises(UsageError, match="is a merge"):
        desk.repo.revert([merged])
    with pytest.raises(UsageError, match="no parent 3"):
        desk.repo.revert([merged], mainline=3)
    desk.repo.revert([merged], mainline=1)
    assert desk.files() == {b"a": b"2"}
    desk.repo.revert([merged + "~0"], mainline=2)
    assert desk.files() == {b"a": b"1"}


def test_the_first_commit_can_be_reverted(desk):
    desk.commit({"a": "1"})
    desk.repo.revert(["HEAD"])
    assert desk.files() == {}
    assert desk.clean()


def test_no_author_is_needed_to_go_forward(desk):
    desk.commit({"a": "1"})
    desk.repo.switch(create="topic")
    desk.commit({"b": "2"})
    desk.repo.switch("main")
    desk.core.settings.author = None
    assert desk.repo.merge("topic").kind == "fast-forward"
    with pytest.raises(UsageError, match="who are you"):
        desk.repo.revert(["HEAD"])
    assert desk.clean()


def test_the_author_of_a_pick_is_who_wrote_it(desk):
    desk.commit({"a": "1"})
    desk.repo.switch(create="topic")
    desk.core.settings.author = Person("Bob")
    desk.commit({"a": "2", "b": "1"})
    desk.repo.switch("main")
    desk.core.settings.author = Person("Cid")
    picked = desk.repo.cherry_pick(["topic"]).made[0][1]
    assert desk.core.commit(picked).author == Person("Bob")
    desk.repo.switch(create="again", target="HEAD~1")
    desk.commit({"a": "other"})
    desk.repo.cherry_pick(["topic"])
    desk.repo.resolve([], "theirs")
    assert desk.repo.commit().commit.author == Person("Bob")


@pytest.mark.parametrize("act", ["abort", "ours", "theirs"])
def test_what_was_written_over_a_conflict_gives_way(desk, act):
    fork(desk, {b"a": b"1"}, {b"a": b"2"}, {b"a": b"3"})
    desk.repo.merge("topic")
    desk.write({"a": "half done"})
    if act == "abort":
        desk.repo.abort()
    else:
        desk.repo.resolve(["a"], act)
    assert desk.files() == desk.tree() == {b"a": b"3" if act == "theirs" else b"2"}


def test_both_where_a_folder_took_the_place_of_a_changed_file(desk):
    fork(desk, {b"f.x": b"1"}, {b"f.x/in": b"2"}, {b"f.x": b"3"})
    assert desk.repo.merge("topic").conflicts[0].ours is None
    desk.repo.resolve([], "both")
    assert desk.files() == desk.tree() == {b"f.x/in": b"2", b"f.theirs.x": b"3"}


def test_both_below_what_is_a_file_here(desk):
    theirs = {b"f.x/in": b"3", b"f.x/deep/er": b"4"}
    fork(desk, {b"k": b""}, {b"k": b"", b"f.x": b"2"}, {b"k": b"", **theirs})
    desk.repo.merge("topic")
    desk.repo.resolve(["f.x/in"], "both")
    desk.repo.resolve(["f.x"], "both")
    assert desk.files() == {
        b"k": b"",
        b"f.x": b"2",
        b"f.theirs.x/in": b"3",
        b"f.theirs.x/deep/er": b"4",
    }


def test_both_beside_another_conflict(desk):
    fork(
        desk,
        {b"a": b"1", b"a.theirs": b"1"},
        {b"a": b"2"},
        {b"a": b"3", b"a.theirs": b"3"},
    )
    desk.repo.merge("topic")
    desk.repo.resolve([], "both")
    assert desk.files() == {b"a": b"2", b"a.theirs": b"3", b"a.theirs-2": b"3"}
