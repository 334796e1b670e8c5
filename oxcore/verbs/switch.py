"""``switch``: HEAD, stage and work tree go to another branch, or to a commit by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from oxcore import tree
from oxcore.errors import (
    AmbiguousError,
    ExistsError,
    InvalidError,
    NotFoundError,
    OxError,
    UsageError,
)
from oxcore.history import Revision
from oxcore.model.ids import parse_id
from oxcore.refs import branch_ref, short_name
from oxcore.repo import Repository
from oxcore.repo.merging import check_none_waits
from oxcore.repo.names import RepoNames, resolve
from oxcore.verbs.branch import HEADS, REMOTES, follow
from oxcore.verbs.moving import intent
from oxcore.verbs.moving.update import Moved, move

_BACK = re.compile(r"-|@\{-(\d{1,6})\}")


@dataclass(frozen=True, slots=True)
class Switched:
    """Where HEAD is now and was: ``branch`` and ``before`` are short names, None for a commit by
    itself; ``commit`` and ``left`` the commits (None before the first), ``title`` that of the
    first, ``created`` if the branch is new, ``upstream`` the full name of what a new one
    follows, ``moved`` the files."""

    branch: str | None
    commit: bytes | None
    title: str
    before: str | None
    left: bytes | None
    created: bool
    upstream: str | None
    moved: Moved


class _Goal(NamedTuple):
    """``ref`` None: detached; ``create``: the branch is to be made; it follows ``upstream``."""

    ref: str | None
    commit: bytes | None
    create: bool = False
    upstream: str | None = None


def switch(repo: Repository, target: str, *, detach: bool = False, force: bool = False) -> Switched:
    """Go to the branch ``target``; ``-`` is the one before, ``@{-N}`` the N-th before.

    A name that only one remote has a branch of becomes a branch that follows it. ``detach``
    takes any revision and leaves HEAD on no branch. Staged and changed files come along;
    ``UnsavedError`` lists those that stand in the way, which ``force`` overwrites (after
    storing them). Raises ``ConflictError`` while a merge waits, ``NotFoundError``,
    ``UsageError`` for a commit without ``detach``.
    """
    with repo.lock("switch"):
        goal = _commit_goal(repo, target) if detach else _branch_goal(repo, target)
        return _go(repo, goal, force=force)


def create(
    repo: Repository, name: str, start: str | None = None, *, force: bool = False
) -> Switched:
    """Make the branch ``name`` at ``start`` (HEAD by default) and go to it.

    Before the first commit HEAD just takes the name. Raises ``ExistsError`` if it exists, and
    else as ``switch``.
    """
    ref = branch_ref(name)
    with repo.lock("switch"):
        if ref in repo.view():
            raise ExistsError(f"there is a branch {name!r} already", hint=f"ox switch {name}")
        if start is None and repo.head() is None:
            return _go(repo, _Goal(ref, None, create=True), force=force)
        found = resolve(repo, start or "HEAD")
        remote = found.ref if found.ref is not None and found.ref.startswith(REMOTES) else None
        return _go(repo, _Goal(ref, found.id, create=True, upstream=remote), force=force)


def checkout(repo: Repository, target: str, *, force: bool = False) -> Switched:
    """Like ``switch``, but a revision that is no branch leaves HEAD on no branch."""
    with repo.lock("checkout"):
        goal = _named_branch(repo, target)
        return _go(repo, goal or _commit_goal(repo, target), force=force)


def known(repo: Repository, target: str) -> bool:
    """Whether ``target`` names something that ``checkout`` can go to."""
    try:
        return _named_branch(repo, target) is not None or bool(_revision(repo, target))
    except (NotFoundError, InvalidError):
        return False


def _go(repo: Repository, goal: _Goal, *, force: bool) -> Switched:
    intent.recover(repo)
    check_none_waits(repo)
    view, left, root = repo.view(), repo.head(), tree.EMPTY
    changes: dict[str, tuple[str | None, str | None]] = {}
    if goal.commit is not None:
        root = repo.commit(goal.commit).tree
    if goal.create and goal.ref is not None and goal.commit is not None:
        changes[goal.ref] = (None, goal.commit.hex())
    head = _value(goal)
    changes["HEAD"] = (view["HEAD"], head)
    before = view.head()[0]
    note = f"{_shown(view['HEAD'])} -> {_shown(head)}"
    source = repo.head_tree()
    moved = move(repo, source, root, verb="switch", note=note, changes=changes, force=force)
    if goal.upstream is not None and goal.ref is not None:
        follow(repo, short_name(goal.ref), goal.upstream)
    return Switched(
        branch=None if goal.ref is None else short_name(goal.ref),
        commit=goal.commit,
        title="" if goal.commit is None else repo.commit(goal.commit).title,
        before=None if before is None else short_name(before),
        left=left,
        created=goal.create,
        upstream=goal.upstream,
        moved=moved,
    )


def _value(goal: _Goal) -> str:
    if goal.ref is not None:
        return f"ref:{goal.ref}"
    return (goal.commit or b"").hex()


def _shown(head: str) -> str:
    return short_name(head[4:]) if head.startswith("ref:") else head[:12]


def _branch_goal(repo: Repository, target: str) -> _Goal:
    goal = _named_branch(repo, target)
    if goal is not None:
        return goal
    _revision(repo, target)
    raise UsageError(
        f"{target!r} is a revision, not a branch",
        hint=f"ox switch --detach {target}; or a new branch there: ox switch -c NAME {target}",
    )


def _commit_goal(repo: Repository, target: str) -> _Goal:
    return _Goal(None, _revision(repo, target).id)


def _revision(repo: Repository, target: str) -> Revision:
    back = _BACK.fullmatch(target)
    found = resolve(repo, "@{-1}" if back and target == "-" else target)
    if found.path is not None:
        raise InvalidError(f"{target!r} names a path, and a commit is asked for")
    return found


def _named_branch(repo: Repository, target: str) -> _Goal | None:
    """The branch, here or of one remote, that ``target`` names; None if there is none."""
    back = _BACK.fullmatch(target)
    if back:
        return _previous(repo, int(back[1] or 1))
    view = repo.view()
    try:
        ref = branch_ref(target.removeprefix(HEADS))
    except OxError:
        return None
    if ref in view:
        return _Goal(ref, parse_id(view[ref]))
    if view.head()[0] == ref:
        return _Goal(ref, None)
    return _tracked(repo, ref)


def _previous(repo: Repository, count: int) -> _Goal:
    name = RepoNames(repo).previous(count) if count else None
    if name is None:
        raise NotFoundError("there is no branch to go back to")
    if not name.startswith("refs/"):
        return _Goal(None, parse_id(name))
    tip = repo.view().get(name)
    if tip is None:
        raise NotFoundError(f"the branch {short_name(name)!r} is not here any more")
    return _Goal(name, parse_id(tip))


def _tracked(repo: Repository, ref: str) -> _Goal | None:
    """What a remote's branch of that name makes possible, if it is no other revision."""
    name, view = ref.removeprefix(HEADS), repo.view()
    found = [
        remote
        for remote in view.refs(REMOTES)
        if remote.removeprefix(REMOTES).partition("/")[2] == name
    ]
    if len(found) > 1:
        raise AmbiguousError(
            f"{len(found)} remotes have a branch {name!r}",
            items=[short_name(one) for one in found],
            hint=f"say which: ox switch -c {name} {short_name(found[0])}",
        )
    if not found or f"refs/tags/{name}" in view:
        return None
    return _Goal(ref, parse_id(view[found[0]]), create=True, upstream=found[0])
