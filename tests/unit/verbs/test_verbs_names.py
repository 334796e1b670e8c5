"""Names over a repository: refs, logs, previous branches, upstreams, short ids, paths."""

from itertools import count

import pytest

from oxcore import history, tree
from oxcore.api import Repo
from oxcore.codec.commit import encode_commit, encode_tag
from oxcore.errors import AmbiguousError, InvalidError, MissingError, NotFoundError
from oxcore.model.commits import Commit, Moment, Person, Tag
from oxcore.model.ids import Kind, object_id
from oxcore.model.settings import Settings
from oxcore.repo import names


@pytest.fixture
def repo(tmp_path):
    ticks = count(1_700_000_000, 60)
    settings = Settings(author=Person("Ann"), clock=lambda: Moment(next(ticks) * 1_000_000, 60))
    with Repo.init(str(tmp_path), settings=settings) as api:
        yield api._repo


def commit(repo, text, branch="main"):
    with Repo(repo).transaction(branch, message=text) as edit:
        edit.put("a.txt", text.encode())
    return bytes.fromhex(repo.view()[f"refs/heads/{branch}"])


def switch(repo, value):
    with repo.lock("test"):
        repo.operate("switch", value, {"HEAD": (repo.view()["HEAD"], value)})


def test_a_repository_without_commits(repo):
    with pytest.raises(NotFoundError):
        names.resolve(repo, "HEAD")
    assert names.tips(repo, ()) == history.Selection((), ())


def test_head_branches_and_generations(repo):
    one, two, three = (commit(repo, text) for text in ("one", "two", "three"))
    assert names.resolve_commit(repo, "HEAD") == three
    assert names.resolve(repo, "main").ref == "refs/heads/main"
    assert names.resolve_commit(repo, "main~2") == one
    assert names.resolve_commit(repo, "@^") == two
    assert names.resolve_tree(repo, "main") == repo.commit(three).tree
    with pytest.raises(NotFoundError, match="too far"):
        names.resolve(repo, "HEAD~3")


def test_short_ids_and_candidates(repo):
    oids = [commit(repo, str(number)) for number in range(4)]
    assert names.resolve_commit(repo, oids[1].hex()[:12]) == oids[1]
    found = names.RepoNames(repo).find(oids[0][:2])
    assert (oids[0], 5) in found
    assert all(kind in (5, 6) for _, kind in found)
    with pytest.raises(NotFoundError):
        names.resolve(repo, "ab" * 32)


def test_an_ambiguous_id_lists_its_candidates(repo):
    seen = {}
    for number in count():
        made = Commit(tree.EMPTY, (), Person("Ann"), Moment(number), f"number {number}")
        data = encode_commit(made)
        oid = object_id(Kind.COMMIT, data)
        if oid[:2] in seen:
            break
        seen[oid[:2]] = (oid, data)
    with repo.batch() as batch:
        batch.put(oid, Kind.COMMIT, data)
        batch.put(seen[oid[:2]][0], Kind.COMMIT, seen[oid[:2]][1])
    with pytest.raises(AmbiguousError) as caught:
        names.resolve(repo, oid.hex()[:4])
    assert len(caught.value.items) == 2
    assert any(f"1970-01-01 number {number}" in item for item in caught.value.items)
    assert names.resolve_commit(repo, oid.hex()[:16]) == oid


def test_reflog_of_branch_and_head(repo):
    one, two = commit(repo, "one"), commit(repo, "two")
    other = commit(repo, "other", branch="side")
    switch(repo, "ref:refs/heads/side")
    assert names.resolve_commit(repo, "main@{0}") == two
    assert names.resolve_commit(repo, "main@{1}") == one
    assert names.resolve_commit(repo, "HEAD@{0}") == other
    assert [names.resolve_commit(repo, f"HEAD@{{{n}}}") for n in (1, 2)] == [two, one]
    with pytest.raises(NotFoundError):
        names.resolve(repo, "HEAD@{3}")
    with pytest.raises(NotFoundError):
        names.resolve(repo, "main@{2}")


def test_a_ref_at_a_time(repo):
    one, two = commit(repo, "one"), commit(repo, "two")
    log = names.RepoNames(repo).reflog("refs/heads/main")
    assert [oid for _, oid in log] == [two, one]
    when = Moment(log[1][0], 60).iso()
    assert names.resolve_commit(repo, f"main@{{{when}}}") == one
    assert names.resolve_commit(repo, "main@{2100-01-01}") == two


def test_previous_branches(repo):
    one = commit(repo, "one")
    other = commit(repo, "other", branch="side")
    switch(repo, "ref:refs/heads/side")
    switch(repo, one.hex())
    switch(repo, "ref:refs/heads/main")
    found = [names.resolve(repo, f"@{{-{n}}}") for n in (1, 2, 3)]
    assert [row.ref for row in found] == [None, "refs/heads/side", "refs/heads/main"]
    assert [row.id for row in found] == [one, other, one]
    with pytest.raises(NotFoundError):
        names.resolve(repo, "@{-4}")


def test_a_renamed_branch_was_not_left(repo):
    tip = commit(repo, "one").hex()
    with repo.lock("test"):
        changes = {
            "HEAD": ("ref:refs/heads/main", "ref:refs/heads/trunk"),
            "refs/heads/main": (tip, None),
            "refs/heads/trunk": (None, tip),
        }
        repo.operate("branch", "rename", changes)
    assert list(names.left(repo)) == []


def test_upstream(repo):
    tip = commit(repo, "one")
    with pytest.raises(NotFoundError, match="follows no"):
        names.resolve(repo, "@{u}")
    repo.set_config({"branch.main.remote": "origin", "branch.main.merge": "trunk"})
    with pytest.raises(NotFoundError, match="not fetched"):
        names.resolve(repo, "main@{upstream}")
    with repo.lock("test"):
        repo.operate("fetch", "", {"refs/remotes/origin/trunk": (None, tip.hex())})
    assert names.resolve(repo, "@{u}").ref == "refs/remotes/origin/trunk"
    assert names.resolve_commit(repo, "origin/trunk") == tip


def test_annotated_tags_are_gone_through(repo):
    tip = commit(repo, "one")
    tag = Tag(tip, "v1", Person("Ann"), Moment(0), "the first")
    data = encode_tag(tag)
    oid = object_id(Kind.TAG, data)
    with repo.batch() as batch:
        batch.put(oid, Kind.TAG, data)
    with repo.lock("test"):
        repo.operate("tag", "v1", {"refs/tags/v1": (None, oid.hex())})
    assert names.resolve(repo, "v1")[:4] == (tip, "v1", "refs/tags/v1", oid)
    assert names.resolve_commit(repo, oid.hex()[:20]) == tip
    assert names.find_ref(repo, "v1") == "refs/tags/v1"


def test_stashes_latest_first(repo):
    oids = [commit(repo, str(number)) for number in range(11)]
    with repo.lock("test"):
        kept = {f"refs/stash/{n}": (None, oid.hex()) for n, oid in enumerate(oids)}
        repo.operate("stash", "", kept)
    assert names.resolve_commit(repo, "stash") == oids[10]
    assert names.resolve_commit(repo, "stash@{1}") == oids[9]


def test_paths(repo):
    tip = commit(repo, "one")
    root = repo.commit(tip).tree
    assert names.resolve_path(repo, "main:./a//b/") == (root, b"a/b")
    assert names.resolve_path(repo, "main") == (root, b"")
    assert names.resolve_path(repo, ":a.txt") == (repo.stage(), b"a.txt")
    with pytest.raises(InvalidError):
        names.resolve_commit(repo, "main:a.txt")


def test_ranges(repo):
    one, two = commit(repo, "one"), commit(repo, "two")
    assert names.resolve_range(repo, "HEAD~1..HEAD") == history.Selection((two,), (one,))
    assert names.resolve_range(repo) == history.Selection((two,), ())
    assert names.resolve_range(repo, "HEAD~1...HEAD") == history.Selection((one, two), (one,))


def test_a_commit_that_is_not_here(repo):
    gone = "cd" * 32
    with repo.lock("test"):
        repo.operate("fetch", "", {"refs/remotes/origin/x": (None, gone)})
    with pytest.raises(MissingError):
        names.resolve(repo, "origin/x")
