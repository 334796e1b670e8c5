"""Moves the refs of the receiving repository, if nothing speaks against it."""

from __future__ import annotations

from collections.abc import Iterable

from oxcore.errors import InvalidError, RejectedError
from oxcore.history import is_ancestor
from oxcore.model.ids import parse_id
from oxcore.model.protocols import RefUpdate
from oxcore.refs import View, short_name
from oxcore.refs.names import HEADS, TAGS
from oxcore.repo import Repository
from oxcore.transfer.check import check_history
from oxcore.transfer.commits import peel, ref_commits
from oxcore.wire.messages import SwapReply, SwapRequest


def apply_swap(repo: Repository, request: SwapRequest, who: str) -> SwapReply:
    """Move all refs of ``request`` or none, as one operation of ``repo`` by ``who``.

    Raises ``RejectedError`` where a ref does not hold ``old`` or would lose commits without
    ``force``, ``MissingError`` where objects of the new history are not here, ``InvalidError`` for
    a ref that a remote cannot move. A repeated ``write_id`` gives the first result.
    """
    for update in request.updates:
        if not update.name.startswith((HEADS, TAGS)):
            raise InvalidError(f"{update.name} is neither a branch nor a tag")
    with repo.lock("push"):
        view = repo.view()
        number = view.number
        if all(view.get(one.name) == one.old for one in request.updates):
            _check(repo, view, request)
        # Else this is a retry after a lost reply, which the log knows, or it is refused there.
        try:
            done = repo.state.swap(
                {one.name: (one.old, one.new) for one in request.updates},
                verb="push",
                note=_note(request.updates),
                who=who,
                time=repo.settings.clock(),
                write_id=request.write_id,
            )
        except RejectedError as error:
            raise _moved(view, request.updates) from error
        repeated = done is not None and done.number <= number
        if not repeated:
            made = [one.name for one in request.updates if one.new is not None]
            point_head(repo, made, who)
    return SwapReply(None if done is None else done.number, repeated)


def _check(repo: Repository, view: View, request: SwapRequest) -> None:
    check_checked_out(repo, view, [one.name for one in request.updates])
    _check_default(view, request.updates)
    values = [parse_id(one.new) for one in request.updates if one.new is not None]
    tips = {value: peel(repo, value).commit for value in values}
    check_history(repo, set(tips.values()), ref_commits(repo))
    for one in request.updates:
        if one.new is not None:
            _check_step(repo, one, tips[parse_id(one.new)], forced=one.name in request.force)


def _check_step(repo: Repository, update: RefUpdate, tip: bytes, *, forced: bool) -> None:
    name, old, new = update
    branch = name.startswith(HEADS)
    if branch and new != tip.hex():
        raise InvalidError(f"{name} is a branch: it names a commit, not a tag")
    if old is None or old == new or forced:
        return
    if not branch:
        raise _rejected(name, old, "it is there already, with another value", "delete it first")
    if not is_ancestor(repo.history(), peel(repo, parse_id(old)).commit, tip):
        raise _rejected(name, old, "it has commits that yours does not", "pull, then push again")


def _moved(view: View, updates: Iterable[RefUpdate]) -> RejectedError:
    """Tells who pushes which refs have other values than they saw."""
    found = [(one.name, view.get(one.name)) for one in updates if view.get(one.name) != one.old]
    names = ", ".join(short_name(name) for name, _ in found)
    items = [f"{name} {value}" for name, value in found if value is not None]
    return RejectedError(f"{names} has moved meanwhile", hint="pull, then push again", items=items)


def _rejected(name: str, present: str, why: str, hint: str) -> RejectedError:
    return RejectedError(
        f"{short_name(name)} was not moved: {why}", hint=hint, items=[f"{name} {present}"]
    )


def check_checked_out(repo: Repository, view: View, names: Iterable[str]) -> None:
    """Raise ``RejectedError`` if one of these refs is the branch of a work tree."""
    name, _ = view.head()
    if repo.worktree is None or all(one != name for one in names):
        return
    raise RejectedError(
        f"{short_name(name or '')} is checked out in {repo.worktree}",
        hint="push to another branch and merge there, or pull from there",
    )


def _check_default(view: View, updates: Iterable[RefUpdate]) -> None:
    """The branch that HEAD names is the one that clones check out: it does not go by the way."""
    name, commit = view.head()
    if commit is not None and any(one.name == name and one.new is None for one in updates):
        raise RejectedError(
            f"{short_name(name or '')} is the default branch there, which clones check out",
            hint="whoever owns that repository can switch it to another branch first",
        )


def point_head(repo: Repository, names: Iterable[str], who: str) -> None:
    """HEAD of a bare repository names a branch that is there, if there is one: of ``names``, refs
    that were just made."""
    view = repo.view()
    name, commit = view.head()
    made = [one for one in names if one.startswith(HEADS)]
    if repo.worktree is not None or name is None or commit is not None or not made:
        return
    repo.state.swap(
        {"HEAD": (view["HEAD"], f"ref:{made[0]}")},
        verb="push",
        note=f"HEAD to {short_name(made[0])}",
        who=who,
        time=repo.settings.clock(),
    )


def _note(updates: Iterable[RefUpdate]) -> str:
    return ", ".join(short_name(one.name) for one in list(updates)[:5])
